/**
 * One route group of the switch as the shell sees it: its handle, what has happened to it, and a way to wait for the
 * next event. The packets themselves stay in the core (design.md §4). Tested in tests/routing/route_connection_test.ts.
 */

import { ClosedError, hasCode, RefusedError, type SkywireError, UnavailableError } from "../errors/mod.ts";
import type { GroupCloseReason, GroupHandle, Records, Switch, SwitchEvent } from "../core/mod.ts";
import type { Clock } from "../runtime/ports.ts";
import { Signal } from "../runtime/signal.ts";
import type { SwitchLoop } from "../transport/mod.ts";
import type { MonotonicMs } from "../types/mod.ts";
import { saysNoListener } from "./service_names.ts";

/** How a group ended. */
export interface GroupEnd {
  /** `local`: we closed it, `remote`: the peer did; the others are breaks. */
  readonly reason: GroupCloseReason;
  /** The text of the peer's Error packet, or what was wrong. */
  readonly message?: string;
}

/** What a group needs from the visor. */
export interface GroupDeps {
  /** Runs the switch that the group is in. */
  readonly loop: SwitchLoop;
  /** The time. */
  readonly clock: Clock;
}

/** A handle, its state, and who waits for a change of it. Everything is synchronous but {@link changed}. */
export class RouteGroup {
  /** Its name in the switch. */
  readonly handle: GroupHandle;
  readonly #deps: GroupDeps;
  readonly #unsubscribe: () => void;
  readonly #changed = new Signal();
  #pongs = new Map<bigint, (() => void)[]>();
  #offered: boolean | undefined;
  #handshakes = 0;
  #end: GroupEnd | undefined;
  #removed = false;
  #confirmed = false;
  #silentSince: MonotonicMs | undefined;

  /** Takes over a group that was just added, before any event of it was dispatched. */
  constructor(handle: GroupHandle, deps: GroupDeps) {
    this.handle = handle;
    this.#deps = deps;
    this.#unsubscribe = deps.loop.onGroupEvent(handle, (event) => this.#handle(event));
  }

  /** What the peer's first Handshake packet said: encrypt or plaintext; undefined until it came. */
  get offered(): boolean | undefined {
    return this.#offered;
  }

  /** How many Handshake packets have come. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Set once the group has ended. What arrived before can still be read, until {@link remove}. */
  get end(): GroupEnd | undefined {
    return this.#end;
  }

  /** As a leg of a session: has its initiator proven to be there? */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** As a leg of a session: since when has it brought nothing although it should? Undefined: it does. */
  get silentSince(): MonotonicMs | undefined {
    return this.#silentSince;
  }

  /** Was it removed from the switch? */
  get removed(): boolean {
    return this.#removed;
  }

  /**
   * Resolves at the next event of this group. Check the condition, then call this without awaiting in between: so no
   * event is missed.
   * @throws the signal's reason when it aborts first
   */
  changed(signal?: AbortSignal): Promise<void> {
    return this.#changed.next(signal);
  }

  /** Resolves when the group has ended or was removed. */
  async ended(): Promise<void> {
    while (this.#end === undefined && !this.#removed) await this.changed();
  }

  /** Sends a Handshake packet that asks for encryption. */
  sendHandshake(): void {
    this.#send((core, now) => core.sendHandshake(this.handle, now));
  }

  /** Sends one Noise message in a Data packet. */
  sendHandshakeFrame(message: Uint8Array): void {
    this.#send((core, now) => core.sendHandshakeFrame(this.handle, message, now));
  }

  /** The next whole Noise message that came, or undefined. */
  handshakeFrame(): Uint8Array | undefined {
    return this.#removed ? undefined : this.#core.handshakeFrame(this.handle);
  }

  /** From here on Data packets carry records; the switch owns them. */
  secure(records: Records): void {
    this.#send((core, now) => core.secureGroup(this.handle, records, now));
  }

  /** Writes what the first hop has room for. @returns bytes accepted, whole records; 0 also when the group has ended */
  write(bytes: Uint8Array): number {
    try {
      return this.#send((core, now) => core.write(this.handle, bytes, now)) ?? 0;
    } catch (error) {
      // The write itself found out that the first hop is gone; why, the event has told meanwhile.
      if (hasCode(error, "switch/group-closed")) return 0;
      throw error;
    }
  }

  /** Takes plaintext of any number of records. @returns bytes; 0: nothing there */
  read(into: Uint8Array): number {
    if (this.#removed) return 0;
    const length = this.#core.read(this.handle, into, this.#deps.clock.monotonic());
    if (length > 0) this.#deps.loop.flush(); // A freed inbox lets the link's reading go on.
    return length;
  }

  /** Takes the plaintext of exactly one record, as the peer wrote it. */
  readMessage(): Uint8Array | undefined {
    if (this.#removed) return undefined;
    const message = this.#core.readMessage(this.handle, this.#deps.clock.monotonic());
    if (message !== undefined) this.#deps.loop.flush();
    return message;
  }

  /** Sends a Ping; `onPong` is called with the round-trip time in ms when its answer comes. @returns a function that forgets it */
  ping(onPong: (rttMs: number) => void): () => void {
    const sentAt = this.#deps.clock.monotonic();
    const timestamp = this.#send((core, now) => core.ping(this.handle, now));
    if (timestamp === undefined) return () => {};
    const report = (): void => onPong(this.#deps.clock.monotonic() - sentAt);
    const waiting = this.#pongs.get(timestamp) ?? [];
    this.#pongs.set(timestamp, waiting);
    waiting.push(report);
    return () => {
      const rest = (this.#pongs.get(timestamp) ?? []).filter((one) => one !== report);
      if (rest.length === 0) this.#pongs.delete(timestamp);
      else this.#pongs.set(timestamp, rest);
    };
  }

  /** Payload bytes both ways and the latest round-trip time; undefined once removed. */
  stats(): ReturnType<Switch["groupStats"]> | undefined {
    return this.#removed ? undefined : this.#core.groupStats(this.handle);
  }

  /** Says goodbye to the peer: `[Error] Close`. The end comes as an event, 2 s later at most. */
  close(error: string = ""): void {
    if (this.#end !== undefined) return;
    this.#send((core, now) => core.closeGroup(this.handle, error, now));
    this.#changed.notify(); // Readers must not wait for the peer's answer.
  }

  /** Forgets the group; what was not read is lost. Harmless when repeated. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#unsubscribe();
    this.#core.removeGroup(this.handle, this.#deps.clock.monotonic());
    this.#deps.loop.flush();
    this.#changed.notify();
  }

  get #core(): Switch {
    return this.#deps.loop.switch;
  }

  #send<T>(call: (core: Switch, now: ReturnType<Clock["monotonic"]>) => T): T | undefined {
    if (this.#removed) return undefined;
    try {
      return call(this.#core, this.#deps.clock.monotonic());
    } finally {
      this.#deps.loop.flush();
    }
  }

  #handle(event: SwitchEvent): void {
    switch (event.type) {
      case "group-handshake":
        this.#offered ??= event.encrypt;
        this.#handshakes++;
        break;
      case "group-closed":
        this.#end ??= event.message === undefined
          ? { reason: event.reason }
          : { reason: event.reason, message: event.message };
        break;
      case "leg-confirmed":
        this.#confirmed = true;
        break;
      case "leg-silent":
        this.#silentSince = this.#deps.clock.monotonic();
        break;
      case "leg-heard":
        this.#silentSince = undefined;
        break;
      case "pong": {
        const waiting = this.#pongs.get(event.timestamp) ?? [];
        this.#pongs.delete(event.timestamp);
        for (const report of waiting) report();
        break;
      }
    }
    this.#changed.notify();
  }
}

/** What each kind of break means, and what helps. */
const BREAKS: Readonly<Record<GroupCloseReason, string>> = {
  "local": "it was closed here",
  "remote": "the peer closed it",
  "expired": "its rules expired, since nothing came for their keep-alive; dial again",
  "link-down": "the transport of its first hop went down; dial again, over another path if need be",
  "silence":
    "the peer answers no pings any more, so a visor on the path is gone; dial again, over another path if need be",
  "fault": "a packet on it was malformed or forged; dial again, over another path if need be",
};

/**
 * The error that a user of an ended connection sees.
 * @returns undefined when the end was clean: closed by the peer without an error
 */
export function errorOfEnd(end: GroupEnd): SkywireError | undefined {
  const details = { reason: end.reason };
  if (end.message !== undefined && saysNoListener(end.message)) {
    return new RefusedError("route/no-listener", `Refused by the remote visor: ${end.message}`, { details });
  }
  if (end.reason === "remote" && end.message !== undefined) {
    return new UnavailableError("route/broken", `Closed by the remote visor: ${end.message}`, { details });
  }
  if (end.reason === "remote") return undefined;
  if (end.reason === "local") return new ClosedError("route/closed", "Use the connection: it was closed here");
  const message = end.message === undefined ? BREAKS[end.reason] : `${BREAKS[end.reason]} (${end.message})`;
  return new UnavailableError("route/broken", `The route broke: ${message}`, { details });
}
