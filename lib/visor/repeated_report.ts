/**
 * Says something about the visor to a service again and again: at a pace, sooner after a failure, and takes it back when
 * the visor ends. Each reason for a failure is logged once. Tested in tests/visor/repeated_report_test.ts.
 */

import { describeError } from "../errors/mod.ts";
import { Backoff, type Runtime, sleep, untilAborted, withTimeout } from "../runtime/mod.ts";

/** The delays after failures. The longest is what it takes to be known again after the service was away. */
const RETRY_MS = { firstMs: 1_000, maxMs: 60_000 };

/** A visor that ends does not wait longer for the service. */
const TAKE_BACK_WITHIN_MS = 1_000;

/** What is said. */
export interface RepeatedReportDeps {
  readonly runtime: Pick<Runtime, "timers" | "random" | "log">;
  /** Names it in the log: `NAME-failed`, `NAME-done`. */
  readonly name: string;
  /** How often, ms. */
  readonly everyMs: number;
  /** Says it. */
  readonly report: (signal: AbortSignal) => Promise<void>;
  /** Takes it back; only after it was said. */
  readonly takeBack?: () => Promise<void>;
}

/** See the top of the file. */
export class RepeatedReport implements AsyncDisposable {
  readonly #deps: RepeatedReportDeps;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #problem: string | undefined = "it was not tried yet";
  #wasDone = false;

  constructor(deps: RepeatedReportDeps) {
    this.#deps = deps;
    this.#running = this.#run(this.#closing.signal);
  }

  /** Why the last try failed; undefined after a success. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#running;
    const { runtime: { timers, log }, name, takeBack } = this.#deps;
    if (!this.#wasDone || takeBack === undefined) return;
    await withTimeout(takeBack, {
      timers,
      ms: TAKE_BACK_WITHIN_MS,
      code: "http/timeout",
      message: "Take back what was said to a service",
    }).catch((error) => log.debug(`${name}-not-taken-back`, { error: describeError(error) }));
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { runtime: { timers, random, log }, name, everyMs, report } = this.#deps;
    const backoff = new Backoff({ random, ...RETRY_MS });
    while (!signal.aborted) {
      let waitMs = everyMs;
      try {
        await untilAborted(report(signal), signal);
        backoff.reset();
        if (this.#problem !== undefined) log.info(`${name}-done`);
        this.#problem = undefined;
        this.#wasDone = true;
      } catch (error) {
        if (signal.aborted) return;
        const problem = describeError(error);
        // Once for each reason: the tries go on for as long as it takes.
        if (problem !== this.#problem) log.warn(`${name}-failed`, { error: problem });
        this.#problem = problem;
        waitMs = backoff.nextMs();
      }
      await sleep(timers, waitMs, signal).catch(() => {});
    }
  }
}
