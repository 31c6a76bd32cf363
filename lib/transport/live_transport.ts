/**
 * One transport between two visors: the place for its link, who wants it, and how long it is listed and remembered.
 * Tested in tests/transport/transport_table_test.ts.
 */

import { ClosedError } from "../errors/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { PublicKey, TransportId } from "../types/mod.ts";
import type { EdgeStatus } from "../wire/transport_status.ts";
import { Admission } from "./admission.ts";
import type { SettledLink } from "./link_setup.ts";
import { LinkSlot } from "./link_slot.ts";
import type { LinkTotals } from "./link_slot.ts";
import type { TransportMetrics } from "./metrics.ts";
import { Redial } from "./redial.ts";
import type { DialAttempt } from "./redial.ts";
import type { RegistrationLoop } from "./registration.ts";
import type { SwitchLoop } from "./switch_loop.ts";

/** A link that is back within this time stays listed at a transport discovery to which one cannot report what is down. */
const DEREGISTER_AFTER_MS = 5_000;

/** A transport that the other side opened is forgotten when its link has been gone for this long. */
const FORGET_AFTER_MS = 30_000;

/** A latency that has changed by this part, and by so many ms, is told at once; discovery passes no less on. */
const WORTH_TELLING = 0.25;
const LATENCY_NOISE_MS = 1;

/** Why a transport is gone that somebody here took away. */
export const REMOVED = "it was removed here";

/** What users see of a transport, at one moment. */
export interface TransportSummary extends LinkTotals {
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
  /** Since when the present state lasts, Unix ms. */
  readonly since: number;
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
  /** Opens and settles a link. */
  readonly connect: (transport: LiveTransport, attempt: DialAttempt) => Promise<SettledLink>;
  /** Called on every change. */
  readonly onChange: (transport: LiveTransport, type: "up" | "down", reason?: string) => void;
  /** Called when a link dialled by a v1.3 peer ends. */
  readonly onV13Left: (transport: LiveTransport) => void;
  /** Called when discovery should be told of figures that have changed much. */
  readonly onFigures: (transport: LiveTransport) => void;
  /** Called when nobody wants the transport any more. */
  readonly onForgotten: (transport: LiveTransport, reason: string) => void;
}

/** See the top of the file. */
export class LiveTransport {
  readonly id: TransportId;
  readonly remote: PublicKey;
  readonly kind: string;
  label: string;
  /** Decides about incoming links. */
  readonly admission: Admission;
  readonly #deps: LiveTransportDeps;
  readonly #slot: LinkSlot;
  readonly #redial: Redial;
  #isStopped = false;
  #holds = 0;
  /** What discovery was told last. */
  #toldLatencyMs: number | undefined;
  #whyUnwanted = "the other visor opened it, and its link is gone";
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
    const { runtime, loop, metrics, localKey, connect, onChange, onV13Left } = deps;
    const slot = this.#slot = new LinkSlot({
      transportId: this.id,
      runtime,
      loop,
      metrics,
      onUp: (settled) => this.#noteUp(settled),
      onDown: ({ message }) => {
        onChange(this, "down", message);
        if (!this.#isStopped) this.#startTimers();
      },
      onV13Left: () => onV13Left(this),
      onMeasured: () => this.#tellLatency(),
    });
    const redial = this.#redial = new Redial({
      runtime,
      metrics,
      slot,
      connect: (attempt) => connect(this, attempt),
      logged: { transport: this.id, kind: this.kind },
    });
    this.admission = new Admission({ timers: runtime.timers, isSmaller: localKey < this.remote, slot, redial });
  }

  /** Is there a working link? */
  get up(): boolean {
    return this.#slot.up;
  }

  /** Does somebody here want it to be up? */
  get wanted(): boolean {
    return this.#redial.wanted;
  }

  /** What users see. */
  summary(): TransportSummary {
    const { up, initiator, latencyMs, since } = this.#slot;
    return {
      id: this.id,
      type: this.kind,
      remote: this.remote,
      label: this.label,
      up,
      initiator,
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...this.#slot.totals(),
      since,
    };
  }

  /** What discovery is told. */
  status(): EdgeStatus {
    const { up, lastsMs, latencyMs, history } = this.#slot;
    this.#toldLatencyMs = latencyMs;
    const { throughputMBps } = history;
    return {
      id: this.id,
      isWorking: up,
      lastsMs,
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(throughputMBps === undefined ? {} : { throughputMBps }),
      resetsPerHour: history.resetsPerHour(this.#deps.runtime.clock.monotonic()),
    };
  }

  /** Looks at how much has gone through; to be called every few seconds. */
  sample(): void {
    if (this.up) this.#slot.history.noteTraffic(this.#slot.totals(), this.#deps.runtime.clock.monotonic());
  }

  /** Keeps the transport up from now on, see {@link Redial.want}. */
  want(address: string | undefined): void {
    this.#redial.want(address);
  }

  /** Ends {@link want}: a link that is up stays, a lost one is not dialled again. @param reason for the log */
  unwant(reason: string): void {
    this.#whyUnwanted = reason;
    this.#redial.unwant();
    this.#forgetIfIdle();
  }

  /** Waits for a link, see {@link Redial.untilUp}. */
  untilUp(signal?: AbortSignal): Promise<void> {
    return this.#redial.untilUp(signal);
  }

  /** Takes an admitted link, see {@link LinkSlot.install}. */
  install(settled: SettledLink): Promise<void> {
    return this.#slot.install(settled);
  }

  /** Keeps the transport from being forgotten while somebody is at work on it. @returns ends that; call it once */
  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
      this.#forgetIfIdle();
    };
  }

  /** Ends everything, and takes it off the discovery's list. The transport cannot be used again. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#whyUnwanted = REMOVED;
    const reason = new ClosedError("transport/removed", "The transport was removed");
    this.#cancelAll();
    const stopping = [this.#slot.stop(reason), this.#redial.stop(reason)];
    this.#forgetIfIdle();
    await Promise.all(stopping);
    this.#deps.registration.deregister(this.id);
  }

  #noteUp({ signed }: SettledLink): void {
    const { registration, onChange } = this.#deps;
    this.#cancelAll();
    if (signed === undefined) registration.leaveToOther(this.id);
    else registration.register(signed);
    this.#redial.noteUp();
    onChange(this, "up");
  }

  /** Figures on the map are to be those that are shown here: what has changed much is not left to the next report. */
  #tellLatency(): void {
    const { latencyMs = 0 } = this.#slot, told = this.#toldLatencyMs;
    const isFar = told === undefined || Math.abs(latencyMs - told) > Math.max(LATENCY_NOISE_MS, WORTH_TELLING * told);
    if (isFar) this.#deps.onFigures(this);
  }

  #startTimers(): void {
    const { runtime, registration, isReported } = this.#deps;
    this.#cancelTimers.push(
      runtime.timers.after(DEREGISTER_AFTER_MS, () => {
        if (!isReported()) registration.deregister(this.id);
      }),
      runtime.timers.after(FORGET_AFTER_MS, () => this.#forgetIfIdle()),
    );
  }

  #cancelAll(): void {
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
  }

  #forgetIfIdle(): void {
    if (this.up || this.wanted || this.#redial.dial !== undefined || this.#holds > 0) return;
    const { isReported, registration, onForgotten } = this.#deps;
    // The peer may be redialling and want it listed; when it does not report it either, discovery lets it expire.
    if (isReported()) registration.leaveToOther(this.id);
    onForgotten(this, this.#whyUnwanted);
  }
}
