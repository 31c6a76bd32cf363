import assert from "node:assert/strict";
import fc from "fast-check";
import { EVENT_COMMENT, formatEvent, parseEvents, type ServerEvent } from "../../../lib/services/http/mod.ts";

async function parseAll(text: string, cutEvery: number): Promise<ServerEvent[]> {
  const bytes = new TextEncoder().encode(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += cutEvery) chunks.push(bytes.slice(at, at + cutEvery));
  return await Array.fromAsync(parseEvents(ReadableStream.from(chunks), { maxCharacters: 1000 }));
}

const eventArbitrary: fc.Arbitrary<ServerEvent> = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{1,8}-\d{1,8}$/),
  event: fc.constantFrom("snapshot", "added", "removed"),
  data: fc.json().map((text) => text.slice(0, 200) || "null"),
}, { requiredKeys: ["event", "data"], noNullPrototype: true });

Deno.test("parseEvents() gives what formatEvent() wrote, however the bytes are cut", async () => {
  await fc.assert(fc.asyncProperty(fc.array(eventArbitrary, { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), async (
    events,
    cut,
  ) => {
    const text = events.map((event) => EVENT_COMMENT + formatEvent(event)).join("");
    assert.deepEqual(await parseAll(text, cut), events);
  }));
});

Deno.test("parseEvents() survives any text", async () => {
  await fc.assert(fc.asyncProperty(fc.string(), async (text) => void await parseAll(text, 3)));
});

Deno.test("parseEvents() refuses an event without end", async () => {
  await assert.rejects(parseAll("data: " + "x".repeat(2000), 100), { code: "http/event-too-long" });
});
