/**
 * Switches in a line, joined by sealed links in memory, with a route in both directions: what the facade of the switch is
 * tested on. No loop, no sockets; `settle()` moves bytes until nothing moves.
 */

import {
  encodeRule,
  type GroupHandle,
  type LinkHandle,
  NoiseHandshake,
  publicKeyOf,
  Records,
  type Rule,
  Switch,
  type SwitchEvent,
} from "../../lib/core/mod.ts";
import {
  invertDescriptor,
  type MonotonicMs,
  type RouteDescriptor,
  type RouteId,
  SecretKey,
  type TransportId,
} from "../../lib/types/mod.ts";
import { at } from "../../lib/types/at.ts";

/** Of all rules here. */
export const KEEP_ALIVE_NS = 30_000_000_000n;

/** One end of the connection. */
export interface LineEnd {
  readonly core: Switch;
  readonly secret: SecretKey;
  readonly group: GroupHandle;
  readonly forward: RouteId;
  readonly consume: RouteId;
}

/** What a socket and the network behind it hold. */
const SOCKET_BYTES = 64 * 1024;

interface Socket {
  readonly core: Switch;
  readonly link: LinkHandle;
  /** On its way to the other end. */
  flying: Uint8Array<ArrayBuffer>;
  /** It stands still. */
  jammed: boolean;
}

/** See the top of the file. */
export class SwitchLine implements Disposable {
  readonly switches: readonly Switch[];
  /** By position: `links[i]` joins the switches i and i + 1, as each knows it. */
  readonly links: (readonly [LinkHandle, LinkHandle])[] = [];
  now = 1000.5 as MonotonicMs;
  /** The longest piece that a link is read in. */
  piece: () => number = () => Infinity;
  readonly #cables = new Map<number, readonly [Socket, Socket]>();
  readonly #events: SwitchEvent[][];
  readonly #secrets: readonly SecretKey[];

  constructor(length: number) {
    this.#secrets = Array.from({ length }, (_, i) => new SecretKey(new Uint8Array(32).fill(i + 1)));
    this.switches = this.#secrets.map((secret, i) =>
      new Switch({ localKey: publicKeyOf(secret), firstRouteId: 1000 * (i + 1) }, this.now)
    );
    this.#events = this.switches.map(() => []);
    for (let i = 1; i < length; i++) this.#join(at(this.switches, i - 1), at(this.switches, i), i - 1);
  }

  /** Joins the two ends directly, beside the line. @returns the cable, for {@link connect} */
  addCable(): number {
    this.#join(at(this.switches, 0), at(this.switches, -1), this.links.length);
    return this.links.length - 1;
  }

  /** A cable is out: what is on its way over it is lost, and both ends know. */
  unplug(cable: number): void {
    const ends = this.#cables.get(cable) ?? [];
    this.#cables.delete(cable);
    for (const { core, link } of ends) core.removeLink(link, this.now);
  }

  /** A cable carries nothing from some ends, which nobody knows. */
  jam(cable: number, from: readonly (0 | 1)[]): void {
    this.#cables.get(cable)?.forEach((socket, end) => socket.jammed = from.some((jammed) => jammed === end));
  }

  /** Saves the rules of a route pair, along the line or over a cable, and begins the groups at both ends. */
  open(cable?: number): [LineEnd, LineEnd] {
    const descriptor: RouteDescriptor = {
      source: { publicKey: at(this.switches, 0).localKey, port: 49_153 },
      destination: { publicKey: at(this.switches, -1).localKey, port: 3 },
    };
    const last = this.switches.length - 1;
    const path = cable === undefined ? this.switches.map((_, i) => i) : [0, last];
    const there = this.#saveRoute(path, descriptor, cable);
    const back = this.#saveRoute(path.toReversed(), invertDescriptor(descriptor), cable);
    const end = (position: number, forward: RouteId, consume: RouteId): LineEnd => {
      const core = at(this.switches, position);
      const group = core.addGroup({ forward, consume }, this.now);
      return { core, secret: at(this.#secrets, position), group, forward, consume };
    };
    return [end(0, at(there, 0), at(back, -1)), end(last, at(back, 0), at(there, -1))];
  }

  /** As {@link open}, with keys from a real handshake over the line. */
  connect(cable?: number): [LineEnd, LineEnd] {
    const [first, last] = this.open(cable);
    first.core.sendHandshake(first.group, this.now);
    last.core.sendHandshake(last.group, this.now);
    using initiator = this.#noise(first, last, "initiator");
    using responder = this.#noise(last, first, "responder");
    const frameAt = ({ core, group }: LineEnd): Uint8Array => {
      this.settle();
      const frame = core.handshakeFrame(group);
      if (frame === undefined) throw new Error("No message came");
      return frame;
    };
    first.core.sendHandshakeFrame(first.group, initiator.writeMessage(), this.now);
    responder.readMessage(frameAt(last));
    last.core.sendHandshakeFrame(last.group, responder.writeMessage(), this.now);
    last.core.secureGroup(last.group, responder.intoRecords(), this.now);
    initiator.readMessage(frameAt(first));
    first.core.secureGroup(first.group, initiator.intoRecords(), this.now);
    return [first, last];
  }

  /** Moves bytes until nothing moves, or so often at most; lets each switch do what is due before. */
  settle(rounds = Infinity): void {
    for (const core of this.switches) {
      const due = core.pollDeadline();
      if (due !== undefined && due <= this.now) core.handleDeadline(this.now);
    }
    let moved = true;
    for (let round = 0; moved && round < rounds; round++) {
      moved = false;
      for (const [a, b] of this.#cables.values()) moved = this.#carry(a, b) || this.#carry(b, a) || moved;
    }
  }

  /** Lets time pass in steps of half a second. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 500) as MonotonicMs;
      this.settle();
    }
  }

  /** The events of a switch since they were taken last. */
  takeEvents(core: Switch): SwitchEvent[] {
    const events = at(this.#events, this.switches.indexOf(core));
    for (let event = core.pollEvent(); event !== undefined; event = core.pollEvent()) events.push(event);
    return events.splice(0);
  }

  [Symbol.dispose](): void {
    for (const core of this.switches) core[Symbol.dispose]();
    for (const secret of this.#secrets) secret[Symbol.dispose]();
  }

  #join(a: Switch, b: Switch, position: number): void {
    const [there, back] = [1, 2].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array];
    const add = (core: Switch, records: Records): Socket => ({
      core,
      link: core.addLink({ transportId: transportIdAt(position), records }, this.now),
      flying: new Uint8Array(),
      jammed: false,
    });
    const cable = [
      add(a, Records.ofKeys({ send: there, receive: back })),
      add(b, Records.ofKeys({ send: back, receive: there })),
    ] as const;
    this.#cables.set(this.links.length, cable);
    this.links.push([cable[0].link, cable[1].link]);
  }

  #carry(from: Socket, to: Socket): boolean {
    let moved = false;
    if (from.jammed) return false;
    if (from.flying.length < SOCKET_BYTES) {
      const output = from.core.outputView(from.link, this.now);
      if (output.length > 0) {
        const flying = new Uint8Array(from.flying.length + output.length);
        flying.set(from.flying);
        flying.set(output, from.flying.length);
        from.flying = flying;
        from.core.outputWritten(from.link, this.now);
        moved = true;
      }
    }
    if (from.flying.length === 0) return moved;
    const view = to.core.readView(to.link);
    const count = Math.min(view.length, from.flying.length, Math.max(1, this.piece()));
    if (count === 0) return moved;
    view.set(from.flying.subarray(0, count));
    from.flying = from.flying.subarray(count);
    to.core.ingest(to.link, count, this.now);
    return true;
  }

  #saveRoute(path: readonly number[], descriptor: RouteDescriptor, cable?: number): RouteId[] {
    const ids = path.map((position) => at(at(this.switches, position).reserveRouteIds(1), 0));
    path.forEach((position, step) => {
      const base = { routeId: at(ids, step), keepAliveNs: KEEP_ALIVE_NS };
      let rule: Rule = { type: "consume", ...base, descriptor };
      if (step + 1 < path.length) {
        const nextTransportId = transportIdAt(cable ?? Math.min(position, at(path, step + 1)));
        const next = { nextRouteId: at(ids, step + 1), nextTransportId };
        rule = step === 0
          ? { type: "forward", ...base, descriptor, ...next }
          : { type: "intermediary", ...base, ...next };
      }
      at(this.switches, position).saveRule(encodeRule(rule), this.now);
    });
    return ids;
  }

  #noise(local: LineEnd, remote: LineEnd, role: "initiator" | "responder"): NoiseHandshake {
    const ephemeral = new Uint8Array(32).fill(role === "initiator" ? 0x51 : 0x52);
    return new NoiseHandshake({
      pattern: "KK",
      role,
      localSecret: local.secret,
      remoteKey: remote.core.localKey,
      ephemeral,
    });
  }
}

/** The transport between the switches `position` and `position` + 1. */
export function transportIdAt(position: number): TransportId {
  return `00000000-0000-0000-0000-${position.toString(16).padStart(12, "0")}` as TransportId;
}
