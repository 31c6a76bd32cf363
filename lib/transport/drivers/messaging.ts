/**
 * Transports over messaging streams, wire type `dmsg` (transports.md §2.2): the peer is found by its key through the
 * messaging network, whatever NATs lie between. Streams are encrypted end to end already, so their records become the
 * records of the transport.
 */

import type { Records } from "../../core/mod.ts";
import type { ByteLink } from "../../runtime/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "../driver.ts";

/** The messaging port on which visors accept transports (transports.md §2.1). */
export const TRANSPORT_PORT: Port = 45;

/** What the driver needs of a messaging stream. */
export interface DetachableStream {
  /** Whose visor is at the other end, proven. */
  readonly remoteKey: PublicKey;
  /** Gives up the stream as such: what lies below it, and its record layer. */
  detach(): { readonly link: ByteLink; readonly records: Records };
}

/** What the driver needs of a messaging client. */
export interface MessagingDialer {
  /** Opens a stream. @throws {UnavailableError} when the peer cannot be reached */
  dial(remote: PublicKey, port: Port, options?: { readonly signal?: AbortSignal }): Promise<DetachableStream>;
  /** Accepts streams. @throws {RefusedError} when the port is taken */
  listen(port: Port): AsyncIterable<DetachableStream> & { close(): void };
}

/**
 * Makes the driver. Addresses are not needed: dialling uses the key, and listening always takes port 45.
 * @param deps the messaging client
 */
export function createMessagingDriver({ messaging }: { readonly messaging: MessagingDialer }): TransportDriver {
  return {
    kind: "dmsg",
    framing: "stream",
    findsByKey: true,
    provesKeys: true,
    async dial(_address, { remoteKey, signal }): Promise<RawLink> {
      return rawLinkOf(await messaging.dial(remoteKey, TRANSPORT_PORT, signal === undefined ? {} : { signal }));
    },
    // Async: a taken port is a rejection.
    // deno-lint-ignore require-await
    async listen(_address): Promise<RawListener> {
      const listener = messaging.listen(TRANSPORT_PORT);
      return {
        address: String(TRANSPORT_PORT),
        close: () => listener.close(),
        async *[Symbol.asyncIterator](): AsyncGenerator<RawLink> {
          for await (const stream of listener) yield rawLinkOf(stream);
        },
      };
    },
  };
}

function rawLinkOf(stream: DetachableStream): RawLink {
  const { remoteKey } = stream;
  const { link, records } = stream.detach();
  return {
    proven: { remoteKey, records },
    remoteAddress: link.remoteAddress,
    read: (into) => link.read(into),
    write: (bytes) => link.write(bytes),
    close: () => link.close(),
  };
}
