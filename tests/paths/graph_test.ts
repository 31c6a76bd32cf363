import assert from "node:assert/strict";
import fc from "fast-check";
import { at } from "../../lib/types/at.ts";
import { TransportGraph } from "../../lib/paths/graph.ts";
import { makeTransportEntry, type TransportEntry } from "../../lib/wire/transport_entry.ts";
import { makeVisor } from "../services/transport_discovery/support.ts";

const VISORS = [1, 2, 3, 4].map((number) => makeVisor(number).publicKey);

function entry(a: number, b: number, kind = "stcp"): TransportEntry {
  return makeTransportEntry(at(VISORS, a), at(VISORS, b), { kind, label: "" });
}

/** The neighbours of a visor and the cheapest transports to them, as text. */
function around(graph: TransportGraph, visor: number): string[] {
  const number = graph.numberOf(at(VISORS, visor));
  if (number === undefined) return [];
  const best = new Map<number, number>();
  const costs = graph.costs("hops"), arcs = graph.arcs(number);
  for (let i = 0; i < 2 * graph.degree(number); i += 2) {
    const other = at(arcs, i), transport = at(arcs, i + 1);
    if (!best.has(other)) assert.ok(i === 0 || arcs[i - 2] !== other);
    else assert.ok(arcs[i - 2] === other && graph.transport(at(arcs, i - 1)).id < graph.transport(transport).id);
    const known = best.get(other);
    if (known === undefined || at(costs, transport) < at(costs, known)) best.set(other, transport);
  }
  return [...best].map(([other, transport]) => `${graph.keyOf(other)} ${graph.transport(transport).id}`).sort();
}

Deno.test("TransportGraph joins both edges of a transport, and parts them when the last one is gone", () => {
  const graph = new TransportGraph();
  const [stcp, dmsg] = [entry(0, 1), entry(0, 1, "dmsg")];
  for (const one of [stcp, dmsg, stcp]) graph.add(one);
  assert.equal(graph.transportCount, 2);
  assert.deepEqual(around(graph, 0), [`${VISORS[1]} ${stcp.id}`]);
  assert.deepEqual(around(graph, 1), [`${VISORS[0]} ${stcp.id}`]);
  graph.remove(stcp.id);
  graph.remove(stcp.id);
  assert.deepEqual(around(graph, 0), [`${VISORS[1]} ${dmsg.id}`]);
  graph.remove(dmsg.id);
  assert.deepEqual([graph.transportCount, graph.visorCount, around(graph, 0)], [0, 0, []]);
});

Deno.test("TransportGraph prefers direct transports to those through messaging servers, whatever came first", () => {
  const types = ["dmsg", "stcpr", "sudph", "stcp"];
  const orders = [types, types.toReversed(), ["stcpr", "dmsg", "stcp", "sudph"]];
  const chosen = orders.map((order) => {
    const graph = new TransportGraph();
    for (const type of order) graph.add(entry(0, 1, type));
    return around(graph, 0).join();
  });
  assert.equal(new Set(chosen).size, 1);
  assert.ok(!chosen[0]?.includes(entry(0, 1, "dmsg").id));
});

Deno.test("TransportGraph counts a transport to oneself and joins nobody by it", () => {
  const graph = new TransportGraph();
  graph.add(entry(0, 0));
  assert.deepEqual([graph.transportCount, graph.visorCount], [1, 0]);
  graph.remove(entry(0, 0).id);
  assert.equal(graph.transportCount, 0);
});

Deno.test("TransportGraph gives the number of a visor that is gone to a new one", () => {
  const graph = new TransportGraph();
  for (let i = 0; i < 100; i++) {
    graph.add(entry(i % 4, (i + 1) % 4));
    graph.remove(entry(i % 4, (i + 1) % 4).id);
  }
  assert.equal(graph.bound, 2);
});

Deno.test("TransportGraph says the same as a list of transports, after any changes", () => {
  const change = fc.record({
    add: fc.boolean(),
    a: fc.nat(3),
    b: fc.nat(3),
    type: fc.constantFrom("stcp", "stcpr", "dmsg"),
  });
  fc.assert(fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
    const graph = new TransportGraph();
    const list = new Map<string, TransportEntry>();
    for (const { add, a, b, type } of changes) {
      const one = entry(a, b, type);
      if (add) {
        graph.add(one);
        list.set(one.id, one);
      } else {
        graph.remove(one.id);
        list.delete(one.id);
      }
    }
    for (const [visor, key] of VISORS.entries()) {
      const others = new Set(
        [...list.values()].filter(({ edges }) => edges.includes(key)).map(({ edges: [a, b] }) => a === key ? b : a),
      );
      others.delete(key);
      assert.deepEqual(around(graph, visor).map((text) => text.slice(0, 66)), [...others].sort());
    }
    assert.equal(graph.transportCount, list.size);
  }));
});

Deno.test("TransportGraph prices what its edges say, and nothing that does not work", () => {
  const graph = new TransportGraph();
  const one = entry(0, 1);
  graph.add({ ...one, latencyMs: 20, status: "working" });
  const first = at(graph.costs("latency"), 0);
  graph.add({ ...one, latencyMs: 40, status: "working" });
  assert.ok(at(graph.costs("latency"), 0) > first);
  graph.add({ ...one, latencyMs: 20, status: "not-working" });
  assert.deepEqual([graph.costs("latency")[0], graph.costs("hops")[0], graph.transportCount], [Infinity, Infinity, 1]);
  graph.add({ ...one, latencyMs: 20 });
  assert.equal(graph.costs("latency")[0], first);
  graph.remove(one.id);
  assert.equal(graph.costs("latency")[0], Infinity);
});
