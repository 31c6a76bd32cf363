/**
 * All transports of a visor: has links set up, makes them transports, keeps wanted ones up, and keeps transport discovery
 * in step: what there is, and how it is. Packets go straight between links and the switch; none comes through here.
 */

import { publicKeyOf } from "../core/mod.ts";
import { ClosedError, describeError, RefusedError } from "../errors/mod.ts";
import { sleep } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import { shortKey } from "../types/mod.ts";
import type { PublicKey, SecretKey, TransportId } from "../types/mod.ts";
import { isV13, OUR_FEATURES } from "../wire/peer_features.ts";
import { transportId } from "../wire/transport_entry.ts";
import { runAcceptor } from "./acceptor.ts";
import type { RawLink, RawListener, TransportDriver } from "./driver.ts";
import { LinkSetup } from "./link_setup.ts";
import type { IncomingLink, SettledLink } from "./link_setup.ts";
import { LiveTransport, REMOVED } from "./live_transport.ts";
import type { TransportSummary } from "./live_transport.ts";
import { transportMetrics } from "./metrics.ts";
import type { DialAttempt } from "./redial.ts";
import { RegistrationLoop } from "./registration.ts";
import type { TransportRegistry } from "./registration.ts";
import { StatusReporter } from "./status_reporter.ts";
import type { SwitchLoop } from "./switch_loop.ts";

/** Transports of one visor; more incoming ones are refused. Each costs some 50 KB while its link is up. */
const MOST_TRANSPORTS = 10_000;

/** The label of transports that a user asked for. */
export const USER_LABEL = "user";

/** The label of those that the other visor opened. */
const ACCEPTED_LABEL = "accepted";

/**
 * For so long we do not dial a v1.3 visor whose own link to us has ended, ms. It forgets a transport that it dialled up to
 * 1 s after the end. A link that comes meanwhile fails there and takes the listener for this kind with it, for good; a
 * visor without one for messaging ends itself within 15 minutes (transports.md W3, §5.2).
 */
const V13_REST_MS = 1_500;

/** How a transport is asked for. */
export interface AddTransportOptions {
  /** Whose visor is to be at the other end. */
  readonly remoteKey: PublicKey;
  /** The driver's kind. */
  readonly kind: string;
  /** Where the peer is; without it the address book is asked at every dial. Drivers that find peers by key need none. */
  readonly address?: string;
  /** Why it is there; local. Default {@link USER_LABEL}. */
  readonly label?: string;
  /**
   * Keep trying when the first dial fails? Otherwise the transport is given up then. Once it was up, it is always kept
   * up until removed.
   */
  readonly keepTrying?: boolean;
  /** Ends the waiting; and the trying, unless `keepTrying`. */
  readonly signal?: AbortSignal;
}

/** One change, as {@link TransportTable.onChange} tells it. */
export interface TransportChange {
  /** `up`: it has a link. `down`: it lost it. `removed`: it is not in the list any more. */
  readonly type: "up" | "down" | "removed";
  /** As it is now. */
  readonly transport: TransportSummary;
  /** Why it went down, or was removed. */
  readonly reason?: string;
}

/** A listener of the table. */
export interface TransportListener {
  /** The driver's kind. */
  readonly kind: string;
  /** What others dial. */
  readonly address: string;
  /** Stops accepting; transports live on. */
  close(): Promise<void>;
}

/** See the top of the file. Disposing closes everything and deregisters, within about 2 s. */
export interface TransportTable extends AsyncDisposable {
  /**
   * Opens a transport and keeps it up: the visor that added it dials again when its link is lost. Adding one that exists keeps
   * it, and changes its address and label.
   * @returns once it is up
   * @throws {RefusedError} `transport/unknown-kind`, `transport/self`, `transport/no-address`,
   * `transport/handshake-refused`, `transport/settlement-refused`; {UnavailableError} `transport/dial-timeout`, and what
   * the driver and the set-up throw; the reason of `signal`
   */
  add(options: AddTransportOptions): Promise<TransportSummary>;
  /**
   * Closes a transport and takes it off the discovery's list. A peer that dialled it will dial again.
   * @throws {RefusedError} `transport/not-found`
   */
  remove(id: TransportId): Promise<void>;
  /** All transports, in the order in which they came. */
  list(): readonly TransportSummary[];
  /**
   * Accepts transports of a kind.
   * @param address in the driver's form; port 0 takes a free one
   * @throws {RefusedError} `transport/unknown-kind`; what the driver throws
   */
  listen(kind: string, address: string): Promise<TransportListener>;
  /** Subscribes to changes. @returns unsubscribes */
  onChange(listener: (change: TransportChange) => void): () => void;
}

/** What a table is made of. */
export interface TransportTableDeps {
  /** The world. */
  readonly runtime: Runtime;
  /** The visor's key; stays the caller's. */
  readonly secret: SecretKey;
  /** Takes the links over. */
  readonly loop: SwitchLoop;
  /** One for each kind of transport. */
  readonly drivers: readonly TransportDriver[];
  /** The client of transport discovery. */
  readonly discovery: TransportRegistry;
  /** The address book: where a peer is reached over a kind; undefined when that is not known. */
  readonly addressOf: (kind: string, remoteKey: PublicKey) => string | undefined;
}

/**
 * Makes an empty table.
 * @throws {RefusedError} `transport/bad-kind` when two drivers have one kind, or a kind is no short ASCII word
 */
export function createTransportTable(deps: TransportTableDeps): TransportTable {
  return new Table(deps);
}

class Table implements TransportTable {
  readonly #deps: TransportTableDeps;
  readonly #local: { readonly publicKey: PublicKey; readonly secret: SecretKey };
  readonly #drivers = new Map<string, TransportDriver>();
  readonly #transports = new Map<TransportId, LiveTransport>();
  /** Until when not to dial, see {@link V13_REST_MS}. */
  readonly #restsUntil = new Map<TransportId, number>();
  readonly #listeners = new Set<TransportListener>();
  readonly #subscribers = new Set<(change: TransportChange) => void>();
  readonly #registration: RegistrationLoop;
  readonly #reporter: StatusReporter;
  readonly #metrics: ReturnType<typeof transportMetrics>;
  readonly #closing = new AbortController();
  readonly #setup: LinkSetup;

  constructor(deps: TransportTableDeps) {
    this.#deps = deps;
    this.#local = { publicKey: publicKeyOf(deps.secret), secret: deps.secret };
    for (const driver of deps.drivers) {
      if (!/^[a-z0-9-]{1,32}$/.test(driver.kind) || this.#drivers.has(driver.kind)) {
        throw new RefusedError(
          "transport/bad-kind",
          `Use a driver: its kind "${driver.kind}" is taken, or no word of 1–32 small letters, digits and "-"`,
        );
      }
      this.#drivers.set(driver.kind, driver);
    }
    const { runtime, discovery: registry } = deps;
    this.#setup = new LinkSetup({ runtime, local: this.#local, features: OUR_FEATURES });
    this.#metrics = transportMetrics(runtime.metrics);
    this.#registration = new RegistrationLoop({
      runtime,
      registry,
      localKey: this.#local.publicKey,
      metrics: this.#metrics,
      isTold: () => this.#reporter.isTaken,
    });
    this.#reporter = new StatusReporter({
      runtime,
      report: registry.report?.bind(registry),
      statuses: () => [...this.#transports.values()].map((transport) => transport.status()),
      sample: () => this.#transports.forEach((transport) => transport.sample()),
      // One that is down was perhaps taken off the list by the other edge, for good.
      onUnlisted: (ids) => this.#registration.restore(ids.filter((id) => this.#transports.get(id)?.up === true)),
      metrics: this.#metrics,
    });
  }

  async add(options: AddTransportOptions): Promise<TransportSummary> {
    const { remoteKey, kind, address, label = USER_LABEL, keepTrying = false, signal } = options;
    this.#closing.signal.throwIfAborted();
    signal?.throwIfAborted();
    this.#driverOf(kind);
    if (remoteKey === this.#local.publicKey) {
      throw new RefusedError("transport/self", "Add a transport: the remote visor is this one");
    }
    const transport = this.#transportOf(remoteKey, kind, label);
    transport.label = label;
    const release = transport.hold();
    const wasWanted = transport.wanted;
    try {
      transport.want(address);
      await transport.untilUp(signal);
      return transport.summary();
    } catch (error) {
      // The peer's own link may have come up instead of ours.
      if (transport.up && !signal?.aborted) return transport.summary();
      if (!keepTrying && !wasWanted) transport.unwant(describeError(error));
      throw error;
    } finally {
      release();
    }
  }

  async remove(id: TransportId): Promise<void> {
    const transport = this.#transports.get(id);
    if (transport === undefined) throw new RefusedError("transport/not-found", `Remove a transport: no "${id}" here`);
    await transport.stop();
    this.#forget(transport, REMOVED);
  }

  list(): readonly TransportSummary[] {
    return [...this.#transports.values()].map((transport) => transport.summary());
  }

  async listen(kind: string, address: string): Promise<TransportListener> {
    const driver = this.#driverOf(kind);
    this.#closing.signal.throwIfAborted();
    const raw: RawListener = await driver.listen(address, { signal: this.#closing.signal });
    const { log } = this.#deps.runtime;
    const accepting = runAcceptor({
      listener: raw,
      accept: (link) => this.#accept(driver, link),
      log,
      metrics: this.#metrics,
    }).catch((error) => log.error("transport-listener-failed", { kind, error: describeError(error) }));
    const listener: TransportListener = {
      kind,
      address: raw.address,
      close: async () => {
        this.#listeners.delete(listener);
        raw.close();
        await accepting;
      },
    };
    this.#listeners.add(listener);
    if (this.#closing.signal.aborted) await listener.close();
    return listener;
  }

  onChange(listener: (change: TransportChange) => void): () => void {
    this.#subscribers.add(listener);
    return () => void this.#subscribers.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new ClosedError("transport/closed", "The transports are closed"));
    await Promise.all([
      this.#reporter[Symbol.asyncDispose](),
      ...[...this.#listeners].map((listener) => listener.close()),
      ...[...this.#transports.values()].map((transport) => transport.stop()),
    ]);
    this.#transports.clear();
    await this.#registration[Symbol.asyncDispose]();
    this.#metrics.up.set(0);
  }

  #driverOf(kind: string): TransportDriver {
    const driver = this.#drivers.get(kind);
    if (driver !== undefined) return driver;
    const known = [...this.#drivers.keys()].join(", ");
    throw new RefusedError("transport/unknown-kind", `Use transports of kind "${kind}": wanted one of ${known}`);
  }

  #transportOf(remote: PublicKey, kind: string, label: string): LiveTransport {
    const id = transportId(this.#local.publicKey, remote, kind);
    const known = this.#transports.get(id);
    if (known !== undefined) return known;
    const { runtime, loop } = this.#deps;
    const transport = new LiveTransport({ id, remote, kind, label }, {
      runtime,
      loop,
      registration: this.#registration,
      isReported: () => this.#reporter.isTaken,
      metrics: this.#metrics,
      localKey: this.#local.publicKey,
      connect: (transport, attempt) => this.#connect(transport, attempt),
      onChange: (transport, type, reason) => this.#tell(transport, type, reason),
      onV13Left: ({ id }) => this.#noteV13(id),
      onFigures: ({ id }) => this.#reporter.changed(id),
      onForgotten: (transport, reason) => this.#forget(transport, reason),
    });
    this.#transports.set(id, transport);
    // It may be listed as working since before a restart of ours.
    this.#reporter.changed(id);
    return transport;
  }

  #forget(transport: LiveTransport, reason: string): void {
    if (this.#transports.get(transport.id) !== transport) return;
    this.#transports.delete(transport.id);
    this.#tell(transport, "removed", reason);
  }

  #tell(transport: LiveTransport, type: TransportChange["type"], reason?: string): void {
    const { log } = this.#deps.runtime;
    this.#metrics.up.set([...this.#transports.values()].filter(({ up }) => up).length);
    if (type !== "removed") this.#reporter.changed(transport.id);
    log.info(`transport-${type}`, {
      transport: transport.id,
      kind: transport.kind,
      remote: shortKey(transport.remote),
      reason,
    });
    const change = { type, transport: transport.summary(), ...(reason === undefined ? {} : { reason }) };
    for (const subscriber of [...this.#subscribers]) {
      try {
        subscriber(change);
      } catch (error) {
        log.error("transport-subscriber-failed", { error: describeError(error) });
      }
    }
  }

  #noteV13(id: TransportId): void {
    const now = this.#deps.runtime.clock.monotonic();
    for (const [other, until] of this.#restsUntil) if (until <= now) this.#restsUntil.delete(other);
    this.#restsUntil.set(id, now + V13_REST_MS);
  }

  async #connect(transport: LiveTransport, attempt: DialAttempt): Promise<SettledLink> {
    const { remote, kind } = transport;
    const { signal, onCommit } = attempt;
    const driver = this.#driverOf(kind);
    const address = attempt.address ?? this.#deps.addressOf(kind, remote) ?? (driver.findsByKey ? "" : undefined);
    if (address === undefined) {
      throw new RefusedError("transport/no-address", `Dial over "${kind}": the address of the visor is not known`);
    }
    const { clock, timers } = this.#deps.runtime;
    const restMs = (this.#restsUntil.get(transport.id) ?? 0) - clock.monotonic();
    if (restMs > 0) await sleep(timers, restMs, signal);
    return await this.#setup.dial(driver, { address, remoteKey: remote, signal, onCommit });
  }

  async #accept({ kind }: TransportDriver, raw: RawLink): Promise<void> {
    using incoming = await this.#setup.accept(raw, kind, this.#closing.signal);
    const { remoteKey, features, signed, signal } = incoming;
    if (remoteKey === this.#local.publicKey || this.#transports.size >= MOST_TRANSPORTS) return await incoming.reject();
    const transport = this.#transportOf(remoteKey, kind, ACCEPTED_LABEL);
    using busy = new DisposableStack();
    busy.defer(transport.hold());
    busy.defer(await transport.admission.turn(signal));
    if (await transport.admission.admits(features, signal)) return await this.#take(incoming, transport);
    // A v1.3 visor takes the transport off the list when its dial fails (transports.md Q6). Ours, which it accepted,
    // lives; and with the signature that it has just given, we can list it.
    if (isV13(features) && transport.up) this.#registration.register(signed);
    await incoming.reject();
  }

  /**
   * Registers the transport, answers, and installs the link. Registration comes first, since a v1.3 visor asks for a route
   * as soon as it has the answer (transports.md §3).
   */
  async #take(incoming: IncomingLink, transport: LiveTransport): Promise<void> {
    try {
      await this.#registration.registerFirst(incoming.signed, incoming.signal);
      await transport.install(await incoming.accept());
    } catch (error) {
      if (!transport.up) this.#registration.deregister(transport.id);
      throw error;
    }
  }
}
