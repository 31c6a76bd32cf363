import assert from "node:assert/strict";
import { createQueue } from "../../../lib/runtime/mod.ts";
import { createSeededRandom } from "../../../lib/simulation/seeded_random.ts";
import { EventJournal, type NumberedEvent } from "../../../lib/visor/events/journal.ts";
import type { VisorEvent } from "../../../lib/visor/events/view.ts";
import { createVirtualTime, type VirtualTime } from "../../fakes/mod.ts";

/** A journal of events that a test makes: each is named by its number. */
class Stage {
  readonly time: VirtualTime = createVirtualTime();
  readonly journal: EventJournal;
  /** How often the journal has begun to watch. */
  watches = 0;
  #queue = createQueue<VisorEvent>(10_000);
  #told = 0;

  constructor() {
    const { clock, timers } = this.time;
    this.journal = new EventJournal({
      runtime: { clock, timers, random: createSeededRandom("journal") },
      watch: (signal) => {
        this.watches++;
        const queue = this.#queue = createQueue<VisorEvent>(10_000);
        signal.addEventListener("abort", () => queue.close());
        return queue;
      },
    });
  }

  tell(count: number): void {
    for (let i = 0; i < count; i++) {
      const setupMs = this.#told++;
      this.#queue.push({ type: "route-set-up", at: "now", setupMs } as VisorEvent);
    }
  }

  /** Follows until so many events have come. */
  async follow(after: string | undefined, count: number): Promise<NumberedEvent[]> {
    const leaving = new AbortController(), seen: NumberedEvent[] = [];
    const events = this.journal.follow(after, leaving.signal);
    while (seen.length < count) seen.push((await events.next()).value);
    leaving.abort();
    assert.equal((await events.next()).done, true);
    return seen;
  }
}

const numbersOf = (seen: readonly NumberedEvent[]) =>
  seen.map(({ event }) => event.type === "route-set-up" ? event.setupMs : event.type);

Deno.test("EventJournal goes on after any id that it gave, without gap or repeat", async () => {
  const stage = new Stage();
  const first = stage.follow(undefined, 5);
  stage.tell(10);
  const seen = await first;
  assert.deepEqual(numbersOf(seen), [0, 1, 2, 3, 4]);
  for (const [i, { id }] of seen.entries()) {
    assert.deepEqual(numbersOf(await stage.follow(id, 9 - i)), [1, 2, 3, 4, 5, 6, 7, 8, 9].slice(i));
  }
  assert.equal(stage.watches, 1);
  stage.journal[Symbol.dispose]();
});

Deno.test("EventJournal remembers 1,024 events, and says how many before them are lost", async () => {
  const stage = new Stage();
  const first = stage.follow(undefined, 1);
  stage.tell(3_000);
  const [{ id } = assert.fail()] = await first;
  await stage.time.run(1);
  const seen = await stage.follow(id, 1_025);
  const [missed] = seen;
  assert.ok(missed?.event.type === "missed");
  assert.equal(missed.event.count, 3_000 - 1 - 1_024);
  assert.deepEqual(numbersOf(seen.slice(1)), Array.from({ length: 1_024 }, (_, i) => 3_000 - 1_024 + i));
  assert.deepEqual(numbersOf(await stage.follow(missed.id, 2)), [1_976, 1_977], "one can go on from there, too");
  stage.journal[Symbol.dispose]();
});

Deno.test("EventJournal ends a minute after its last client, and says that what was meanwhile is not known", async () => {
  const stage = new Stage();
  const first = stage.follow(undefined, 1);
  stage.tell(2);
  const [{ id } = assert.fail()] = await first;
  await stage.time.run(59_000);
  assert.deepEqual(numbersOf(await stage.follow(id, 1)), [1]);
  await stage.time.run(61_000);
  assert.equal(stage.time.pendingTimers, 0);
  const late = stage.follow(id, 2);
  stage.tell(1);
  const [missed, next] = await late;
  assert.ok(missed?.event.type === "missed" && missed.event.count === undefined);
  assert.deepEqual(numbersOf([next!]), [2]);
  assert.equal(stage.watches, 2);
  for (const unknown of ["", "banana", `${id}0`, "00000000-5", id.replace(/^./, "g")]) {
    const [first] = await stage.follow(unknown, 1);
    assert.equal(first?.event.type, "missed", unknown);
  }
  stage.journal[Symbol.dispose]();
  assert.equal(stage.time.pendingTimers, 0);
});
