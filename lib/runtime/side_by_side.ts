/** Several candidates for the same thing, tried side by side with a head start for the better ones. */

import { ClosedError } from "../errors/mod.ts";
import type { Timers } from "./ports.ts";

/** Why those end that were too late. */
const CAME_FIRST = new ClosedError("runtime/came-first", "Another one came first");

/** How candidates are tried. */
export interface SideBySideOptions<Candidate, Result> {
  readonly timers: Timers;
  /** How long each one is ahead of the next one, ms. A function is asked as a candidate begins. */
  readonly headStartMs: number | ((candidate: Candidate) => number);
  /** Tries one; the signal ends it when another one came first, or nobody waits any more. */
  readonly attempt: (candidate: Candidate, signal: AbortSignal) => Promise<Result>;
  /** Gives back what comes too late. */
  readonly discard: (late: Result) => void;
  /** Does a failure speak for all candidates? Then it is thrown at once. Default: none does. */
  readonly isFinal?: (error: unknown) => boolean;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tries candidates, the best first, until one succeeds. Each begins when the one before it has had its head start, or when
 * one has failed.
 * @param candidates at least one; taken one by one, as they begin
 * @throws what the last one to fail failed with, when all do; a final failure; the reason of `signal`
 */
export function sideBySide<Candidate, Result>(
  candidates: Iterable<Candidate>,
  options: SideBySideOptions<Candidate, Result>,
): Promise<Result> {
  const { timers, headStartMs, attempt, discard, isFinal = () => false, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const over = new AbortController();
    const waiting = candidates[Symbol.iterator]();
    const aheadMs = typeof headStartMs === "number" ? (): number => headStartMs : headStartMs;
    let running = 0;
    let cancelHeadStart = (): void => {};
    const settle = (reason: unknown): void => {
      cancelHeadStart();
      signal?.removeEventListener("abort", onAbort);
      over.abort(reason);
    };
    const onAbort = (): void => {
      settle(signal?.reason);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    /** @returns false when none is left */
    const beginNext = (): boolean => {
      cancelHeadStart();
      const { value: candidate, done } = waiting.next();
      if (done) return false;
      running++;
      cancelHeadStart = timers.after(aheadMs(candidate), beginNext);
      attempt(candidate, over.signal).then((result) => {
        if (over.signal.aborted) return discard(result);
        settle(CAME_FIRST);
        resolve(result);
      }, (error) => {
        running--;
        if (over.signal.aborted) return;
        if (!isFinal(error) && (beginNext() || running > 0)) return;
        settle(error);
        reject(error);
      });
      return true;
    };
    beginNext();
  });
}
