/**
 * Tells transport discovery how the transports here are: every change at once, and all of them about once a minute, which
 * keeps them listed. A discovery that takes no reports, such as those of v1.3, is asked once and then left alone.
 *
 * ```
 * something changed ── 250 ms ──► what changed       refresh every 30–60 s ──► all
 * no answer            → the same again, later and later
 * listed by nobody yet → those that work again, later: whoever registers it may be slower than we
 * no such path         → nothing for an hour
 * ```
 */

import { describeError } from "../errors/mod.ts";
import { Backoff, randomFraction, type Runtime, Signal, sleep, withTimeout } from "../runtime/mod.ts";
import type { MonotonicMs, TransportId } from "../types/mod.ts";
import { type EdgeStatus, MAX_STATUSES } from "../wire/transport_status.ts";
import type { TransportMetrics } from "./metrics.ts";

/** Changes within this time go together: a visor that loses its network loses all transports within a moment. */
const COALESCE_MS = 250;

/** The longest time between two reports of all; each is up to a half shorter, so that visors do not report in step. */
const REFRESH_MS = 60_000;

/** Longer than any answer that is still of use. */
const REQUEST_TIMEOUT_MS = 15_000;

/** The pauses before a report is repeated. */
const RETRY_MS = { firstMs: 1_000, maxMs: 30_000 };

/** When a discovery that takes no reports is asked again: it may have been replaced by a newer one. */
const ASK_AGAIN_MS = 3_600_000;

/** How often the traffic is looked at. */
const SAMPLE_MS = 5_000;

/** What a reporter is made of. */
export interface StatusReporterDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  /**
   * Tells discovery. Absent: it takes no reports.
   * @returns which are not listed; undefined when discovery takes no reports
   */
  readonly report: ((statuses: readonly EdgeStatus[]) => Promise<readonly TransportId[] | undefined>) | undefined;
  /** How all transports are now. */
  readonly statuses: () => readonly EdgeStatus[];
  /** Looks at the traffic of all transports. */
  readonly sample: () => void;
  /** Called with transports that discovery does not list. */
  readonly onUnlisted: (ids: readonly TransportId[]) => void;
  readonly metrics: Pick<TransportMetrics, "reportsFailed">;
}

/** See the top of the file. Disposing ends it at once. */
export class StatusReporter implements AsyncDisposable {
  readonly #deps: StatusReporterDeps;
  readonly #closing = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #changed = new Set<TransportId>();
  /** Working, but not listed when they were reported; to be reported again at {@link #againAt}. */
  readonly #again = new Set<TransportId>();
  readonly #againBackoff: Backoff;
  #againAt: number = Infinity;
  #refreshAt: number;
  #isTaken = false;
  readonly #change = new Signal();

  constructor(deps: StatusReporterDeps) {
    this.#deps = deps;
    this.#againBackoff = new Backoff({ random: deps.runtime.random, ...RETRY_MS });
    this.#refreshAt = this.#now() + this.#refreshDelay();
    const { report } = deps;
    this.#running = report === undefined ? Promise.resolve() : Promise.all([this.#run(report), this.#sampleForever()]);
  }

  /** Does the discovery take reports, as far as we know? */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** A transport has changed, or is new. */
  changed(id: TransportId): void {
    this.#changed.add(id);
    this.#change.notify();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(report: NonNullable<StatusReporterDeps["report"]>): Promise<void> {
    const { random, log } = this.#deps.runtime;
    const { signal } = this.#closing;
    const backoff = new Backoff({ random, ...RETRY_MS });
    while (!signal.aborted) {
      await this.#untilDue();
      if (signal.aborted) return;
      const due = this.#takeDue();
      try {
        if (await this.#reportAll(due, report)) {
          backoff.reset();
          continue;
        }
        await this.#pause(ASK_AGAIN_MS);
        this.#refreshAt = this.#now();
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.metrics.reportsFailed.add();
        log.debug("transport-report-failed", { error: describeError(error) });
        for (const { id } of due) this.#changed.add(id);
        await this.#pause(backoff.nextMs());
      }
    }
  }

  /** Waits for the next change, or for the time to repeat something. */
  async #untilDue(): Promise<void> {
    if (this.#changed.size === 0) {
      const ms = Math.max(0, Math.min(this.#refreshAt, this.#againAt) - this.#now());
      await this.#change.nextWithin(this.#deps.runtime.timers, ms, this.#closing.signal).catch(() => {});
    }
    if (this.#changed.size > 0) await this.#pause(COALESCE_MS);
  }

  #takeDue(): readonly EdgeStatus[] {
    const now = this.#now();
    const isRefresh = now >= this.#refreshAt;
    if (isRefresh) this.#refreshAt = now + this.#refreshDelay();
    const ids = new Set(this.#changed);
    this.#changed.clear();
    if (now >= this.#againAt || isRefresh) {
      for (const id of this.#again) ids.add(id);
      this.#again.clear();
      this.#againAt = Infinity;
    }
    const all = this.#deps.statuses();
    return isRefresh ? all : all.filter(({ id }) => ids.has(id));
  }

  /** @returns whether discovery takes reports; true when there is nothing to tell */
  async #reportAll(
    statuses: readonly EdgeStatus[],
    report: NonNullable<StatusReporterDeps["report"]>,
  ): Promise<boolean> {
    let isComplete = true;
    for (let at = 0; at < statuses.length; at += MAX_STATUSES) {
      const part = statuses.slice(at, at + MAX_STATUSES);
      const unlisted = await withTimeout(() => report(part), {
        timers: this.#deps.runtime.timers,
        ms: REQUEST_TIMEOUT_MS,
        signal: this.#closing.signal,
        code: "transport/report-timeout",
        message: "Report to transport discovery",
      });
      this.#isTaken = unlisted !== undefined;
      if (unlisted === undefined) return false;
      if (unlisted.length === 0) continue;
      this.#deps.onUnlisted(unlisted);
      const missing = new Set(unlisted);
      for (const { id, isWorking } of part) {
        if (!isWorking || !missing.has(id)) continue;
        isComplete = false;
        this.#again.add(id);
      }
    }
    if (!isComplete) this.#againAt = Math.min(this.#againAt, this.#now() + this.#againBackoff.nextMs());
    else if (this.#again.size === 0) this.#againBackoff.reset();
    return true;
  }

  async #sampleForever(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#deps.sample();
      await this.#pause(SAMPLE_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#deps.runtime.timers, ms, this.#closing.signal).catch(() => {});
  }

  #refreshDelay(): number {
    return REFRESH_MS * (1 - randomFraction(this.#deps.runtime.random) / 2);
  }

  #now(): MonotonicMs {
    return this.#deps.runtime.clock.monotonic();
  }
}
