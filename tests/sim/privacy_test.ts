/**
 * What intermediaries get to know: the previous and the next hop, and nothing else. A route of four hops carries every
 * kind of packet both ways, each visor is tapped, and what it holds and hears is searched for the two ends.
 *
 *     initiator-host ── entry-host ── middle-host ── exit-host ── responder-host
 */

import assert from "node:assert/strict";
import { type Packet, PACKET_TYPES } from "../../lib/core/mod.ts";
import { hasCode } from "../../lib/errors/mod.ts";
import type { RouteConnection } from "../../lib/routing/mod.ts";
import { at } from "../../lib/types/at.ts";
import { concatBytes, type PublicKey, publicKeyBytes, type TransportId } from "../../lib/types/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { connect, readBytes, readText } from "./connections.ts";
import { SimNetwork, type SimVisor } from "./network.ts";
import { Tap } from "./tap.ts";

const HOSTS = ["initiator-host", "entry-host", "middle-host", "exit-host", "responder-host"] as const;

/** Longer than one record, so that a message travels in several packets. */
const MESSAGE_BYTES = 50_000;

/** A line of five tapped visors. */
interface TappedLine extends AsyncDisposable {
  readonly visors: readonly SimVisor[];
  readonly taps: readonly Tap[];
  /** By position: `transports[i]` joins visor i and visor i+1. */
  readonly transports: readonly TransportId[];
  readonly ends: readonly [SimVisor, SimVisor];
  /** Everything that names one of the ends, as it may stand in bytes, with what it is. */
  readonly traces: ReadonlyMap<string, Uint8Array>;
}

simulationTest(
  "An intermediary finds neither end's key nor address in its rules and in all that reaches it over a route",
  async (sim) => {
    await using line = await makeLine(sim);
    const connections = await sim.run(connect(...line.ends));
    await useRoute(sim, line, connections);
    for (const [i, tap] of line.taps.entries()) {
      const isEnd = i === 0 || i === HOSTS.length - 1;
      assert.equal(tap.rules.length, 2, `${HOSTS[i]} was given two rules`);
      const inRules = tracesIn(tap.rules, line.traces);
      const keys = ["raw key of initiator-host", "raw key of responder-host"];
      assert.deepEqual(inRules, isEnd ? keys : [], `rules of ${HOSTS[i]}: only the ends know each other`);
      assert.deepEqual(tracesIn([tap.heard()], line.traces), [], `what ${HOSTS[i]} hears`);
    }
  },
);

simulationTest("An intermediary hears a whole route: all its packets, each under another route id", async (sim) => {
  await using line = await makeLine(sim);
  const connections = await sim.run(connect(...line.ends));
  await useRoute(sim, line, connections);
  const there = line.taps.slice(1).map((tap, i) => tap.packetsOver(at(line.transports, i)));
  const back = line.taps.slice(0, -1).map((tap, i) => tap.packetsOver(at(line.transports, i))).reverse();
  for (const way of [there, back]) {
    assert.equal(way.length, 4);
    const [first] = way as [Packet[]];
    const data = first.filter(({ type }) => PACKET_TYPES[type] === "data");
    assert.ok(data.length > MESSAGE_BYTES / 4_096, `${data.length} packets of data`);
    for (const type of ["close", "handshake", "ping", "pong"] as const) {
      assert.ok(first.some((packet) => PACKET_TYPES[packet.type] === type), `no ${type} was heard`);
    }
    for (const hop of way.slice(1)) {
      assert.deepEqual(hop.map(contentOf), first.map(contentOf), "the same packets pass every hop");
    }
    for (const [i] of first.entries()) {
      assert.equal(new Set(way.map((hop) => at(hop, i).routeId)).size, 4, "the route id changes at each hop");
    }
  }
});

simulationTest(
  "An intermediary holds two rules for a route, which name its two transports and no visor",
  async (sim) => {
    await using line = await makeLine(sim);
    await sim.run(connect(...line.ends));
    for (const i of [1, 2, 3]) {
      const { router, transports } = at(line.visors, i);
      const rules = router.rules();
      assert.deepEqual(rules.map(({ type, remote }) => [type, remote]), Array(2).fill(["intermediary", undefined]));
      const own = line.transports.slice(i - 1, i + 1);
      assert.deepEqual(rules.map(({ transport }) => transport).sort(), own.toSorted());
      const far = [at(line.visors, i - 1).key, at(line.visors, i + 1).key];
      assert.deepEqual(transports.list().map(({ remote }) => remote).sort(), far.sort(), "far edges are neighbours");
    }
  },
);

simulationTest("An intermediary learns no end from a refused dial or an aborted write", async (sim) => {
  await using line = await makeLine(sim);
  const [initiator, responder] = line.ends;
  const refused = await sim.run(initiator.router.dial(responder.key, 44));
  await assert.rejects(sim.run(readText(refused)), (error) => hasCode(error, "route/no-listener"));
  const [dialled, accepted] = await sim.run(connect(...line.ends));
  await sim.run(dialled.writable.abort(new Error(betrayalOf(line))));
  await assert.rejects(sim.run(readText(accepted)), /the writer gave up/);
  for (const i of [1, 2, 3]) {
    const sent = new TextDecoder().decode(at(line.taps, i).heard());
    assert.ok(sent.includes("no listener on port 44") && !sent.includes("the writer gave up"));
    assert.deepEqual(tracesIn([at(line.taps, i).heard()], line.traces), []);
  }
});

simulationTest("An error text that names the ends is sealed, as all that a session carries", async (sim) => {
  await using line = await makeLine(sim);
  const [dialled, accepted] = await sim.run(connect(...line.ends));
  dialled.close(betrayalOf(line));
  await assert.rejects(sim.run(readText(accepted)), (error: Error) => error.message.includes(" at initiator-host"));
  for (const i of [1, 2, 3]) assert.deepEqual(tracesIn([at(line.taps, i).heard()], line.traces), []);
});

async function makeLine(sim: Simulation): Promise<TappedLine> {
  const taps = new Map<string, Tap>();
  const network = await SimNetwork.create(sim, {
    tap: (host, loop) => {
      const tap = new Tap();
      taps.set(host, tap);
      return tap.wrap(loop);
    },
  });
  const visors: readonly SimVisor[] = await network.line(...HOSTS);
  const transports = visors.slice(1).map((visor) =>
    visor.transports.list().find(({ initiator }) => initiator === false)!.id
  );
  const ends = [at(visors, 0), at(visors, -1)] as const;
  return {
    visors,
    taps: HOSTS.map((host) => taps.get(host)!),
    transports,
    ends,
    traces: new Map(ends.flatMap(({ name, key }) => tracesOf(name, key))),
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

/** Handshake, data that names the ends, pings and goodbye, both ways. */
async function useRoute(
  sim: Simulation,
  { ends, traces }: TappedLine,
  [dialled, accepted]: [RouteConnection, RouteConnection],
): Promise<void> {
  const names = concatBytes(...traces.values());
  const message = concatBytes(...Array.from({ length: Math.ceil(MESSAGE_BYTES / names.length) }, () => names));
  await sim.run(() =>
    Promise.all([
      dialled.write(message),
      accepted.write(message),
      readBytes(dialled, message.length),
      readBytes(accepted, message.length),
      dialled.ping(),
      accepted.ping(),
    ])
  );
  await sim.run(30_000);
  accepted.close();
  assert.equal(await sim.run(readText(dialled)), null);
  // What is left of the goodbye.
  await sim.run(3_000);
  for (const { router } of ends) assert.deepEqual(router.rules(), []);
}

/** A text that no hop may see. */
function betrayalOf({ ends }: TappedLine): string {
  return ends.map(({ name, key }) => `${key.toUpperCase()} at ${name}:7777`).join(", ");
}

function tracesOf(name: string, key: PublicKey): [string, Uint8Array][] {
  const text = new TextEncoder();
  return [
    // Without the first byte, which says which half of the curve: more than half a key is as bad as all of it.
    [`raw key of ${name}`, publicKeyBytes(key).subarray(1)],
    [`hex key of ${name}`, text.encode(key.slice(2))],
    [`address of ${name}`, text.encode(name)],
  ];
}

/** Which traces stand somewhere in these bytes. Upper and lower case are the same. */
function tracesIn(parts: readonly Uint8Array[], traces: ReadonlyMap<string, Uint8Array>): string[] {
  const lower = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes).toLowerCase();
  const texts = parts.map(lower);
  return [...traces].filter(([, bytes]) => texts.some((text) => text.includes(lower(bytes)))).map(([what]) => what);
}

/** A packet without its route id. */
function contentOf({ type, payload }: Packet): [number, string] {
  return [type, payload.toHex()];
}
