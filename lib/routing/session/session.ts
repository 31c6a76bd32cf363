/**
 * A session, at either end: its streams in the switch, and the legs that carry them (sessions.md). Everything is
 * synchronous but {@link Session.changed}. Tested in tests/sim/session_test.ts.
 */

import type { SessionEnd, SessionHandle, SessionState, Switch } from "../../core/mod.ts";
import { hasCode } from "../../errors/mod.ts";
import { type Clock, Signal, type Timers } from "../../runtime/mod.ts";
import type { SwitchLoop } from "../../transport/mod.ts";
import type { MonotonicMs, Path, PublicKey, SessionId } from "../../types/mod.ts";
import type { ConnectionTable, Opening } from "../connection_table.ts";
import type { GroupEnd } from "../group.ts";
import type { RouteConnectionStats } from "../route_connection.ts";
import { Leg } from "./leg.ts";

/** The session was given up before all was done (sessions.md §5). */
const RESET_ABORTED = 1;

/** What a session needs from the visor. */
export interface SessionDeps {
  /** Runs the switch. */
  readonly loop: SwitchLoop;
  /** The time. */
  readonly clock: Clock;
  /** For limits. */
  readonly timers: Timers;
  /** Where groups are given back. */
  readonly connections: Pick<ConnectionTable, "close">;
}

/** Whose session it is. */
export interface SessionName {
  /** Drawn by the initiator. */
  readonly id: SessionId;
  /** The visor at the other end. */
  readonly remoteKey: PublicKey;
  /** Did this side dial? Then it makes the legs. */
  readonly leads: boolean;
}

/** How a leg begins. */
export interface LegStart {
  readonly number: number;
  /** Empty when the other end dialled. */
  readonly route: Path;
  readonly inUse: boolean;
  /** What the other end said in the handshake: bytes received, and how many more it takes. */
  readonly resume: bigint;
  readonly window: bigint;
}

/** See the top of the file. */
export class Session {
  readonly id: SessionId;
  readonly remoteKey: PublicKey;
  readonly leads: boolean;
  readonly #deps: SessionDeps;
  readonly #handle: SessionHandle;
  readonly #unsubscribe: () => void;
  /** Of the legs, and of the end. */
  readonly #changed = new Signal();
  /** Something can be read or written, or never again. Apart, since it comes thousands of times a second. */
  readonly #streams = new Signal();
  #legs: readonly Leg[] = [];
  #lastRoute: Path = [];
  #leglessSince: MonotonicMs | undefined;
  /** Of legs that are gone. */
  #past = { sentBytes: 0, receivedBytes: 0 };
  #end: GroupEnd | undefined;
  #failure: GroupEnd | undefined;
  #removed = false;

  /** Begins a session without legs. @returns undefined when all memory for sessions is in use */
  static begin(name: SessionName, deps: SessionDeps): Session | undefined {
    const handle = deps.loop.switch.sessions.add();
    return handle === undefined ? undefined : new Session(handle, name, deps);
  }

  private constructor(handle: SessionHandle, name: SessionName, deps: SessionDeps) {
    ({ id: this.id, remoteKey: this.remoteKey, leads: this.leads } = name);
    this.#deps = deps;
    this.#handle = handle;
    this.#leglessSince = deps.clock.monotonic();
    this.#unsubscribe = deps.loop.onSessionEvent(handle, (event) => {
      if (event.type !== "session-over") return this.#streams.notify();
      this.#end ??= this.#failure ?? endOf(event.end, event.message);
      this.notify();
    });
  }

  /** In the order in which they came. */
  get legs(): readonly Leg[] {
    return this.#legs;
  }

  /** Since when there has been no live leg. */
  get lostSince(): MonotonicMs | undefined {
    if (this.#legs.some((leg) => leg.isLive)) return undefined;
    const since = this.#legs.map((leg) => leg.silentSince).filter((at) => at !== undefined);
    return since.toSorted((a, b) => b - a)[0] ?? this.#leglessSince ?? this.#deps.clock.monotonic();
  }

  /** The route of the leg in use; the last one when there is none. */
  get route(): Path {
    return this.carrier?.route ?? this.#lastRoute;
  }

  /** A live leg that carries data. */
  get carrier(): Leg | undefined {
    const live = this.#legs.filter((leg) => leg.isLive);
    return live.find((leg) => this.isUsed(leg)) ?? live[0];
  }

  /** Does the initiator want this leg to carry data? */
  isUsed(leg: Leg): boolean {
    return this.leads ? leg.inUse : !this.#removed && this.#sessions.isLegUsed(this.#handle, leg.group.handle);
  }

  /** Set once the session is over. What came before can still be read. */
  get end(): GroupEnd | undefined {
    return this.#end;
  }

  /** Was it removed from the switch? */
  get removed(): boolean {
    return this.#removed;
  }

  /** How far this side is, for the handshake of a leg: bytes received, and how many more it takes. */
  get position(): { readonly resume: bigint; readonly window: bigint } {
    const { receivedBytes, window } = this.#sessions.figures(this.#handle);
    return { resume: BigInt(receivedBytes), window: BigInt(window) };
  }

  /** Does the session stand, both ways, as far as this side goes? */
  get state(): SessionState {
    if (this.#removed) return { readOut: true, stopped: true, done: true };
    return this.#sessions.state(this.#handle);
  }

  /**
   * Resolves at the next change of a leg or of the end. Check the condition, then call this without awaiting in between.
   */
  changed(signal?: AbortSignal): Promise<void> {
    return this.#changed.next(signal);
  }

  /** Resolves when there may be something to read, or room to write, and at the end. */
  moved(): Promise<void> {
    return this.#streams.next();
  }

  /** As {@link changed}, for a time at most. */
  changedWithin(ms: number): Promise<void> {
    return this.#changed.nextWithin(this.#deps.timers, ms);
  }

  /** Something has changed that others wait for. */
  notify(): void {
    this.#changed.notify();
    this.#streams.notify();
  }

  /** Makes a group that has shaken hands a leg. @throws {UnavailableError} `switch/group-closed` */
  addLeg(opening: Opening, { number, route, inUse, resume, window }: LegStart): Leg {
    const leg = new Leg({ number, opening, route, inUse });
    this.#call((now) =>
      this.#sessions.addLeg(this.#handle, opening.group.handle, {
        leads: this.leads,
        inUse,
        confirmed: this.leads,
        received: resume,
        limit: resume + window,
      }, now)
    );
    this.#legs = [...this.#legs, leg];
    this.#leglessSince = undefined;
    void this.#follow(leg);
    this.#changed.notify();
    return leg;
  }

  /** Shall a leg carry data, or wait? */
  useLeg(leg: Leg, inUse: boolean): void {
    if (leg.inUse === inUse || this.#removed) return;
    leg.inUse = inUse;
    this.#call((now) => this.#sessions.useLeg(this.#handle, leg.group.handle, inUse, now));
  }

  /** Gives a leg up; the other end is told. */
  dropLeg(leg: Leg): void {
    leg.group.close();
    this.#leave(leg);
  }

  /** Writes what there is room for. @returns how many bytes; 0 also when nothing can be written any more */
  write(bytes: Uint8Array): number {
    if (this.#removed) return 0;
    try {
      return this.#call((now) => this.#sessions.write(this.#handle, bytes, now));
    } catch (error) {
      if (hasCode(error, "switch/session-closed")) return 0;
      throw error;
    }
  }

  /** Reads what has come. @returns how many bytes; 0: nothing now */
  read(into: Uint8Array): number {
    if (this.#removed) return 0;
    const length = this.#sessions.read(this.#handle, into, this.#deps.clock.monotonic());
    if (length > 0) this.#deps.loop.flush(); // The other end may be told that there is room.
    return length;
  }

  /** Reads exactly one message. */
  readMessage(): Uint8Array | undefined {
    if (this.#removed) return undefined;
    const message = this.#sessions.readMessage(this.#handle, this.#deps.clock.monotonic());
    if (message !== undefined) this.#deps.loop.flush();
    return message;
  }

  /** Ends the direction from here. @param stops nothing is read here any more either */
  finish(stops: boolean): void {
    if (!this.#removed) this.#call((now) => this.#sessions.finish(this.#handle, stops, now));
    this.notify();
  }

  /** Gives up both directions. @param text why, for the other end @param end why, for this one */
  reset(text: string, end: GroupEnd): void {
    this.#failure ??= end;
    if (!this.#removed) {
      this.#call((now) => this.#sessions.reset(this.#handle, { code: RESET_ABORTED, text }, now));
    }
    this.#end ??= end;
    this.notify();
  }

  /** Figures over all legs, also those that are gone. */
  stats(): RouteConnectionStats {
    let { sentBytes, receivedBytes } = this.#past;
    for (const leg of this.#legs) {
      const stats = leg.group.stats();
      sentBytes += stats?.sentBytes ?? 0;
      receivedBytes += stats?.receivedBytes ?? 0;
    }
    return { sentBytes, receivedBytes, latencyMs: this.carrier?.group.stats()?.latencyMs };
  }

  /** Forgets it, with all legs. What was not read is lost. Harmless when repeated. */
  remove(): void {
    if (this.#removed) return;
    for (const leg of this.#legs) this.dropLeg(leg);
    this.#removed = true;
    this.#unsubscribe();
    this.#sessions.remove(this.#handle);
    this.#deps.loop.flush();
    this.notify();
  }

  /** Passes on what happens to a leg, until it ends. */
  async #follow(leg: Leg): Promise<void> {
    while (leg.group.end === undefined && !leg.group.removed) {
      await leg.group.changed();
      this.#changed.notify();
    }
    this.#leave(leg);
    this.#deps.connections.close(leg.opening);
  }

  #leave(leg: Leg): void {
    if (!this.#legs.includes(leg)) return;
    const stats = leg.group.stats();
    this.#past.sentBytes += stats?.sentBytes ?? 0;
    this.#past.receivedBytes += stats?.receivedBytes ?? 0;
    if (leg.inUse) this.#lastRoute = leg.route;
    this.#legs = this.#legs.filter((other) => other !== leg);
    if (this.#legs.length === 0) this.#leglessSince = leg.silentSince ?? this.#deps.clock.monotonic();
    this.#changed.notify();
  }

  get #sessions(): Switch["sessions"] {
    return this.#deps.loop.switch.sessions;
  }

  #call<T>(call: (now: MonotonicMs) => T): T {
    try {
      return call(this.#deps.clock.monotonic());
    } finally {
      this.#deps.loop.flush();
    }
  }
}

function endOf(end: SessionEnd, message: string | undefined): GroupEnd {
  const text = message === undefined ? {} : { message };
  switch (end) {
    case "done":
      return { reason: "remote" };
    case "reset-here":
      return { reason: "local" };
    case "reset":
      return { reason: "remote", ...text, message: message ?? "it gave the connection up" };
    case "fault":
      return { reason: "fault", ...text };
  }
}
