/** What the set-up of routes needs of messaging: streams whose other end is proven to own its key. */

import type { ByteLink } from "../runtime/mod.ts";
import type { Port, PublicKey } from "../types/mod.ts";

/** A stream to another party. */
export interface SetupStream extends ByteLink {
  /** Who is there, proven. */
  readonly remoteKey: PublicKey;
}

/** Accepts streams; iteration ends when it is closed. */
export interface SetupListener extends AsyncIterable<SetupStream> {
  /** Stops accepting. Streams already taken live on. */
  close(): void;
}

/** A messaging client, as far as it is used here. */
export interface SetupNetwork {
  /** Opens a stream to a port of another party. */
  dial(remote: PublicKey, port: Port, options?: { readonly signal?: AbortSignal }): Promise<SetupStream>;
  /** Accepts streams to a port. */
  listen(port: Port): SetupListener;
}
