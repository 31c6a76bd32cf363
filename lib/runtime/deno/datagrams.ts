/** UDP on Deno, which has it without a flag in its Node layer only. */

import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo } from "node:dgram";
import { formatAddress, parseAddress } from "../address.ts";
import type { Datagram, DatagramSocket } from "../ports.ts";
import { createQueue } from "../queue.ts";
import { listenError, parseListenAddress } from "./listen_address.ts";

/** Datagrams that nobody has taken yet; what comes beyond is lost, as on the way. */
const MOST_WAITING = 1_024;

/** See `Network.bindDatagrams`. */
export async function bindDatagrams(address: string): Promise<DatagramSocket> {
  const { host, port } = parseListenAddress(address);
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const received = createQueue<Datagram>(MOST_WAITING);
  socket.on("message", (bytes: Uint8Array, { address, port }: RemoteInfo) => {
    received.push({ bytes: new Uint8Array(bytes), from: formatAddress(address, port) });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (cause) => reject(listenError(address, cause)));
    socket.bind(port, host, resolve);
  });
  // A datagram that cannot be sent is lost, as on the way. The protocol above repeats it.
  socket.on("error", () => {});
  const bound = socket.address();
  let closed = false;
  return {
    address: formatAddress(bound.address, bound.port),
    send(bytes, to): void {
      const target = parseAddress(to);
      if (!closed && target !== undefined) socket.send(Buffer.from(bytes), target.port, target.host, () => {});
    },
    close(): void {
      if (closed) return;
      closed = true;
      socket.close();
      received.close();
    },
    [Symbol.asyncIterator]: () => received[Symbol.asyncIterator](),
  };
}
