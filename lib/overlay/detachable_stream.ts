/** A stream whose record layer can be taken over. Transports over messaging are made of such streams. */

import type { Records } from "../core/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { KeyedStream } from "./keyed_network.ts";

/** A stream whose record layer can be taken over. Transports over messaging are made of such streams. */
export interface DetachableStream extends KeyedStream {
  /**
   * Takes the stream apart into its link and its records. No read or write may be pending, and the stream is unusable
   * afterwards. The records may hold plaintext that has come already. The caller closes the link and disposes the records.
   * @throws {ClosedError} when the stream was closed or taken apart before
   */
  detach(): DetachedStream;
}

/** The parts of a stream, see {@link DetachableStream.detach}. */
export interface DetachedStream {
  /** Carries the records. Closing it also frees the port of the stream. */
  readonly link: ByteLink;
  /** Protects the bytes. Dispose it, unless something else takes it over. */
  readonly records: Records;
}
