/** What may happen to a switch: any mix of the commands in this folder, at ids and times that come close. */

import fc from "fast-check";
import type { Rule } from "../../../lib/core/mod.ts";
import type { RouteId } from "../../../lib/types/mod.ts";
import { PLAIN } from "../../arbitraries/packet.ts";
import { descriptors, rules } from "../../arbitraries/rule.ts";
import type { SwitchModel } from "./model.ts";
import { AddGroup, Advance, Connect, LeaveGroup, ToggleLink } from "./other_commands.ts";
import { Arrive, Continue, Fill, Lie, type PacketPlan } from "./packet_commands.ts";
import { SHORTEST, TYPE, type TypeName } from "./packet_types.ts";
import type { RealSwitch } from "./real.ts";
import { ID_COUNT, LINK_COUNT, TRANSPORTS } from "./state.ts";
import { DeleteRules, type Malformation, Reserve, Save, SaveMalformed } from "./table_commands.ts";

const LONGEST = 65_535;

const positions = fc.nat({ max: ID_COUNT - 1 });
const links = fc.nat({ max: LINK_COUNT - 1 });

/** Of no time, some time, any time and less than none; all are multiples of 1/4 ms, but for the endless one. */
const keepAlivesNs = fc.oneof(
  { weight: 4, arbitrary: fc.constant(30_000_000_000n) },
  { weight: 1, arbitrary: fc.constant(100_000_000n) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 250_000n, 2n ** 63n - 1n, -1_000_000n) },
);

const ids = { routeId: fc.constant(0 as RouteId), keepAliveNs: keepAlivesNs };
const next = {
  nextRouteId: fc.nat({ max: 99 }).map((id) => id as RouteId),
  nextTransportId: fc.constantFrom(...TRANSPORTS),
};

/** Rules that lead over the links there are, and over one that never comes. */
const ruleOf: { readonly [Type in Rule["type"]]: fc.Arbitrary<Rule> } = {
  intermediary: fc.record({ type: fc.constant("intermediary" as const), ...ids, ...next }, PLAIN),
  forward: fc.record({ type: fc.constant("forward" as const), ...ids, descriptor: descriptors, ...next }, PLAIN),
  consume: fc.record({ type: fc.constant("consume" as const), ...ids, descriptor: descriptors }, PLAIN),
};

const malformations: fc.Arbitrary<Malformation> = fc.oneof(
  fc.record({ cutTo: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ type: fc.integer({ min: 3, max: 255 }) }),
);

const someRoute = positions.map((position): PacketPlan["to"] => ({ position }));
const strangeRoute = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_ffff })).map((routeId) => ({ routeId }));

const fills = fc.oneof(fc.constant(0), fc.nat({ max: 255 }));

const extras = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 40 }) },
  { weight: 1, arbitrary: fc.constant(LONGEST - 16) },
);

/** Packets as a peer that means well sends them, and with more payload than anybody needs. */
const honestPackets = (names: readonly TypeName[], to: fc.Arbitrary<PacketPlan["to"]>): fc.Arbitrary<PacketPlan> =>
  fc.tuple(fc.constantFrom(...names), extras).chain(([name, extra]) =>
    fc.record({
      type: fc.constant(TYPE[name]),
      to,
      length: fc.constant(SHORTEST[name] + extra),
      fill: fills,
    })
  );

const onRoutes = honestPackets(
  ["data", "data", "data", "data", "close", "keepAlive", "handshake", "ping", "pong", "error"],
  someRoute,
);

/** Of any type, any length and any route. */
const hostilePackets: fc.Arbitrary<PacketPlan> = fc.record({
  type: fc.oneof(fc.nat({ max: 10 }), fc.nat({ max: 255 })),
  to: fc.oneof(someRoute, strangeRoute),
  length: fc.oneof({ weight: 15, arbitrary: fc.nat({ max: 17 }) }, { weight: 1, arbitrary: fc.constant(LONGEST) }),
  fill: fills,
});

const betweenNeighbours = honestPackets(
  ["transportPing", "transportPong"],
  fc.oneof(fc.constant({ routeId: 0 }), someRoute),
);

const packets = fc.oneof(
  { weight: 6, arbitrary: onRoutes },
  { weight: 2, arbitrary: hostilePackets },
  { weight: 1, arbitrary: betweenNeighbours },
);

/** Ends of connections have positions of their own, so that groups find their rules. */
const [forwards, consumes] = [fc.constantFrom(1, 2), fc.constantFrom(3, 4)];
const placed = {
  intermediary: fc.tuple(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(5, 6) }, positions), ruleOf.intermediary),
  forward: fc.tuple(forwards, ruleOf.forward),
  consume: fc.tuple(consumes, ruleOf.consume),
};

const few = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(what, { minLength: 1, maxLength: 3 });

const arrivals = fc.tuple(links, few(packets), fc.nat({ max: 40 }))
  .map(([link, plans, cutAt]) => new Arrive(link, plans, { cutAt }));

const continuations = fc.tuple(fc.nat({ max: 11 }), few(onRoutes)).map(([nth, plans]) => new Continue(nth, plans));

const leavings = fc.tuple(
  fc.nat({ max: 1 }),
  fc.constantFrom("close" as const, "close" as const, "remove" as const),
  fc.constantFrom("", "busy"),
).map(([recent, how, error]) => new LeaveGroup(recent, { how, error }));

/** Sequences of commands. */
export const switchCommands: fc.Arbitrary<Iterable<fc.Command<SwitchModel, RealSwitch>>> = fc.commands([
  fc.oneof(fc.nat({ max: 6 }), fc.constant(0xffff_ffff)).map((count) => new Reserve(count)),
  placed.intermediary.map((it) => new Save(...it)),
  placed.intermediary.map((it) => new Save(...it)),
  placed.forward.map((it) => new Save(...it)),
  placed.consume.map((it) => new Save(...it)),
  fc.tuple(positions, rules, malformations).map(([position, rule, how]) => new SaveMalformed(position, rule, { how })),
  fc.array(positions, { maxLength: 2 }).map((some) => new DeleteRules(some)),
  arrivals,
  arrivals,
  continuations,
  continuations,
  continuations,
  continuations,
  continuations,
  fc.tuple(links, packets, fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: LONGEST })))
    .map(([link, packet, missing]) => new Lie(link, packet, { missing })),
  links.map((link) => new Fill(link)),
  links.map((link) => new Fill(link)),
  links.map((link) => new Fill(link)),
  links.map((link) => new ToggleLink(link)),
  fc.tuple(placed.forward, placed.consume).map((ends) => new Connect(...ends)),
  fc.tuple(placed.forward, placed.consume).map((ends) => new Connect(...ends)),
  fc.tuple(forwards, consumes).map((ends) => new AddGroup(...ends)),
  fc.oneof(fc.tuple(forwards, consumes), fc.tuple(positions, positions)).map(([forward, consume]) =>
    new AddGroup(forward!, consume!)
  ),
  leavings,
  leavings,
  fc.constantFrom(0, 0.25, 60, 100, 2_000, 30_000).map((ms) => new Advance(ms)),
  fc.record({ edgeOf: positions, beyond: fc.boolean() }).map((edge) => new Advance(edge)),
], { maxCommands: 60, size: "max" });
