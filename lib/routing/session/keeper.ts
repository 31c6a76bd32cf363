/**
 * Keeps a session of ours on its legs, for as long as it lives: dials another leg where one failed, keeps one on standby,
 * and gives up when no route has worked for too long (sessions.md §3).
 *
 * ```
 * a leg ends or is silent ─► a live one that waits is used at once
 *                         └► another is dialled: around the visors of what failed, then over any, again and again
 * ```
 *
 * Tested in tests/sim/session_test.ts.
 */

import { describeError, UnavailableError } from "../../errors/mod.ts";
import { Backoff, randomFraction, type Runtime, sideBySide } from "../../runtime/mod.ts";
import type { RouteConstraints } from "../../services/route_finder/mod.ts";
import { type MonotonicMs, type OverlayAddress, type Path, type PublicKey, shortKey } from "../../types/mod.ts";
import { encodeSessionPayload, parseSessionPayload } from "../../wire/session_payload.ts";
import type { Dialler } from "../dialler.ts";
import type { ConnectionTable } from "../connection_table.ts";
import { nameOfPath } from "../rank.ts";
import type { ConnectionMove } from "../route_connection.ts";
import { BetterRoute } from "./better_route.ts";
import type { Leg } from "./leg.ts";
import type { Session } from "./session.ts";
import { FEATURES } from "./table.ts";

/** A leg that is silent for so long while others carry is given up, ms: before, it may have been a pause. */
const RETIRE_MS = 1_000;
/** For one try to have another leg, ms: its visors may be dead without anybody knowing. */
const LEG_DIAL_MS = 4_000;
/** How long a try is ahead of the next one, ms, which is less choosy. */
const HEAD_START_MS = 500;
/** Waits between rounds of tries while no leg is left, ms. */
const URGENT = { firstMs: 100, maxMs: 2_000 } as const;
/** And while only one more is wanted than there are. */
const IDLE = { firstMs: 500, maxMs: 10_000 } as const;
/** How often a session that is used looks for a better route, ms; each comparison asks the route finder. */
const COMPARE_MS = 5_000;
/** The visors of a leg that failed are avoided for so long, ms, where there is another way. */
const AVOIDED_MS = 60_000;

/** How a session is to be kept. */
export interface SessionPlan {
  /** Where its legs lead. */
  readonly remote: OverlayAddress;
  /** What is asked of every route; a path is kept to. */
  readonly constraints: RouteConstraints;
  /** How many legs carry data at a time. */
  readonly routes: number;
  /** How many more wait until one of them fails. */
  readonly standby: number;
  /** It stays on its route while that works. */
  readonly pin: boolean;
  /** How long to look for another route, ms. */
  readonly resumeMs: number;
}

/** What a keeper needs. */
export interface KeeperDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  readonly dialler: Pick<Dialler, "dial" | "compare">;
  readonly connections: Pick<ConnectionTable, "abandon">;
  /** Tells that the session goes over another route. */
  readonly onMoved: (move: ConnectionMove) => void;
  /** The session is over, or the visor stops. */
  readonly signal: AbortSignal;
}

/** A try to have another leg: around some visors, or over just one route. */
interface Attempt {
  readonly avoid?: ReadonlySet<PublicKey>;
  readonly avoidsDirect?: boolean;
  readonly route?: Path;
  /** The leg that it takes the place of. */
  readonly insteadOf?: Leg;
}

/** See the top of the file. */
export class SessionKeeper {
  readonly #session: Session;
  readonly #plan: SessionPlan;
  readonly #deps: KeeperDeps;
  readonly #urgent: Backoff;
  readonly #idle: Backoff;
  /** When the visors of failed legs are no longer avoided. */
  readonly #failed = new Map<PublicKey, number>();
  readonly #blamed = new WeakSet<Leg>();
  #nextNumber = 1;
  #dialling: { readonly isUrgent: boolean; readonly ending: AbortController } | undefined;
  #dialAt: number = 0;
  /** The leg that the session is on, and since when that was known not to work. */
  #current: Leg | undefined;
  #lostAt: number | undefined;
  readonly #better = new BetterRoute();
  #comparing = false;
  #compareAt: number;
  #bytesThen = 0;

  constructor(session: Session, plan: SessionPlan, deps: KeeperDeps) {
    this.#session = session;
    this.#plan = plan;
    this.#deps = deps;
    const { random } = deps.runtime;
    this.#urgent = new Backoff({ random, ...URGENT });
    this.#idle = new Backoff({ random, ...IDLE });
    this.#current = session.legs[0];
    this.#compareAt = deps.runtime.clock.monotonic() + COMPARE_MS;
  }

  /** Keeps it until it is over. Never rejects. */
  async keep(): Promise<void> {
    const { clock } = this.#deps.runtime;
    const session = this.#session;
    const stop = (): void => session.notify();
    this.#deps.signal.addEventListener("abort", stop, { once: true });
    while (session.end === undefined && !session.removed && !this.#deps.signal.aborted) {
      const now = clock.monotonic();
      this.#blame(now);
      this.#use(now);
      this.#retire(now);
      this.#dialIfWanted(now);
      this.#compareIfDue(now);
      const waitMs = this.#giveUpOrWait(now);
      if (waitMs === Infinity) await session.changed();
      else if (waitMs > 0) await session.changedWithin(waitMs);
    }
    this.#dialling?.ending.abort();
    this.#deps.signal.removeEventListener("abort", stop);
  }

  get #live(): readonly Leg[] {
    return this.#session.legs.filter((leg) => leg.isLive);
  }

  /** With a path there is nothing to choose from. */
  get #wanted(): number {
    return this.#plan.constraints.path === undefined ? this.#plan.routes + this.#plan.standby : 1;
  }

  /** Remembers the visors of legs that ended or are silent. */
  #blame(now: number): void {
    const current = this.#current;
    const suspects = new Set([...this.#session.legs, ...(current === undefined ? [] : [current])]);
    for (const leg of suspects) {
      if (leg.isLive) {
        this.#blamed.delete(leg);
        continue;
      }
      if (this.#blamed.has(leg)) continue;
      this.#blamed.add(leg);
      for (const visor of middles(leg.route)) this.#failed.set(visor, now + AVOIDED_MS);
      if (leg === current) this.#lostAt ??= leg.silentSince ?? now;
      // A new trouble is a reason to dial at once.
      this.#dialAt = now;
      this.#urgent.reset();
    }
  }

  /** Says which legs carry data: those that do and live, then those that wait. */
  #use(now: number): void {
    const live = this.#live;
    const used = [...live.filter((leg) => leg.inUse), ...live.filter((leg) => !leg.inUse)].slice(0, this.#plan.routes);
    for (const leg of used) this.#session.useLeg(leg, true);
    if (used.length < this.#plan.routes) return this.#note(used[0], now);
    for (const leg of this.#session.legs) if (!used.includes(leg)) this.#session.useLeg(leg, false);
    this.#note(used[0], now);
  }

  /** Notes on which leg the session is, and tells when that changed. */
  #note(leg: Leg | undefined, now: number): void {
    if (leg === undefined) return;
    const before = this.#current;
    if (leg !== before && (before === undefined || !before.isLive || !before.inUse)) {
      this.#moveTo(leg, { cause: "failed", lostMs: this.#lostAt === undefined ? 0 : now - this.#lostAt });
    }
    if (this.#current === leg) this.#lostAt = undefined;
  }

  #moveTo(leg: Leg, how: Pick<ConnectionMove, "cause" | "lostMs">): void {
    const before = this.#current;
    this.#current = leg;
    if (before === undefined) return;
    this.#deps.runtime.log.info("connection-moved", {
      remote: shortKey(this.#session.remoteKey),
      over: leg.route.map((hop) => shortKey(hop.to)).join(),
      cause: how.cause,
      lostMs: Math.round(how.lostMs),
    });
    this.#deps.onMoved({ from: before.route, to: leg.route, ...how });
  }

  /** Closes legs that stay silent and whose work others do, and legs that came back when there were enough. */
  #retire(now: number): void {
    const live = this.#live;
    if (live.filter((leg) => leg.inUse).length < this.#plan.routes) return;
    for (const leg of this.#session.legs) {
      if (leg.silentSince !== undefined && now - leg.silentSince >= RETIRE_MS) this.#session.dropLeg(leg);
    }
    const spare = live.filter((leg) => !leg.inUse);
    for (const leg of spare.slice(Math.max(0, this.#wanted - this.#plan.routes))) this.#session.dropLeg(leg);
  }

  #dialIfWanted(now: number): void {
    const live = this.#live.length, isUrgent = live === 0;
    if (live >= this.#wanted || now < this.#dialAt) return;
    if (this.#dialling !== undefined) {
      if (!isUrgent || this.#dialling.isUrgent) return;
      // It goes around the visors of a leg that is gone, and may take its time.
      this.#dialling.ending.abort();
    }
    const dialling = { isUrgent, ending: new AbortController() };
    this.#dialling = dialling;
    const { log, clock, timers } = this.#deps.runtime;
    void sideBySide(this.#attempts(isUrgent, now), {
      timers,
      headStartMs: HEAD_START_MS,
      attempt: (attempt, signal) => this.#dial(attempt, signal),
      discard: (late) => this.#session.dropLeg(late),
      signal: AbortSignal.any([dialling.ending.signal, this.#deps.signal]),
    }).then(() => {
      this.#urgent.reset();
      this.#idle.reset();
    }, (error) => {
      if (dialling.ending.signal.aborted) return;
      log.debug("leg-dial-failed", { remote: shortKey(this.#session.remoteKey), error: describeError(error) });
      this.#dialAt = clock.monotonic() + (isUrgent ? this.#urgent : this.#idle).nextMs();
    }).finally(() => {
      if (this.#dialling === dialling) this.#dialling = undefined;
      this.#session.notify();
    });
  }

  /**
   * Where another leg may lead, the best first: around all visors that failed lately, around those of the present leg, and
   * over any. One that is to wait beside others goes around theirs in any case.
   */
  #attempts(isUrgent: boolean, now: number): Attempt[] {
    for (const [visor, until] of this.#failed) if (until <= now) this.#failed.delete(visor);
    if (this.#plan.constraints.path !== undefined) return [{}];
    const around = isUrgent ? this.#blamedNow() : this.#live;
    const avoidsDirect = around.some(({ route }) => route.length === 1);
    const avoid = new Set(around.flatMap(({ route }) => middles(route)));
    const attempts: Attempt[] = [{ avoid: avoid.union(new Set(this.#failed.keys())), avoidsDirect }];
    if (attempts[0]?.avoid?.size !== avoid.size) attempts.push({ avoid, avoidsDirect });
    if (isUrgent && (avoid.size > 0 || avoidsDirect)) attempts.push({});
    return attempts;
  }

  /** The leg that the session is on, when it does not work. A transport that is gone is not offered again. */
  #blamedNow(): readonly Leg[] {
    const current = this.#current;
    if (current === undefined || current.isLive) return [];
    return current.route.length === 1 && current.silentSince === undefined ? [] : [current];
  }

  /** Goes over to a much better route. */
  #compareIfDue(now: number): void {
    const { pin, routes, constraints, remote } = this.#plan;
    const current = this.#current;
    if (pin || routes > 1 || constraints.path !== undefined || this.#comparing || now < this.#compareAt) return;
    const { sentBytes, receivedBytes } = this.#session.stats();
    const isUsed = sentBytes + receivedBytes !== this.#bytesThen;
    this.#bytesThen = sentBytes + receivedBytes;
    this.#compareAt = now + COMPARE_MS * (0.75 + randomFraction(this.#deps.runtime.random) / 2);
    if (!isUsed || current === undefined || !current.isLive || this.#dialling !== undefined) return;
    this.#comparing = true;
    const { dialler, signal, runtime: { clock, log } } = this.#deps;
    void dialler.compare(current.route, { remote, constraints, signal }).then(async (compared) => {
      const route = compared && this.#better.look(compared, clock.monotonic());
      if (route === undefined || this.#dialling !== undefined || !current.isLive) return;
      await this.#dial({ route, insteadOf: current }, signal);
    }).catch((error) => {
      log.debug("no-better-route", { remote: shortKey(remote.publicKey), error: describeError(error) });
    }).finally(() => {
      this.#comparing = false;
      this.#session.notify();
    });
  }

  async #dial(attempt: Attempt, signal: AbortSignal): Promise<Leg> {
    const { avoid = new Set(), avoidsDirect = false, route, insteadOf } = attempt;
    const session = this.#session;
    const { remote, constraints } = this.#plan;
    let number = 0;
    const minHops = avoidsDirect ? Math.max(constraints.minHops ?? 1, 2) : constraints.minHops;
    const dialled = await this.#deps.dialler.dial({
      remote,
      constraints: {
        ...constraints,
        ...(avoid.size === 0 ? {} : { avoid: [...(constraints.avoid ?? []), ...avoid] }),
        ...(minHops === undefined ? {} : { minHops }),
      },
      // Several routes may be tried: each handshake has a number of its own.
      makePayload: () => {
        number = this.#nextNumber++;
        return encodeSessionPayload({ features: FEATURES, session: session.id, leg: number, ...session.position });
      },
      ...(route && { allows: (one: Path) => nameOfPath(one) === nameOfPath(route) }),
      limitMs: LEG_DIAL_MS,
      signal,
    });
    try {
      const answer = parseSessionPayload(dialled.answer);
      if (answer === undefined || answer.refusal === "unknown-session") {
        session.reset("", {
          reason: "remote",
          message: "it does not know the connection any more, so it was started again",
        });
        throw new UnavailableError("route/broken", "Add a leg: the other end has lost the session");
      }
      if (answer.refusal !== undefined) {
        throw new UnavailableError("session/refused", `Add a leg: the other end refuses it (${answer.refusal})`);
      }
      const isUsed = insteadOf !== undefined || this.#live.filter((leg) => leg.inUse).length < this.#plan.routes;
      const leg = session.addLeg(dialled.opening, {
        number,
        route: dialled.route,
        inUse: isUsed,
        resume: answer.resume,
        window: answer.window,
      });
      if (insteadOf !== undefined) {
        session.useLeg(insteadOf, false);
        this.#moveTo(leg, { cause: "better", lostMs: 0 });
        session.dropLeg(insteadOf);
      }
      return leg;
    } catch (error) {
      void this.#deps.connections.abandon(dialled.opening);
      throw error;
    }
  }

  /** How long nothing has to be done unless something changes, ms; Infinity: for ever. */
  #giveUpOrWait(now: MonotonicMs): number {
    const { lostSince } = this.#session;
    const dialInMs = this.#dialling === undefined && this.#live.length < this.#wanted ? this.#dialAt - now : undefined;
    if (lostSince === undefined) {
      const compareInMs = this.#comparing ? Infinity : this.#compareAt - now;
      const silent = this.#session.legs.map(({ silentSince }) => silentSince).filter((at) => at !== undefined);
      const retireInMs = Math.min(...silent.map((at) => at + RETIRE_MS - now).filter((ms) => ms > 0));
      return Math.max(1, Math.min(compareInMs, retireInMs, dialInMs ?? Infinity));
    }
    const leftMs = lostSince + this.#plan.resumeMs - now;
    if (leftMs <= 0) {
      this.#session.reset("", {
        reason: "silence",
        message: `no other route worked for ${Math.round(this.#plan.resumeMs / 1000)} s`,
      });
      return 0;
    }
    return Math.max(1, Math.min(leftMs, dialInMs ?? leftMs));
  }
}

function middles(route: Path): PublicKey[] {
  return route.slice(0, -1).map((hop) => hop.to);
}
