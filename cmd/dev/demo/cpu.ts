/** How much processor time the processes of the demo use (Linux; elsewhere there are no figures). */

import type { ProcessRecipe } from "./processes.ts";

/** The kernel counts in hundredths of a second on every platform that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time so far, by process name. */
export async function cpuSeconds(processes: readonly ProcessRecipe[]): Promise<ReadonlyMap<string, number>> {
  const seconds = new Map<string, number>();
  for (const { name, pid } of processes) {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
    if (stat === undefined) continue;
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    seconds.set(name, (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND);
  }
  return seconds;
}

/** What was used between two readings. */
export function cpuBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...after].map(([name, seconds]) => [name, Math.round((seconds - (before.get(name) ?? 0)) * 100) / 100]),
  );
}
