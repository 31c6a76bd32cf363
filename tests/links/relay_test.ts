/** Two links joined: every order of end, break and slow reader, on either side. */

import assert from "node:assert/strict";
import { endLink, relay, type RelayEnd, type RelayOptions } from "../../lib/links/relay.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { simulationTest } from "../fakes/mod.ts";
import type { Simulation } from "../fakes/mod.ts";

/** Two programs whose links are joined in the middle. */
interface Stage {
  /** Far ends: what `a` writes, `b` reads. */
  readonly a: ByteLink;
  readonly b: ByteLink;
  /** How the relay ended; both of its links were told. */
  readonly ended: Promise<RelayEnd>;
}

async function joined(
  sim: Simulation,
  options: RelayOptions = {},
  change: (link: ByteLink, side: "a" | "b") => ByteLink = (link) => link,
): Promise<Stage> {
  const pairs: [ByteLink, ByteLink][] = [];
  for (const name of ["a", "b"]) {
    const listener = await sim.runtimeFor("middle").network.listen(`middle:${name === "a" ? 1 : 2}`);
    const accepting = listener[Symbol.asyncIterator]().next();
    const far = await sim.run(sim.runtimeFor(name).network.dial(listener.address));
    pairs.push([far, (await sim.run(accepting)).value]);
    listener.close();
  }
  const [[a, nearA], [b, nearB]] = pairs as [[ByteLink, ByteLink], [ByteLink, ByteLink]];
  const [left, right] = [change(nearA, "a"), change(nearB, "b")];
  const ended = relay({ link: left }, { link: right }, options).then((end) => {
    for (const link of [left, right]) endLink(link, end);
    return end;
  });
  return { a, b, ended };
}

/** Everything that comes until the end, as text; `broken` when it breaks. */
async function readAll(link: ByteLink): Promise<string> {
  const into = new Uint8Array(64);
  let text = "";
  try {
    for (let count = await link.read(into); count !== null; count = await link.read(into)) {
      text += new TextDecoder().decode(into.subarray(0, count));
    }
    return text;
  } catch {
    return `${text}|broken`;
  }
}

const say = (link: ByteLink, text: string): Promise<void> => link.write(new TextEncoder().encode(text));

/** The same from either side. */
function onBothSides(
  name: string,
  test: (
    sim: Simulation,
    pick: (stage: Stage) => [ByteLink, ByteLink],
    sides: readonly ["a" | "b", "a" | "b"],
  ) => Promise<void>,
): void {
  simulationTest(`${name}, from a`, (sim) => test(sim, ({ a, b }) => [a, b], ["a", "b"]));
  simulationTest(`${name}, from b`, (sim) => test(sim, ({ a, b }) => [b, a], ["b", "a"]));
}

onBothSides("one side ends, the other answers and ends: both in order", async (sim, pick) => {
  let relayed = 0;
  const stage = await joined(sim, { relayed: { add: (count = 1) => void (relayed += count) } });
  const [one, other] = pick(stage);
  await sim.run(say(one, "question"));
  one.closeWrite?.();
  assert.equal(await sim.run(readAll(other)), "question");
  await sim.run(say(other, "answer"));
  other.closeWrite?.();
  assert.equal(await sim.run(readAll(one)), "answer");
  assert.deepEqual(await sim.run(stage.ended), {});
  assert.equal(relayed, 14);
});

onBothSides("both sides end at once", async (sim, pick) => {
  const stage = await joined(sim);
  const [one, other] = pick(stage);
  await sim.run(Promise.all([say(one, "1"), say(other, "2")]));
  one.closeWrite?.();
  other.closeWrite?.();
  assert.deepEqual(await sim.run(Promise.all([readAll(one), readAll(other)])), ["2", "1"]);
  assert.deepEqual(await sim.run(stage.ended), {});
});

onBothSides("a side that breaks off breaks the other", async (sim, pick, [from]) => {
  const stage = await joined(sim);
  const [one, other] = pick(stage);
  await sim.run(say(one, "cut"));
  const reading = readAll(other);
  await sim.run(100);
  one.reset?.();
  assert.equal(await sim.run(reading), "cut|broken");
  await assert.rejects(sim.run(say(other, "late")));
  assert.deepEqual(await sim.run(stage.ended), { broken: from });
});

onBothSides("a side that ends and then breaks off breaks the other", async (sim, pick, [from]) => {
  const stage = await joined(sim);
  const [one, other] = pick(stage);
  await sim.run(say(one, "all"));
  one.closeWrite?.();
  assert.equal(await sim.run(readAll(other)), "all");
  one.reset?.();
  await sim.run(100);
  // Only a write finds out that nobody reads any more: the direction from there has ended.
  for (let i = 0; i < 3; i++) await sim.run(say(other, "answer").catch(() => {}).then(() => {}));
  await sim.run(100);
  assert.deepEqual(await sim.run(stage.ended), { broken: from });
  await assert.rejects(sim.run(say(other, "late")));
});

onBothSides("a side whose other side has ended breaks off: a break, not an end", async (sim, pick, [from]) => {
  const stage = await joined(sim);
  const [one, other] = pick(stage);
  other.closeWrite?.();
  assert.equal(await sim.run(readAll(one)), "");
  await sim.run(say(one, "half"));
  const reading = readAll(other);
  await sim.run(100);
  one.reset?.();
  assert.equal(await sim.run(reading), "half|broken");
  assert.deepEqual(await sim.run(stage.ended), { broken: from });
});

onBothSides("a slow reader holds the writer up, and gets everything in the end", async (sim, pick) => {
  const stage = await joined(sim);
  const [one, other] = pick(stage);
  const length = 3 << 20;
  let isWritten = false;
  const writing = one.write(new Uint8Array(length).fill(7)).then(() => isWritten = true);
  await sim.run(10_000);
  assert.equal(isWritten, false, "memory is bounded");
  const into = new Uint8Array(1 << 16);
  let got = 0;
  const reading = (async () => {
    while (got < length) got += await other.read(into) ?? assert.fail("ended");
  })();
  await sim.run(Promise.all([writing, reading]));
  one.closeWrite?.();
  assert.equal(await sim.run(other.read(into)), null);
  other.close();
  assert.deepEqual(await sim.run(stage.ended), {});
});

onBothSides("a slow reader that breaks off breaks its writer", async (sim, pick, [, to]) => {
  const stage = await joined(sim);
  const [one, other] = pick(stage);
  const writing = one.write(new Uint8Array(3 << 20));
  const failing = assert.rejects(writing);
  await sim.run(1_000);
  other.reset?.();
  await sim.run(failing);
  assert.deepEqual(await sim.run(stage.ended), { broken: to });
});

onBothSides("where ends go together, one end ends both directions after all bytes", async (sim, pick) => {
  const stage = await joined(sim, { endsTogether: true });
  const [one, other] = pick(stage);
  await sim.run(say(one, "last"));
  one.closeWrite?.();
  assert.equal(await sim.run(readAll(other)), "last");
  assert.deepEqual(await sim.run(stage.ended), {});
  assert.equal(await sim.run(readAll(one)), "");
});

onBothSides("a link that can only end as a whole ends the relay", async (sim, pick) => {
  const stage = await joined(sim, {}, (link) => ({
    remoteAddress: link.remoteAddress,
    read: (into) => link.read(into),
    write: (bytes) => link.write(bytes),
    close: () => link.close(),
  }));
  const [one, other] = pick(stage);
  await sim.run(say(one, "last"));
  one.close();
  assert.equal(await sim.run(readAll(other)), "last");
  assert.deepEqual(await sim.run(stage.ended), {});
});

simulationTest("a relay in which nothing moves ends as a break, sooner when it is half closed", async (sim) => {
  const { clock, timers } = sim.runtimeFor("middle");
  const idle = { clock, timers, ms: 1_800_000 };
  for (const [isHalfClosed, limitMs] of [[false, 1_800_000], [true, 300_000]] as const) {
    const { a, b, ended } = await joined(sim, { idle });
    await sim.run(say(a, "x"));
    if (isHalfClosed) a.closeWrite?.();
    const reading = readAll(b);
    const since = sim.nowMs;
    assert.deepEqual(await sim.run(ended), { broken: "idle" });
    assert.ok(Math.abs(sim.nowMs - since - limitMs) < 100, `${sim.nowMs - since}`);
    assert.equal(await sim.run(reading), isHalfClosed ? "x" : "x|broken");
  }
});

simulationTest("a relay that is aborted passes a break on to both sides", async (sim) => {
  const abort = new AbortController();
  const { a, b, ended } = await joined(sim, { signal: abort.signal });
  await sim.run(say(a, "x"));
  const reading = [readAll(a), readAll(b)];
  await sim.run(100);
  abort.abort();
  assert.deepEqual(await sim.run(ended), { broken: "aborted" });
  assert.deepEqual(await sim.run(Promise.all(reading)), ["|broken", "x|broken"]);
});
