/**
 * One transport between two visors: its link if there is one, its figures, the loop that brings the link back, and the
 * decision between two links that both sides opened at once. Tested in tests/transport/transport_table_test.ts.
 */

import { ClosedError, describeError, hasCode, UnavailableError } from "../errors/mod.ts";
import { Backoff, Semaphore, sleep, untilAborted } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { MonotonicMs, PublicKey, TransportId } from "../types/mod.ts";
import type { SignedEntry } from "../wire/transport_entry.ts";
import type { EdgeStatus } from "../wire/transport_status.ts";
import { LinkHistory } from "./link_history.ts";
import type { LinkEnd } from "./link_pump.ts";
import { LivenessWatch } from "./liveness.ts";
import type { TransportMetrics } from "./metrics.ts";
import type { RegistrationLoop } from "./registration.ts";
import { discardSecureLink } from "../links/secure_link.ts";
import type { SecureLink } from "../links/secure_link.ts";
import { NOISE_TIMEOUT_MS } from "./stcp_handshake.ts";
import { SETTLEMENT_TIMEOUT_MS } from "./settlement.ts";
import type { ActiveLink, SwitchLoop } from "./switch_loop.ts";
import { STCP_HANDSHAKE_TIMEOUT_MS } from "../wire/stcp_frames.ts";

/** The delays between dials of a lost link. */
const REDIAL_MS = { firstMs: 200, maxMs: 3_000 };

/** A link that lived this long was a good one: after it, redialling starts with the short delay again. */
const STABLE_MS = 5_000;

/** A link that is back within this time stays listed at a transport discovery to which one cannot report what is down. */
const DEREGISTER_AFTER_MS = 5_000;

/** A transport that the other side opened is forgotten when its link has been gone for this long. */
const FORGET_AFTER_MS = 30_000;

/** How long our own dial, once committed, may keep an incoming link waiting when the peer's key is the smaller one, see `admit`. */
const OWN_SETTLEMENT_MS = 1_000;

/** The longest set-up of a link: within it, an incoming link may have been dialled before the peer knew of ours. */
const LONGEST_SETUP_MS = STCP_HANDSHAKE_TIMEOUT_MS + NOISE_TIMEOUT_MS + SETTLEMENT_TIMEOUT_MS;

/** How much one measurement moves the latency: old ones, such as the slow one of the settlement, fade within a few. */
const LATENCY_WEIGHT = 1 / 2;

/** What users see of a transport, at one moment. */
export interface TransportSummary {
  /** The same on both sides. */
  readonly id: TransportId;
  /** The kind: `stcp`, `dmsg` … */
  readonly type: string;
  /** Whose visor is at the other end. */
  readonly remote: PublicKey;
  /** For people; each side has its own. */
  readonly label: string;
  /** Is there a working link? */
  readonly up: boolean;
  /** Did this visor dial the present link, or the last one? */
  readonly initiator: boolean;
  /** Round trip, ms, smoothed; absent until measured. */
  readonly latencyMs?: number;
  /** Payload of packets sent, pings of the link itself aside, over all links so far. */
  readonly sentBytes: number;
  /** The same of packets received. */
  readonly receivedBytes: number;
  /** Packets sent, over all links so far. */
  readonly sentPackets: number;
  /** Packets received, over all links so far. */
  readonly receivedPackets: number;
  /** Since when the present state lasts, Unix ms. */
  readonly since: number;
}

/** A settled link, about to become the transport's. */
export interface SettledLink {
  readonly secure: SecureLink;
  readonly early: Uint8Array;
  /** Does the peer answer pings? */
  readonly answersPings: boolean;
  /** Did we dial it? */
  readonly initiator: boolean;
  /** With both signatures, at the responder: to be registered. */
  readonly signed?: SignedEntry;
  readonly roundTripMs?: number;
}

/** What a live transport needs. */
export interface LiveTransportDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  readonly loop: SwitchLoop;
  readonly registration: RegistrationLoop;
  /** Does the discovery know what is down? Then a transport stays listed while its link is away. */
  readonly isReported: () => boolean;
  readonly metrics: TransportMetrics;
  readonly localKey: PublicKey;
  /** Opens and settles a link; calls `onCommit` before the peer can take it as opened and wait for settlement. */
  readonly connect: (
    transport: LiveTransport,
    options: { readonly address: string | undefined; readonly signal: AbortSignal; readonly onCommit: () => void },
  ) => Promise<SettledLink>;
  /** Called on every change. */
  readonly onChange: (transport: LiveTransport, type: "up" | "down", reason?: string) => void;
  /** Called when a link has ended that the peer had dialled, a peer that does not answer pings, so one of v1.3. */
  readonly onGuestLeft: (transport: LiveTransport) => void;
  /** Called when nobody wants the transport any more. */
  readonly onForgotten: (transport: LiveTransport) => void;
}

interface Dial {
  isCommitted: boolean;
  readonly abort: AbortController;
  /** Did a link of ours come of it? Never rejects. */
  readonly outcome: Promise<boolean>;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** See the top of the file. */
export class LiveTransport {
  readonly id: TransportId;
  readonly remote: PublicKey;
  readonly kind: string;
  label: string;
  /** One incoming link at a time is decided upon. */
  readonly admission: Semaphore = new Semaphore(1);
  readonly #deps: LiveTransportDeps;
  readonly #stopped = new AbortController();
  readonly #installing: Semaphore = new Semaphore(1);
  readonly #waiters = new Set<Waiter>();
  #wanted: { address: string | undefined } | undefined;
  #unwanted: AbortController = new AbortController();
  #redialling: Promise<void> | undefined;
  #dial: Dial | undefined;
  #holds = 0;
  #link: ActiveLink | undefined;
  #linkSince: MonotonicMs;
  readonly #history = new LinkHistory();
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();
  #initiator = false;
  #since: number;
  /** The same moment as {@link #since}. */
  #stateSince: MonotonicMs;
  #latencyMs: number | undefined;
  #before = { sentBytes: 0, receivedBytes: 0, sentPackets: 0, receivedPackets: 0 };
  #cancelTimers: (() => void)[] = [];

  constructor(
    what: { readonly id: TransportId; readonly remote: PublicKey; readonly kind: string; readonly label: string },
    deps: LiveTransportDeps,
  ) {
    this.id = what.id;
    this.remote = what.remote;
    this.kind = what.kind;
    this.label = what.label;
    this.#deps = deps;
    this.#since = deps.runtime.clock.wallMs();
    this.#linkSince = this.#stateSince = deps.runtime.clock.monotonic();
  }

  /** Is there a working link? */
  get up(): boolean {
    return this.#link !== undefined;
  }

  /** Does somebody here want it to be up? */
  get wanted(): boolean {
    return this.#wanted !== undefined;
  }

  /** What users see. */
  summary(): TransportSummary {
    const now = this.#link?.stats();
    const { sentBytes, receivedBytes, sentPackets, receivedPackets } = this.#before;
    return {
      id: this.id,
      type: this.kind,
      remote: this.remote,
      label: this.label,
      up: this.up,
      initiator: this.#initiator,
      ...(this.#latencyMs === undefined ? {} : { latencyMs: this.#latencyMs }),
      sentBytes: sentBytes + (now?.sentBytes ?? 0),
      receivedBytes: receivedBytes + (now?.receivedBytes ?? 0),
      sentPackets: sentPackets + (now?.sentPackets ?? 0),
      receivedPackets: receivedPackets + (now?.receivedPackets ?? 0),
      since: this.#since,
    };
  }

  /** What discovery is told. */
  status(): EdgeStatus {
    const now = this.#deps.runtime.clock.monotonic();
    const throughputMBps = this.#history.throughputMBps;
    return {
      id: this.id,
      isWorking: this.up,
      lastsMs: now - this.#stateSince,
      ...(this.#latencyMs === undefined ? {} : { latencyMs: this.#latencyMs }),
      ...(throughputMBps === undefined ? {} : { throughputMBps }),
      resetsPerHour: this.#history.resetsPerHour(now),
    };
  }

  /** Looks at how much has gone through; to be called every few seconds. */
  sample(): void {
    if (this.up) this.#history.noteTraffic(this.summary(), this.#deps.runtime.clock.monotonic());
  }

  /**
   * Keeps the transport up from now on: dials, and dials again whenever the link is lost.
   * @param address where the peer is; undefined: wherever the address book says at the time
   */
  want(address: string | undefined): void {
    this.#wanted = { address: address ?? this.#wanted?.address };
    this.#redialling ??= this.#redial().finally(() => this.#redialling = undefined);
  }

  /** Ends {@link want}: a link that is up stays, a lost one is not dialled again. */
  unwant(): void {
    this.#wanted = undefined;
    this.#unwanted.abort(new ClosedError("transport/removed", "The transport is not wanted any more"));
    this.#unwanted = new AbortController();
    this.#forgetIfIdle();
  }

  /** Keeps the transport from being forgotten while somebody is at work on it. @returns ends that; call it once */
  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
      this.#forgetIfIdle();
    };
  }

  /**
   * Waits until it is up, or until the dial that is under way, or the next one, fails.
   * @throws what the dial failed with; the reason of `signal`
   */
  async untilUp(signal?: AbortSignal): Promise<void> {
    if (this.up) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { resolve, reject };
    this.#waiters.add(waiter);
    try {
      await untilAborted(promise, signal);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /**
   * May an incoming link take over? It may, when ours has been up for a while: a peer that dials has lost it, even if we
   * have not noticed. While both dial at once, exactly one link must win (transports.md §4.4, W17): the one dialled by
   * the smaller key. So the smaller key lets its own dial end first, and the larger one gives its own dial up, as long
   * as the peer has not taken it as opened: a Go peer waits for settlement from its last byte of Noise on, and one that
   * does not come stops it from accepting (transports.md W3, W17).
   *
   * Of a v1.3 visor, whichever link was accepted first wins, whoever has the smaller key. Once it has accepted ours, it
   * would put its own into its table instead, and take that out again when the accepted one ends. Then it knows of none,
   * and the transport is dead with both sides connected (transports.md §4.4).
   */
  async admit(signal: AbortSignal, { isOurs }: { readonly isOurs: boolean }): Promise<boolean> {
    const smaller = this.#deps.localKey < this.remote;
    const waits = smaller || !isOurs;
    const dial = this.#dial;
    if (dial !== undefined && !dial.isCommitted && !(smaller && isOurs)) {
      dial.abort.abort(new UnavailableError("transport/superseded", "Dial: the peer's own link came first"));
    } else if (dial !== undefined) {
      const limit = waits ? LONGEST_SETUP_MS : OWN_SETTLEMENT_MS;
      if (await this.#outcomeWithin(dial, limit, signal)) return false;
    }
    if (this.#stopped.signal.aborted) return false;
    const age = this.#deps.runtime.clock.monotonic() - this.#linkSince;
    return !(this.up && this.#initiator && waits && age < LONGEST_SETUP_MS);
  }

  /**
   * Makes a settled link the transport's; an older one is closed first.
   * @throws {ClosedError} when the transport was stopped meanwhile; the link is closed then
   */
  async install(settled: SettledLink): Promise<void> {
    const { loop, runtime, registration, metrics, onChange } = this.#deps;
    const { secure, early, answersPings, initiator, signed, roundTripMs } = settled;
    const release = await this.#installing.acquire();
    try {
      const old = this.#link;
      old?.close();
      await old?.ended;
      this.#stopped.signal.throwIfAborted();
      const link = loop.attach(secure, { transportId: this.id, early, onPong: (value) => watch?.pong(value) });
      this.#link = link;
      this.#initiator = initiator;
      this.#linkSince = this.#stateSince = runtime.clock.monotonic();
      this.#since = runtime.clock.wallMs();
      this.#latencyMs = roundTripMs ?? this.#latencyMs;
      // A v1.3 visor would write a warning into its log for every ping.
      const watch: LivenessWatch | undefined = answersPings ? this.#watch(link) : undefined;
      void link.ended.then((end) => {
        watch?.[Symbol.dispose]();
        if (!initiator && !answersPings) this.#deps.onGuestLeft(this);
        this.#down(link, end);
      });
      for (const cancel of this.#cancelTimers.splice(0)) cancel();
      if (signed === undefined) registration.leaveToOther(this.id);
      else registration.register(signed);
      metrics.opened.add();
      this.#notify();
      for (const waiter of this.#waiters) waiter.resolve();
      onChange(this, "up");
    } catch (error) {
      discardSecureLink(secure);
      throw error;
    } finally {
      release();
    }
  }

  /** Ends everything, and takes it off the discovery's list. The transport cannot be used again. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const reason = new ClosedError("transport/removed", "The transport was removed");
    this.#stopped.abort(reason);
    this.unwant();
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
    for (const waiter of this.#waiters) waiter.reject(reason);
    this.#link?.close();
    await Promise.all([this.#link?.ended, this.#redialling, this.#installing.acquire().then((release) => release())]);
    this.#deps.registration.deregister(this.id);
  }

  async #redial(): Promise<void> {
    const { runtime, metrics } = this.#deps;
    const backoff = new Backoff({ random: runtime.random, ...REDIAL_MS });
    for (let first = true; this.#wanted !== undefined;) {
      const unwanted = this.#unwanted.signal;
      if (this.up) {
        const since = runtime.clock.monotonic();
        await untilAborted(this.#changed.promise, unwanted).catch(() => {});
        if (runtime.clock.monotonic() - since >= STABLE_MS) backoff.reset();
        first = false;
        continue;
      }
      if (!first) await sleep(runtime.timers, backoff.nextMs(), unwanted).catch(() => {});
      if (this.up || this.#wanted === undefined) continue;
      first = false;
      try {
        await this.#dialOnce(this.#wanted.address, unwanted);
      } catch (error) {
        if (hasCode(error, "transport/superseded")) continue;
        metrics.dialsFailed.add();
        if (this.up || this.#wanted === undefined) continue;
        runtime.log.debug("transport-dial-failed", {
          transport: this.id,
          kind: this.kind,
          error: describeError(error),
        });
        for (const waiter of this.#waiters) waiter.reject(error);
      }
    }
  }

  async #dialOnce(address: string | undefined, unwanted: AbortSignal): Promise<void> {
    const abort = new AbortController();
    const { promise: outcome, resolve } = Promise.withResolvers<boolean>();
    const dial: Dial = { isCommitted: false, abort, outcome };
    this.#dial = dial;
    try {
      const settled = await this.#deps.connect(this, {
        address,
        signal: AbortSignal.any([abort.signal, unwanted]),
        onCommit: () => dial.isCommitted = true,
      });
      await this.install(settled);
      resolve(true);
    } finally {
      resolve(false);
      this.#dial = undefined;
    }
  }

  async #outcomeWithin(dial: Dial, ms: number, signal: AbortSignal): Promise<boolean> {
    const waiting = new AbortController();
    const limit = sleep(this.#deps.runtime.timers, ms, AbortSignal.any([waiting.signal, signal])).then(
      () => false,
      () => false,
    );
    try {
      return await Promise.race([dial.outcome, limit]);
    } finally {
      waiting.abort();
    }
  }

  #measure(ms: number): void {
    this.#latencyMs = this.#latencyMs === undefined ? ms : this.#latencyMs + (ms - this.#latencyMs) * LATENCY_WEIGHT;
  }

  #watch(link: ActiveLink): LivenessWatch {
    const { runtime, metrics } = this.#deps;
    return new LivenessWatch({
      clock: runtime.clock,
      timers: runtime.timers,
      ping: (value) => link.ping(value),
      receivedBytes: () => link.stats().receivedBytes,
      onRoundTrip: (ms) => this.#measure(ms),
      onSilence: () => {
        metrics.silenced.add();
        runtime.log.info("transport-silent", { transport: this.id });
        link.close();
      },
    });
  }

  #down(link: ActiveLink, end: LinkEnd): void {
    const { runtime, registration, isReported, onChange } = this.#deps;
    const { sentBytes, receivedBytes, sentPackets, receivedPackets } = link.stats();
    this.#before.sentBytes += sentBytes;
    this.#before.receivedBytes += receivedBytes;
    this.#before.sentPackets += sentPackets;
    this.#before.receivedPackets += receivedPackets;
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#since = runtime.clock.wallMs();
    this.#stateSince = runtime.clock.monotonic();
    if (!this.#stopped.signal.aborted) this.#history.noteLoss(this.#stateSince);
    this.#notify();
    onChange(this, "down", end.message);
    if (this.#stopped.signal.aborted) return;
    this.#cancelTimers.push(
      runtime.timers.after(DEREGISTER_AFTER_MS, () => {
        if (!isReported()) registration.deregister(this.id);
      }),
      runtime.timers.after(FORGET_AFTER_MS, () => this.#forgetIfIdle()),
    );
  }

  #forgetIfIdle(): void {
    if (this.up || this.wanted || this.#dial !== undefined || this.#holds > 0) return;
    const { isReported, registration, onForgotten } = this.#deps;
    // The peer may be redialling and want it listed; when it does not report it either, discovery lets it expire.
    if (isReported()) registration.leaveToOther(this.id);
    onForgotten(this);
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
