/** Tells people that a command is still at work when it takes longer than a second. */

import { sleep, type Timers } from "../runtime/mod.ts";

/** Nothing is shown before, and then it is drawn anew as often, ms. */
const STEP_MS = 1_000;

const BAR_COLUMNS = 30;

/** How progress is shown. */
export interface ProgressOptions {
  readonly timers: Timers;
  /** Replaces the line of progress; an empty one removes it. */
  readonly show: (line: string) => void;
  /** How long the work should take, ms; undefined: nobody knows. */
  readonly expectedMs?: number | undefined;
}

/** Waits for work, and shows how long it has taken so far. @throws what the work throws */
export async function withProgress<T>(work: Promise<T>, options: ProgressOptions): Promise<T> {
  const done = new AbortController();
  const drawing = draw(options, done.signal);
  try {
    return await work;
  } finally {
    done.abort();
    await drawing;
  }
}

async function draw({ timers, show, expectedMs }: ProgressOptions, done: AbortSignal): Promise<void> {
  for (let elapsedMs = STEP_MS;; elapsedMs += STEP_MS) {
    await sleep(timers, STEP_MS, done).catch(() => {});
    if (done.aborted) return elapsedMs > STEP_MS ? show("") : undefined;
    const seconds = elapsedMs / 1_000;
    show(expectedMs === undefined ? `at work for ${seconds} s …` : `${bar(elapsedMs / expectedMs)} ${seconds} s`);
  }
}

function bar(share: number): string {
  const full = Math.min(BAR_COLUMNS, Math.round(share * BAR_COLUMNS));
  return "█".repeat(full) + "░".repeat(BAR_COLUMNS - full);
}
