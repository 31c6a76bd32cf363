/** Loops to a neighbour and back, which v1.3's `cli visor ping` dials. */

import assert from "node:assert/strict";
import { createRouteFinder } from "../../lib/services/route_finder/mod.ts";
import type { MapTransport } from "../../lib/services/transport_discovery/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { makeTransportEntry } from "../../lib/wire/transport_entry.ts";
import { ask, makeWorld } from "../services/http/support.ts";
import { makeVisor } from "../services/transport_discovery/support.ts";
import { feedOf } from "./support.ts";

const [A, B, C, D] = [makeVisor(1), makeVisor(2), makeVisor(3), makeVisor(4)].map(({ publicKey }) => publicKey) as [
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
];

const RELAYED = makeTransportEntry(A, B, { kind: "dmsg", label: "" });
const DIRECT = makeTransportEntry(A, C, { kind: "stcpr", label: "" });
const MAP: readonly MapTransport[] = [
  RELAYED,
  DIRECT,
  { ...makeTransportEntry(A, D, { kind: "stcp", label: "" }), status: "not-working" },
];

/** What the finder answers to these pairs: its status, and the routes of the last one. */
async function answer(edges: readonly string[], hops: { min: number; max: number }): Promise<[number, unknown]> {
  const finder = createRouteFinder({ runtime: makeWorld(0n).runtime, feed: feedOf(MAP) });
  await finder.ready;
  const body = JSON.stringify({ Edges: edges, Opts: { MinHops: hops.min, MaxHops: hops.max } });
  const { status, text } = await ask(finder.fetch, { method: "POST", path: "/routes", body });
  await finder.close();
  return [status, Object.values(JSON.parse(text))[0]];
}

function loop({ id, edges }: MapTransport): unknown {
  const [to] = edges.filter((key) => key !== A);
  return [{ TpID: id, From: A, To: to }, { TpID: id, From: to, To: A }];
}

Deno.test("the ping of v1.3 gets loops over neighbours, direct ones first, and none over what does not work", async () => {
  const twice = [`${A}:${A}`, `${A}:${A}`];
  assert.deepEqual(await answer(twice, { min: 0, max: 2 }), [200, [loop(DIRECT), loop(RELAYED)]]);
  assert.deepEqual(await answer(twice, { min: 1, max: 50 }), [200, [loop(DIRECT), loop(RELAYED)]]);
});

Deno.test("a loop is given within the limits of hops only, and to nobody else who asks for the way to itself", async () => {
  const twice = [`${A}:${A}`, `${A}:${A}`];
  assert.deepEqual(await answer(twice, { min: 0, max: 1 }), [200, [null]]);
  assert.equal((await answer(twice, { min: 3, max: 5 }))[0], 404);
  assert.deepEqual(await answer([`${A}:${A}`], { min: 0, max: 2 }), [200, [null]]);
  assert.equal((await answer([`${A}:${A}`], { min: 1, max: 2 }))[0], 404);
  // A visor without a transport that works.
  assert.deepEqual(await answer([`${D}:${D}`, `${D}:${D}`], { min: 0, max: 2 }), [200, [null]]);
});
