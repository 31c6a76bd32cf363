/**
 * One direction of a link in memory: bounded, delayed, in order, and breakable. Tested in
 * tests/simulation/simulation_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import { ByteChunks, Signal } from "../runtime/mod.ts";

/** Bytes on their way before a writer has to wait: about what a TCP socket holds on loopback. */
const CAPACITY_BYTES = 256 * 1024;

/** What happens to a chunk between writer and reader: calls `deliver` once it arrives, in order. */
export type Carrier = (deliver: () => void) => void;

/** See {@link createPipe}. */
export interface Pipe {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<void>;
  /** The writer is done: the reader gets null after all that was written. */
  end(): void;
  /** The reader wants no more: pending reads give null, what arrives is thrown away. */
  stop(): void;
  /** The writer hears that the reader has gone: writes fail. */
  refuse(): void;
  /** Both sides get an error, at once. */
  break(): void;
}

/**
 * Makes a pipe.
 * @param carry delays or holds back what is sent
 * @param touch called whenever something happens
 */
export function createPipe(carry: Carrier, touch: () => void): Pipe {
  const arrived = new ByteChunks();
  let buffered = 0;
  let state: "open" | "ended" | "broken" = "open";
  let ending = false;
  let stopped = false;
  let refused = false;
  const moved = new Signal();
  const changed = (): void => {
    touch();
    moved.notify();
  };
  const broken = (): UnavailableError => new UnavailableError("network/link-broken", "Use a link in memory: it broke");

  return {
    async read(into: Uint8Array): Promise<number | null> {
      if (into.length === 0) throw new RangeError("Read into an empty buffer");
      while (arrived.length === 0) {
        if (state === "broken") throw broken();
        if (state === "ended" || stopped) return null;
        await moved.next();
      }
      const count = arrived.read(into);
      buffered -= count;
      changed();
      return count;
    },
    async write(bytes: Uint8Array): Promise<void> {
      for (let at = 0; at < bytes.length;) {
        if (state === "broken" || refused || ending) throw broken();
        const room = CAPACITY_BYTES - buffered;
        if (room <= 0) {
          await moved.next();
          continue;
        }
        const chunk = bytes.slice(at, at + room);
        at += chunk.length;
        buffered += chunk.length;
        touch();
        carry(() => {
          if (stopped) buffered -= chunk.length;
          else if (state === "open") arrived.push(chunk);
          changed();
        });
      }
    },
    end(): void {
      if (ending) return;
      ending = true;
      carry(() => {
        if (state === "open") state = "ended";
        changed();
      });
      changed();
    },
    stop(): void {
      stopped = true;
      arrived.clear();
      changed();
    },
    refuse(): void {
      refused = true;
      changed();
    },
    break(): void {
      state = "broken";
      arrived.clear();
      changed();
    },
  };
}
