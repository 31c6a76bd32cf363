/**
 * The runtime ports: everything that the rest of the program needs from the world outside it. The real ones are in
 * `deno/`, the seeded twins on virtual time in `tests/fakes/`. Code that takes its world through these is a function of
 * its inputs, and a failing run is reproduced from one seed (design.md §6).
 */

import type { MonotonicMs } from "../types/mod.ts";

/** All ports together, as parts receive them. */
export interface Runtime {
  /** Tells the time. */
  readonly clock: Clock;
  /** Calls back later. */
  readonly timers: Timers;
  /** Bytes fit for keys. */
  readonly random: Random;
  /** Byte links by `host:port`. */
  readonly network: Network;
  /** Requests and servers. */
  readonly http: Http;
  /** Where log lines go. */
  readonly log: Log;
  /** Figures for operators. */
  readonly metrics: Metrics;
}

/** Tells the time. */
export interface Clock {
  /** Only forward; for durations and deadlines. */
  monotonic(): MonotonicMs;
  /** Unix time in ms; may jump. */
  wallMs(): number;
  /** Unix time in ns, as signed entries carry it. Two calls never give the same value. */
  wallNanos(): bigint;
}

/** Calls back later. */
export interface Timers {
  /**
   * Calls `callback` once, `ms` from now.
   * @returns a function that cancels it; harmless afterwards
   */
  after(ms: number, callback: () => void): () => void;
}

/** Random bytes fit for keys. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/**
 * A byte stream in both directions, identity not yet known: a TCP connection, a messaging stream, a mux stream.
 * One read and one write may be pending at a time.
 */
export interface ByteLink {
  /**
   * Reads what is there, waiting for at least one byte.
   * @param into where the bytes go; must not be touched until the result is there
   * @returns how many bytes came (≥ 1), or null at the end of the stream and after a local close
   * @throws {UnavailableError} when the link broke
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes all of `bytes`, which must stay as they are until the result is there. Waits while the other side is slow.
   * @throws {UnavailableError} when the link broke; {ClosedError} after close
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the direction from here: after all that was written, the other side reads the end, and may still answer. Harmless
   * when repeated or too late. Absent where the link can only end as a whole.
   */
  closeWrite?(): void;
  /** Ends both directions at once; pending reads give null. Harmless when repeated. */
  close(): void;
  /**
   * As {@link ByteLink.close}, but the other side sees a break: its reads and writes fail, and what is under way may get
   * lost. Absent where a link can only end in order.
   */
  reset?(): void;
  /** Where the other side is, for logs at debug level; `host:port` over TCP. */
  readonly remoteAddress: string;
}

/** Accepts links. Iteration ends when it is closed. */
export interface LinkListener extends AsyncIterable<ByteLink> {
  /** What it listens on, with the port that was really taken. */
  readonly address: string;
  /** Stops accepting. Links already accepted live on. */
  close(): void;
}

/** One datagram that came. */
export interface Datagram {
  /** At most 65507 bytes. */
  readonly bytes: Uint8Array;
  /** `ip:port` */
  readonly from: string;
}

/** Datagrams to and from one port (UDP). Iteration gives what comes, for one consumer, and ends when it is closed. */
export interface DatagramSocket extends AsyncIterable<Datagram> {
  /** What it is bound to, with the port that was really taken. */
  readonly address: string;
  /** Sends one datagram, which may get lost. Does nothing after close. */
  send(bytes: Uint8Array, to: string): void;
  /** Harmless when repeated. */
  close(): void;
}

/** How to open or accept links. */
export interface LinkOptions {
  /**
   * Must the links have {@link ByteLink.reset}? Others may lack it. On Deno such a link reads at half the rate of another,
   * still some 800 MB/s.
   */
  readonly canReset?: boolean;
}

/** Opens and accepts byte links by `host:port` (TCP, no delay). */
export interface Network {
  /** Connects. @throws {UnavailableError} `network/dial-failed`, or when `signal` aborts */
  dial(address: string, options?: LinkOptions & { readonly signal?: AbortSignal }): Promise<ByteLink>;
  /**
   * Listens; port 0 takes a free one.
   * @throws {UnavailableError} `network/address-in-use` or `network/listen-failed`
   */
  listen(address: string, options?: LinkOptions): Promise<LinkListener>;
  /**
   * Finds the addresses of a name, as {@link Network.dial} does: for those who must look at an address before they dial it.
   * @param host a name, or an address, which is its own result
   * @returns at least one IP address, in the order in which they should be tried
   * @throws {UnavailableError} `network/unknown-host`; the signal's reason
   */
  resolve(host: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /**
   * Binds a port for datagrams; port 0 takes a free one. Absent where there is no UDP.
   * @throws {UnavailableError} `network/address-in-use` or `network/listen-failed`
   */
  bindDatagrams?(address: string): Promise<DatagramSocket>;
  /** What tells the loopback of this machine from those of others; undefined or absent where it is not known. */
  loopbackName?(): Promise<string | undefined>;
}

/** A running HTTP listener. */
export interface HttpServer {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** `host:port` */
  readonly address: string;
  /**
   * Stops accepting, lets running requests end (2 s at most), then closes. Sockets that came of its requests end with it.
   */
  close(): Promise<void>;
}

/** Messages both ways on a connection that began as a request: a WebSocket (RFC 6455). */
export interface MessageSocket {
  /**
   * Waits for the next message; one call at a time.
   * @returns the message, or null after the other side closed and after a local close
   * @throws {UnavailableError} when the connection broke; {ProtocolError} when the peer sent text, or more than 1 MiB that
   * nobody has received yet
   */
  receive(): Promise<Uint8Array<ArrayBuffer> | null>;
  /**
   * Sends a copy of a message. Does not wait: what the other side is slow to take stays in memory, so users agree with
   * the other side on how much that may be.
   * @throws {UnavailableError} when the connection broke or the other side closed; {ClosedError} after a local close
   */
  send(message: Uint8Array): void;
  /** Ends it after all that was sent. Harmless when repeated. */
  close(): void;
  /** Where the other side is: `host:port`. */
  readonly remoteAddress: string;
}

/** A request that becomes a socket. */
export interface SocketUpgrade {
  /** What the handler must answer. */
  readonly response: Response;
  /** The socket. Rejects when it does not come about. */
  readonly socket: Promise<MessageSocket>;
}

/** What a handler is told beside the request. */
export interface HttpContext {
  /** The client's `host:port`. */
  readonly remote: string;
  /**
   * Makes a socket of the request. Absent when the client asked for none.
   * @param protocol the name of what is spoken on it; must be among those that the client offered
   */
  readonly upgrade?: (protocol: string) => SocketUpgrade;
}

/** Answers one request. */
export type HttpHandler = (request: Request, context: HttpContext) => Response | Promise<Response>;

/** Speaks and serves HTTP. */
export interface Http {
  /** As the web standard's `fetch`. @throws {UnavailableError} `http/unreachable` when there is no answer */
  fetch(request: Request): Promise<Response>;
  /**
   * Serves on `host:port`; errors as {@link Network.listen}.
   * @param options `behindProxy`: all clients come through one proxy, so that the bound on one host's connections is none
   */
  serve(address: string, handler: HttpHandler, options?: { readonly behindProxy?: boolean }): Promise<HttpServer>;
  /**
   * Opens a socket.
   * @param url `ws:` or `wss:`
   * @param options `protocol`: the name of what is spoken on it, a token of RFC 9110
   * @throws {UnavailableError} `network/dial-failed`, also when the server does not speak the protocol; the signal's reason
   */
  openSocket(
    url: string,
    options: { readonly protocol: string; readonly signal?: AbortSignal },
  ): Promise<MessageSocket>;
}

/** What a log line may hold: plain values only, never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/** Writes log lines: an event name in `kebab-case`, and fields. Levels as in style.md §9. */
export interface Log {
  /** Per packet. */
  trace(event: string, fields?: LogFields): void;
  /** A branch taken. */
  debug(event: string, fields?: LogFields): void;
  /** What an operator would notice. */
  info(event: string, fields?: LogFields): void;
  /** Odd, but working. */
  warn(event: string, fields?: LogFields): void;
  /** Given up. */
  error(event: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields` too. */
  with(fields: LogFields): Log;
}

/** Only goes up. */
export interface Counter {
  /** Counts. @param amount ≥ 0; default 1 */
  add(amount?: number): void;
}

/** Goes up and down. */
export interface Gauge {
  /** Replaces the figure. @param value as it is now */
  set(value: number): void;
}

/** Counts how often values fall below each of some bounds, and adds them up. */
export interface Histogram {
  /** Counts one value. @param value in the unit of the name */
  observe(value: number): void;
}

/** Tells figures of one name apart. Values come from small fixed sets, never from keys or addresses. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Names and keeps figures: `skywire_<area>_<thing>_<unit>[_total]`. The same name and labels give the same figure. */
export interface Metrics {
  /** A figure that only goes up. @param name see above, ends in `_total` @param help one line for people */
  counter(name: string, help: string, options?: { readonly labels?: MetricLabels }): Counter;
  /** A figure that goes both ways. @param name see above @param help one line for people */
  gauge(name: string, help: string, options?: { readonly labels?: MetricLabels }): Gauge;
  /**
   * How values are spread.
   * @param name see above
   * @param help one line for people
   * @param options upper bounds of the buckets, ascending; the last one, without bound, is added
   */
  histogram(
    name: string,
    help: string,
    options: { readonly buckets: readonly number[]; readonly labels?: MetricLabels },
  ): Histogram;
  /** All figures as Prometheus text. */
  render(): string;
}

/** A folder that is taken. Disposing frees it. */
export interface StorageLock extends Disposable {
  /**
   * Removes what taking it has made: the file of the lock, and the folder. To be called before the lock is disposed.
   * @throws when something is left in the folder, which stays
   */
  undo(): Promise<void>;
}

/**
 * A folder of small private files (keys, configuration, address books). Names are relative, with no `..`.
 */
export interface Storage {
  /** Reads a file. @returns the content, or undefined when there is no such file. @throws {UnavailableError} `storage/read-failed` */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Replaces the file as a whole or not at all, mode 0600. @throws {UnavailableError} `storage/write-failed` */
  write(name: string, content: Uint8Array): Promise<void>;
  /** Removes the file; harmless when there is none. */
  remove(name: string): Promise<void>;
  /**
   * Takes the folder for one owner; the lock ends with its disposal or with the process, however that ends.
   * @param name the file that stands for the lock
   * @returns undefined while somebody else has it
   * @throws {UnavailableError} `storage/write-failed`
   */
  lock(name: string): Promise<StorageLock | undefined>;
  /** What is in the folder: files, and folders in it; none when it is not there. @throws {UnavailableError} `storage/read-failed` */
  list(): Promise<readonly string[]>;
  /** The folder on disk, for engines that open files themselves; undefined in memory. */
  readonly path: string | undefined;
}
