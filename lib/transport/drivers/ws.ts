/**
 * `ws`: transports over WebSockets (RFC 6455), which pass where only web traffic may, behind reverse proxies and TLS too.
 * The visor's handshake runs over them as over TCP.
 *
 * An address is a URL, `wss://example.org/transport`, or `host:port`, which means `ws://host:port/transport`. The
 * subprotocol is `skywire-transport-1`; every message is binary:
 *
 * ```
 * read u32be ‖ data        so many bytes of the stream have been read since the last message; 0–65,536 further bytes of it
 * ```
 *
 * What was read goes along with data where there is some: a WebSocket client may hold a small message back until the one
 * before is acknowledged (Nagle), which a sender without room never does soon.
 *
 * Each side may have {@link WINDOW_BYTES} under way that the other has not read; a side that sends more breaks the
 * protocol. WebSockets tell a sender how much is buffered, but not the receiver's reader from the network; with this
 * window a slow reader slows the writer, and neither side holds more than the window in memory. Closing the socket ends
 * both directions.
 */

import { ClosedError, ProtocolError, UnavailableError } from "../../errors/mod.ts";
import { WS } from "../../overlay/mod.ts";
import { ByteChunks, createQueue, parseAddress, Signal } from "../../runtime/mod.ts";
import type { Http, HttpHandler, HttpServer, MessageSocket } from "../../runtime/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "../driver.ts";

/** Where links are opened, on every host. */
export const WS_PATH = "/transport";

/** The subprotocol; another number means another format. */
export const WS_PROTOCOL = "skywire-transport-1";

/** Bytes under way in one direction: what is in flight at 50 MB/s and 5 ms, or 2.5 MB/s and 100 ms. */
export const WINDOW_BYTES: number = 256 * 1024;

/** Bytes of the stream in one message: big enough that the header costs nothing. */
const MOST_MESSAGE_BYTES = 64 * 1024;

/** The reader tells the writer when it has read so much: rarely, but long before the writer has to wait. */
const GRANT_BYTES = WINDOW_BYTES / 4;

/** Links that may wait for an accept. */
const BACKLOG = 128;

/** Before the data of a message. */
const HEADER_BYTES = 4;

/** What the driver is made of. */
export interface WsDriverDeps {
  /** Opens and serves. */
  readonly http: Pick<Http, "serve" | "openSocket">;
  /** Answers all other requests that come to the listener's port. Default: 404. */
  readonly beside?: HttpHandler;
}

/** Makes the driver. */
export function createWsDriver({ http, beside = notFound }: WsDriverDeps): TransportDriver {
  return {
    ...WS,
    async dial(address, { signal }): Promise<RawLink> {
      const url = parseAddress(address) === undefined ? address : `ws://${address}${WS_PATH}`;
      const options = signal === undefined ? {} : { signal };
      return new WsLink(await http.openSocket(url, { protocol: WS_PROTOCOL, ...options }));
    },
    listen: (address): Promise<RawListener> => listen(address, { http, beside }),
  };
}

async function listen(address: string, { http, beside }: Required<WsDriverDeps>): Promise<RawListener> {
  const accepted = createQueue<WsLink>(BACKLOG);
  const open = new Set<WsLink>();
  let closing = false;
  const closed = Promise.withResolvers<void>();
  // The server takes its sockets with it, so the last one lets it go.
  const closeWhenIdle = (): void => {
    if (closing && open.size === 0) server.close().then(closed.resolve, closed.reject);
  };
  const take = (socket: MessageSocket): void => {
    const link = new WsLink(socket, () => {
      open.delete(link);
      closeWhenIdle();
    });
    open.add(link);
    if (!accepted.push(link)) link.close();
  };
  const handler: HttpHandler = (request, context) => {
    if (new URL(request.url).pathname !== WS_PATH) return beside(request, context);
    if (context.upgrade === undefined) return new Response("Wanted a WebSocket\n", { status: 426 });
    if (closing) return new Response(null, { status: 503 });
    const { response, socket } = context.upgrade(WS_PROTOCOL);
    socket.then(take, () => {});
    return response;
  };
  const server: HttpServer = await http.serve(address, handler);
  return {
    address: server.address,
    close(): void {
      if (closing) return;
      closing = true;
      for (const link of accepted.drain()) link.close();
      closeWhenIdle();
      // Links that live on keep the port. The acceptor does not wait for them.
      const ended = open.size === 0 ? closed.promise : Promise.resolve();
      ended.catch(() => {}).finally(() => accepted.close());
    },
    [Symbol.asyncIterator]: () => accepted[Symbol.asyncIterator](),
  };
}

/** A byte link over messages. */
class WsLink implements RawLink {
  readonly remoteAddress: string;
  readonly #socket: MessageSocket;
  readonly #onClosed: () => void;
  readonly #arrived = new ByteChunks();
  /** Bytes that were read and not granted again. */
  #ungranted = 0;
  /** Bytes that may be written. */
  #room = WINDOW_BYTES;
  #closed = false;
  /** Of the direction to here: `true` in order. */
  #end: true | Error | undefined;
  readonly #changed = new Signal();

  constructor(socket: MessageSocket, onClosed: () => void = () => {}) {
    this.#socket = socket;
    this.#onClosed = onClosed;
    this.remoteAddress = socket.remoteAddress;
    void this.#receive();
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) throw new RangeError("Read into an empty buffer");
    while (!this.#closed && this.#arrived.length === 0) {
      if (this.#end === true) return null;
      if (this.#end !== undefined) throw this.#end;
      await this.#changed.next();
    }
    if (this.#closed) return null;
    const count = this.#arrived.read(into);
    this.#grant(count);
    return count;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#closed) throw new ClosedError("network/closed", `Write to the closed link to ${this.remoteAddress}`);
      if (this.#end !== undefined) throw this.#broken();
      const size = Math.min(bytes.length - at, MOST_MESSAGE_BYTES, this.#room);
      if (size === 0) {
        await this.#changed.next();
        continue;
      }
      this.#send(bytes.subarray(at, at + size));
      this.#room -= size;
      at += size;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#arrived.clear();
    this.#socket.close();
    this.#changed.notify();
  }

  async #receive(): Promise<void> {
    try {
      for (let message = await this.#socket.receive(); message !== null; message = await this.#socket.receive()) {
        if (this.#closed) break;
        this.#take(message);
        this.#changed.notify();
      }
      this.#end = true;
    } catch (error) {
      this.#end = error instanceof Error ? error : this.#broken();
      this.#socket.close();
    }
    this.#changed.notify();
    this.#onClosed();
  }

  #take(message: Uint8Array): void {
    if (message.length < HEADER_BYTES) throw this.#fault("it sent a message of no known form");
    this.#room += new DataView(message.buffer, message.byteOffset).getUint32(0);
    if (this.#room > WINDOW_BYTES) throw this.#fault("it has read more than was sent");
    const data = message.subarray(HEADER_BYTES);
    const unread = this.#arrived.length + data.length;
    if (unread + this.#ungranted > WINDOW_BYTES) throw this.#fault("it sends more than there is room for");
    this.#arrived.push(data);
    // We send nothing until it has read something, and its word of that may be held back until this is acknowledged, which
    // the system does after 40 ms, or along with any message: so here is one. Bulk is 8 times as fast with it.
    if (data.length > 0 && this.#room === 0) this.#send(new Uint8Array());
  }

  #grant(count: number): void {
    this.#ungranted += count;
    if (this.#ungranted < GRANT_BYTES || this.#end !== undefined) return;
    try {
      this.#send(new Uint8Array());
    } catch {
      // The socket is gone: what has arrived can still be read, and then comes the end.
    }
  }

  /** @throws as `MessageSocket.send` */
  #send(data: Uint8Array): void {
    const message = new Uint8Array(HEADER_BYTES + data.length);
    new DataView(message.buffer).setUint32(0, this.#ungranted);
    message.set(data, HEADER_BYTES);
    this.#socket.send(message);
    this.#ungranted = 0;
  }

  #fault(reason: string): ProtocolError {
    return new ProtocolError("network/bad-message", `Receive from ${this.remoteAddress}: ${reason}`);
  }

  #broken(): UnavailableError {
    return new UnavailableError("network/link-broken", `The link to ${this.remoteAddress} is gone`);
  }
}

function notFound(): Response {
  return new Response("404 page not found\n", { status: 404 });
}
