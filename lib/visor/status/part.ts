/**
 * How a visor does: each part it depends on, whether it works, and what to do when it does not.
 * Tested in tests/visor/events/part_test.ts.
 */

import type { NetworkConfig } from "../../network/mod.ts";
import type { MonotonicMs, PublicKey } from "../../types/mod.ts";
import type { MessagingClient } from "../../messaging/mod.ts";
import { type Http, type Runtime, withTimeout } from "../../runtime/mod.ts";
import type { TransportTable } from "../../transport/mod.ts";
import type { AddressBinding } from "../address_binding.ts";
import { type Finding, StatusHistory } from "./history.ts";
import { VERSION } from "../../types/version.ts";
import type { VisorStatus } from "./view.ts";

/** A service that does not answer within this is as good as away. */
const PROBE_WITHIN_MS = 2_000;

/** What a report is made of. */
export interface StatusDeps {
  readonly runtime: Runtime;
  readonly publicKey: PublicKey;
  readonly network: NetworkConfig;
  readonly messaging: Pick<MessagingClient, "sessions">;
  readonly table: Pick<TransportTable, "list">;
  /** Reaches public keys, too. */
  readonly http: Pick<Http, "fetch">;
  /** Of a visor that is to be found by its key. */
  readonly binding: Pick<AddressBinding, "finding"> | undefined;
}

/** Makes status reports of one visor. */
export class StatusPart {
  readonly #deps: StatusDeps;
  readonly #history: StatusHistory;
  readonly #startedAt: MonotonicMs;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
    this.#history = new StatusHistory(deps.runtime.clock);
    this.#startedAt = deps.runtime.clock.monotonic();
  }

  /** Looks at everything now. */
  async report(): Promise<VisorStatus> {
    const { runtime, publicKey, network } = this.#deps;
    const services = await Promise.all([
      this.#probe("messaging-discovery", network.messagingDiscovery),
      this.#probe("transport-discovery", network.transportDiscovery),
      ...(network.routeFinder === undefined ? [] : [this.#probe("route-finder", network.routeFinder)]),
      ...(network.addressResolver === undefined ? [] : [this.#probe("address-resolver", network.addressResolver)]),
    ]);
    const binding = this.#deps.binding?.finding;
    const checks = this.#history.record([
      this.#messaging(),
      this.#transports(),
      ...services,
      ...(binding === undefined ? [] : [binding]),
    ]);
    return {
      publicKey,
      version: VERSION,
      uptimeSeconds: (runtime.clock.monotonic() - this.#startedAt) / 1000,
      healthy: checks.every((check) => check.state !== "failed"),
      checks,
    };
  }

  #messaging(): Finding {
    const { sessions } = this.#deps.messaging;
    if (sessions.length > 0) {
      return { name: "messaging", state: "ok", detail: `connected to ${count(sessions.length, "server")}` };
    }
    return {
      name: "messaging",
      state: "failed",
      detail: "no messaging server reached",
      remedy: "it goes on trying; see that a messaging server of this network runs and can be reached from here",
    };
  }

  #transports(): Finding {
    const all = this.#deps.table.list(), up = all.filter((transport) => transport.up).length;
    if (up === all.length) return { name: "transports", state: "ok", detail: `${up} up` };
    return {
      name: "transports",
      state: up === 0 ? "failed" : "degraded",
      detail: `${up} of ${all.length} up`,
      remedy:
        "they are dialled until they answer; `skywire transport ls` shows which, `skywire transport rm` gives one up",
    };
  }

  async #probe(name: string, url: string): Promise<Finding> {
    const { runtime } = this.#deps;
    try {
      const response = await withTimeout(
        (signal) => this.#deps.http.fetch(new Request(`${url}/health`, { signal })),
        { timers: runtime.timers, ms: PROBE_WITHIN_MS, code: "http/timeout", message: `Ask ${url}` },
      );
      await response.body?.cancel();
      if (response.ok) return { name, state: "ok", detail: url };
      return {
        name,
        state: "degraded",
        detail: `${url} answers ${response.status}`,
        remedy: "see the log of that service",
      };
    } catch {
      return {
        name,
        state: "failed",
        detail: `${url} does not answer`,
        remedy: "see that it runs and can be reached from here",
      };
    }
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
