/**
 * The ends of connections, as a list (routing.md §4.8): they begin on two rules, hear what comes for them, and take their
 * rules along when they end. They never get keys here: `core-rs/routing/tests/groups.rs` has what they do then.
 */

import type { GroupCloseReason, Packet } from "../../../lib/core/mod.ts";
import type { RouteId, TransportId } from "../../../lib/types/mod.ts";
import { passedOn, textBytes, TYPE } from "./packet_types.ts";
import type { SwitchState } from "./state.ts";
import { at } from "../../../lib/types/at.ts";

/** So long a group waits for the answer to its Close, ms. */
const CLOSE_MS = 2_000;
/** Handshake messages that nobody takes, bytes. */
const MAX_UNREAD_BYTES = 65_536;
/** What an Error packet says at most, bytes. */
const MAX_ERROR_BYTES = 1_024;

/** The text of the last Error packet of a group that a broken route ends, by reason. */
const BROKEN_TEXTS = {
  "link-down": "a transport of the route is down",
  expired: "the rules of the route expired",
  fault: "a record does not open",
} as const;

/** What the ends of a route are told when a visor on the way loses a link. */
export const LINK_DOWN_TEXT: string = BROKEN_TEXTS["link-down"];
/** The only code of a Close that we send. */
export const CLOSE_REQUESTED: Uint8Array = Uint8Array.of(0);

/** The end of a connection. */
export interface ModelGroup {
  readonly forwardId: number;
  readonly consumeId: number;
  readonly nextRouteId: RouteId;
  readonly nextTransportId: TransportId;
  state: "open" | "closing" | "ended" | "removed";
  closingAt: number;
  /** The text of the peer's Error packet. */
  error: Uint8Array;
  /** Handshake messages that nobody took, bytes. */
  unread: number;
}

/** See the top of the file. */
export class Ends {
  /** In the order in which they began. */
  readonly groups: ModelGroup[] = [];
  readonly #state: SwitchState;

  /** There are none yet. */
  constructor(state: SwitchState) {
    this.#state = state;
  }

  /** Can a group begin on these rules? */
  areFree(forwardId: number, consumeId: number): boolean {
    const [forward, consume] = [this.#state.rules.get(forwardId), this.#state.rules.get(consumeId)];
    return forward?.rule.type === "forward" && consume?.rule.type === "consume" &&
      forward.group === undefined && consume.group === undefined;
  }

  /** Begins a group on two rules that are free; what came early is delivered. */
  add(forwardId: number, consumeId: number): void {
    const [forward, consume] = [this.#state.rules.get(forwardId)!, this.#state.rules.get(consumeId)!];
    if (forward.rule.type !== "forward") throw new Error("No forward rule");
    const { nextRouteId, nextTransportId } = forward.rule;
    forward.group = consume.group = this.groups.length;
    this.groups.push({
      forwardId,
      consumeId,
      nextRouteId,
      nextTransportId,
      state: "open",
      closingAt: 0,
      error: new Uint8Array(),
      unread: 0,
    });
    for (const packet of consume.early.splice(0)) {
      this.#state.visit("group: early packet");
      this.#state.counters.delivered++;
      this.deliver(consume.group, packet);
    }
  }

  /** This side says goodbye. */
  close(index: number, error: string): void {
    const group = at(this.groups, index);
    if (group.state !== "open") return;
    group.state = "closing";
    group.closingAt = this.#state.now;
    if (error !== "") this.#send(group, { type: TYPE.error, payload: textBytes(error) });
    this.#send(group, { type: TYPE.close, payload: CLOSE_REQUESTED });
    this.#deleteOf(index, group.forwardId);
  }

  /** The group is forgotten. */
  remove(index: number): void {
    this.close(index, "");
    const group = at(this.groups, index);
    for (const id of [group.forwardId, group.consumeId]) this.#deleteOf(index, id);
    group.state = "removed";
  }

  /** Those that wait for the answer to a Close have waited long enough. */
  endLateCloses(): void {
    for (const [i, { state, closingAt }] of this.groups.entries()) {
      if (state !== "closing" || this.#state.now < closingAt + CLOSE_MS) continue;
      this.#state.visit("group: no answer to a close");
      this.#end(i, { reason: "local" });
    }
  }

  /** The way of a transport is cut. */
  failOver(transport: TransportId): void {
    for (const [i, { nextTransportId }] of this.groups.entries()) {
      if (nextTransportId === transport) this.fail(i, "link-down");
    }
  }

  /** Hands a packet to a group. */
  deliver(index: number, { type, payload }: Packet): void {
    const group = at(this.groups, index);
    switch (type) {
      case TYPE.data:
        if (group.state !== "open") return;
        if (group.unread + payload.length <= MAX_UNREAD_BYTES) return void (group.unread += payload.length);
        return this.fail(index, "fault");
      case TYPE.handshake:
        return void this.#state.events.push({ type: "group-handshake", group: index, encrypt: payload[0] !== 0 });
      case TYPE.ping:
        return this.#send(group, { type: TYPE.pong, payload: passedOn(TYPE.pong, payload) });
      case TYPE.error:
        return void (group.error = payload.slice(0, MAX_ERROR_BYTES));
      case TYPE.close:
        if (group.state === "closing") return this.#end(index, { reason: "local" });
        this.#send(group, { type: TYPE.close, payload: payload.slice(0, 1) });
        return this.#end(index, { reason: "remote" });
    }
  }

  /** Ends a group because something broke, and tells the peer if there is a way. */
  fail(index: number, reason: keyof typeof BROKEN_TEXTS): void {
    const group = at(this.groups, index);
    if (group.state === "ended" || group.state === "removed") return;
    this.#send(group, { type: TYPE.error, payload: textBytes(BROKEN_TEXTS[reason]) });
    this.#send(group, { type: TYPE.close, payload: CLOSE_REQUESTED });
    this.#end(index, reason === "fault" ? { reason, message: BROKEN_TEXTS[reason] } : { reason });
  }

  #end(
    index: number,
    { reason, message }: { readonly reason: GroupCloseReason; readonly message?: string },
  ): void {
    const group = at(this.groups, index);
    this.#state.visit(`group ended: ${reason}`);
    group.state = "ended";
    for (const id of [group.forwardId, group.consumeId]) this.#deleteOf(index, id);
    const text = message ?? new TextDecoder().decode(group.error);
    this.#state.events.push({ type: "group-closed", group: index, reason, ...(text === "" ? {} : { message: text }) });
  }

  /** A group gives a rule up. What was saved over it is somebody else's. */
  #deleteOf(index: number, id: number): void {
    if (this.#state.rules.get(id)?.group === index) this.#state.rules.delete(id);
  }

  #send(group: ModelGroup, packet: Omit<Packet, "routeId">): void {
    this.#state.send(group.nextTransportId, { ...packet, routeId: group.nextRouteId });
    const forward = this.#state.rules.get(group.forwardId);
    if (forward !== undefined && !this.#state.isExpired(forward) && this.groups[forward.group ?? -1] === group) {
      forward.activeAt = this.#state.now;
    }
  }
}
