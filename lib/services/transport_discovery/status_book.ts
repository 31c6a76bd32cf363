/**
 * What the edges say of their transports: each edge's latest view, the one answer merged of both, and which transports
 * have expired. A machine: time comes in as argument, ms, from one clock.
 *
 * Views are kept in memory only. An edge reports its view again within a minute, so a restart of the discovery costs a
 * minute of `unknown`; writing each would cost two rows a minute for every transport of the network.
 *
 * ```
 * a view is fresh    for FRESH_MS after it was told
 * not-working        a fresh view says so; or none is fresh, and the latest one said so
 * working            a fresh view says so, and no fresh one says otherwise
 * unknown            otherwise: no edge reported, or the edges that reported that it works have gone silent
 * expired            EXPIRE_MS after the last view, or registration, of a transport that an edge has ever reported
 * ```
 *
 * Only what was reported once can expire: visors of v1.3 register once and never report (transports.md W16), so their
 * transports live until somebody removes them. A silent edge alone proves nothing while the other one says that packets
 * pass.
 */

import type { TransportId } from "../../types/mod.ts";
import type { TransportState } from "../../wire/map_transport.ts";
import { type EdgeStatus, roundFigures, type TransportFigures } from "../../wire/transport_status.ts";

/** Three reports that edges make at most a minute apart may be late or lost. */
export const FRESH_MS = 90_000;

/** How long a transport stays listed that its edges have ceased to report, unless configured otherwise. */
export const EXPIRE_MS = 180_000;

/** Figures are told again when they have changed by this part: latency is never the same twice, and nobody wants to know. */
const WORTH_TELLING = 0.25;

/** Smaller changes of a latency are never worth telling, ms. */
const LATENCY_NOISE_MS = 1;

/** What both edges together say. */
export interface MergedStatus extends TransportFigures {
  /** See the top of the file. */
  readonly status: TransportState;
  /** Since when, in the time of the clock; absent when unknown. */
  readonly since?: number;
}

/** What one edge said. */
export interface EdgeView extends TransportFigures {
  /** What it said. */
  readonly isWorking: boolean;
  /** Since when, in the time of the clock. */
  readonly since: number;
  /** When it said so. */
  readonly toldAt: number;
}

/** What {@link StatusBook.sweep} found. */
export interface Swept {
  /** Whose merged status is another one now. */
  readonly changed: readonly TransportId[];
  /** Who is to be taken off the list. They are forgotten with {@link StatusBook.forget}. */
  readonly expired: readonly TransportId[];
}

interface Page {
  /** By edge. */
  readonly views: [EdgeView | undefined, EdgeView | undefined];
  /** When it was reported or registered last. */
  refreshedAt: number;
  /** When time may change something. */
  lookAt: number;
  /** What followers were told. */
  told: MergedStatus;
}

const UNKNOWN: MergedStatus = { status: "unknown" };

/** See the top of the file. */
export class StatusBook {
  readonly #pages = new Map<TransportId, Page>();
  readonly #expireMs: number;

  /** @param options after how long a transport expires, ms */
  constructor(options: { readonly expireMs: number }) {
    this.#expireMs = options.expireMs;
  }

  /** Can any transport expire, or change by the passing of time? */
  get isEmpty(): boolean {
    return this.#pages.size === 0;
  }

  /** Was the transport reported before? */
  has(id: TransportId): boolean {
    return this.#pages.has(id);
  }

  /** Notes that a transport was reported in an earlier run. */
  resume(id: TransportId, now: number): void {
    this.#pageOf(id, now);
  }

  /** Notes a report of an edge. @returns whether the merged status is worth telling again */
  report(status: EdgeStatus, { edge, now }: { readonly edge: 0 | 1; readonly now: number }): boolean {
    const { id, isWorking, lastsMs, ...figures } = status;
    const page = this.#pageOf(id, now);
    page.views[edge] = { isWorking, since: now - lastsMs, toldAt: now, ...figures };
    page.refreshedAt = now;
    return this.#look(page, now);
  }

  /** Notes that a transport was registered again. */
  refresh(id: TransportId, now: number): void {
    const page = this.#pages.get(id);
    if (page === undefined) return;
    page.refreshedAt = now;
    this.#look(page, now);
  }

  /** Forgets a transport that is not listed any more. */
  forget(id: TransportId): void {
    this.#pages.delete(id);
  }

  /** What both edges together say. */
  merged(id: TransportId, now: number): MergedStatus {
    const page = this.#pages.get(id);
    return page === undefined ? UNKNOWN : merge(page.views, now);
  }

  /** What each edge said last, however long ago. */
  views(id: TransportId): readonly [EdgeView | undefined, EdgeView | undefined] {
    return this.#pages.get(id)?.views ?? [undefined, undefined];
  }

  /** Looks at what time has changed. Takes 5 ms for 100,000 transports. */
  sweep(now: number): Swept {
    const changed: TransportId[] = [], expired: TransportId[] = [];
    for (const [id, page] of this.#pages) {
      if (page.lookAt > now) continue;
      if (page.refreshedAt + this.#expireMs <= now) expired.push(id);
      else if (this.#look(page, now)) changed.push(id);
    }
    return { changed, expired };
  }

  #pageOf(id: TransportId, now: number): Page {
    const known = this.#pages.get(id);
    if (known !== undefined) return known;
    const page: Page = {
      views: [undefined, undefined],
      refreshedAt: now,
      lookAt: now + this.#expireMs,
      told: UNKNOWN,
    };
    this.#pages.set(id, page);
    return page;
  }

  /** Sets when to look again. @returns whether the status is worth telling, which it is taken to be then */
  #look(page: Page, now: number): boolean {
    const staleAt = page.views.flatMap((view) =>
      view !== undefined && isFresh(view, now) ? [view.toldAt + FRESH_MS] : []
    );
    page.lookAt = Math.min(page.refreshedAt + this.#expireMs, ...staleAt);
    const merged = merge(page.views, now);
    if (!isWorthTelling(page.told, merged)) return false;
    page.told = merged;
    return true;
  }
}

function merge(views: Page["views"], now: number): MergedStatus {
  const told = views.filter((view) => view !== undefined);
  const fresh = told.filter((view) => isFresh(view, now));
  const broken = fresh.filter((view) => !view.isWorking);
  if (broken.length > 0) return { status: "not-working", since: Math.min(...broken.map(sinceOf)), ...figuresOf(fresh) };
  if (fresh.length > 0) return { status: "working", since: Math.max(...fresh.map(sinceOf)), ...figuresOf(fresh) };
  const [latest] = told.toSorted((a, b) => b.toldAt - a.toldAt);
  return latest?.isWorking === false ? { status: "not-working", since: latest.since } : UNKNOWN;
}

function isFresh(view: EdgeView, now: number): boolean {
  return now < view.toldAt + FRESH_MS;
}

function sinceOf(view: EdgeView): number {
  return view.since;
}

/** The mean of what both measured of the way there and back; else the larger figure, since each edge sees a part. */
function figuresOf(views: readonly EdgeView[]): TransportFigures {
  const of = (name: keyof TransportFigures): number[] =>
    views.map((view) => view[name]).filter((figure) => figure !== undefined);
  const [latencies, throughputs, resets] = [of("latencyMs"), of("throughputMBps"), of("resetsPerHour")];
  return roundFigures({
    ...(latencies.length === 0 ? {} : { latencyMs: latencies.reduce((a, b) => a + b) / latencies.length }),
    ...(throughputs.length === 0 ? {} : { throughputMBps: Math.max(...throughputs) }),
    ...(resets.length === 0 ? {} : { resetsPerHour: Math.max(...resets) }),
  });
}

function isWorthTelling(told: MergedStatus, now: MergedStatus): boolean {
  return told.status !== now.status ||
    isFar(told.latencyMs, now.latencyMs, LATENCY_NOISE_MS) ||
    isFar(told.throughputMBps, now.throughputMBps, 0) ||
    isFar(told.resetsPerHour, now.resetsPerHour, 0);
}

function isFar(before: number | undefined, after: number | undefined, noise: number): boolean {
  if (before === undefined || after === undefined) return before !== after;
  return Math.abs(after - before) > Math.max(noise, WORTH_TELLING * before);
}
