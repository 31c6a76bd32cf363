import assert from "node:assert/strict";
import { describeNetwork, describeOwn } from "../../../lib/cli/commands/transport.ts";
import type { NetworkTransport, TransportView } from "../../../lib/visor/mod.ts";
import { at } from "../../../lib/types/at.ts";
import type { PublicKey } from "../../../lib/types/mod.ts";
import { sleep } from "../../../lib/runtime/mod.ts";
import { commandTest } from "./two_visors.ts";

const EDGES = [`02${"ab".repeat(32)}`, `03${"cd".repeat(32)}`] as [PublicKey, PublicKey];

const WIDEST: NetworkTransport = {
  id: "eddd8617-499d-0238-b341-ea0908ef5201",
  type: "a-type-of-32-printable-characters",
  edges: EDGES,
  status: "not-working",
  since: "2026-11-25T14:14:50.123Z",
  latencyMs: 99_999.9,
};

Deno.test("transport ls --network fits 80 columns, whatever it shows", () => {
  const { since: _since, latencyMs: _latencyMs, ...unknown } = { ...WIDEST, type: "stcp", status: "unknown" } as const;
  const text = describeNetwork([WIDEST, unknown, { ...WIDEST, latencyMs: 0.04 }], { isTerminal: false });
  const lines = text.split("\n");
  assert.ok(lines.every((line) => line.length <= 80), text);
  assert.equal(lines.length, 4);
  assert.match(
    at(lines, 1),
    /^eddd8617 {2}a-typ… {2}02ababab–03cdcdcd {2}not-working {2}2026-11-25 14:14:50 {2}100000 ms$/,
  );
  assert.match(at(lines, 2), / {2}unknown +– +–$/);
});

Deno.test("transport ls fits 80 columns, whatever it shows", () => {
  const widest: TransportView = {
    ...WIDEST,
    remote: EDGES[0],
    label: "accepted",
    up: true,
    sentBytes: 999_900_000,
    receivedBytes: 999_900_000,
    since: "2026-11-25T14:14:50.123Z",
  };
  const text = describeOwn([widest, { ...widest, type: "stcp", up: false }], { isTerminal: false });
  assert.ok(text.split("\n").every((line) => line.length <= 80), text);
});

Deno.test("transport ls --network says so when there is nothing", () => {
  assert.match(describeNetwork([], { isTerminal: false }), /no transports/);
});

commandTest("skywire transport adds, lists and removes", async ({ sim, a, b, run, json }) => {
  assert.match((await run("transport", "ls")).out, /no transports/);
  const { transport } = await json("transport", "add", b.publicKey, "--type", "dmsg");
  assert.deepEqual([transport.type, transport.remote, transport.up], ["dmsg", b.publicKey, true]);
  assert.deepEqual((await json("transport", "ls")).transports.map(({ id }: { id: string }) => id), [transport.id]);
  // It is listed in the background.
  await sim.run(sleep(sim.runtimeFor("a").timers, 2_000));
  const { transports: [listed] } = await json("transport", "ls", "--network");
  assert.deepEqual([listed.id, [...listed.edges].sort()], [transport.id, [a.publicKey, b.publicKey].sort()]);
  assert.deepEqual(await json("transport", "rm", transport.id.slice(0, 8)), { removed: transport.id });
  assert.equal((await run("transport", "rm", transport.id)).code, 1);
});
