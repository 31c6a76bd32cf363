/**
 * Switches in a line on virtual time, joined by links, with a route installed by hand: what the parts of the router are
 * tested on without a control plane.
 *
 * ```
 * n0 ── n1 ── … ── nk      n0 is the initiator, nk the responder
 * ```
 */

import { encodeRule, generateSecretKey, publicKeyOf, Records, type Rule } from "../../lib/core/mod.ts";
import { ConnectionTable, type Opening } from "../../lib/routing/connection_table.ts";
import { answerHandshake, initiateHandshake } from "../../lib/routing/group_handshake.ts";
import type { GroupConnection } from "../../lib/routing/group_connection.ts";
import type { ByteLink, Runtime } from "../../lib/runtime/mod.ts";
import { type ActiveLink, createSwitchLoop, type SwitchLoop } from "../../lib/transport/mod.ts";
import type { PublicKey, RouteDescriptor, RouteId, SecretKey, TransportId } from "../../lib/types/mod.ts";
import { invertDescriptor } from "../../lib/types/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { at } from "../../lib/types/at.ts";

/** Of all rules here, ns. */
export const KEEP_ALIVE_NS = 30_000_000_000n;

/** A visor without a control plane. */
export interface LineNode {
  readonly name: string;
  readonly runtime: Runtime;
  readonly secret: SecretKey;
  readonly key: PublicKey;
  readonly loop: SwitchLoop;
  readonly table: ConnectionTable;
}

/** See the top of the file. */
export interface Line extends AsyncDisposable {
  readonly nodes: readonly LineNode[];
  /** By position: `links[i]` joins node i and node i+1, seen from each. */
  readonly links: readonly (readonly [ActiveLink, ActiveLink])[];
  /** Installs a route both ways over the whole line. */
  install(
    ports?: { readonly local?: number; readonly remote?: number },
  ): { initiator: () => Opening; responder: () => Opening };
  /** Installs a route and shakes hands at both ends. */
  connect(ports?: { readonly local?: number; readonly remote?: number }): Promise<[GroupConnection, GroupConnection]>;
}

/** Makes a line of `hops` + 1 nodes. Runs the simulation while it is built. */
export async function makeLine(sim: Simulation, hops: number): Promise<Line> {
  const nodes = Array.from({ length: hops + 1 }, (_, i) => makeNode(sim, `n${i}`));
  const links = await sim.run(Promise.all(nodes.slice(1).map((node, i) => join(at(nodes, i), node, transportId(i)))));

  const install: Line["install"] = ({ local = 49_153, remote = 3 } = {}) => {
    const descriptor: RouteDescriptor = {
      source: { publicKey: at(nodes, 0).key, port: local },
      destination: { publicKey: at(nodes, -1).key, port: remote },
    };
    const transports = links.map((_, i) => transportId(i));
    const forward = installOneWay(nodes, transports, descriptor);
    const reverse = installOneWay(nodes.toReversed(), transports.toReversed(), invertDescriptor(descriptor));
    return {
      initiator: () => at(nodes, 0).table.open({ forward: forward.first, consume: reverse.last }),
      responder: () => at(nodes, -1).table.open({ forward: reverse.first, consume: forward.last }),
    };
  };

  return {
    nodes,
    links,
    install,
    async connect(ports): Promise<[GroupConnection, GroupConnection]> {
      const [from, to] = [at(nodes, 0), at(nodes, -1)];
      const ends = install(ports);
      const [initiator, responder] = [ends.initiator(), ends.responder()];
      await sim.run(Promise.all([
        initiateHandshake(initiator.group, { ...from, remoteKey: to.key }),
        answerHandshake(responder.group, { ...to, remoteKey: from.key }),
      ]));
      return [from.table.adopt(initiator, { route: [] }), to.table.adopt(responder, { route: [] })];
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await sim.run(Promise.all(nodes.map(({ table }) => table.closeAll())));
      await sim.run(Promise.all(nodes.map(({ loop }) => loop[Symbol.asyncDispose]())));
      for (const { secret } of nodes) secret[Symbol.dispose]();
    },
  };
}

/** Makes a visor without links. */
export function makeNode(sim: Simulation, name: string): LineNode {
  const runtime = sim.runtimeFor(name);
  const secret = generateSecretKey(runtime.random);
  const key = publicKeyOf(secret);
  const loop = createSwitchLoop({ runtime, localKey: key });
  const table = new ConnectionTable({
    loop,
    ...runtime,
    onConnection: () => () => {},
  });
  return { name, runtime, secret, key, loop, table };
}

async function join(a: LineNode, b: LineNode, id: TransportId): Promise<[ActiveLink, ActiveLink]> {
  const listener = await b.runtime.network.listen(`${b.name}:7777`);
  const [dialled, accepted] = await Promise.all([a.runtime.network.dial(`${b.name}:7777`), firstOf(listener)]);
  const keys = [1, 2].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array];
  return [
    attach(a, { link: dialled, records: Records.ofKeys({ send: keys[0], receive: keys[1] }), remoteKey: b.key }, id),
    attach(b, { link: accepted, records: Records.ofKeys({ send: keys[1], receive: keys[0] }), remoteKey: a.key }, id),
  ];
}

/** Hands a link to the switch of a node. */
export function attach(
  node: LineNode,
  secure: { link: ByteLink; records: Records; remoteKey: PublicKey },
  id: TransportId,
): ActiveLink {
  return node.loop.attach(secure, { transportId: id });
}

/** What a listener brings first; closes it then. */
export async function firstOf<T>(listener: AsyncIterable<T> & { close(): void }): Promise<T> {
  try {
    for await (const item of listener) return item;
    throw new Error("The listener closed");
  } finally {
    listener.close();
  }
}

/** Rule generation of routing.md §5.5 for one direction. */
function installOneWay(nodes: readonly LineNode[], transports: readonly TransportId[], descriptor: RouteDescriptor): {
  first: Extract<Rule, { type: "forward" }>;
  last: Extract<Rule, { type: "consume" }>;
} {
  const ids = nodes.map(({ loop }) => loop.switch.reserveRouteIds(1)[0] as RouteId);
  const common = (i: number) => ({ keepAliveNs: KEEP_ALIVE_NS, routeId: at(ids, i) });
  const next = (i: number) => ({ nextRouteId: at(ids, i + 1), nextTransportId: at(transports, i) });
  const first = { type: "forward", ...common(0), descriptor, ...next(0) } as const;
  const last = { type: "consume", ...common(nodes.length - 1), descriptor } as const;
  nodes.forEach(({ loop, runtime }, i) => {
    const rule: Rule = i === 0
      ? first
      : i === nodes.length - 1
      ? last
      : { type: "intermediary", ...common(i), ...next(i) };
    loop.switch.saveRule(encodeRule(rule), runtime.clock.monotonic());
  });
  return { first, last };
}

/** A transport id by position. */
export function transportId(position: number): TransportId {
  return `00000000-0000-0000-0000-${position.toString(16).padStart(12, "0")}` as TransportId;
}
