/**
 * All transports of a visor: dials and accepts links through drivers, makes them transports, keeps wanted ones up, and
 * keeps transport discovery in step: what there is, and how it is. Packets go straight between links and the switch; none comes through here.
 *
 * ```
 *   dial    driver.dial → F0–F3, Noise KK (unless the driver brings identity) → settlement → attach to the switch
 *   accept  driver.listen → the same as responder → may it take over? → attach → register at discovery
 * ```
 */

import { publicKeyOf } from "../core/mod.ts";
import { BugError, ClosedError, describeError, RefusedError, UnavailableError } from "../errors/mod.ts";
import { sleep, withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import { shortKey } from "../types/mod.ts";
import type { Port, PublicKey, SecretKey, TransportId } from "../types/mod.ts";
import { transportId } from "../wire/transport_entry.ts";
import { runAcceptor } from "./acceptor.ts";
import type { RawLink, RawListener, TransportDriver } from "./driver.ts";
import { TRANSPORT_PORT } from "./drivers/messaging.ts";
import { LiveTransport } from "./live_transport.ts";
import type { SettledLink, TransportSummary } from "./live_transport.ts";
import { transportMetrics } from "./metrics.ts";
import { RegistrationLoop } from "./registration.ts";
import type { TransportRegistry } from "./registration.ts";
import { discardSecureLink } from "../links/secure_link.ts";
import type { SecureLink } from "../links/secure_link.ts";
import { acceptSettlement, initiateSettlement } from "./settlement.ts";
import type { Settlement, SettlementOptions, SettlingPeer } from "./settlement.ts";
import { acceptHandshake, dialHandshake } from "./stcp_handshake.ts";
import { StatusReporter } from "./status_reporter.ts";
import type { SwitchLoop } from "./switch_loop.ts";

/** How long a driver may take to reach an address, ms. As long as the handshake that follows. */
export const DIAL_TIMEOUT_MS = 10_000;

/** Source ports in F2 count from here to 65535 and begin again (transports.md §2.1). */
const FIRST_SOURCE_PORT: Port = 49_153;

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
const GUEST_REST_MS = 1_500;

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
  /** Why it went down. */
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
   * Opens a transport and keeps it up: whoever added it dials again when its link is lost. Adding one that exists keeps
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
  /** Until when not to dial, see {@link GUEST_REST_MS}. */
  readonly #restsUntil = new Map<TransportId, number>();
  readonly #listeners = new Set<TransportListener>();
  readonly #subscribers = new Set<(change: TransportChange) => void>();
  readonly #registration: RegistrationLoop;
  readonly #reporter: StatusReporter;
  readonly #metrics: ReturnType<typeof transportMetrics>;
  readonly #closing = new AbortController();
  #sourcePort: Port = FIRST_SOURCE_PORT - 1;

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
      if (!keepTrying && !wasWanted) transport.unwant();
      throw error;
    } finally {
      release();
    }
  }

  async remove(id: TransportId): Promise<void> {
    const transport = this.#transports.get(id);
    if (transport === undefined) throw new RefusedError("transport/not-found", `Remove a transport: no "${id}" here`);
    await transport.stop();
    this.#forget(transport);
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
      connect: (transport, options) => this.#connect(transport, options),
      onChange: (transport, type, reason) => this.#tell(transport, type, reason),
      onGuestLeft: ({ id }) => this.#noteGuest(id),
      onForgotten: (transport) => this.#forget(transport),
    });
    this.#transports.set(id, transport);
    // It may be listed as working since before a restart of ours.
    this.#reporter.changed(id);
    return transport;
  }

  #forget(transport: LiveTransport): void {
    if (this.#transports.get(transport.id) !== transport) return;
    this.#transports.delete(transport.id);
    this.#tell(transport, "removed");
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

  #noteGuest(id: TransportId): void {
    const now = this.#deps.runtime.clock.monotonic();
    for (const [other, until] of this.#restsUntil) if (until <= now) this.#restsUntil.delete(other);
    this.#restsUntil.set(id, now + GUEST_REST_MS);
  }

  async #connect(
    transport: LiveTransport,
    options: { readonly address: string | undefined; readonly signal: AbortSignal; readonly onCommit: () => void },
  ): Promise<SettledLink> {
    const { remote: remoteKey, kind } = transport;
    const { signal, onCommit } = options;
    const driver = this.#driverOf(kind);
    const address = options.address ?? this.#deps.addressOf(kind, remoteKey) ?? (driver.findsByKey ? "" : undefined);
    if (address === undefined) {
      throw new RefusedError("transport/no-address", `Dial over "${kind}": the address of the visor is not known`);
    }
    const { clock, timers } = this.#deps.runtime;
    const restMs = (this.#restsUntil.get(transport.id) ?? 0) - clock.monotonic();
    if (restMs > 0) await sleep(timers, restMs, signal);
    if (driver.provesKeys) onCommit();
    const link = await withTimeout((signal) => driver.dial(address, { remoteKey, signal }), {
      timers,
      ms: DIAL_TIMEOUT_MS,
      signal,
      code: "transport/dial-timeout",
      message: `Dial over "${kind}"`,
      discard: discardRawLink,
    });
    const secure = await this.#secureDialled(link, remoteKey, { signal, onCommit });
    try {
      signal.throwIfAborted();
      const { early, answersPings, roundTripMs } = await initiateSettlement(
        secure,
        this.#settlementOptions(kind, signal),
      );
      return { secure, early, answersPings, initiator: true, ...(roundTripMs === undefined ? {} : { roundTripMs }) };
    } catch (error) {
      discardSecureLink(secure);
      throw error;
    }
  }

  async #secureDialled(
    link: RawLink,
    remoteKey: PublicKey,
    options: { readonly signal: AbortSignal; readonly onCommit: () => void },
  ): Promise<SecureLink> {
    if (link.proven !== undefined) {
      if (link.proven.remoteKey === remoteKey) return { link, ...link.proven };
      discardRawLink(link);
      throw new BugError("transport/wrong-peer", "Dial: the driver reached another visor than the one asked for");
    }
    return await dialHandshake(link, {
      runtime: this.#deps.runtime,
      local: this.#local,
      sourcePort: this.#sourcePort = this.#sourcePort === 0xffff ? FIRST_SOURCE_PORT - 1 : this.#sourcePort + 1,
      remote: { publicKey: remoteKey, port: TRANSPORT_PORT },
      ...options,
    });
  }

  async #accept({ kind }: TransportDriver, link: RawLink): Promise<void> {
    const working = new AbortController();
    const signal = AbortSignal.any([working.signal, this.#closing.signal]);
    const secure = link.proven === undefined
      ? await acceptHandshake(link, {
        runtime: this.#deps.runtime,
        local: this.#local,
        isListening: (port) => port === TRANSPORT_PORT,
        signal,
      })
      : { link, ...link.proven };
    let transport: LiveTransport | undefined;
    const releases: (() => void)[] = [];
    try {
      const admit = async ({ answersPings, signed }: SettlingPeer): Promise<boolean> => {
        if (secure.remoteKey === this.#local.publicKey || this.#transports.size >= MOST_TRANSPORTS) return false;
        transport = this.#transportOf(secure.remoteKey, kind, ACCEPTED_LABEL);
        releases.push(transport.hold());
        const release = await transport.admission.acquire(signal);
        if (signal.aborted) release();
        else releases.push(release);
        if (await transport.admit(signal, { isOurs: answersPings })) return true;
        // A v1.3 visor takes the transport off the list when its dial fails (transports.md Q6). Ours, which it
        // accepted, lives; and with the signature that it has just given, we can list it.
        if (!answersPings && transport.up) this.#registration.register(signed);
        return false;
      };
      const settlement: Settlement = await acceptSettlement(secure, {
        ...this.#settlementOptions(kind, signal),
        admit,
      });
      if (transport === undefined) throw new BugError("transport/not-admitted", "Accept: settled without admission");
      const { early, answersPings, signed } = settlement;
      await transport.install({ secure, early, answersPings, initiator: false, signed });
    } catch (error) {
      discardSecureLink(secure);
      throw error;
    } finally {
      working.abort(new UnavailableError("transport/accept-ended", "The set-up has ended"));
      for (const release of releases) release();
    }
  }

  #settlementOptions(kind: string, signal: AbortSignal): SettlementOptions {
    const { clock, timers } = this.#deps.runtime;
    return { clock, timers, local: this.#local, kind, offersPings: true, signal };
  }
}

function discardRawLink(link: RawLink): void {
  link.close();
  link.proven?.records[Symbol.dispose]();
}
