/**
 * The messaging server: clients keep sessions with it, and it relays streams between them (dmsg.md §3.5, §4.4, §7.1).
 * It sees who speaks with whom and how much, never what.
 */

import { publicKeyOf } from "../core/mod.ts";
import { describeError } from "../errors/mod.ts";
import { formatAddress, HostLimit, parseAddress } from "../runtime/mod.ts";
import type { ByteLink, LinkListener, Runtime } from "../runtime/mod.ts";
import { createMuxSession } from "../links/mux_session.ts";
import { shortKey } from "../types/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { bridgeStream } from "./bridge.ts";
import type { BridgeDeps } from "./bridge.ts";
import type { MessagingDirectory } from "./directory.ts";
import { createEntryPublisher } from "./entry_publisher.ts";
import { createServerMetrics } from "./metrics.ts";
import { HeldStreams } from "./held_streams.ts";
import { Session } from "./session.ts";
import { acceptSession, SERVER_FULL } from "./session_handshake.ts";

/** How much one messaging server takes on. It refuses at once what goes beyond. */
export interface MessagingServerLimits {
  /** Clients with a session. Default 2048, as in v1.3. Further clients learn that the server is full. */
  readonly sessions?: number;
  /** Connections in their handshake, whose keys are not known yet. Default 512. */
  readonly handshakes?: number;
  /** Such connections from one IP address. Default 64. */
  readonly handshakesPerHost?: number;
  /** Streams that one client has dialled, those that are still opening included. Default 512. */
  readonly streamsPerClient?: number;
  /** Streams of all clients that are opening or whose other end does not read; each holds 320 KiB. Default 2048. */
  readonly heldStreams?: number;
}

/** What a messaging server needs. */
export interface MessagingServerDeps {
  /** Time, randomness, the network, the log and figures. */
  readonly runtime: Runtime;
  /** The key of the server. The server does not dispose it. */
  readonly secret: SecretKey;
  /** `host:port` to listen on; port 0 takes a free one. */
  readonly listen: string;
  /** `host:port` to which clients connect; port 0 stands for the port of `listen`. Default: the address of `listen`. */
  readonly publicAddress?: string;
  /** Publishes the entry of the server. */
  readonly discovery: MessagingDirectory;
  /** How much it takes on, in place of the defaults. */
  readonly limits?: MessagingServerLimits;
}

/** A running messaging server. */
export interface MessagingServer extends AsyncDisposable {
  /** The key of the server, by which clients and entries name it. */
  readonly publicKey: PublicKey;
  /** `host:port` where it listens, with the port that was really taken. */
  readonly address: string;
  /** Figures of this moment. */
  readonly stats: MessagingServerStats;
  /** Why clients have not been able to find it for 10 s or more, in words; undefined while they can. */
  readonly problem: string | undefined;
  /** Resolves when the entry is published for the first time. */
  readonly ready: Promise<void>;
  /** Resolves when the server has stopped. */
  readonly closed: Promise<void>;
  /** Stops accepting, ends all sessions, removes the entry; takes 2 s at most. Harmless when repeated. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Figures of a messaging server, see {@link MessagingServer.stats}. */
export interface MessagingServerStats {
  /** Clients with a session. */
  readonly sessions: number;
  /** Connections in their handshake. */
  readonly handshakes: number;
  /** Streams of clients, opening or relayed. */
  readonly streams: number;
}

const DEFAULT_LIMITS: Required<MessagingServerLimits> = {
  sessions: 2_048,
  handshakes: 512,
  handshakesPerHost: 64,
  streamsPerClient: 512,
  heldStreams: 2_048,
};

/** When many clients come and go, the entry follows at this pace, ms. */
const ENTRY_SPACING_MS = 5_000;

/**
 * Starts a messaging server. It serves at once. While the discovery is away, it tries for ever to publish its entry.
 * @returns the server, listening; there is an example at {@linkcode createMessagingClient}
 * @throws {UnavailableError} `network/address-in-use`; `network/listen-failed` for any other reason
 */
export async function createMessagingServer(deps: MessagingServerDeps): Promise<MessagingServer> {
  const listener = await deps.runtime.network.listen(deps.listen);
  return new Server(deps, listener);
}

class Server implements MessagingServer {
  readonly publicKey: PublicKey;
  readonly address: string;
  readonly closed: Promise<void>;
  readonly #deps: MessagingServerDeps;
  readonly #limits: Required<MessagingServerLimits>;
  readonly #listener: LinkListener;
  readonly #metrics;
  readonly #bridge: BridgeDeps;
  readonly #publisher;
  readonly #sessions = new Map<PublicKey, Session>();
  readonly #handshaking = new Set<ByteLink>();
  readonly #unproven: HostLimit;
  readonly #tasks = new Set<Promise<void>>();
  readonly #closed = Promise.withResolvers<void>();
  #streams = 0;
  #isClosing = false;

  constructor(deps: MessagingServerDeps, listener: LinkListener) {
    const { runtime, secret, discovery, publicAddress } = deps;
    this.#deps = deps;
    this.#listener = listener;
    this.#limits = { ...DEFAULT_LIMITS, ...deps.limits };
    const { handshakes, handshakesPerHost } = this.#limits;
    this.#unproven = new HostLimit({ most: handshakes, perHost: handshakesPerHost });
    this.publicKey = publicKeyOf(secret);
    this.address = listener.address;
    this.closed = this.#closed.promise;
    this.#metrics = createServerMetrics(runtime.metrics);
    this.#bridge = {
      runtime,
      secret,
      publicKey: this.publicKey,
      held: new HeldStreams({
        clock: runtime.clock,
        most: this.#limits.heldStreams,
        dropped: this.#metrics.streamsDropped,
      }),
      sessionOf: (key) => this.#sessions.get(key),
      relayed: this.#metrics.relayedBytes,
      opened: this.#metrics.streamsOpened,
      failed: this.#metrics.streamsFailed,
    };
    const address = publicAddress === undefined ? this.address : withPort(publicAddress, this.address);
    this.#publisher = createEntryPublisher({
      runtime,
      secret,
      publicKey: this.publicKey,
      discovery,
      spacingMs: ENTRY_SPACING_MS,
      describe: () => ({
        server: {
          address,
          availableSessions: this.#limits.sessions - this.#sessions.size,
        },
      }),
    });
    this.#publisher.changed();
    this.#run(this.#accept());
  }

  get ready(): Promise<void> {
    return this.#publisher.published;
  }

  get problem(): string | undefined {
    return this.#publisher.problem;
  }

  get stats(): MessagingServerStats {
    return { sessions: this.#sessions.size, handshakes: this.#handshaking.size, streams: this.#streams };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosing) return await this.closed;
    this.#isClosing = true;
    this.#listener.close();
    for (const link of this.#handshaking) link.close();
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    await Promise.all([this.#publisher.close(), ...this.#tasks]);
    this.#closed.resolve();
  }

  async #accept(): Promise<void> {
    for await (const link of this.#listener) {
      const release = this.#isClosing ? undefined : this.#unproven.take(link.remoteAddress);
      if (release === undefined) {
        this.#metrics.connectionsRefused.add();
        link.close();
      } else {
        this.#run(this.#serve(link, release));
      }
    }
  }

  /** One connection, from its first byte to its end. @param release called when it is proven who the client is */
  async #serve(link: ByteLink, release: () => void): Promise<void> {
    const { runtime, secret } = this.#deps;
    const { clock, log } = runtime;
    this.#handshaking.add(link);
    const handshake = acceptSession(link, { runtime, secret }).finally(() => {
      this.#handshaking.delete(link);
      release();
    });
    let accepted;
    try {
      accepted = await handshake;
    } catch (error) {
      this.#metrics.handshakesFailed.add();
      log.debug("session-refused", { remote: link.remoteAddress, reason: describeError(error) });
      return;
    }
    const { records, remoteKey } = accepted;
    // A client that comes back takes the place of its older session.
    const isFull = this.#sessions.size >= this.#limits.sessions && !this.#sessions.has(remoteKey);
    if (this.#isClosing || isFull) {
      this.#metrics.connectionsRefused.add();
      records[Symbol.dispose]();
      if (isFull) await link.write(SERVER_FULL).catch(() => {});
      return link.close();
    }
    const session = new Session({
      mux: createMuxSession(link, { role: "server", runtime, keepAlive: true }),
      records,
      remoteKey,
      remoteAddress: link.remoteAddress,
      since: clock.monotonic(),
    });
    this.#register(session);
    log.debug("session-opened", { client: shortKey(remoteKey), remote: link.remoteAddress });
    // The client may have to wait before it uses the session (dmsg.md §3.1.4), unless it hears from us.
    session.probe();
    await this.#serveStreams(session);
    this.#unregister(session);
    log.debug("session-closed", { client: shortKey(remoteKey) });
  }

  /** The newest session of a client wins: the client knows best which of its connections are dead (dmsg.md Q8). */
  #register(session: Session): void {
    const older = this.#sessions.get(session.remoteKey);
    this.#sessions.set(session.remoteKey, session);
    older?.[Symbol.dispose]();
    this.#sessionsChanged();
  }

  #unregister(session: Session): void {
    if (this.#sessions.get(session.remoteKey) !== session) return;
    this.#sessions.delete(session.remoteKey);
    this.#sessionsChanged();
  }

  #sessionsChanged(): void {
    this.#metrics.sessions.set(this.#sessions.size);
    this.#publisher.changed();
  }

  /** Serves the streams of a session side by side until it ends. */
  async #serveStreams(session: Session): Promise<void> {
    let streams = 0;
    for await (const stream of session.incoming) {
      if (streams >= this.#limits.streamsPerClient) {
        this.#metrics.streamsRefused.add();
        stream.reset();
        continue;
      }
      streams++;
      this.#metrics.streams.set(++this.#streams);
      this.#run(
        bridgeStream(session, stream, this.#bridge).finally(() => {
          streams--;
          this.#metrics.streams.set(--this.#streams);
        }),
      );
    }
  }

  /** Remembers a task, so that the end can wait for it. */
  #run(task: Promise<void>): void {
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }
}

/** An address whose port 0 stands for the port of another one. */
function withPort(address: string, from: string): string {
  const { host, port } = parseAddress(address) ?? {};
  return host === undefined || port !== 0 ? address : formatAddress(host, parseAddress(from)?.port ?? 0);
}
