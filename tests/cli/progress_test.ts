import assert from "node:assert/strict";
import { withProgress } from "../../lib/cli/progress.ts";
import { sleep } from "../../lib/runtime/mod.ts";
import { createVirtualTime } from "../fakes/mod.ts";

/** What is shown while work takes so long. */
async function shownDuring(ms: number, expectedMs?: number): Promise<string[]> {
  const { run, timers } = createVirtualTime();
  const shown: string[] = [];
  const work = async (): Promise<string> => {
    await sleep(timers, ms);
    return "done";
  };
  const options = { timers, show: (line: string) => void shown.push(line), expectedMs };
  assert.equal(await run(withProgress(work(), options)), "done");
  return shown;
}

Deno.test("withProgress() shows nothing of what takes a second at most", async () => {
  assert.deepEqual(await shownDuring(900), []);
});

Deno.test("withProgress() tells every second how long it has taken, and cleans up", async () => {
  assert.deepEqual(await shownDuring(2_500), ["at work for 1 s …", "at work for 2 s …", ""]);
});

Deno.test("withProgress() draws a bar where the time is known, full when it takes longer", async () => {
  const [half, , , late, end] = await shownDuring(4_500, 2_000);
  assert.equal(half, `${"█".repeat(15)}${"░".repeat(15)} 1 s`);
  assert.equal(late, `${"█".repeat(30)} 4 s`);
  assert.equal(end, "");
});

Deno.test("withProgress() cleans up after a failure, too", async () => {
  const { run, timers } = createVirtualTime();
  const shown: string[] = [];
  const work = sleep(timers, 1_500).then(() => Promise.reject(new Error("it broke")));
  await assert.rejects(run(withProgress(work, { timers, show: (line) => void shown.push(line) })), /it broke/);
  assert.equal(shown.at(-1), "");
});
