/**
 * Transports over messaging streams, wire type `dmsg` (transports.md §2.2): the peer is found by its key through the
 * messaging network, whatever NATs lie between. Streams are encrypted end to end already, so their records become the
 * records of the transport.
 */

import { type DetachableStream, type KeyedNetwork, MESSAGING } from "../../overlay/mod.ts";
import type { Port } from "../../types/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "../driver.ts";

/** The messaging port on which visors accept transports (transports.md §2.1). */
export const TRANSPORT_PORT: Port = 45;

/**
 * Makes the driver. Addresses are not needed: dialling uses the key, and listening always takes port 45.
 * @param deps the messaging client
 */
export function createMessagingDriver(
  { messaging }: { readonly messaging: Pick<KeyedNetwork<DetachableStream>, "dial" | "listen"> },
): TransportDriver {
  return {
    ...MESSAGING,
    provesKeys: true,
    async dial(_address, { remoteKey, signal }): Promise<RawLink> {
      return rawLinkOf(await messaging.dial(remoteKey, TRANSPORT_PORT, { signal }));
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
