/**
 * The runtime ports: everything that the rest of the program needs from the world outside it. The real ones are in
 * `deno/`, the seeded twins on virtual time in `tests/fakes/`. Code that takes its world through these is a function of
 * its inputs, and a failing run is reproduced from one seed (design.md §6).
 */

import type { MonotonicMs } from "../types/mod.ts";

/** All ports to the world together. A part of the program receives those that it needs. */
export interface Runtime {
  /** Tells the time. */
  readonly clock: Clock;
  /** Calls back later. */
  readonly timers: Timers;
  /** Makes random bytes. */
  readonly random: Random;
  /** Opens and accepts byte links by `host:port`. */
  readonly network: Network;
  /** Sends and serves HTTP requests. */
  readonly http: Http;
  /** Takes log lines. */
  readonly log: Log;
  /** Keeps figures for operators. */
  readonly metrics: Metrics;
}

/** Tells the time. */
export interface Clock {
  /** Gives the time of a clock that only goes forward: for durations and deadlines. */
  monotonic(): MonotonicMs;
  /** Gives Unix time, ms. It may jump. */
  wallMs(): number;
  /** Gives Unix time, ns, as signed entries carry it. Two calls never give the same value. */
  wallNanos(): bigint;
}

/** Calls back later. */
export interface Timers {
  /**
   * Calls a function once, later.
   * @param ms how long from now, ≥ 0
   * @param callback called once; it must not throw
   * @returns cancels the call; harmless after it
   */
  after(ms: number, callback: () => void): () => void;
}

/** Random bytes fit for keys. */
export interface Random {
  /** Makes `length` fresh random bytes, fit for keys. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/**
 * A byte stream in both directions: a TCP connection, a messaging stream, a mux stream. The link does not say who is at the
 * other end. One read and one write may be pending at a time.
 */
export interface ByteLink {
  /**
   * Reads the bytes that are there; waits until there is at least one.
   * @param into where the bytes go, ≥ 1 byte; do not touch it before the result is there
   * @returns how many bytes came, ≥ 1; null at the end of the stream and after a local close
   * @throws {UnavailableError} `network/…` when the link broke
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes bytes; waits while the other side is slow.
   * @param bytes all of them are written; do not change them before the result is there
   * @throws {UnavailableError} `network/…` when the link broke
   * @throws {ClosedError} after close
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the direction from here. The other side reads everything that was written, then the end; it may still answer.
   * Harmless when repeated or after close. Absent on links that can only end as a whole.
   */
  closeWrite?(): void;
  /** Ends both directions at once; pending reads give null. Harmless when repeated. */
  close(): void;
  /**
   * Ends both directions with a break: reads and writes of the other side fail, and bytes under way may get lost. Absent on
   * links that can only end in order.
   */
  reset?(): void;
  /** Where the other side is, for logs at debug level: `host:port` over TCP. */
  readonly remoteAddress: string;
}

/** Accepts links. Iterate over it, once; the iteration ends when the listener is closed. */
export interface LinkListener extends AsyncIterable<ByteLink> {
  /** `host:port` where it listens, with the port that was really taken. */
  readonly address: string;
  /** Stops accepting. Links already accepted live on. Harmless when repeated. */
  close(): void;
}

/** A datagram as received. */
export interface Datagram {
  /** At most 65507 bytes. */
  readonly bytes: Uint8Array;
  /** `ip:port` of the sender. */
  readonly from: string;
}

/** Sends and receives datagrams (UDP). Iterate over it, once; the iteration ends when the socket is closed. */
export interface DatagramSocket extends AsyncIterable<Datagram> {
  /** `ip:port` to which it is bound, with the port that was really taken. */
  readonly address: string;
  /**
   * Sends one datagram, which may get lost. Does nothing after close.
   * @param bytes at most 65507
   * @param to `ip:port`
   */
  send(bytes: Uint8Array, to: string): void;
  /** Closes the socket. Harmless when repeated. */
  close(): void;
}

/** How to open or accept links. */
export interface LinkOptions {
  /**
   * Must the links have {@link ByteLink.reset}? Default false: they may lack it. On Deno, a link with it reads at half the
   * rate of a link without, still some 800 MB/s.
   */
  readonly canReset?: boolean;
}

/** Opens and accepts byte links by `host:port` (TCP, no delay). */
export interface Network {
  /**
   * Connects.
   * @param address `host:port`
   * @throws {UnavailableError} `network/dial-failed` when nobody answers there
   * @throws the reason of `options.signal`
   */
  dial(address: string, options?: LinkOptions & { readonly signal?: AbortSignal }): Promise<ByteLink>;
  /**
   * Listens.
   * @param address `host:port`; port 0 takes a free one
   * @throws {UnavailableError} `network/address-in-use`; `network/listen-failed` for any other reason
   */
  listen(address: string, options?: LinkOptions): Promise<LinkListener>;
  /**
   * Finds the addresses of a name, as {@link Network.dial} does: for callers that check an address before they dial it.
   * @param host a name; or an IP address, which is the result then
   * @returns at least one IP address, in the order to try
   * @throws {UnavailableError} `network/unknown-host`
   * @throws the reason of `options.signal`
   */
  resolve(host: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /**
   * Binds a port for datagrams. Absent where there is no UDP.
   * @param address `host:port`; port 0 takes a free one
   * @throws {UnavailableError} `network/address-in-use`; `network/listen-failed` for any other reason
   */
  bindDatagrams?(address: string): Promise<DatagramSocket>;
  /** Gives a name that tells the loopback of this machine from that of others; undefined or absent when it is not known. */
  loopbackName?(): Promise<string | undefined>;
}

/** A running HTTP listener. */
export interface HttpServer {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** `host:port` */
  readonly address: string;
  /**
   * Stops accepting, waits 2 s at most for running requests, then closes. WebSockets from its requests end with it.
   */
  close(): Promise<void>;
}

/** Messages both ways on a connection that began as a request: a WebSocket (RFC 6455). */
export interface MessageSocket {
  /**
   * Waits for the next message; one call at a time.
   * @returns the message; null after either side has closed
   * @throws {UnavailableError} `network/…` when the connection broke
   * @throws {ProtocolError} when the other side sent text, or more than 1 MiB that nobody has received yet
   */
  receive(): Promise<Uint8Array<ArrayBuffer> | null>;
  /**
   * Sends a copy of a message. It does not wait: while the other side is slow, messages stay in memory. So both sides must
   * agree on how much may be under way.
   * @param message any length
   * @throws {UnavailableError} `network/…` when the connection broke or the other side closed
   * @throws {ClosedError} after a local close
   */
  send(message: Uint8Array): void;
  /** Closes the socket after everything that was sent. Harmless when repeated. */
  close(): void;
  /** Where the other side is: `host:port`. */
  readonly remoteAddress: string;
}

/** A request on its way to become a WebSocket. */
export interface SocketUpgrade {
  /** The answer that the handler must give. */
  readonly response: Response;
  /** Resolves when the socket is open; rejects when it cannot be opened. */
  readonly socket: Promise<MessageSocket>;
}

/** What a handler knows beside the request. */
export interface HttpContext {
  /** The client's `host:port`. */
  readonly remote: string;
  /**
   * Makes a WebSocket of the request. Absent when the client did not ask for one.
   * @param protocol the sub-protocol, one of those that the client offered
   */
  readonly upgrade?: (protocol: string) => SocketUpgrade;
}

/** Answers one request. */
export type HttpHandler = (request: Request, context: HttpContext) => Response | Promise<Response>;

/** Speaks and serves HTTP. */
export interface Http {
  /**
   * Sends a request, as the `fetch` of the web standard.
   * @throws {UnavailableError} `http/unreachable` when there is no answer
   * @throws the reason of the request's signal
   */
  fetch(request: Request): Promise<Response>;
  /**
   * Serves requests.
   * @param address `host:port`; port 0 takes a free one
   * @param handler answers each request
   * @param options `behindProxy`: all clients come through one proxy, so the limit on the connections of one host is off
   * @throws as {@link Network.listen}
   */
  serve(address: string, handler: HttpHandler, options?: { readonly behindProxy?: boolean }): Promise<HttpServer>;
  /**
   * Opens a WebSocket.
   * @param url `ws:` or `wss:`
   * @param options `protocol`: the sub-protocol, a token of RFC 9110
   * @throws {UnavailableError} `network/dial-failed` when nobody answers, or the server does not speak the protocol
   * @throws the reason of `options.signal`
   */
  openSocket(
    url: string,
    options: { readonly protocol: string; readonly signal?: AbortSignal },
  ): Promise<MessageSocket>;
}

/** The fields of a log line: plain values, never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/** Writes log lines: an event name in `kebab-case`, and fields (style.md §9). */
export interface Log {
  /** Logs something that happens for each packet. */
  trace(event: string, fields?: LogFields): void;
  /** Logs a branch that the program took. */
  debug(event: string, fields?: LogFields): void;
  /** Logs what an operator would notice. */
  info(event: string, fields?: LogFields): void;
  /** Logs something odd that still works. */
  warn(event: string, fields?: LogFields): void;
  /** Logs that something was given up. */
  error(event: string, fields?: LogFields): void;
  /** Makes a log whose lines all carry `fields`, too. */
  with(fields: LogFields): Log;
}

/** A figure that only goes up. */
export interface Counter {
  /**
   * Adds to the figure.
   * @param amount ≥ 0; default 1
   */
  add(amount?: number): void;
}

/** A figure that goes up and down. */
export interface Gauge {
  /**
   * Replaces the figure.
   * @param value the figure of this moment
   */
  set(value: number): void;
}

/** A figure of how values are spread: it counts the values below each bound, and adds them up. */
export interface Histogram {
  /**
   * Counts one value.
   * @param value in the unit of the name
   */
  observe(value: number): void;
}

/** Labels tell figures of one name apart. Their values come from small fixed sets, never from keys or addresses. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Keeps figures by name, `skywire_<area>_<thing>_<unit>[_total]`. The same name and labels give the same figure. */
export interface Metrics {
  /**
   * Makes a figure that only goes up.
   * @param name as above; ends in `_total`
   * @param help one line for people
   */
  counter(name: string, help: string, options?: { readonly labels?: MetricLabels }): Counter;
  /**
   * Makes a figure that goes up and down.
   * @param name as above
   * @param help one line for people
   */
  gauge(name: string, help: string, options?: { readonly labels?: MetricLabels }): Gauge;
  /**
   * Makes a figure of how values are spread.
   * @param name as above
   * @param help one line for people
   * @param options `buckets`: upper bounds, ascending; a last bucket without bound is added
   */
  histogram(
    name: string,
    help: string,
    options: { readonly buckets: readonly number[]; readonly labels?: MetricLabels },
  ): Histogram;
  /** Writes all figures as Prometheus text. */
  render(): string;
}

/** The lock on a folder. Disposing it frees the folder. */
export interface StorageLock extends Disposable {
  /**
   * Removes what the lock has made: its file, and the folder. Call it before the lock is disposed.
   * @throws when something is left in the folder; the folder stays then
   */
  undo(): Promise<void>;
}

/** A folder of small private files: keys, configuration, address books. Names are relative paths without `..`. */
export interface Storage {
  /**
   * Reads a file.
   * @returns the content; undefined when there is no such file
   * @throws {UnavailableError} `storage/read-failed`
   */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Replaces a file, as a whole or not at all. Its mode is 0600.
   * @throws {UnavailableError} `storage/write-failed`
   */
  write(name: string, content: Uint8Array): Promise<void>;
  /** Removes a file. Harmless when there is none. */
  remove(name: string): Promise<void>;
  /**
   * Takes the folder for one owner. The lock ends when it is disposed or when the process ends, in any way.
   * @param name the file that stands for the lock
   * @returns the lock; undefined while another process has it
   * @throws {UnavailableError} `storage/write-failed`
   */
  lock(name: string): Promise<StorageLock | undefined>;
  /**
   * Lists what is in the folder: files, and folders in it; nothing when the folder is missing.
   * @throws {UnavailableError} `storage/read-failed`
   */
  list(): Promise<readonly string[]>;
  /** The folder on disk, for database engines, which open files themselves; undefined in memory. */
  readonly path: string | undefined;
}
