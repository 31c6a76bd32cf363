/**
 * What a switch does with its rules and with packets of neighbours, whatever they send (routing.md §2.6–2.7, §3).
 * Commands do the same thing to this and to the switch in the core, and `checkAll` (`real.ts`) looks whether they still
 * agree. Links never fill up here: `core-rs/routing/tests/flow.rs` has that.
 */

import {
  decodePacket,
  type Packet,
  PACKET_HEADER_BYTES,
  type Rule,
  type SwitchCounters,
} from "../../../lib/core/mod.ts";
import { concatBytes } from "../../../lib/types/mod.ts";
import { CLOSE_REQUESTED, Ends, LINK_DOWN_TEXT } from "./ends.ts";
import { nameOf, passedOn, SHORTEST, textBytes, TYPE } from "./packet_types.ts";
import { makeLink, type StoredRule, SwitchState, TRANSPORTS } from "./state.ts";
import { at } from "../../../lib/types/at.ts";

/** The last id is 2^32−2. */
const FIRST_ID_NEVER_ISSUED = 0xffff_ffff;
/** At most so often are expired rules collected, ms. */
const COLLECT_MS = 5_000;
/** What waits for the group of a consume rule is less, bytes. */
const MAX_EARLY_BYTES = 65_536;

/** See the top of the file. */
export class SwitchModel extends SwitchState {
  readonly ends: Ends = new Ends(this);
  /** From then on expired rules are collected. */
  collectAt = COLLECT_MS;

  /** Hands out ids; undefined when there are not so many. */
  reserve(count: number): number[] | undefined {
    if (this.nextId + count > FIRST_ID_NEVER_ISSUED) return undefined;
    this.nextId += count;
    return Array.from({ length: count }, (_, i) => this.nextId - count + i);
  }

  /** Stores a rule; the one of before goes as if it had been deleted. */
  save(rule: Rule): void {
    this.visit(`save ${rule.type}: ${this.stateOf(rule.routeId)}`);
    this.deleteRule(rule.routeId);
    this.rules.set(rule.routeId, { rule, activeAt: this.now, early: [] });
  }

  /** Forgets a rule; the group on it ends. */
  deleteRule(id: number): void {
    const group = this.rules.get(id)?.group;
    this.rules.delete(id);
    if (group !== undefined) this.ends.fail(group, "expired");
  }

  /** Time passes, and what is due happens. */
  advance(ms: number): void {
    this.now += ms;
    this.ends.endLateCloses();
    if (this.now < this.collectAt) return;
    this.collectAt = this.now + COLLECT_MS;
    const expired = [...this.rules.values()].filter((entry) => this.isExpired(entry));
    for (const { rule } of expired) {
      this.visit(`collect ${rule.type}`);
      this.rules.delete(rule.routeId);
    }
    // A group goes on without its forward rule.
    for (const { rule, group } of expired) {
      if (group === undefined || rule.type === "forward") continue;
      this.visit("group: expired");
      this.ends.fail(group, "expired");
    }
  }

  /** Bytes come over a link. */
  receive(link: number, bytes: Uint8Array): void {
    const from = at(this.links, link);
    from.pending = concatBytes(from.pending, bytes);
    for (let packet = decodePacket(from.pending); packet !== undefined; packet = decodePacket(from.pending)) {
      from.pending = from.pending.slice(PACKET_HEADER_BYTES + packet.payload.length);
      this.#arrive(link, packet);
    }
  }

  /** A link is gone. Whoever sent over it is taken for failed, and its routes for closed. */
  removeLink(link: number): void {
    this.links[link] = makeLink({ up: false });
    for (const { rule, cameOver, group } of [...this.rules.values()]) {
      if (cameOver !== link) continue;
      this.visit(`link down under ${rule.type}`);
      if (rule.type === "consume") {
        if (group !== undefined) this.ends.fail(group, "link-down");
        continue;
      }
      this.rules.delete(rule.routeId);
      const { nextRouteId: routeId, nextTransportId } = rule;
      this.send(nextTransportId, { type: TYPE.error, routeId, payload: textBytes(LINK_DOWN_TEXT) });
      this.send(nextTransportId, { type: TYPE.close, routeId, payload: CLOSE_REQUESTED });
    }
    this.ends.failOver(at(TRANSPORTS, link));
  }

  /** A link is there again. */
  addLink(link: number): void {
    this.visit("a link comes back");
    this.links[link] = makeLink({ up: true });
  }

  #arrive(link: number, packet: Packet): void {
    const { type, routeId, payload } = packet;
    const name = nameOf(type);
    if (name === undefined) return this.#drop("unknownType");
    if (payload.length < SHORTEST[name]) return this.#drop("shortPayload");
    if (type === TYPE.transportPing || type === TYPE.transportPong) {
      return routeId === 0 ? this.#hearNeighbour(link, packet) : this.#drop("unknownRoute");
    }
    const entry = this.rules.get(routeId);
    if (entry === undefined) return this.#drop("unknownRoute");
    if (this.isExpired(entry)) return this.#drop("expiredRoute");
    entry.cameOver ??= link;
    if (entry.cameOver !== link) return this.#drop("wrongLink");
    this.visit(`${name} on ${entry.rule.type}`);
    const lost = this.#handle(entry, packet);
    if (type === TYPE.close) this.rules.delete(routeId);
    if (lost !== undefined) return this.#drop(lost);
    const { stats } = at(this.links, link);
    stats.receivedPackets++;
    stats.receivedBytes += payload.length;
  }

  #hearNeighbour(link: number, { type, routeId, payload }: Packet): void {
    this.visit(`${nameOf(type)} between neighbours`);
    const value = payload.slice(0, 8);
    if (type === TYPE.transportPing) {
      this.send(at(TRANSPORTS, link), { type: TYPE.transportPong, routeId, payload: value });
    } else {
      this.events.push({ type: "transport-pong", link, value: new DataView(value.buffer).getBigUint64(0) });
    }
  }

  /** Does what the rule says. @returns why the packet was dropped, if it was */
  #handle(entry: StoredRule, packet: Packet): keyof SwitchCounters | undefined {
    if (entry.rule.type === "consume") return this.#consume(entry, packet);
    if (entry.rule.type === "forward") {
      // What goes to the peer begins here: nobody has this id as its next one, so only strays carry it.
      if (packet.type === TYPE.keepAlive) return undefined;
      if (packet.type === TYPE.close) return "noGroup";
    }
    const { nextRouteId: routeId, nextTransportId } = entry.rule;
    const { type, payload } = packet;
    if (!this.send(nextTransportId, { type, routeId, payload: passedOn(type, payload) })) return "noTransport";
    this.counters.forwarded++;
    entry.activeAt = this.now;
    return undefined;
  }

  #consume(entry: StoredRule, packet: Packet): keyof SwitchCounters | undefined {
    entry.activeAt = this.now;
    if (entry.group !== undefined) {
      this.counters.delivered++;
      this.ends.deliver(entry.group, packet);
      return undefined;
    }
    if (packet.type === TYPE.keepAlive) return undefined;
    const waiting = entry.early.reduce((sum, { payload }) => sum + PACKET_HEADER_BYTES + payload.length, 0);
    if (packet.type === TYPE.close || waiting + packet.payload.length >= MAX_EARLY_BYTES) return "noGroup";
    entry.early.push(packet);
    return undefined;
  }

  #drop(counter: keyof SwitchCounters): void {
    this.visit(`drop: ${counter}`);
    this.counters[counter]++;
  }
}
