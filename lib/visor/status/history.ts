/** Remembers since when each thing has been as it is, for `skywire status`. */

import type { Clock } from "../../runtime/mod.ts";
import type { StatusCheck } from "./view.ts";

/** What a check found just now. */
export type Finding = Omit<StatusCheck, "since">;

/** The checks of one visor over time. */
export class StatusHistory {
  readonly #clock: Clock;
  readonly #last = new Map<string, { readonly state: StatusCheck["state"]; readonly since: string }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds the time of the last change of state to each finding. */
  record(findings: readonly Finding[]): StatusCheck[] {
    const now = new Date(this.#clock.wallMs()).toISOString();
    return findings.map((finding) => {
      const last = this.#last.get(finding.name);
      const since = last?.state === finding.state ? last.since : now;
      this.#last.set(finding.name, { state: finding.state, since });
      return { ...finding, since };
    });
  }
}
