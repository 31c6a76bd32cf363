/**
 * The sessions of a client with messaging servers: at least so many at all times, for ever, and more when a dial needs
 * them (dmsg.md §3.4). One session for each server.
 */

import { ClosedError, describeError, hasCode, UnavailableError } from "../errors/mod.ts";
import {
  Backoff,
  headStartOf,
  randomFraction,
  RecentMean,
  sideBySide,
  Signal,
  sleep,
  Trouble,
  untilAborted,
  withTimeout,
} from "../runtime/mod.ts";
import type { Random, Runtime } from "../runtime/mod.ts";
import { createMuxSession } from "../links/mux_session.ts";
import { shortKey } from "../types/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import type { Entry } from "../wire/messaging_entry.ts";
import type { MessagingDirectory } from "./directory.ts";
import type { EntryCache } from "./entry_cache.ts";
import { Session } from "./session.ts";
import { awaitServer, initiateSession } from "./session_handshake.ts";

/** The pause after the handshake for servers that keep silent: at least this, or 1.5 round trips (dmsg.md §3.1.4). */
const FIRST_GAP_MS = 100;
const GAP_ROUND_TRIPS = 1.5;
/** Doubled whenever such a server drops the fresh session, up to this. */
const MAX_GAP_MS = 1_600;

/** A server that accepts no connection within it is passed over. */
const DIAL_LIMIT_MS = 5_000;
/** A fresh session that answers no ping within it is useless. */
const FIRST_PING_LIMIT_MS = 5_000;
/** A discovery that does not answer within it is asked again later. */
const DISCOVERY_LIMIT_MS = 10_000;

/**
 * Between rounds while sessions are missing, growing; jittered, so that clients of one server do not return in step. The
 * longest is what it takes to be back after the only server is. The 2,048 clients of a full server then ask the discovery
 * some 700 times a second, and dial it as often once it is back.
 */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 4_000;
/**
 * A lost session is tried anew after a part of this time by chance, and then after this time, growing: all clients of a
 * server lose it in the same instant, and each of them shall try once a second at most.
 */
const LOST_RETRY_MS = 2_000;
const LOST_SPREAD_MS = 1_000;
/** A full server is asked again after the others for so long, ms. */
const FULL_MS = 60_000;
/** With all sessions there, the state is looked at so often anyway. */
const IDLE_MS = 60_000;

/** What the sessions are made of. */
export interface ClientSessionsDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "network" | "log">;
  readonly secret: SecretKey;
  readonly discovery: Pick<MessagingDirectory, "availableServers">;
  readonly entries: EntryCache;
  /** How many to hold at least, ≥ 1. */
  readonly minSessions: number;
  /** Serves the streams that come on a session; called once for each, ends with it. */
  serve(session: Session): void;
  /** A session was added or has ended. */
  onChange(): void;
}

/** Holds the sessions of one client. */
export class ClientSessions {
  readonly #deps: ClientSessionsDeps;
  readonly #sessions = new Map<PublicKey, Session>();
  readonly #connecting = new Map<PublicKey, Promise<Session>>();
  /** Longer pauses that some servers turned out to need. */
  readonly #gaps = new Map<PublicKey, number>();
  /** Servers that took no more clients, and until when they are asked last. */
  readonly #full = new Map<PublicKey, number>();
  /** How long sessions took to open lately. */
  readonly #times = new RecentMean();
  readonly #closing = new AbortController();
  readonly #trouble: Trouble;
  readonly #running: Promise<void>;
  /** What the discovery said last. */
  #servers: readonly Entry[] = [];
  readonly #changed = new Signal();

  constructor(deps: ClientSessionsDeps) {
    const { runtime: { timers, log } } = deps;
    this.#deps = deps;
    this.#trouble = new Trouble({ timers, log, event: "no-messaging-server", what: "no messaging server reached" });
    this.#trouble.lasts();
    this.#running = this.#hold();
  }

  /** Why there has been no session for 10 s or more; undefined while there is one. */
  get problem(): string | undefined {
    return this.#trouble.problem;
  }

  /** All sessions, oldest first. */
  get all(): Session[] {
    return [...this.#sessions.values()];
  }

  /** The session with a server, if there is one. */
  get(server: PublicKey): Session | undefined {
    return this.#sessions.get(server);
  }

  /**
   * The session with a server; opens one if need be. Simultaneous calls share it.
   * @throws {UnavailableError} when the server is unknown or cannot be reached; the reason of `signal`
   */
  async connect(server: PublicKey, signal?: AbortSignal): Promise<Session> {
    const session = this.#sessions.get(server);
    if (session !== undefined) return session;
    let connecting = this.#connecting.get(server);
    if (connecting === undefined) {
      connecting = this.#open(server).finally(() => this.#connecting.delete(server));
      this.#connecting.set(server, connecting);
    }
    return await untilAborted(connecting, signal);
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError("messaging/closed", "The messaging client was closed"));
    this.#changed.notify();
    this.#trouble[Symbol.dispose]();
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    await Promise.allSettled([this.#running, ...this.#connecting.values()]);
  }

  /** Opens sessions whenever there are too few. */
  async #hold(): Promise<void> {
    const { runtime, minSessions } = this.#deps;
    const { timers, random } = runtime;
    const { signal } = this.#closing;
    let backoff = new Backoff({ random, firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
    while (!signal.aborted) {
      if (this.#sessions.size < minSessions) {
        await this.#fill();
      }
      if (this.#sessions.size >= minSessions) {
        await this.#changed.nextWithin(timers, IDLE_MS);
        if (this.#sessions.size >= minSessions) continue;
        backoff = new Backoff({ random, firstMs: LOST_RETRY_MS, maxMs: MAX_RETRY_MS });
        await sleep(timers, LOST_SPREAD_MS * randomFraction(random), signal).catch(() => {});
      } else {
        await sleep(timers, backoff.nextMs(), signal).catch(() => {});
      }
    }
  }

  /** One round over the servers that the discovery offers. */
  async #fill(): Promise<void> {
    const { runtime: { random, log }, minSessions } = this.#deps;
    try {
      await this.#listServers();
      if (this.#servers.length === 0) this.#noteFailure("the messaging discovery knows of none");
    } catch (error) {
      log.debug("servers-not-listed", { reason: describeError(error) });
      this.#noteFailure(describeError(error));
    }
    const servers = shuffle(this.#servers, random);
    // `sort` keeps the order of equals.
    servers.sort((a, b) => Number(this.#isFull(a.static)) - Number(this.#isFull(b.static)));
    const candidates = servers.filter(({ static: server, ...entry }) =>
      entry.server !== undefined && !this.#sessions.has(server)
    ).values();
    const missing = Math.min(minSessions - this.#sessions.size, servers.length);
    await Promise.all(Array.from({ length: missing }, () => this.#openOne(candidates)));
  }

  /** Opens a session with the first of some servers that has one for us. A late one is kept, too. */
  async #openOne(candidates: Iterator<Entry>): Promise<void> {
    const { runtime: { timers, clock }, entries } = this.#deps;
    const { value: first, done } = candidates.next();
    if (done) return;
    // Each is given to one of those that ask.
    const own = (function* (): Generator<Entry> {
      yield first;
      for (let next = candidates.next(); !next.done; next = candidates.next()) yield next.value;
    })();
    await sideBySide(own, {
      timers,
      headStartMs: () => headStartOf(this.#times.ms),
      attempt: async (entry, signal) => {
        const startedAt = clock.monotonic();
        entries.add(entry);
        await this.connect(entry.static, signal);
        this.#times.add(clock.monotonic() - startedAt);
      },
      discard: () => {},
      signal: this.#closing.signal,
    }).catch(() => {}); // Why they failed is in the log already.
  }

  /** Asks for the servers. When that fails, those of the last answer are tried: they may well be there. */
  async #listServers(): Promise<void> {
    const { runtime, discovery } = this.#deps;
    this.#servers = await withTimeout(() => discovery.availableServers(), {
      timers: runtime.timers,
      ms: DISCOVERY_LIMIT_MS,
      code: "messaging/discovery-timeout",
      message: "Ask the messaging discovery for servers",
      signal: this.#closing.signal,
    });
  }

  async #open(server: PublicKey): Promise<Session> {
    const { signal } = this.#closing;
    const { entries, runtime } = this.#deps;
    signal.throwIfAborted();
    try {
      const { entry } = await untilAborted(entries.lookUp(server), signal);
      const session = await this.#establish(serverAddressOf(entry, server), server);
      if (signal.aborted) session[Symbol.dispose]();
      signal.throwIfAborted();
      this.#sessions.set(server, session);
      this.#trouble.ends();
      this.#deps.runtime.log.info("session-opened", { server: shortKey(server) });
      this.#deps.serve(session);
      session.closed.then(() => this.#ended(session));
      this.#deps.onChange();
      return session;
    } catch (error) {
      // The server may have moved.
      entries.expire(server);
      if (hasCode(error, "messaging/server-full")) this.#noteFull(server);
      runtime.log.debug("session-failed", { server: shortKey(server), reason: describeError(error) });
      this.#noteFailure(describeError(error));
      throw error;
    }
  }

  /** Only without any session is it a trouble. */
  #noteFailure(reason?: string): void {
    if (this.#sessions.size === 0 && !this.#closing.signal.aborted) this.#trouble.lasts(reason);
  }

  #isFull(server: PublicKey): boolean {
    return (this.#full.get(server) ?? 0) > this.#deps.runtime.clock.monotonic();
  }

  #noteFull(server: PublicKey): void {
    const { clock, log } = this.#deps.runtime;
    if (!this.#isFull(server)) log.warn("server-full", { server: shortKey(server) });
    for (const known of [...this.#full.keys()]) if (!this.#isFull(known)) this.#full.delete(known);
    this.#full.set(server, clock.monotonic() + FULL_MS);
  }

  /** Connection, handshake, pause, mux, and proof that the session stands. */
  async #establish(address: string, remoteKey: PublicKey): Promise<Session> {
    const { runtime, secret } = this.#deps;
    const { clock, timers, network } = runtime;
    const { signal } = this.#closing;
    const raw = await withTimeout((aborted) => network.dial(address, { signal: aborted }), {
      timers,
      ms: DIAL_LIMIT_MS,
      code: "messaging/server-unreachable",
      message: `Connect to the messaging server at "${address}"`,
      signal,
      discard: (late) => late.close(),
    });
    const { records, rttMs } = await initiateSession(raw, { runtime, secret, remoteKey, signal });
    const gapMs = Math.max(this.#gaps.get(remoteKey) ?? FIRST_GAP_MS, GAP_ROUND_TRIPS * rttMs);
    let session: Session | undefined;
    try {
      const { link, spoke } = await untilAborted(awaitServer(raw, { timers, gapMs }), signal);
      session = new Session({
        mux: createMuxSession(link, { role: "client", runtime, keepAlive: true }),
        records,
        remoteKey,
        remoteAddress: address,
        since: clock.monotonic(),
      });
      if (!spoke) await this.#firstPing(session);
      return session;
    } catch (error) {
      session?.[Symbol.dispose]();
      records[Symbol.dispose]();
      raw.close();
      throw error;
    }
  }

  /** A server that kept silent may have dropped the session, if our first bytes came too close (dmsg.md §3.1.4). */
  async #firstPing(session: Session): Promise<void> {
    const { timers } = this.#deps.runtime;
    const server = session.remoteKey;
    try {
      await withTimeout(() => session.ping(), {
        timers,
        ms: FIRST_PING_LIMIT_MS,
        code: "messaging/server-silent",
        message: "Wait for the first sign of life of a messaging server",
        signal: this.#closing.signal,
      });
    } catch (error) {
      this.#gaps.set(server, Math.min((this.#gaps.get(server) ?? FIRST_GAP_MS) * 2, MAX_GAP_MS));
      throw error;
    }
  }

  #ended(session: Session): void {
    if (this.#sessions.get(session.remoteKey) !== session) return;
    this.#sessions.delete(session.remoteKey);
    if (this.#closing.signal.aborted) return;
    this.#deps.runtime.log.warn("session-ended", { server: shortKey(session.remoteKey) });
    this.#noteFailure();
    this.#deps.onChange();
    this.#changed.notify();
  }
}

function serverAddressOf(entry: Entry | undefined, server: PublicKey): string {
  if (entry?.server !== undefined) return entry.server.address;
  throw new UnavailableError(
    "messaging/unknown-server",
    `Connect to messaging server ${shortKey(server)}: the discovery has no entry of it`,
    { details: { server } },
  );
}

/** A new order, so that clients spread over the servers (Fisher–Yates). */
function shuffle<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(randomFraction(random) * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
  }
  return shuffled;
}
