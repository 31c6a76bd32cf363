import assert from "node:assert/strict";
import { QuestionTurns } from "../../../lib/services/route_finder/question_turns.ts";
import { monotonicMs } from "../../../lib/types/mod.ts";

/** Turns on a clock that the questions move themselves. */
function stage(): {
  readonly turns: QuestionTurns;
  readonly order: string[];
  ask(name: string, ms?: number): Promise<void>;
  pass(): void;
} {
  let nowMs = 0;
  const later: (() => void)[] = [];
  const turns = new QuestionTurns({
    clock: { monotonic: () => monotonicMs(nowMs) },
    timers: {
      after: (_ms, callback) => {
        later.push(callback);
        return () => {};
      },
    },
  });
  const order: string[] = [];
  return {
    turns,
    order,
    ask: (name, ms = 100) =>
      turns.run(name.slice(0, 1), () => {
        order.push(name);
        nowMs += ms;
      }),
    pass: () => later.splice(0).forEach((callback) => callback()),
  };
}

Deno.test("short questions are answered at once", async () => {
  const { ask, order } = stage();
  await Promise.all([ask("a1", 1), ask("a2", 1), ask("b1", 1)]);
  assert.deepEqual(order, ["a1", "a2", "b1"]);
});

Deno.test("after a long question the thread is free for a moment, and then each host has its turn", () => {
  const { ask, order, pass } = stage();
  for (const name of ["a1", "a2", "a3", "b1", "c1", "b2"]) void ask(name);
  assert.deepEqual(order, ["a1"]);
  for (let i = 0; i < 5; i++) pass();
  assert.deepEqual(order, ["a1", "a2", "b1", "c1", "a3", "b2"]);
});

Deno.test("a host that lets too many questions wait is refused, and others are not", async () => {
  const { ask, order, pass } = stage();
  for (let i = 0; i <= 64; i++) void ask(`a${i}`);
  await assert.rejects(ask("a65"), { code: "route-finder/busy" });
  void ask("b1");
  pass();
  pass();
  assert.deepEqual(order, ["a0", "a1", "b1"]);
});

Deno.test("a question that fails lets the next one have its turn", async () => {
  const { turns, ask, order, pass } = stage();
  void ask("a1");
  const failing = turns.run("a", () => {
    throw new Error("no route");
  });
  void ask("b1", 1);
  pass();
  await assert.rejects(failing, { message: "no route" });
  assert.deepEqual(order, ["a1", "b1"]);
});
