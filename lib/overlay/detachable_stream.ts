/** A stream whose record layer can be taken over: what transports over messaging are made of. */

import type { Records } from "../core/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { KeyedStream } from "./keyed_network.ts";

/** See the top of the file. */
export interface DetachableStream extends KeyedStream {
  /**
   * Gives the parts away instead of the stream, which must not have a read or write pending and is unusable afterwards:
   * the link below the records, and the records, which may hold plaintext that has come already. The caller closes and
   * disposes them.
   * @throws {ClosedError} the stream was closed or detached
   */
  detach(): DetachedStream;
}

/** See {@link DetachableStream.detach}. */
export interface DetachedStream {
  /** Carries records. Its `close` also frees the stream's port. */
  readonly link: ByteLink;
  /** To be disposed, unless taken over. */
  readonly records: Records;
}
