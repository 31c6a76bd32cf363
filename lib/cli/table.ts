/** Tables for people, at most 80 columns wide. Tested in tests/cli/commands/transport_test.ts. */

import { styleText } from "node:util";
import Table from "cli-table3";
import { formatFigure } from "../runtime/mod.ts";

/** Draws rows under a head. Empty rows give `nothing`. */
export function formatTable(
  head: readonly string[],
  options: { readonly rows: readonly (readonly string[])[]; readonly nothing: string; readonly colours: boolean },
): string {
  if (options.rows.length === 0) return options.nothing;
  const table = new Table({
    head: head.map((text) => options.colours ? styleText("bold", text) : text),
    chars: {
      "top": "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      "bottom": "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      "left": "",
      "left-mid": "",
      "right": "",
      "right-mid": "",
      "mid": "",
      "mid-mid": "",
      "middle": "  ",
    },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  table.push(...options.rows.map((row) => [...row]));
  return table.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}

/** Bytes as people read them: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes, unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${formatFigure(value)} ${units[unit]}`;
}
