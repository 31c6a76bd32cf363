/** The switch in the core with three plain links, whose other ends the test plays. */

import assert from "node:assert/strict";
import {
  decodePacket,
  type GroupHandle,
  type LinkHandle,
  type Packet,
  PACKET_HEADER_BYTES,
  sha256,
  Switch,
  type SwitchEvent,
} from "../../../lib/core/mod.ts";
import { concatBytes, type MonotonicMs, type PublicKey } from "../../../lib/types/mod.ts";
import type { SwitchModel } from "./model.ts";
import { nameOf } from "./packet_types.ts";
import { LINK_COUNT, type ModelEvent, TRANSPORTS } from "./state.ts";
import { at } from "../../../lib/types/at.ts";

/** A switch whose groups have no keys looks after them at this pace, ms. */
const TICK_MS = 500;

/** See the top of the file. */
export class RealSwitch implements Disposable {
  readonly core: Switch;
  /** By position. */
  readonly links: LinkHandle[];
  /** In the order in which they began. */
  readonly groups: GroupHandle[] = [];

  /** Makes a switch whose route ids begin with `firstId`, at the time 0. */
  constructor(firstId: number) {
    const now = 0 as MonotonicMs;
    this.core = new Switch({ localKey: "00" as PublicKey, firstRouteId: firstId }, now);
    this.links = Array.from(
      { length: LINK_COUNT },
      (_, i) => this.core.addLink({ transportId: at(TRANSPORTS, i) }, now),
    );
  }

  /** The neighbour sends bytes. */
  send(link: number, bytes: Uint8Array, now: number): void {
    for (let done = 0; done < bytes.length;) {
      const view = this.core.readView(at(this.links, link));
      const piece = bytes.subarray(done, done + view.length);
      assert.ok(piece.length > 0, "the link is read");
      view.set(piece);
      this.core.ingest(at(this.links, link), piece.length, now as MonotonicMs);
      done += piece.length;
    }
  }

  /** What the neighbours have got, by link. */
  takeOutputs(now: MonotonicMs): Packet[][] {
    const bytes: Uint8Array[] = this.links.map(() => new Uint8Array());
    for (let link = this.core.pollDirtyLink(); link !== undefined; link = this.core.pollDirtyLink()) {
      const position = this.links.indexOf(link);
      bytes[position] = concatBytes(at(bytes, position), this.core.outputView(link, now));
      this.core.outputWritten(link, now);
    }
    return bytes.map(packetsOf);
  }

  /** What was told that the model knows of. */
  takeEvents(): ModelEvent[] {
    const events: ModelEvent[] = [];
    for (let event = this.core.pollEvent(); event !== undefined; event = this.core.pollEvent()) {
      const known = this.#seenByModel(event);
      if (known !== undefined) events.push(known);
    }
    return events;
  }

  [Symbol.dispose](): void {
    this.core[Symbol.dispose]();
  }

  #seenByModel(event: SwitchEvent): ModelEvent | undefined {
    switch (event.type) {
      case "group-closed":
      case "group-handshake":
        return { ...event, group: this.groups.indexOf(event.group) };
      case "transport-pong":
        return { ...event, link: this.links.indexOf(event.link) };
      case "group-frame":
        return undefined;
      default:
        throw new assert.AssertionError({ message: `Nobody expects ${event.type}` });
    }
  }
}

/**
 * Compares everything that can be seen: rules and how long each has been idle, packets that left, events, counters, and
 * that the switch wants to be woken in time.
 * @param options `anyOrder` where several routes fail at once: the switch goes through them in no order
 */
export function checkAll(
  model: SwitchModel,
  real: RealSwitch,
  { anyOrder = false }: { readonly anyOrder?: boolean } = {},
): void {
  const { core } = real;
  const now = model.now as MonotonicMs;
  const inOrder = (texts: string[]): string[] => anyOrder ? texts.sort() : texts;
  const active = [...model.rules.values()].filter((entry) => !model.isExpired(entry));
  assert.deepEqual(
    core.rules(now).sort((a, b) => a.rule.routeId - b.rule.routeId),
    active.map(({ rule, activeAt }) => ({ rule, idleMs: model.now - activeAt }))
      .sort((a, b) => a.rule.routeId - b.rule.routeId),
  );
  // Routes take turns at a link; what is promised is the order within each of them.
  const byRoute = (packets: readonly Packet[]): string[] =>
    packets.toSorted((a, b) => a.routeId - b.routeId).map(textOf);
  for (const [link, packets] of real.takeOutputs(now).entries()) {
    assert.deepEqual(
      inOrder(byRoute(packets)),
      inOrder(byRoute(at(model.links, link).output)),
      `sent over link ${link}`,
    );
  }
  const eventText = (event: ModelEvent): string => Object.entries(event).sort().map(String).join(" ");
  assert.deepEqual(inOrder(real.takeEvents().map(eventText)), inOrder(model.events.map(eventText)));
  assert.deepEqual(core.counters(), model.counters);
  for (const [link, { up, stats }] of model.links.entries()) {
    if (up) assert.deepEqual(core.linkStats(at(real.links, link)), stats, `figures of link ${link}`);
  }
  model.forgetTold();
  const wakesAt = core.pollDeadline() ?? Infinity;
  if (model.rules.size > 0) assert.ok(wakesAt <= model.collectAt, `${wakesAt}: expired rules are collected in time`);
  if (model.ends.groups.some(({ state }) => state === "closing")) assert.ok(wakesAt <= model.now + TICK_MS);
}

function packetsOf(bytes: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    const packet = decodePacket(bytes.subarray(at));
    assert.ok(packet !== undefined, "whole packets leave");
    packets.push(packet);
    at += PACKET_HEADER_BYTES + packet.payload.length;
  }
  return packets;
}

/** A packet for messages: long payloads by their digest. */
function textOf({ type, routeId, payload }: Packet): string {
  const content = payload.length <= 32 ? payload.toHex() : `${payload.length} bytes, ${sha256(payload).toHex()}`;
  return `${nameOf(type)} to ${routeId}: ${content}`;
}
