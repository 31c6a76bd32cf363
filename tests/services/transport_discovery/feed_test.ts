import assert from "node:assert/strict";
import fc from "fast-check";
import { createLocalFeed, type FeedEvent, type LocalFeed } from "../../../lib/services/transport_discovery/feed.ts";
import { decodeFeedEvent, formatFeedEvent } from "../../../lib/services/transport_discovery/feed_http.ts";
import { parseEvents } from "../../../lib/services/http/mod.ts";
import type { TransportId } from "../../../lib/types/mod.ts";
import { makeTransportEntry, type TransportEntry } from "../../../lib/wire/transport_entry.ts";
import { createSeededRandom } from "../../../lib/simulation/seeded_random.ts";
import { makeVisor } from "./support.ts";

const [A, B] = [makeVisor(1), makeVisor(2)];

function entry(number: number): TransportEntry {
  return makeTransportEntry(A.publicKey, B.publicKey, { kind: `t${number}`, label: "" });
}

/** A map and its feed, changed together as the rules do it. */
class TestMap {
  readonly transports = new Map<TransportId, TransportEntry>();
  readonly feed: LocalFeed;

  constructor(options: { readonly seed?: string; readonly remembered?: number } = {}) {
    this.feed = createLocalFeed({
      all: () => Promise.resolve([...this.transports.values()]),
      random: createSeededRandom(options.seed ?? "feed"),
      ...(options.remembered === undefined ? {} : { remembered: options.remembered }),
    });
  }

  add(added: TransportEntry): void {
    this.transports.set(added.id, added);
    this.feed.append([{ added }]);
  }

  remove(removed: TransportId): void {
    if (this.transports.delete(removed)) this.feed.append([{ removed }]);
  }
}

/** What a follower knows after some events. */
class Follower {
  readonly known = new Map<TransportId, TransportEntry>();
  position: string | undefined;

  apply(event: FeedEvent): void {
    if (event.type === "snapshot") {
      if (event.isFirst) this.known.clear();
      for (const entry of event.entries) this.known.set(entry.id, entry);
    } else {
      for (const change of event.changes) {
        if ("added" in change) this.known.set(change.added.id, change.added);
        else this.known.delete(change.removed);
      }
    }
    this.position = event.position ?? this.position;
  }

  /** Follows until there is nothing new. */
  async catchUp(map: TestMap): Promise<string[]> {
    const leaving = new AbortController();
    const seen: string[] = [];
    const events = map.feed.follow({ after: this.position, signal: leaving.signal })[Symbol.asyncIterator]();
    while (true) {
      const next = await Promise.race([events.next(), quiet()]);
      if (next === undefined) break;
      seen.push(next.value.type);
      this.apply(next.value);
    }
    leaving.abort();
    return seen;
  }
}

/** Resolves when everything that was ready to go on has gone on. */
function quiet(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
}

Deno.test("a follower without position begins with a snapshot and then hears of changes", async () => {
  const map = new TestMap(), follower = new Follower();
  map.add(entry(1));
  assert.deepEqual(await follower.catchUp(map), ["snapshot"]);
  map.add(entry(2));
  map.remove(entry(1).id);
  assert.deepEqual(await follower.catchUp(map), ["changes"]);
  assert.deepEqual([...follower.known.values()], [entry(2)]);
});

Deno.test("a follower of an empty map gets an empty snapshot, so that it knows that it knows everything", async () => {
  const map = new TestMap(), follower = new Follower();
  assert.deepEqual(await follower.catchUp(map), ["snapshot"]);
  assert.ok(follower.position !== undefined);
});

Deno.test("a snapshot of many transports comes in parts, and changes during it are not lost", async () => {
  const map = new TestMap(), follower = new Follower();
  for (let i = 0; i < 1201; i++) map.add(entry(i));
  const leaving = new AbortController();
  const events = map.feed.follow({ signal: leaving.signal })[Symbol.asyncIterator]();
  const next = async (): Promise<FeedEvent> => (await events.next()).value;
  const parts = [await next()];
  map.remove(entry(0).id);
  map.add(entry(5000));
  parts.push(await next(), await next());
  assert.deepEqual(
    parts.map((part) => part.type === "snapshot" && [part.isFirst, part.isLast, part.entries.length, !!part.position]),
    [[true, false, 500, false], [false, false, 500, false], [false, true, 201, true]],
  );
  parts.push(await next());
  for (const part of parts) follower.apply(part);
  assert.deepEqual(new Set(follower.known.keys()), new Set(map.transports.keys()));
  leaving.abort();
  await assert.rejects(next());
});

Deno.test("a follower that was away too long, or followed another run, begins anew", async () => {
  const map = new TestMap({ remembered: 3 }), follower = new Follower();
  await follower.catchUp(map);
  for (let i = 0; i < 7; i++) map.add(entry(i));
  assert.deepEqual(await follower.catchUp(map), ["snapshot"]);
  assert.equal(follower.known.size, 7);
  assert.deepEqual(await follower.catchUp(new TestMap({ seed: "another" })), ["snapshot"]);
  assert.equal(follower.known.size, 0);
  follower.position = "rubbish";
  assert.deepEqual(await follower.catchUp(map), ["snapshot"]);
});

Deno.test("a follower knows the map whenever it has caught up, whatever happened and however long it was away", async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("add" as const), what: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), what: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("catch up" as const), what: fc.constant(0) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const map = new TestMap({ remembered: 4 }), follower = new Follower();
      for (const { do: what, what: number } of [...steps, { do: "catch up", what: 0 } as const]) {
        if (what === "add") map.add(entry(number));
        if (what === "remove") map.remove(entry(number).id);
        if (what !== "catch up") continue;
        await follower.catchUp(map);
        assert.deepEqual(new Set(follower.known.keys()), new Set(map.transports.keys()));
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("decodeFeedEvent() gives what formatFeedEvent() wrote, and a fault for anything else", async () => {
  const events: FeedEvent[] = [
    { type: "snapshot", isFirst: true, isLast: false, entries: [entry(1), entry(2)] },
    { type: "snapshot", isFirst: false, isLast: true, entries: [], position: "0123456789abcdef-7" },
    { type: "changes", changes: [{ added: entry(1) }, { removed: entry(2).id }], position: "0123456789abcdef-9" },
    {
      type: "changes",
      changes: [
        { added: { ...entry(1), status: "working", latencyMs: 1.5, throughputMBps: 20, resetsPerHour: 0 } },
        { added: { ...entry(2), status: "not-working" } },
      ],
      position: "0123456789abcdef-11",
    },
  ];
  const text = events.map(formatFeedEvent).join("");
  const bytes = ReadableStream.from([new TextEncoder().encode(text)]);
  const read = await Array.fromAsync(parseEvents(bytes, { maxCharacters: 10_000 }));
  assert.deepEqual(read.map(decodeFeedEvent), events);
  for (const data of ["{", "5", "[]", '{"first":1}', '{"first":true,"last":true,"transports":[{}]}']) {
    assert.notEqual(decodeFeedEvent({ event: "snapshot", data, id: "1" })?.constructor, Object, data);
  }
  const bare = JSON.stringify({ t_id: entry(1).id, edges: entry(1).edges, type: "stcp", label: "" }).slice(0, -1);
  const figures = ['"status":"fine"', '"latencyMs":"1"', '"resetsPerHour":-1'];
  const additions = figures.map((figure) => `[{"added":${bare},${figure}}}]`);
  for (const data of ["{}", "[5]", '[{"removed":"x"}]', '[{"added":{}}]', ...additions]) {
    assert.notEqual(decodeFeedEvent({ event: "changes", data, id: "1" })?.constructor, Object, data);
  }
  assert.equal(decodeFeedEvent({ event: "later", data: "{}" }), undefined);
});
