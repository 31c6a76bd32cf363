/**
 * Reads one link for several consumers in turn: a handshake takes exact lengths, a relay then takes whatever is there.
 * Only one read is ever pending, and it is not lost when the consumer changes.
 * Tested in tests/apps/socks/protocol_test.ts.
 */

import { ClosedError } from "../errors/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";

/** Small while little comes, so that thousands of idle streams fit into memory; large reads are what makes bulk fast. */
const FIRST_BUFFER_BYTES = 4 * 1024;
const MAX_BUFFER_BYTES = 256 * 1024;
const GROWTH = 4;

/** A reader over one link. Nobody else may read from the link meanwhile. */
export class LinkReader {
  readonly #link: Pick<ByteLink, "read">;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BUFFER_BYTES);
  /** What was read and not taken. */
  #unread: Uint8Array = new Uint8Array();
  #pending: Promise<number | null> | undefined;

  constructor(link: Pick<ByteLink, "read">) {
    this.#link = link;
  }

  /**
   * Waits for bytes. Calling it again before they were taken gives the same ones.
   * @returns what there is, good until the call after {@link LinkReader.take}; or null at the end
   * @throws what the link throws
   */
  async peek(): Promise<Uint8Array | null> {
    while (this.#unread.length === 0) {
      this.#pending ??= this.#link.read(this.#buffer);
      const pending = this.#pending;
      const count = await pending;
      if (count === null) return null;
      // Another consumer may have waited for the same read, and have the bytes.
      if (this.#pending === pending) this.#receive(count);
    }
    return this.#unread;
  }

  /** Takes the first `count` of the bytes that {@link LinkReader.peek} gave. */
  take(count: number): void {
    this.#unread = this.#unread.subarray(count);
  }

  /** Puts bytes before those that come next. They must stay as they are. */
  putBack(bytes: Uint8Array): void {
    this.#unread = this.#unread.length === 0 ? bytes : concatBytes(bytes, this.#unread);
  }

  /**
   * Waits for `count` bytes and takes them.
   * @throws {ClosedError} `socks/ended` when the stream ends before; what the link throws
   */
  async exactly(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    for (let done = 0; done < count;) {
      const some = await this.peek();
      if (some === null) throw new ClosedError("socks/ended", "Read a SOCKS message: the stream ended inside it");
      const part = some.subarray(0, count - done);
      bytes.set(part, done);
      this.take(part.length);
      done += part.length;
    }
    return bytes;
  }

  #receive(count: number): void {
    this.#pending = undefined;
    const bytes = this.#buffer.subarray(0, count);
    this.#unread = this.#unread.length === 0 ? bytes : concatBytes(this.#unread, bytes);
    if (count === this.#buffer.length && count < MAX_BUFFER_BYTES) {
      this.#buffer = new Uint8Array(Math.min(count * GROWTH, MAX_BUFFER_BYTES));
    }
  }
}
