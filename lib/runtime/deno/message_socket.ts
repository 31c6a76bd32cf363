/** WebSockets on Deno as message sockets. Tested in tests/transport/drivers/ws_test.ts. */

import { ClosedError, ProtocolError, type SkywireError, UnavailableError } from "../../errors/mod.ts";
import type { MessageSocket, SocketUpgrade } from "../ports.ts";
import { Signal } from "../signal.ts";

/** Messages that nobody has received yet, bytes (ports.ts). */
const MOST_WAITING_BYTES = 1024 * 1024;

/** The close code for a peer that does what it must not (RFC 6455 §7.4.1). */
const POLICY_VIOLATION = 1008;

/** Codes of an end in order: by the peer, and without a code. */
const IN_ORDER: readonly number[] = [1000, 1001, 1005];

/**
 * Opens a socket; see `Http.openSocket`.
 * @param client for hosts on this machine, where proxies of the environment would not find them; others go through those
 */
export function dialSocket(
  url: string,
  options: { readonly protocol: string; readonly signal?: AbortSignal; readonly client: Deno.HttpClient },
): Promise<MessageSocket> {
  const { protocol, signal, client } = options;
  const failed = (cause?: unknown): UnavailableError =>
    new UnavailableError("network/dial-failed", `Open a socket to "${url}"`, { details: { url }, cause });
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    let socket: WebSocket;
    let remoteAddress: string;
    try {
      const { host, hostname, protocol: scheme } = new URL(url);
      if (scheme !== "ws:" && scheme !== "wss:") throw new TypeError("Wanted a ws:// or wss:// URL");
      remoteAddress = host;
      socket = new WebSocket(url, { protocols: [protocol], ...(isOnThisMachine(hostname) ? { client } : {}) });
    } catch (cause) {
      return reject(failed(cause));
    }
    const onAbort = (): void => {
      socket.close();
      reject(signal?.reason);
    };
    const opening = openSocket(socket, { remoteAddress, onClosing: () => {} });
    signal?.addEventListener("abort", onAbort, { once: true });
    opening.then(resolve, (cause) => reject(failed(cause))).finally(() =>
      signal?.removeEventListener("abort", onAbort)
    );
  });
}

/**
 * Makes a socket of a request; see `HttpContext.upgrade`.
 * @param options `onClosing`: the socket is closed on this side, and the other side may never answer: whoever holds the
 * connection should cut it after a while
 */
export function acceptSocket(
  request: Request,
  options: { readonly protocol: string; readonly remote: string; readonly onClosing: () => void },
): SocketUpgrade {
  const { protocol, remote, onClosing } = options;
  const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  if (!offered.includes(protocol)) {
    const error = new ProtocolError("network/unknown-protocol", `Upgrade: the client does not speak "${protocol}"`);
    return { response: new Response(null, { status: 400 }), socket: rejected(error) };
  }
  try {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol });
    const opening = openSocket(socket, { remoteAddress: remote, onClosing });
    opening.catch(() => {});
    return { response, socket: opening };
  } catch (cause) {
    const error = new ProtocolError("network/bad-upgrade", "Upgrade: the request is not right", { cause });
    return { response: new Response(null, { status: 400 }), socket: rejected(error) };
  }
}

/** Waits until it is open. From the first moment no message is missed. */
function openSocket(socket: WebSocket, options: SocketOptions): Promise<MessageSocket> {
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    const made = new DenoMessageSocket(socket, options);
    socket.addEventListener("open", () => resolve(made));
    socket.addEventListener("error", (event) => reject((event as ErrorEvent).error ?? (event as ErrorEvent).message));
    socket.addEventListener("close", () => reject(new Error("The socket was closed")));
  });
}

interface SocketOptions {
  readonly remoteAddress: string;
  readonly onClosing: () => void;
}

class DenoMessageSocket implements MessageSocket {
  readonly remoteAddress: string;
  readonly #socket: WebSocket;
  readonly #onClosing: () => void;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #closed = false;
  /** After the last message: null at the end in order. */
  #end: SkywireError | null | undefined;
  readonly #changed = new Signal();

  constructor(socket: WebSocket, { remoteAddress, onClosing }: SocketOptions) {
    this.#socket = socket;
    this.#onClosing = onClosing;
    this.remoteAddress = remoteAddress;
    socket.addEventListener("message", ({ data }) => this.#take(data));
    // The close event that always follows says all that is to be said.
    socket.addEventListener("error", (event) => event.preventDefault());
    socket.addEventListener("close", ({ code }) => this.#finish(IN_ORDER.includes(code) ? null : this.#broken()));
  }

  async receive(): Promise<Uint8Array<ArrayBuffer> | null> {
    while (!this.#closed) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        this.#waitingBytes -= message.length;
        return message;
      }
      if (this.#end instanceof Error) throw this.#end;
      if (this.#end === null) return null;
      await this.#changed.next();
    }
    return null;
  }

  send(message: Uint8Array): void {
    if (this.#closed) throw new ClosedError("network/closed", `Send on the closed socket to ${this.remoteAddress}`);
    if (this.#end !== undefined || this.#socket.readyState !== WebSocket.OPEN) throw this.#broken();
    // A copy: it is sent later, and views of WASM memory do not live that long.
    this.#socket.send(message.slice());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#onClosing();
    this.#changed.notify();
  }

  #take(data: unknown): void {
    if (this.#closed || this.#end !== undefined) return;
    if (!(data instanceof ArrayBuffer)) return this.#refuse("network/text-message", "it sent text");
    if (this.#waitingBytes + data.byteLength > MOST_WAITING_BYTES) {
      return this.#refuse("network/flooded", "it sent more than anybody receives");
    }
    this.#waiting.push(new Uint8Array(data));
    this.#waitingBytes += data.byteLength;
    this.#changed.notify();
  }

  #refuse(code: string, reason: string): void {
    this.#finish(new ProtocolError(code, `Receive from ${this.remoteAddress}: ${reason}`));
    this.#socket.close(POLICY_VIOLATION);
    this.#onClosing();
  }

  #finish(end: SkywireError | null): void {
    if (this.#end === undefined) this.#end = end;
    this.#changed.notify();
  }

  #broken(): UnavailableError {
    return new UnavailableError("network/link-broken", `The socket with ${this.remoteAddress} is gone`);
  }
}

function isOnThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

function rejected(error: SkywireError): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
