import assert from "node:assert/strict";
import { formatFigure } from "../../lib/runtime/mod.ts";
import { formatBytes } from "../../lib/cli/table.ts";

Deno.test("formatFigure() shows three digits, and all before the point", () => {
  const shown = [0, 0.00012345, 0.654321, 1, 4.9, 9.996, 25.347, 99.949, 99.96, 100.4, 1234.5, -25.347, 600_000];
  assert.deepEqual(
    shown.map(formatFigure),
    ["0", "0.000123", "0.654", "1", "4.9", "10", "25.3", "99.9", "100", "100", "1235", "-25.3", "600000"],
  );
});

Deno.test("formatBytes() takes the unit that leaves three digits", () => {
  const shown = [0, 999, 999.4, 1_000, 1_536, 99_949, 999_499, 999_500, 12_345_678, 4e15];
  assert.deepEqual(
    shown.map(formatBytes),
    ["0 B", "999 B", "999 B", "1 kB", "1.54 kB", "99.9 kB", "999 kB", "1 MB", "12.3 MB", "4000 TB"],
  );
});
