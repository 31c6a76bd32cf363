/** What neighbours do: packets and other bytes come over the links. */

import type fc from "fast-check";
import { encodePacket, PACKET_HEADER_BYTES } from "../../../lib/core/mod.ts";
import { concatBytes, type RouteId } from "../../../lib/types/mod.ts";
import type { SwitchModel } from "./model.ts";
import { checkAll, type RealSwitch } from "./real.ts";
import { LINK_COUNT } from "./state.ts";
import { at } from "../../../lib/types/at.ts";

/** A packet to come. */
export interface PacketPlan {
  /** 0–255. */
  readonly type: number;
  /** For the id of a position, or for none at all: 0 is what neighbours use between them. */
  readonly to: { readonly position: number } | { readonly routeId: number };
  /** Payload, bytes. */
  readonly length: number;
  /** Its first byte; each later one is one more, so that no two parts are the same. */
  readonly fill: number;
}

/** Packets come over a link in one piece, or cut somewhere. */
export class Arrive implements fc.Command<SwitchModel, RealSwitch> {
  readonly link: number;
  readonly packets: readonly PacketPlan[];
  readonly cutAt: number;

  /** @param cutAt bytes of the first piece */
  constructor(link: number, packets: readonly PacketPlan[], { cutAt }: { readonly cutAt: number }) {
    this.link = link;
    this.packets = packets;
    this.cutAt = cutAt;
  }

  check(model: Readonly<SwitchModel>): boolean {
    return at(model.links, this.link).up;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const bytes = concatBytes(...this.packets.map((plan) => bytesOf(plan, model)));
    for (const piece of [bytes.subarray(0, this.cutAt), bytes.subarray(this.cutAt)]) {
      model.receive(this.link, piece);
      real.send(this.link, piece, model.now);
    }
    checkAll(model, real);
  }

  toString(): string {
    return `arrive(${this.link}, ${JSON.stringify(this.packets)}, cut at ${this.cutAt})`;
  }
}

/** The peer of some route goes on sending: packets come with the id of a rule that is there, over the link of before. */
export class Continue implements fc.Command<SwitchModel, RealSwitch> {
  readonly nth: number;
  readonly packets: readonly PacketPlan[];

  /**
   * @param nth which of the rules that are there, counted again from the first when there are not so many
   * @param packets whose routes do not count
   */
  constructor(nth: number, packets: readonly PacketPlan[]) {
    this.nth = nth;
    this.packets = packets;
  }

  check(model: Readonly<SwitchModel>): boolean {
    const route = this.#route(model);
    return route !== undefined && at(model.links, route.link).up;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const { link, routeId } = this.#route(model)!;
    new Arrive(link, this.packets.map((plan) => ({ ...plan, to: { routeId } })), { cutAt: 0 }).run(model, real);
  }

  toString(): string {
    return `continue(${this.nth}, ${JSON.stringify(this.packets.map(({ to: _, ...plan }) => plan))})`;
  }

  #route(model: Readonly<SwitchModel>): { readonly link: number; readonly routeId: number } | undefined {
    const stored = [...model.rules.values()];
    const entry = stored[this.nth % stored.length];
    return entry && { link: entry.cameOver ?? this.nth % LINK_COUNT, routeId: entry.rule.routeId };
  }
}

/** A header comes that promises more than follows. What comes next over the link is taken for its payload. */
export class Lie implements fc.Command<SwitchModel, RealSwitch> {
  readonly link: number;
  readonly packet: PacketPlan;
  readonly missing: number;

  /** @param missing bytes of the payload that do not come; more than there are: all */
  constructor(link: number, packet: PacketPlan, { missing }: { readonly missing: number }) {
    this.link = link;
    this.packet = packet;
    this.missing = missing;
  }

  check(model: Readonly<SwitchModel>): boolean {
    const { up, pending } = at(model.links, this.link);
    return up && pending.length === 0;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const bytes = bytesOf(this.packet, model);
    const part = bytes.subarray(0, Math.max(PACKET_HEADER_BYTES, bytes.length - this.missing));
    model.receive(this.link, part);
    model.visit(at(model.links, this.link).pending.length > 0 ? "a length lies" : "a length is honest");
    real.send(this.link, part, model.now);
    checkAll(model, real);
  }

  toString(): string {
    return `lie(${this.link}, ${JSON.stringify(this.packet)}, ${this.missing} missing)`;
  }
}

/** Zeros come until no packet is incomplete. */
export class Fill implements fc.Command<SwitchModel, RealSwitch> {
  readonly link: number;

  constructor(link: number) {
    this.link = link;
  }

  check(model: Readonly<SwitchModel>): boolean {
    return at(model.links, this.link).pending.length > 0;
  }

  run(model: SwitchModel, real: RealSwitch): void {
    const { pending } = at(model.links, this.link);
    const header = Uint8Array.of(...pending.subarray(0, PACKET_HEADER_BYTES), ...new Uint8Array(PACKET_HEADER_BYTES));
    const whole = PACKET_HEADER_BYTES + new DataView(header.buffer).getUint16(5);
    model.visit("what was missing came");
    const rest = new Uint8Array(whole - pending.length);
    model.receive(this.link, rest);
    real.send(this.link, rest, model.now);
    checkAll(model, real);
  }

  toString(): string {
    return `fill(${this.link})`;
  }
}

function bytesOf({ type, to, length, fill }: PacketPlan, model: SwitchModel): Uint8Array {
  const routeId = "position" in to ? model.idAt(to.position) : to.routeId as RouteId;
  const payload = new Uint8Array(length);
  for (let i = 0; i < length; i++) payload[i] = fill + i;
  return encodePacket({ type, routeId, payload });
}
