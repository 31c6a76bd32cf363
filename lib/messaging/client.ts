/**
 * The messaging client: holds sessions with servers, publishes where it is reached, dials `key:port` and listens on ports
 * (dmsg.md §3.4, §4.3, §4.5, §4.8).
 */

import { publicKeyOf } from "../core/mod.ts";
import { ClosedError, describeError, hasCode, ProtocolError, RefusedError, UnavailableError } from "../errors/mod.ts";
import { checkPort, type KeyedDialOptions, type KeyedListener, type KeyedNetwork, PortSpace } from "../overlay/mod.ts";
import { headStartOf, nextMean, sideBySide, sleep, untilAborted, withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import { shortKey } from "../types/mod.ts";
import type { MonotonicMs, OverlayAddress, Port, PublicKey, SecretKey } from "../types/mod.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { ClientSessions } from "./client_sessions.ts";
import type { MessagingDirectory } from "./directory.ts";
import { EntryCache } from "./entry_cache.ts";
import { createEntryPublisher } from "./entry_publisher.ts";
import { ReplayWindow } from "./replay_window.ts";
import type { Session } from "./session.ts";
import { acceptStreams, STREAM_HANDSHAKE_LIMIT_MS } from "./stream_accept.ts";
import { dialStream } from "./stream_dial.ts";
import type { MessagingStream } from "./stream.ts";

/** What a messaging client needs. */
export interface MessagingClientDeps {
  /** Time, randomness, the network and the log. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "network" | "log">;
  /** The key of the client. The client does not dispose it. It must not be the key of a server, too (dmsg.md Q24). */
  readonly secret: SecretKey;
  /** Looks up entries and publishes that of the client. */
  readonly discovery: MessagingDirectory;
  /** How many sessions to keep at least, ≥ 1. Default 1. */
  readonly minSessions?: number;
  /** What the entry says the client is; the discovery lists clients with `visor` as visors. Default: nothing. */
  readonly clientType?: string;
}

/** A running messaging client. */
export interface MessagingClient extends KeyedNetwork<MessagingStream>, AsyncDisposable {
  /**
   * Resolves when the first session is up and the entry is published: others can dial this client from then on. Rejects
   * with {ClosedError} `messaging/closed` when the client is closed before.
   */
  readonly ready: Promise<void>;
  /**
   * Opens a stream to a listener of another client, or of this one. Takes 20 s at most.
   * @param remote the key of the client that listens
   * @param port where it listens, 1–65535
   * @throws {RefusedError} `messaging/no-listener` when nothing listens there; `messaging/busy` when the listener has too
   *   many waiting streams; `messaging/refused` for another reason of the other client; `messaging/no-paths` when
   *   `options.path` is set, since this network has no routes
   * @throws {UnavailableError} `messaging/unknown-peer` when the discovery has no entry of the key;
   *   `messaging/no-delegated-servers` when the entry names no servers; `messaging/no-session` when none of its servers
   *   can be reached; `messaging/peer-unreachable` when all its servers closed the stream; `messaging/dial-timeout` after
   *   20 s; `messaging/discovery-unreachable`; `messaging/ports-exhausted` when no ephemeral port is free
   * @throws {ClosedError} `messaging/closed` when this client is closed
   * @throws the reason of `options.signal`
   */
  dial(remote: PublicKey, port: Port, options?: KeyedDialOptions): Promise<MessagingStream>;
  /**
   * Accepts streams on a port.
   * @param port 1–65535
   * @throws {RefusedError} `messaging/port-taken` when something listens there
   * @throws {ClosedError} `messaging/closed` when this client is closed
   */
  listen(port: Port): KeyedListener<MessagingStream>;
  /** The sessions of this moment, oldest first. */
  readonly sessions: readonly MessagingSession[];
  /** Why others have not been able to reach this client for 10 s or more, in words; undefined while they can. */
  readonly problem: string | undefined;
  /** Closes sessions, streams and listeners, and removes the entry; takes 1 s at most. Harmless when repeated. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A session as {@link MessagingClient.sessions} shows it. */
export interface MessagingSession {
  /** The key of the server. */
  readonly server: PublicKey;
  /** When the session came up, on the monotonic clock. */
  readonly since: MonotonicMs;
}

/** Changes of sessions that come together are published together, ms. */
const ENTRY_SPACING_MS = 500;

/**
 * How long a request may take before it is sent again, ms. A v1.3 server that cannot pass it on keeps silent for ever,
 * although the other client may be back a moment later. At most ten requests come together within the limit of a dial.
 */
const AGAIN = { leastMs: 2_000, mostMs: 2_500, unmeasuredMs: 2_000 } as const;

/** How often and how long a client is asked for whose session broke after silence, ms: it is about to open another one. */
const RETURN = { everyMs: 400, withinMs: 2_000 } as const;

/**
 * Starts a messaging client. It tries for ever: servers and the discovery may come and go.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { generateSecretKey } from "../core/mod.ts";
 * import { createMessagingDiscovery, createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";
 * import { createSimulation } from "../simulation/mod.ts";
 * import { createMessagingClient, createMessagingServer } from "./mod.ts";
 *
 * const sim = createSimulation();
 * const http = await createMessagingDiscovery({ runtime: sim.runtimeFor("discovery") });
 * const party = (name: string) => {
 *   const runtime = sim.runtimeFor(name);
 *   const discovery = createMessagingDiscoveryClient({ ...runtime, http, url: "http://discovery" });
 *   return { runtime, discovery, secret: generateSecretKey(runtime.random) };
 * };
 *
 * const server = await createMessagingServer({ ...party("server"), listen: "server:8080" });
 * const [a, b] = [createMessagingClient(party("a")), createMessagingClient(party("b"))];
 * await sim.run(Promise.all([server.ready, a.ready, b.ready]));
 *
 * const incoming = a.listen(80)[Symbol.asyncIterator]();
 * const [near, { value: far }] = await sim.run(Promise.all([b.dial(a.publicKey, 80), incoming.next()]));
 * assert.equal(far.remoteKey, b.publicKey);
 * near.close();
 * for (const one of [a, b, server]) await sim.run(one[Symbol.asyncDispose]());
 * ```
 *
 * @returns the client; it connects in the background, see {@link MessagingClient.ready}
 */
export function createMessagingClient(deps: MessagingClientDeps): MessagingClient {
  return new Client(deps);
}

class Client implements MessagingClient {
  readonly publicKey: PublicKey;
  readonly ready: Promise<void>;
  readonly #deps: MessagingClientDeps;
  readonly #entries: EntryCache;
  readonly #ports = new PortSpace<AcceptQueue>("messaging");
  readonly #sessions: ClientSessions;
  /** How long streams took to open lately over each session, ms. */
  readonly #streamMs = new WeakMap<Session, number>();
  #lastRequestNs = 0n;
  readonly #publisher;
  readonly #closing = new AbortController();

  constructor(deps: MessagingClientDeps) {
    const { runtime, secret, discovery, minSessions = 1, clientType } = deps;
    this.#deps = deps;
    this.publicKey = publicKeyOf(secret);
    this.#entries = new EntryCache({ runtime, discovery });
    this.#publisher = createEntryPublisher({
      runtime,
      secret,
      publicKey: this.publicKey,
      discovery,
      spacingMs: ENTRY_SPACING_MS,
      describe: () => ({
        client: { delegatedServers: this.#sessions.all.map((session) => session.remoteKey) },
        ...(clientType === undefined ? {} : { clientType }),
      }),
    });
    const accepting = { runtime, secret, publicKey: this.publicKey, ports: this.#ports, replays: new ReplayWindow() };
    this.#sessions = new ClientSessions({
      runtime,
      secret,
      discovery,
      entries: this.#entries,
      minSessions,
      serve: (session) => void acceptStreams(session, accepting),
      onChange: () => this.#publisher.changed(),
    });
    this.ready = untilAborted(this.#publisher.published, this.#closing.signal);
    // A caller that does not wait for it need not handle its rejection.
    this.ready.catch(() => {});
  }

  get sessions(): readonly MessagingSession[] {
    return this.#sessions.all.map(({ remoteKey, since }) => ({ server: remoteKey, since }));
  }

  get problem(): string | undefined {
    return this.#sessions.problem ?? this.#publisher.problem;
  }

  async dial(remote: PublicKey, port: Port, { path, signal }: KeyedDialOptions = {}): Promise<MessagingStream> {
    checkPort(port);
    this.#closing.signal.throwIfAborted();
    if (path !== undefined) {
      throw new RefusedError(
        "messaging/no-paths",
        `Dial ${
          shortKey(remote)
        }:${port} over messaging: it has no paths; dial without one, or over the routed network`,
      );
    }
    return await withTimeout((aborted) => this.#dial({ publicKey: remote, port }, aborted), {
      timers: this.#deps.runtime.timers,
      ms: STREAM_HANDSHAKE_LIMIT_MS,
      code: "messaging/dial-timeout",
      message: `Dial ${shortKey(remote)}:${port} over messaging`,
      signal: signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]),
      discard: (late) => late.close(),
    });
  }

  listen(port: Port): KeyedListener<MessagingStream> {
    this.#closing.signal.throwIfAborted();
    const queue = new AcceptQueue(this.#deps.runtime.timers);
    this.#ports.listen(port, queue);
    return {
      port,
      close: (): void => {
        this.#ports.unlisten(port, queue);
        queue.close();
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new ClosedError("messaging/closed", "The messaging client was closed"));
    for (const queue of this.#ports.listeners()) queue.close();
    await Promise.all([this.#sessions.close(), this.#publisher.close()]);
  }

  /**
   * Asks until somebody says something: silence does not mean that the next request is not answered. When what kept
   * silent breaks, a session was dead, here or there, and who was dead may be about to return.
   */
  async #dial(remote: OverlayAddress, signal: AbortSignal): Promise<MessagingStream> {
    const { clock, timers } = this.#deps.runtime;
    let wasSilent = false;
    let silenceEndedAt = Infinity;
    let isAnswer = true;
    return await sideBySide(repeats(), {
      timers,
      headStartMs: () => headStartOf(this.#slowestMs(), AGAIN),
      attempt: async (isRepeat, aborted) => {
        if (isRepeat && !wasSilent) {
          wasSilent = true;
          this.#doubt(remote.publicKey);
        }
        if (silenceEndedAt < Infinity) await sleep(timers, RETURN.everyMs, aborted);
        const startedAt = clock.monotonic();
        try {
          return await this.#dialOnce(remote, aborted);
        } catch (error) {
          isAnswer = !wasSilent || startedAt >= silenceEndedAt + RETURN.withinMs;
          silenceEndedAt = Math.min(silenceEndedAt, clock.monotonic());
          throw error;
        }
      },
      discard: (late) => late.close(),
      isFinal: (error) => isAnswer || !(error instanceof UnavailableError),
      signal,
    });
  }

  /** Silence: the entry may be old, and the sessions may be dead. */
  #doubt(key: PublicKey): void {
    this.#entries.expire(key);
    for (const session of this.#sessions.all) session.probe();
  }

  /** The time of the session on which streams take longest to open, ms; undefined when none was opened. */
  #slowestMs(): number | undefined {
    const measured = this.#sessions.all.flatMap((session) => this.#streamMs.get(session) ?? []);
    return measured.length === 0 ? undefined : Math.max(...measured);
  }

  /** With what we remember of the other client first, and when that leads nowhere, with what the discovery says now. */
  async #dialOnce(remote: OverlayAddress, signal: AbortSignal): Promise<MessagingStream> {
    const known = await untilAborted(this.#lookUp(remote.publicKey), signal);
    const result = await this.#tryServers(known.servers, { remote, signal });
    if (!(result instanceof UnavailableError)) return result;
    this.#entries.expire(remote.publicKey);
    if (!known.remembered) throw result;
    const asked = await untilAborted(this.#lookUp(remote.publicKey), signal);
    const untried = asked.servers.filter((server) => !known.servers.includes(server));
    if (untried.length === 0) throw result;
    const second = await this.#tryServers(untried, { remote, signal });
    if (second instanceof UnavailableError) throw second;
    return second;
  }

  /** Through which servers another client is reached, those that we are connected to first. */
  async #lookUp(key: PublicKey): Promise<{ servers: PublicKey[]; remembered: boolean }> {
    const ours = this.#sessions.all.map((session) => session.remoteKey);
    let found;
    try {
      found = await this.#entries.lookUp(key);
    } catch (error) {
      // Nobody can tell where the other client is. It may well be where we are.
      if (ours.length === 0) throw error;
      return { servers: ours, remembered: false };
    }
    const { entry, remembered } = found;
    if (entry?.client === undefined) {
      throw new UnavailableError(
        "messaging/unknown-peer",
        `Dial ${shortKey(key)} over messaging: the discovery does not know the key, is it running and in this network?`,
        { details: { key } },
      );
    }
    const servers = [...new Set(entry.client.delegatedServers)];
    if (servers.length === 0) {
      // It looks for one, and will tell the discovery as soon as it has one.
      this.#entries.expire(key);
      throw new UnavailableError(
        "messaging/no-delegated-servers",
        `Dial ${shortKey(key)} over messaging: it has no messaging server at the moment, try again later`,
        { details: { key } },
      );
    }
    const isOurs = (server: PublicKey): boolean => this.#sessions.get(server) !== undefined;
    return { servers: [...servers.filter(isOurs), ...servers.filter((server) => !isOurs(server))], remembered };
  }

  /** The servers side by side, each with a head start (dmsg.md Q21). @returns the stream, or why none of them helped */
  async #tryServers(
    servers: readonly PublicKey[],
    { remote, signal }: DialTarget,
  ): Promise<MessagingStream | UnavailableError> {
    let cause: unknown;
    let hadSession = false;
    const tryServer = async (server: PublicKey, aborted: AbortSignal): Promise<MessagingStream> => {
      try {
        const session = await this.#sessions.connect(server, aborted);
        hadSession = true;
        return await this.#dialOver(session, { remote, signal: aborted });
      } catch (error) {
        // Silence may be the server's, and the session dead: better to know before the next dial.
        if (aborted.aborted) this.#sessions.get(server)?.probe();
        else this.#noteFailure(error, { remote, server });
        throw error;
      }
    };
    try {
      return await sideBySide(servers, {
        timers: this.#deps.runtime.timers,
        headStartMs: (server) => headStartOf(this.#streamMsOf(server)),
        attempt: tryServer,
        discard: (late) => late.close(),
        isFinal: (error) => !isOfServer(error),
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!isOfServer(error)) throw error;
      cause = error;
    }
    const details = { key: remote.publicKey, servers };
    const dial = `Dial ${shortKey(remote.publicKey)}:${remote.port} over messaging`;
    return hadSession
      ? new UnavailableError(
        "messaging/peer-unreachable",
        `${dial}: none of its servers leads to it, is it still running?`,
        { details, cause },
      )
      : new UnavailableError("messaging/no-session", `${dial}: none of its servers can be reached`, { details, cause });
  }

  #streamMsOf(server: PublicKey): number | undefined {
    const session = this.#sessions.get(server);
    return session && this.#streamMs.get(session);
  }

  #noteFailure(error: unknown, { remote, server }: { remote: OverlayAddress; server: PublicKey }): void {
    this.#deps.runtime.log.debug("dial-attempt-failed", {
      remote: shortKey(remote.publicKey),
      server: shortKey(server),
      reason: describeError(error),
    });
  }

  async #dialOver(session: Session, { remote, signal }: DialTarget): Promise<MessagingStream> {
    const { runtime, secret } = this.#deps;
    const port = this.#ports.acquire();
    const startedAt = runtime.clock.monotonic();
    try {
      const stream = await dialStream(session, {
        runtime,
        secret,
        timestamp: this.#requestTime(),
        local: { publicKey: this.publicKey, port },
        remote,
        signal,
        onClose: () => this.#ports.release(port),
      });
      this.#streamMs.set(session, nextMean(this.#streamMs.get(session), runtime.clock.monotonic() - startedAt));
      return stream;
    } catch (error) {
      this.#ports.release(port);
      throw error;
    }
  }

  /** Goes on although the clock is set back: to others, requests that are much older than the last one are repetitions. */
  #requestTime(): bigint {
    const now = this.#deps.runtime.clock.wallNanos();
    return this.#lastRequestNs = now > this.#lastRequestNs ? now : this.#lastRequestNs + 1n;
  }
}

/** A first time, and then the same again and again. */
function* repeats(): Generator<boolean> {
  yield false;
  for (;;) yield true;
}

/** Can another server do better? Not when the other client said no, when our ports are used up, or with a bug. */
function isOfServer(error: unknown): boolean {
  if (hasCode(error, "messaging/ports-exhausted")) return false;
  return error instanceof UnavailableError || error instanceof ProtocolError || error instanceof ClosedError;
}

interface DialTarget {
  readonly remote: OverlayAddress;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}
