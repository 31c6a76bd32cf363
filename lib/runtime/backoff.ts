/**
 * How long to wait before the next try: longer each time, never in step with others, short again after a success.
 * Tested in tests/runtime/wait_test.ts.
 */

import type { Random } from "./ports.ts";

/** How a {@link Backoff} grows. */
export interface BackoffOptions {
  /** Spreads the delays. */
  readonly random: Random;
  /** The first delay, ms. */
  readonly firstMs: number;
  /** No delay is longer, ms. */
  readonly maxMs: number;
  /** Each delay is this many times the one before. Default 2. */
  readonly factor?: number;
}

/**
 * Delays between tries. Each is drawn from the upper half of the current step, so that many visors which lost the same
 * server do not come back in the same instant.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #stepMs: number;

  /** Starts at the first delay. @param options how the delays grow */
  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#stepMs = options.firstMs;
  }

  /** The next delay, ms: between half the step and the step. */
  nextMs(): number {
    const step = Math.min(this.#stepMs, this.#options.maxMs);
    this.#stepMs = Math.min(step * (this.#options.factor ?? 2), this.#options.maxMs);
    return step * (0.5 + randomFraction(this.#options.random) / 2);
  }

  /** After a success: the next delay is the first one again. */
  reset(): void {
    this.#stepMs = this.#options.firstMs;
  }
}

/** A number in [0, 1) from the random port, in steps of 2^−32. */
export function randomFraction(random: Random): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}
