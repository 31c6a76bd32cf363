import assert from "node:assert/strict";
import fc from "fast-check";
import { transportIdOf } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import {
  type EdgeStatus,
  formatStatuses,
  formatUnlisted,
  MAX_STATUSES,
  parseStatuses,
  parseUnlisted,
} from "../../lib/wire/transport_status.ts";

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => transportIdOf(Uint8Array.from(bytes)));

/** A figure that three digits can write. */
const figure = fc.nat(999).chain((digits) =>
  fc.constantFrom(1e-3, 1, 1e3).map((unit) => Number((digits * unit).toPrecision(3)))
);

const status: fc.Arbitrary<EdgeStatus> = fc.record({
  id,
  isWorking: fc.boolean(),
  lastsMs: fc.nat(),
  latencyMs: figure,
  throughputMBps: figure,
  resetsPerHour: figure,
}, { requiredKeys: ["id", "isWorking", "lastsMs"], noNullPrototype: true });

Deno.test("parseStatuses() gives what formatStatuses() wrote", () => {
  fc.assert(fc.property(fc.array(status, { maxLength: 20 }), (statuses) => {
    assert.deepEqual(parseStatuses(formatStatuses(statuses)), statuses);
  }));
});

Deno.test("formatStatuses() cuts figures to what means something", () => {
  const [one] = [{ id: transportIdOf(new Uint8Array(16)), isWorking: true, lastsMs: 1.5, latencyMs: 1.23456 }];
  assert.equal(
    formatStatuses([one]),
    '{"statuses":[{"t_id":"00000000-0000-0000-0000-000000000000","working":true,"lastsMs":2,"latencyMs":1.23}]}',
  );
});

Deno.test("a report of the most statuses is below what a discovery takes as a body; one more is refused", () => {
  const one: EdgeStatus = {
    id: transportIdOf(new Uint8Array(16).fill(255)),
    isWorking: false,
    lastsMs: 1e12,
    latencyMs: 1.23e-7,
    throughputMBps: 1.23e-7,
    resetsPerHour: 1.23e-7,
  };
  assert.ok(formatStatuses(Array(MAX_STATUSES).fill(one)).length < 65_536);
  const fault = parseStatuses(formatStatuses(Array(MAX_STATUSES + 1).fill(one)));
  assert.ok(fault instanceof Fault && fault.code === "transport-status/too-many");
});

const GOOD = { t_id: "00000000-0000-0000-0000-000000000001", working: true, lastsMs: 1 };

for (
  const [what, members] of Object.entries({
    "without id": { ...GOOD, t_id: undefined },
    "with an id that is none": { ...GOOD, t_id: "1" },
    "that does not say whether it works": { ...GOOD, working: undefined },
    "that works perhaps": { ...GOOD, working: 1 },
    "without duration": { ...GOOD, lastsMs: undefined },
    "that lasts less than nothing": { ...GOOD, lastsMs: -1 },
    "that lasts for ever": { ...GOOD, lastsMs: 1e13 },
    "with a latency in words": { ...GOOD, latencyMs: "low" },
    "with a negative throughput": { ...GOOD, throughputMBps: -1 },
  })
) {
  Deno.test(`parseStatuses() refuses a status ${what}`, () => {
    const fault = parseStatuses(JSON.stringify({ statuses: [members] }));
    assert.ok(fault instanceof Fault && fault.code === "transport-status/form");
  });
}

Deno.test("parseStatuses() and parseUnlisted() never throw", () => {
  for (
    const text of [
      "",
      "{",
      "null",
      "[]",
      "5",
      '{"statuses":{}}',
      '{"statuses":[null]}',
      '{"unlisted":[5]}',
      '{"unlisted":5}',
    ]
  ) {
    assert.ok(parseStatuses(text) instanceof Fault, text);
    assert.ok(parseUnlisted(text) instanceof Fault, text);
  }
  fc.assert(fc.property(fc.json(), (text) => void [parseStatuses(text), parseUnlisted(text)]));
});

Deno.test("parseUnlisted() gives what formatUnlisted() wrote", () => {
  fc.assert(fc.property(fc.array(id), (ids) => assert.deepEqual(parseUnlisted(formatUnlisted(ids)), ids)));
});
