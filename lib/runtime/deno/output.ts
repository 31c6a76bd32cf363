/**
 * Standard output and standard error, written in the background. A pipe that nobody reads, or a console that is paused,
 * takes some 64 KiB and then makes its writer wait: that must not be the event loop.
 */

import { UnavailableError } from "../../errors/mod.ts";
import { at } from "../../types/at.ts";
import { concatBytes } from "../../types/bytes.ts";
import type { Timers } from "../ports.ts";
import { sleep } from "../wait.ts";
import { createDenoTimers } from "./basics.ts";

/** Written in one call at most, bytes. */
const BATCH_BYTES = 65_536;

/** A non-blocking pipe refuses what it has no room for (EAGAIN). The write is tried again after this, growing, ms. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** Where bytes go. */
interface ByteStream {
  write(bytes: Uint8Array): Promise<number>;
}

/** A stream of this process. What is written goes out whole and in order. */
export class Output {
  readonly #name: string;
  readonly #stream: ByteStream;
  readonly #timers: Timers;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;

  /** @param name of the stream, for errors */
  constructor(name: string, { stream, timers }: { readonly stream: ByteStream; readonly timers: Timers }) {
    this.#name = name;
    this.#stream = stream;
    this.#timers = timers;
  }

  /** What was handed over and is not written yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Hands bytes over; they must stay as they are.
   * @returns when all that was handed over is written
   * @throws {UnavailableError} `output/failed` when it cannot be; what was handed over is gone, and the next bytes are tried
   */
  write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    return this.flush();
  }

  /** As {@link Output.write}, of nothing. */
  flush(): Promise<void> {
    return this.#running ??= this.#writeAll().finally(() => this.#running = undefined);
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writeWhole(this.#nextBatch());
    } catch (cause) {
      const why = cause instanceof Deno.errors.BrokenPipe ? "nobody reads it" : "it failed";
      throw new UnavailableError("output/failed", `Write to ${this.#name}: ${why}`, { cause });
    } finally {
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
  }

  /** What waits longest: one piece at least, and as many as fit into a batch. */
  #nextBatch(): Uint8Array {
    let count = 1;
    for (let length = at(this.#waiting, 0).length; count < this.#waiting.length; count++) {
      length += at(this.#waiting, count).length;
      if (length > BATCH_BYTES) break;
    }
    return concatBytes(...this.#waiting.splice(0, count));
  }

  async #writeWhole(bytes: Uint8Array): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let rest = bytes; rest.length > 0;) {
      try {
        const count = await this.#stream.write(rest);
        rest = rest.subarray(count);
        this.#waitingBytes -= count;
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock || error instanceof Deno.errors.Interrupted)) throw error;
        await sleep(this.#timers, pauseMs);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
  }
}

/** The streams of this process. There is one of each, so all its writers share them. */
export const standardOutput: Output = new Output("standard output", {
  stream: Deno.stdout,
  timers: createDenoTimers(),
});
export const standardError: Output = new Output("standard error", { stream: Deno.stderr, timers: createDenoTimers() });
