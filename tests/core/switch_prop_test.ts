import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../lib/types/mod.ts";
import { SwitchLine } from "./switch_line.ts";
import { at } from "../../lib/types/at.ts";

Deno.test("Switch: any writes at both ends arrive complete and in order, whatever the pieces and pauses of reading", () => {
  const action = fc.oneof(
    fc.record({
      end: fc.nat(1),
      write: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 60_000 })),
    }),
    fc.record({ end: fc.nat(1), read: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 })) }),
    fc.record({ pass: fc.integer({ min: 1, max: 4_000 }) }),
    fc.constant("settle" as const),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 8 }),
      fc.array(action, { maxLength: 40 }),
      (length, pieces, actions) => {
        using line = new SwitchLine(length);
        let turn = 0;
        line.piece = () => at(pieces, turn++ % pieces.length);
        const ends = line.connect();
        const sent: Uint8Array[][] = [[], []];
        const got: Uint8Array[][] = [[], []];
        const read = (end: number, space: number): void => {
          const { core, group } = at(ends, end);
          if (space === 0) {
            const message = core.readMessage(group, line.now);
            if (message !== undefined) at(got, end).push(message);
          } else {
            const into = new Uint8Array(space);
            at(got, end).push(into.subarray(0, core.read(group, into, line.now)));
          }
        };
        for (const [i, step] of actions.entries()) {
          if (step === "settle") line.settle();
          else if ("pass" in step) line.pass(step.pass);
          else if ("read" in step) read(step.end, step.read);
          else {
            const bytes = new Uint8Array(step.write).fill(i + 1);
            const { core, group } = at(ends, step.end);
            at(sent, 1 - step.end).push(bytes.subarray(0, core.write(group, bytes, line.now)));
          }
        }
        line.settle();
        for (const end of [0, 1]) {
          // One read takes everything: no more was written than an inbox holds.
          read(end, 4 * 1024 * 1024);
          assert.deepEqual(concatBytes(...at(got, end)), concatBytes(...at(sent, end)));
        }
      },
    ),
    { numRuns: 60 },
  );
});
