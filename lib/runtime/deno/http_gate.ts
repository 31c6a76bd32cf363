/**
 * Stands before an HTTP server and lets whole requests through to it. Deno's server waits for ever for a request that does
 * not come, keeps as many connections as are made, and ends for good when descriptors run out; it shows none of this to
 * its program and has no option for it. So connections are accepted here, counted by host, and joined over loopback with
 * the server once the head of their first request is there. That costs half of the 50,000 requests a second of the bare
 * server, and several times what any limit on requests lets through; `node:http`, which has such limits, costs as much and
 * ends with the descriptors, too.
 *
 * Where there is no room, the connection goes that has waited longest for its last answer, which is never one that has
 * just asked. Nobody is refused while this gate holds another connection.
 */

import { equalBytes } from "../../types/bytes.ts";
import { parseAddress } from "../address.ts";
import type { ByteLink, LinkListener, Timers } from "../ports.ts";

/** How much a gate lets in. */
export interface HttpGateLimits {
  /** Connections in all, each three descriptors. */
  readonly connections: number;
  /** Of these, from one host. */
  readonly connectionsPerHost: number;
  /** For the head of the first request, ms. */
  readonly headMs: number;
  /** Without a byte in either direction, ms. */
  readonly idleMs: number;
  /** For the end of a connection that was something else than HTTP, ms. */
  readonly endMs: number;
}

/**
 * The hosts behind a NAT keep some connections each; what is beyond costs them another connect. The head's time is twice
 * the worst round trip of a modem. Streams of events say something every 15 s. A WebSocket's other side answers its Close
 * within a round trip.
 */
export const DEFAULT_HTTP_GATE_LIMITS: HttpGateLimits = {
  connections: 2_048,
  connectionsPerHost: 256,
  headMs: 10_000,
  idleMs: 120_000,
  endMs: 2_000,
};

/** How many connections all gates of a process let in together. Shared by them. */
export interface GateRoom {
  /** At most, each three descriptors. */
  readonly most: number;
  /** At the moment. */
  taken: number;
}

/** More memory than that is not for connections; each may hold some 20 KB. */
const MOST_CONNECTIONS = 8_192;

/** Descriptors that a connection costs: the client's, and the two ends of the way to the server. */
const DESCRIPTORS_EACH = 3;

/**
 * Makes the room for all gates of a process: half of its descriptors is left for everything else.
 * @param descriptors that it may open; undefined: unknown, and as many as it takes
 */
export function createGateRoom(descriptors: number | undefined): GateRoom {
  const most = descriptors === undefined ? MOST_CONNECTIONS : Math.floor(descriptors / 2 / DESCRIPTORS_EACH);
  return { most: Math.min(most, MOST_CONNECTIONS), taken: 0 };
}

/** The longest head, bytes; browsers and servers stop between 8 and 80 KiB. */
const MAX_HEAD_BYTES = 32_768;

/** Read at once: a request or an answer in one go. */
const FIRST_BUFFER_BYTES = 2_048;
/** When that was filled: bulk. */
const BULK_BUFFER_BYTES = 65_536;

/** Time is told in rounds through all connections: a timer for each would cost more than the connection, ms. */
const ROUND_MS = 2_000;

/**
 * How HTTP/2 begins without TLS (RFC 9113 §3.4). Deno's server would speak it, with any number of requests at once on a
 * connection, which no limit here sees. Nobody needs it.
 */
const HTTP_2 = new TextEncoder().encode("PRI * HTTP/2.0\r\n");

const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const CARRIAGE_RETURN = 0x0d;

const WRONG_VERSION = new TextEncoder().encode(
  "HTTP/1.1 505 HTTP Version Not Supported\r\nConnection: close\r\n\r\n",
);
const HEAD_TOO_SLOW = new TextEncoder().encode("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
const HEAD_TOO_LONG = new TextEncoder().encode(
  "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n",
);

/** A connection with the server behind the gate. */
export interface ServerLink {
  /** Closed by the gate. */
  readonly link: ByteLink;
  /** By which the server sees it. */
  readonly port: number;
}

/** What {@link HttpGate} is made of. */
export interface HttpGateDeps {
  /** Where clients connect; closed with the gate. */
  readonly listener: LinkListener;
  /** Connects with the server behind the gate. */
  readonly dialServer: () => Promise<ServerLink>;
  readonly timers: Timers;
  readonly limits: HttpGateLimits;
  readonly room: GateRoom;
}

/** An open gate. It lets in until it is closed. */
export class HttpGate {
  readonly #deps: HttpGateDeps;
  /** In the order in which they were last answered, or came. */
  readonly #guests = new Set<Guest>();
  readonly #byHost = new Map<string, Set<Guest>>();
  readonly #byPort = new Map<number, Guest>();
  readonly #accepting: Promise<void>;
  #cancelRound: () => void = () => {};
  #isClosed = false;

  /** Opens it. */
  constructor(deps: HttpGateDeps) {
    this.#deps = deps;
    this.#accepting = this.#acceptAll();
    this.#beginRound();
  }

  /** Connections at the moment. */
  get connections(): number {
    return this.#guests.size;
  }

  /**
   * Who is behind a connection that the server sees.
   * @param port of its other end
   * @returns the client's `host:port`; undefined for somebody who came past the gate
   */
  remoteOf(port: number): string | undefined {
    return this.#byPort.get(port)?.link.remoteAddress;
  }

  /**
   * Takes a connection for something else than HTTP: it is not counted any more, and outlives the gate.
   * @param port as for {@link HttpGate.remoteOf}
   * @returns to be called when it is to end: it is counted again, and cut when the other side does not end it in time
   */
  release(port: number): () => void {
    const guest = this.#byPort.get(port);
    if (guest === undefined) return () => {};
    this.#forget(guest);
    guest.isReleased = true;
    return () => this.#takeBack(guest);
  }

  /** Lets nobody in any more; those who are joined with the server go on. Harmless when repeated. */
  stop(): void {
    this.#deps.listener.close();
    for (const guest of this.#guests) if (guest.server === undefined) this.#dismiss(guest);
  }

  /**
   * Stops, and waits for the end of all connections, which the server ends.
   * @param limit ends the wait, and what is left of them
   */
  async close(limit: Promise<unknown>): Promise<void> {
    this.stop();
    await Promise.race([Promise.all([...this.#guests].map(({ served }) => served)), limit]);
    for (const guest of this.#guests) this.#dismiss(guest);
    this.#cancelRound();
    this.#isClosed = true;
    // Only then can its address be taken again.
    await this.#accepting;
  }

  #takeBack(guest: Guest): void {
    if (guest.hasEnded) return;
    if (this.#isClosed) return guest.end();
    guest.rounds = 0;
    this.#makeRoom(guest.host);
    this.#add(guest);
  }

  async #acceptAll(): Promise<void> {
    for await (const link of this.#deps.listener) this.#letIn(link);
  }

  #letIn(link: ByteLink): void {
    const guest = new Guest(link, parseAddress(link.remoteAddress)?.host ?? link.remoteAddress);
    this.#makeRoom(guest.host);
    const { room } = this.#deps;
    // Other gates have it all.
    if (room.taken >= room.most) return link.close();
    this.#add(guest);
    guest.served = this.#serve(guest).catch(() => {}).finally(() => this.#dismiss(guest));
  }

  #add(guest: Guest): void {
    const ofHost = this.#byHost.get(guest.host) ?? new Set();
    this.#byHost.set(guest.host, ofHost.add(guest));
    this.#guests.add(guest);
    this.#deps.room.taken++;
  }

  #makeRoom(host: string): void {
    const { room, limits: { connections, connectionsPerHost } } = this.#deps;
    const ofHost = this.#byHost.get(host);
    if (ofHost !== undefined && ofHost.size >= connectionsPerHost) this.#dismissFirst(ofHost);
    else if (this.#guests.size >= connections || room.taken >= room.most) this.#dismissFirst(this.#guests);
  }

  #dismissFirst(guests: Iterable<Guest>): void {
    for (const guest of guests) return this.#dismiss(guest);
  }

  #dismiss(guest: Guest): void {
    this.#forget(guest);
    guest.end();
  }

  #forget(guest: Guest): void {
    if (!this.#guests.delete(guest)) return;
    this.#deps.room.taken--;
    const ofHost = this.#byHost.get(guest.host);
    ofHost?.delete(guest);
    if (ofHost?.size === 0) this.#byHost.delete(guest.host);
    // The server's end may have gone first, and its port may have been given to another guest.
    if (guest.port !== undefined && this.#byPort.get(guest.port) === guest) this.#byPort.delete(guest.port);
  }

  async #serve(guest: Guest): Promise<void> {
    const head = await guest.readHead();
    if (head === undefined || !this.#guests.has(guest)) return;
    const { link: server, port } = await this.#deps.dialServer();
    guest.server = server;
    if (!this.#guests.has(guest)) return server.close();
    guest.port = port;
    this.#byPort.set(port, guest);
    await server.write(head);
    const asking = copy(guest.link, server, () => guest.note());
    // What ends the one direction ends the other by closing the links.
    asking.catch(() => this.#dismiss(guest));
    await copy(server, guest.link, () => {
      guest.note();
      this.#noteAnswer(guest);
    });
  }

  /** Puts it behind all others. */
  #noteAnswer(guest: Guest): void {
    for (const guests of [this.#guests, this.#byHost.get(guest.host)]) {
      if (guests?.delete(guest)) guests.add(guest);
    }
  }

  #beginRound(): void {
    const { timers, limits } = this.#deps;
    this.#cancelRound = timers.after(ROUND_MS, () => {
      for (const guest of this.#guests) {
        const limitMs = guest.limitMs(limits);
        if (++guest.rounds * ROUND_MS <= limitMs) continue;
        // It fits into any buffer of the system, so nobody has to wait for it.
        if (guest.server === undefined) guest.link.write(HEAD_TOO_SLOW).catch(() => {});
        this.#dismiss(guest);
      }
      this.#beginRound();
    });
  }
}

/** A connection. */
class Guest {
  readonly link: ByteLink;
  readonly host: string;
  /** Joined with it; undefined until the head is there. */
  server: ByteLink | undefined;
  /** By which the server sees it. */
  port: number | undefined;
  /** Until its end. */
  served: Promise<void> = Promise.resolve();
  /** Since it came; once joined, since the last byte; once it is to end, since then. */
  rounds = 0;
  /** It became something else than HTTP. */
  isReleased = false;
  /** Its descriptors are closed. */
  hasEnded = false;

  constructor(link: ByteLink, host: string) {
    this.link = link;
    this.host = host;
  }

  note(): void {
    if (!this.isReleased) this.rounds = 0;
  }

  limitMs(limits: HttpGateLimits): number {
    if (this.isReleased) return limits.endMs;
    return this.server === undefined ? limits.headMs : limits.idleMs;
  }

  end(): void {
    this.hasEnded = true;
    this.link.close();
    this.server?.close();
  }

  /** @returns what came up to the end of a head at least; undefined when there will be none */
  async readHead(): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BUFFER_BYTES);
    for (let length = 0;;) {
      const count = await this.link.read(bytes.subarray(length));
      if (count === null) return undefined;
      const searched = Math.max(0, length - (HEAD_END.length - 1));
      length += count;
      if (includesHeadEnd(bytes.subarray(searched, length))) {
        const head = bytes.subarray(0, length);
        return equalBytes(head.subarray(0, HTTP_2.length), HTTP_2) ? await this.#refuse(WRONG_VERSION) : head;
      }
      if (length >= MAX_HEAD_BYTES) return await this.#refuse(HEAD_TOO_LONG);
      if (length === bytes.length) {
        const larger = new Uint8Array(2 * length);
        larger.set(bytes);
        bytes = larger;
      }
    }
  }

  async #refuse(answer: Uint8Array): Promise<undefined> {
    await this.link.write(answer);
  }
}

function includesHeadEnd(bytes: Uint8Array): boolean {
  for (let from = bytes.indexOf(CARRIAGE_RETURN); from >= 0; from = bytes.indexOf(CARRIAGE_RETURN, from + 1)) {
    if (HEAD_END.every((byte, i) => bytes[from + i] === byte)) return true;
  }
  return false;
}

/** Copies to the end. @param onBytes called for each piece, before it goes on */
async function copy(from: ByteLink, to: ByteLink, onBytes: () => void): Promise<void> {
  let buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    onBytes();
    await to.write(buffer.subarray(0, count));
    if (count === buffer.length && count < BULK_BUFFER_BYTES) buffer = new Uint8Array(BULK_BUFFER_BYTES);
  }
  to.closeWrite?.();
}
