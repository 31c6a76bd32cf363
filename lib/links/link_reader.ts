/**
 * Reads one link for several consumers in turn: a handshake takes whole messages in whatever pieces they come, a relay
 * then takes whatever is there. Only one read is ever pending, and it is not lost when the consumer changes.
 */

import { UnavailableError } from "../errors/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";
import { BUSY_LINK_BYTES, ReadBuffer } from "./read_buffer.ts";

/** How to read. */
export interface LinkReaderOptions {
  /** The most that one read brings, bytes, ≥ 4096. Default 256 KiB. */
  readonly mostBytes?: number;
}

/** A reader over one link. Nobody else may read from the link meanwhile. */
export class LinkReader {
  readonly #link: Pick<ByteLink, "read">;
  readonly #buffer: ReadBuffer;
  /** What was read and not taken. */
  #unread: Uint8Array = new Uint8Array();
  #pending: Promise<number | null> | undefined;

  constructor(link: Pick<ByteLink, "read">, { mostBytes = BUSY_LINK_BYTES }: LinkReaderOptions = {}) {
    this.#link = link;
    this.#buffer = new ReadBuffer({ largeBytes: mostBytes });
  }

  /** What was read and not taken yet; good until the next read. */
  get unread(): Uint8Array {
    return this.#unread;
  }

  /**
   * Waits until something is unread. Calling it again before it was taken gives the same bytes.
   * @returns what there is, good until the next read; or null at the end
   * @throws what the link throws
   */
  async peek(): Promise<Uint8Array | null> {
    while (this.#unread.length === 0) {
      if (!await this.#readMore()) return null;
    }
    return this.#unread;
  }

  /**
   * Waits for more than what is unread.
   * @throws {UnavailableError} `transport/peer-left` at the end of the stream; what the link throws
   */
  async fill(): Promise<void> {
    for (const before = this.#unread.length; this.#unread.length <= before;) {
      // The next read must not overwrite what nobody has taken.
      this.#unread = this.#unread.slice();
      if (!await this.#readMore()) throw peerLeft();
    }
  }

  /** Takes the first `count` of the unread bytes. @returns a copy */
  take(count: number): Uint8Array<ArrayBuffer> {
    const taken = this.#unread.slice(0, count);
    this.skip(count);
    return taken;
  }

  /** As {@link LinkReader.take}, for who has seen the bytes already. */
  skip(count: number): void {
    this.#unread = this.#unread.subarray(count);
  }

  /** Reads as the link does: first what was read and not taken, and then straight from the link. */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#unread.length === 0 && this.#pending === undefined) return await this.#link.read(into);
    const bytes = await this.peek();
    if (bytes === null) return null;
    const part = bytes.subarray(0, into.length);
    into.set(part);
    this.skip(part.length);
    return part.length;
  }

  /** Puts bytes before those that come next. They must stay as they are. */
  putBack(bytes: Uint8Array): void {
    this.#unread = this.#unread.length === 0 ? bytes : concatBytes(bytes, this.#unread);
  }

  /**
   * Waits for `count` bytes and takes them.
   * @param ended makes the error of a stream that ends before. Default: as {@link LinkReader.fill}
   */
  async exactly(count: number, ended: () => Error = peerLeft): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    for (let done = 0; done < count;) {
      const some = await this.peek();
      if (some === null) throw ended();
      const part = some.subarray(0, count - done);
      bytes.set(part, done);
      this.skip(part.length);
      done += part.length;
    }
    return bytes;
  }

  /** @returns false at the end */
  async #readMore(): Promise<boolean> {
    this.#pending ??= this.#link.read(this.#buffer.space);
    const pending = this.#pending;
    const count = await pending;
    if (count === null) return false;
    // Another consumer may have waited for the same read, and have the bytes.
    if (this.#pending !== pending) return true;
    this.#pending = undefined;
    const bytes = this.#buffer.taken(count);
    this.#unread = this.#unread.length === 0 ? bytes : concatBytes(this.#unread, bytes);
    return true;
  }
}

function peerLeft(): UnavailableError {
  return new UnavailableError("transport/peer-left", "Read from the peer: it closed the link");
}
