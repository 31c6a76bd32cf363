/** The place of a transport for its link: one link at a time, its figures, and those of the links before. */

import { discardSecureLink } from "../links/secure_link.ts";
import { Semaphore, Signal } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { MonotonicMs, TransportId } from "../types/mod.ts";
import { isV13 } from "../wire/peer_features.ts";
import { LinkHistory } from "./link_history.ts";
import type { LinkEnd } from "./link_pump.ts";
import type { SettledLink } from "./link_setup.ts";
import { LivenessWatch } from "./liveness.ts";
import type { TransportMetrics } from "./metrics.ts";
import { RoundTrips } from "./round_trips.ts";
import type { ActiveLink, SwitchLoop } from "./switch_loop.ts";

/** Figures of all links of a transport together. */
export interface LinkTotals {
  /** Payload of packets sent, pings of the link itself aside, over all links so far. */
  readonly sentBytes: number;
  /** The same of packets received. */
  readonly receivedBytes: number;
  /** Packets sent, over all links so far. */
  readonly sentPackets: number;
  /** Packets received, over all links so far. */
  readonly receivedPackets: number;
}

/** What a slot needs. */
export interface LinkSlotDeps {
  readonly transportId: TransportId;
  readonly runtime: Pick<Runtime, "clock" | "timers" | "log">;
  readonly loop: SwitchLoop;
  readonly metrics: Pick<TransportMetrics, "opened" | "silenced">;
  /** Called when there is a new link. */
  readonly onUp: (settled: SettledLink) => void;
  /** Called when the link has ended and no other took its place. */
  readonly onDown: (end: LinkEnd) => void;
  /** Called when a link dialled by a v1.3 peer ends. */
  readonly onV13Left: () => void;
  /** Called when the round trip was measured again. */
  readonly onMeasured: () => void;
}

/** See the top of the file. */
export class LinkSlot {
  /** Tells when the link comes or goes. */
  readonly changed: Signal = new Signal();
  readonly history: LinkHistory = new LinkHistory();
  readonly #deps: LinkSlotDeps;
  readonly #stopped = new AbortController();
  readonly #installing = new Semaphore(1);
  #link: ActiveLink | undefined;
  #linkSince: MonotonicMs;
  #initiator = false;
  #since: number;
  #stateSince: MonotonicMs;
  readonly #roundTrips = new RoundTrips();
  #before: LinkTotals = { sentBytes: 0, receivedBytes: 0, sentPackets: 0, receivedPackets: 0 };

  constructor(deps: LinkSlotDeps) {
    this.#deps = deps;
    this.#since = deps.runtime.clock.wallMs();
    this.#linkSince = this.#stateSince = deps.runtime.clock.monotonic();
  }

  /** Is there a working link? */
  get up(): boolean {
    return this.#link !== undefined;
  }

  /** Did this visor dial the present link, or the last one? */
  get initiator(): boolean {
    return this.#initiator;
  }

  /** Round trip, ms, smoothed; undefined until measured. */
  get latencyMs(): number | undefined {
    return this.#roundTrips.ms;
  }

  /** Since when the present state lasts, Unix ms. */
  get since(): number {
    return this.#since;
  }

  /** How long the present state has lasted, ms. */
  get lastsMs(): number {
    return this.#deps.runtime.clock.monotonic() - this.#stateSince;
  }

  /** How long ago the present link, or the last one, was installed, ms. */
  get linkAgeMs(): number {
    return this.#deps.runtime.clock.monotonic() - this.#linkSince;
  }

  /** Does it take no link any more? */
  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** The figures of now. */
  totals(): LinkTotals {
    return this.#link === undefined ? this.#before : sum(this.#before, this.#link.stats());
  }

  /**
   * Makes a settled link the transport's; an older one is closed first.
   * @throws the reason of {@link LinkSlot.stop} after it; the link is closed then
   */
  async install(settled: SettledLink): Promise<void> {
    const release = await this.#installing.acquire();
    try {
      const old = this.#link;
      old?.close();
      await old?.ended;
      this.#stopped.signal.throwIfAborted();
      this.#attach(settled);
    } catch (error) {
      discardSecureLink(settled.secure);
      throw error;
    } finally {
      release();
    }
  }

  /** Closes the link, for good. @param reason of installations that come later */
  async stop(reason: Error): Promise<void> {
    this.#stopped.abort(reason);
    this.#link?.close();
    await Promise.all([this.#link?.ended, this.#installing.run(() => Promise.resolve())]);
  }

  #attach(settled: SettledLink): void {
    const { transportId, loop, runtime, metrics, onUp } = this.#deps;
    const { secure, early, features, initiator, roundTripMs } = settled;
    // The watch is there before the first byte is handled: a pong may be among the early ones.
    const watch = features.has("transport-pings") ? this.#watch() : undefined;
    const link = loop.attach(secure, { transportId, early, onPong: (value) => watch?.pong(value) });
    this.#link = link;
    this.#initiator = initiator;
    this.#linkSince = this.#stateSince = runtime.clock.monotonic();
    this.#since = runtime.clock.wallMs();
    this.#roundTrips.restart(roundTripMs);
    watch?.start({ ping: (value) => link.ping(value), receivedBytes: () => link.stats().receivedBytes });
    void link.ended.then((end) => {
      watch?.[Symbol.dispose]();
      if (!initiator && isV13(features)) this.#deps.onV13Left();
      this.#down(link, end);
    });
    metrics.opened.add();
    this.changed.notify();
    onUp(settled);
  }

  #watch(): LivenessWatch {
    const { transportId, runtime, metrics, onMeasured } = this.#deps;
    return new LivenessWatch({
      clock: runtime.clock,
      timers: runtime.timers,
      onRoundTrip: (ms) => {
        this.#roundTrips.measured(ms);
        onMeasured();
      },
      onSilence: () => {
        metrics.silenced.add();
        runtime.log.info("transport-silent", { transport: transportId });
        this.#link?.close();
      },
    });
  }

  #down(link: ActiveLink, end: LinkEnd): void {
    const { runtime, onDown } = this.#deps;
    this.#before = sum(this.#before, link.stats());
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#since = runtime.clock.wallMs();
    this.#stateSince = runtime.clock.monotonic();
    if (!this.#stopped.signal.aborted) this.history.noteLoss(this.#stateSince);
    this.changed.notify();
    onDown(end);
  }
}

function sum(a: LinkTotals, b: LinkTotals): LinkTotals {
  return {
    sentBytes: a.sentBytes + b.sentBytes,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    sentPackets: a.sentPackets + b.sentPackets,
    receivedPackets: a.receivedPackets + b.receivedPackets,
  };
}
