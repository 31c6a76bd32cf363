/**
 * TCP links that can be reset, so that the other side sees a break (RST). `Deno.TcpConn` cannot do that; a socket of Node
 * can, and costs half the rate of reading: 0.8–1.6 instead of 1.4–3.1 GB/s on loopback.
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import { ClosedError, UnavailableError } from "../../errors/mod.ts";
import { formatAddress, type HostPort } from "../address.ts";
import type { ByteLink, LinkListener } from "../ports.ts";
import { createQueue } from "../queue.ts";
import { Signal } from "../signal.ts";
import { listenError, parseListenAddress } from "./listen_address.ts";

/** Connections that wait to be accepted; more are reset. */
const BACKLOG = 256;

/**
 * Connects.
 * @throws what the platform says, with a `code` such as `ECONNREFUSED`; the reason of `signal`
 */
export function dialResettable({ host, port }: HostPort, signal: AbortSignal | undefined): Promise<ByteLink> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const settle = (): void => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onAbort = (): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(signal?.reason);
    };
    socket.once("error", onError);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => {
      settle();
      resolve(new ResettableLink(socket));
    });
  });
}

/** Listens; errors as {@link Network.listen}. */
export async function listenResettable(address: string): Promise<LinkListener> {
  const { host, port } = parseListenAddress(address);
  const accepted = createQueue<ByteLink>(BACKLOG);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const link = new ResettableLink(socket);
    if (!accepted.push(link)) link.reset();
  });
  const taken = await begin(server, { host, port }).catch((cause) => {
    throw listenError(address, cause);
  });
  // What accepting meets, such as a lack of descriptors, ends when some connection ends.
  server.on("error", () => {});
  return {
    address: taken,
    close(): void {
      server.close();
      accepted.close();
      for (const link of accepted.drain()) link.close();
    },
    [Symbol.asyncIterator]: () => accepted[Symbol.asyncIterator](),
  };
}

function begin(server: Server, { host, port }: HostPort): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      const taken = server.address();
      if (taken === null || typeof taken === "string") return reject(new Error("The server has no address"));
      resolve(formatAddress(taken.address, taken.port));
    });
  });
}

class ResettableLink implements ByteLink {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #changed = new Signal();
  /** What came and was not read. */
  #unread: Uint8Array = new Uint8Array();
  #isClosed = false;
  #hasEnded = false;
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress ?? "", socket.remotePort ?? 0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on("readable", () => this.#changed.notify());
    socket.on("end", () => {
      this.#hasEnded = true;
      this.#changed.notify();
    });
    socket.on("error", (error) => {
      this.#error ??= error;
      this.#changed.notify();
    });
    socket.on("close", () => {
      // Without an end or an error before, the platform has lost it.
      if (!this.#hasEnded) this.#error ??= new Error("The connection was closed");
      this.#changed.notify();
    });
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) throw new RangeError("Read into an empty buffer");
    while (!this.#isClosed) {
      if (this.#unread.length === 0) this.#unread = this.#socket.read() ?? this.#unread;
      if (this.#unread.length > 0) {
        const part = this.#unread.subarray(0, into.length);
        into.set(part);
        this.#unread = this.#unread.subarray(part.length);
        return part.length;
      }
      if (this.#error !== undefined) throw this.#broken("Read from", this.#error);
      if (this.#hasEnded) return null;
      await this.#changed.next();
    }
    return null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) {
      throw new ClosedError("network/closed", `Write to the closed connection with ${this.remoteAddress}`);
    }
    if (this.#error !== undefined) throw this.#broken("Write to", this.#error);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    try {
      await promise;
    } catch (cause) {
      if (this.#isClosed) {
        throw new ClosedError("network/closed", `Write to the closed connection with ${this.remoteAddress}`);
      }
      throw this.#broken("Write to", cause);
    }
  }

  closeWrite(): void {
    if (!this.#isClosed) this.#socket.end();
  }

  close(): void {
    this.#finish(() => this.#socket.destroy());
  }

  reset(): void {
    this.#finish(() => this.#socket.resetAndDestroy());
  }

  #finish(end: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unread = new Uint8Array();
    end();
    this.#changed.notify();
  }

  #broken(doing: string, cause: unknown): UnavailableError {
    return new UnavailableError("network/link-broken", `${doing} the connection with ${this.remoteAddress}`, { cause });
  }
}
