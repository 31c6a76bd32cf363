/**
 * `memory`: links inside one process, found by name. For visors that share a process, and for tests of what stands above
 * drivers. It knows no identity: handshake and encryption run over it as over TCP.
 */

import { ClosedError, UnavailableError } from "../../errors/mod.ts";
import { createQueue } from "../../runtime/mod.ts";
import type { Queue } from "../../runtime/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "../driver.ts";

/** Bytes on their way before a writer waits. A socket on loopback holds about as much. */
const CAPACITY_BYTES = 256 * 1024;

/** Links that may wait for an accept. */
const BACKLOG = 128;

/** Where memory drivers find each other: those made from one hub can connect. */
export interface MemoryHub {
  /** Who listens, by name. Only drivers use it. */
  readonly listeners: Map<string, Queue<RawLink>>;
}

/** Makes an empty hub. */
export function createMemoryHub(): MemoryHub {
  return { listeners: new Map() };
}

/**
 * Makes a driver whose addresses are names in a hub.
 * @param hub which others can be reached
 */
export function createMemoryDriver(hub: MemoryHub): TransportDriver {
  return {
    kind: "memory",
    framing: "stream",
    // Async: nobody there is a rejection.
    // deno-lint-ignore require-await
    async dial(address, { signal }): Promise<RawLink> {
      signal?.throwIfAborted();
      const [dialled, accepted] = makePair(address);
      if (hub.listeners.get(address)?.push(accepted) === true) return dialled;
      throw new UnavailableError("network/dial-failed", `Dial "${address}" in memory: nobody accepts there`);
    },
    // Async: a taken name is a rejection.
    // deno-lint-ignore require-await
    async listen(address): Promise<RawListener> {
      if (hub.listeners.has(address)) {
        throw new UnavailableError("network/address-in-use", `Listen on "${address}" in memory: the name is taken`);
      }
      const queue = createQueue<RawLink>(BACKLOG);
      hub.listeners.set(address, queue);
      return {
        address,
        close(): void {
          if (hub.listeners.get(address) === queue) hub.listeners.delete(address);
          queue.close();
          for (const link of queue.drain()) link.close();
        },
        [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
      };
    },
  };
}

/** Two ends of one link: the dialling one and the accepting one. */
function makePair(address: string): [RawLink, RawLink] {
  const there = new Channel(), back = new Channel();
  return [makeEnd(back, there, `memory:${address}`), makeEnd(there, back, "memory:dialler")];
}

function makeEnd(reading: Channel, writing: Channel, remoteAddress: string): RawLink {
  return {
    remoteAddress,
    read: (into) => reading.read(into),
    write: (bytes) => writing.write(bytes),
    close(): void {
      writing.end();
      reading.stop();
    },
  };
}

/** One direction. */
class Channel {
  readonly #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  #stopped = false;
  #wakers: (() => void)[] = [];

  async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) throw new RangeError("Read into an empty buffer");
    while (!this.#stopped && this.#chunks.length === 0) {
      if (this.#ended) return null;
      await this.#change();
    }
    if (this.#stopped) return null;
    let count = 0;
    while (count < into.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0] as Uint8Array;
      const part = chunk.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#buffered -= count;
    this.#wake();
    return count;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#ended) throw new ClosedError("network/closed", "Write to a closed link");
      if (this.#stopped) throw new UnavailableError("network/link-broken", "Write: the other end has closed");
      const room = CAPACITY_BYTES - this.#buffered;
      if (room === 0) {
        await this.#change();
        continue;
      }
      const chunk = bytes.slice(at, at + room);
      at += chunk.length;
      this.#buffered += chunk.length;
      this.#chunks.push(chunk);
      this.#wake();
    }
  }

  /** The writer closes: what was written can still be read. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The reader closes. */
  stop(): void {
    this.#stopped = true;
    this.#chunks.length = 0;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}
