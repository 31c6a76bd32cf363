/**
 * Reads whole messages from a link that gives bytes in any split, and keeps what came beyond them. Tested in
 * tests/transport/stcp_handshake_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";

/** Read at once: more than any handshake message, so that each usually takes one read. */
const READ_BYTES = 2_048;

/** A reader over one link. Nobody else may read from the link meanwhile. */
export class ByteReader {
  readonly #link: Pick<ByteLink, "read">;
  #received: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(link: Pick<ByteLink, "read">) {
    this.#link = link;
  }

  /** What was received and not taken yet. */
  get received(): Uint8Array<ArrayBuffer> {
    return this.#received;
  }

  /**
   * Waits for more bytes.
   * @throws {UnavailableError} `transport/peer-left` at the end of the stream; what the link throws
   */
  async fill(): Promise<void> {
    const into = new Uint8Array(READ_BYTES);
    const count = await this.#link.read(into);
    if (count === null) throw new UnavailableError("transport/peer-left", "Read from the peer: it closed the link");
    this.#received = concatBytes(this.#received, into.subarray(0, count));
  }

  /** Takes bytes that were received. @param count at most `received.length` */
  take(count: number): Uint8Array<ArrayBuffer> {
    const taken = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return taken;
  }

  /** Waits for `count` bytes and takes them. Errors as {@link fill}. */
  async exactly(count: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#received.length < count) await this.fill();
    return this.take(count);
  }
}
