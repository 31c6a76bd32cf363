/** Waiting, over the ports: for a time, for a promise with a limit, for whatever comes first. All end when aborted. */

import { UnavailableError } from "../errors/mod.ts";
import type { Timers } from "./ports.ts";

/**
 * Waits.
 * @param timers where time comes from
 * @param ms how long, ms
 * @param signal ends the wait early
 * @throws the reason of `signal`
 */
export function sleep(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = timers.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** What {@link withTimeout} needs beside the work. */
export interface TimeoutOptions<T> {
  /** Where time comes from. */
  readonly timers: Timers;
  /** The limit, ms. */
  readonly ms: number;
  /** The code of the {@link UnavailableError} when time is up. */
  readonly code: string;
  /** Its message, such as `Wait for the answer of the setup node`. */
  readonly message: string;
  /** Ends the work early, too. */
  readonly signal?: AbortSignal | undefined;
  /** Takes what the work gives after nobody waits for it any more, for instance to close it. */
  readonly discard?: (late: T) => void;
}

/**
 * Runs work with a time limit. When the limit passes or `signal` aborts, the signal given to the work aborts and this
 * rejects at once; work that ends later is handed to `discard`.
 * @param work gets a signal that aborts when nobody waits any more
 * @param options the limit and its error
 * @returns what the work gives
 * @throws {UnavailableError} with `options.code` when time is up; the reason of `signal`; whatever the work throws
 */
export function withTimeout<T>(work: (signal: AbortSignal) => Promise<T>, options: TimeoutOptions<T>): Promise<T> {
  const { timers, ms, code, message, signal, discard } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const controller = new AbortController();
    let waiting = true;
    const settle = (): boolean => {
      const first = waiting;
      waiting = false;
      cancel();
      signal?.removeEventListener("abort", onAbort);
      return first;
    };
    const giveUp = (reason: unknown): void => {
      if (!settle()) return;
      controller.abort(reason);
      reject(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const cancel = timers.after(ms, () => giveUp(new UnavailableError(code, `${message}: no end within ${ms} ms`)));
    signal?.addEventListener("abort", onAbort, { once: true });
    work(controller.signal).then(
      (value) => settle() ? resolve(value) : discard?.(value),
      (error) => {
        if (settle()) reject(error);
      },
    );
  });
}

/**
 * Waits for a promise, or for a signal to abort. The promise itself goes on.
 * @throws the reason of `signal`, or what the promise rejects with
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
