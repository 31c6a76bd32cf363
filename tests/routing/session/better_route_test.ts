import assert from "node:assert/strict";
import type { RatedPath } from "../../../lib/routing/route_choice.ts";
import { BetterRoute } from "../../../lib/routing/session/better_route.ts";
import { at } from "../../../lib/types/at.ts";
import type { Path, PublicKey, TransportId } from "../../../lib/types/mod.ts";

const KEY = "02".padEnd(66, "0") as PublicKey;

function rated(name: string, cost: number, isLastResort = false): RatedPath {
  const hops: Path = [{ transportId: name as TransportId, from: KEY, to: KEY }];
  return { hops, cost, isLastResort };
}

const nameOf = (path: Path | undefined): string | undefined => path && at(path, 0).transportId;

Deno.test("A route of half the cost is gone to once it has been so for 30 s", () => {
  const better = new BetterRoute();
  const compared = { current: rated("long", 4), best: rated("short", 2) };
  assert.equal(better.look(compared, 0), undefined);
  assert.equal(better.look(compared, 29_999), undefined);
  assert.equal(nameOf(better.look(compared, 30_000)), "short");
});

Deno.test("A route that is only a little better is not gone to, and one that was not better meanwhile waits anew", () => {
  const better = new BetterRoute();
  const compared = { current: rated("long", 4), best: rated("short", 2) };
  better.look(compared, 0);
  assert.equal(better.look({ current: rated("long", 4), best: rated("short", 3) }, 20_000), undefined);
  assert.equal(better.look(compared, 31_000), undefined);
  assert.equal(better.look({ current: rated("long", 4), best: rated("other", 1) }, 62_000), undefined, "another one");
  assert.equal(nameOf(better.look({ current: rated("long", 4), best: rated("other", 1) }, 92_000)), "other");
});

Deno.test("A last resort is left at once for any other way, and never gone to", () => {
  const better = new BetterRoute();
  assert.equal(nameOf(better.look({ current: rated("relayed", 1, true), best: rated("direct", 3) }, 0)), "direct");
  const relayed = { current: rated("long", 4), best: rated("relayed", 1, true) };
  better.look(relayed, 0);
  assert.equal(better.look(relayed, 60_000), undefined);
});

Deno.test("The route in use is not better than itself", () => {
  const better = new BetterRoute();
  const compared = { current: rated("one", 0), best: rated("one", 0) };
  better.look(compared, 0);
  assert.equal(better.look(compared, 60_000), undefined);
});
