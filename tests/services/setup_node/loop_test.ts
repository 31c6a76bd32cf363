/** The loop to a neighbour and back, which v1.3's `cli visor ping` has set up: the only path that visits a visor twice. */

import assert from "node:assert/strict";
import { decodeRule, type Rule } from "../../../lib/core/mod.ts";
import type { PublicKey } from "../../../lib/types/mod.ts";
import { simulationTest } from "../../fakes/mod.ts";
import { A, B, C, routeVia, stage, type Table } from "./stage.ts";

/** The kinds of the rules that a packet meets, from the first one on. */
function follow(rule: Rule, tables: readonly Table[]): string[] {
  const kinds: string[] = [rule.type];
  for (
    let at: Rule | undefined = rule, hop = 0;
    at !== undefined && at.type !== "consume" && hop < tables.length;
    hop++
  ) {
    const next: Rule | undefined = tables[hop]?.rules.get(at.nextRouteId);
    kinds.push(next?.type ?? "nothing");
    at = next;
  }
  return kinds;
}

simulationTest(
  "a setup node sets up the loop of v1.3's ping, both ends of which are the visor that asks",
  async (sim) => {
    const { visor, ask, stack } = stage(sim);
    const [a, b] = [visor(A), visor(B)];
    const initiator = await sim.run(ask(routeVia([A, B, A])));
    const forward = decodeRule(initiator.forward), consume = decodeRule(initiator.consume);
    assert.deepEqual(follow(forward, [b, a]), ["forward", "intermediary", "consume"]);
    // Of the other direction, A holds the first rule as responder and the last one as initiator.
    const back = [...a.rules.values()].find((rule) => rule.type === "forward");
    assert.ok(back !== undefined);
    a.rules.set(consume.routeId, consume);
    assert.deepEqual(follow(back, [b, a]), ["forward", "intermediary", "consume"]);
    assert.deepEqual([a.rules.size, b.rules.size], [3, 2]);
    await sim.run(stack.disposeAsync());
  },
);

simulationTest("a setup node refuses longer ways back to the source, and those without a neighbour", async (sim) => {
  const { visor, ask, stack } = stage(sim);
  for (const key of [A, B, C]) visor(key);
  for (const visors of [[A, B, C, A], [A, B, A, B, A], [A, A], [A, A, A]] satisfies PublicKey[][]) {
    await assert.rejects(sim.run(ask(routeVia(visors))), (error: { details?: { message?: string } }) => {
      assert.equal(error.details?.message, "a path visits a visor twice");
      return true;
    });
  }
  await sim.run(stack.disposeAsync());
});
