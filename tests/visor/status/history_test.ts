import assert from "node:assert/strict";
import { StatusHistory } from "../../../lib/visor/status/history.ts";
import { createVirtualTime } from "../../fakes/mod.ts";

Deno.test("StatusHistory tells since when each check has been in its state, whatever its detail", async () => {
  const time = createVirtualTime();
  const history = new StatusHistory(time.clock);
  const sinces = (...states: ("ok" | "failed")[]): string[] =>
    history.record(states.map((state, i) => ({ name: `check-${i}`, state, detail: time.clock.wallMs().toString() })))
      .map(({ since }) => since.slice(17, 19));
  assert.deepEqual(sinces("ok", "failed"), ["00", "00"]);
  await time.run(1_000);
  assert.deepEqual(sinces("ok", "ok"), ["00", "01"]);
  await time.run(1_000);
  assert.deepEqual(sinces("failed", "ok"), ["02", "01"]);
});
