/**
 * The latest events with ids, so that a client that was cut off goes on where it was. The journal begins with the first
 * client and ends some time after the last one has left. Without clients it watches nothing.
 */

import type { Clock, Random, Timers } from "../../runtime/mod.ts";
import { formatHex } from "../../types/mod.ts";
import type { VisorEvent } from "./view.ts";

/** Events that are remembered: minutes of a busy visor, some 500 KB. */
const REMEMBERED = 1_024;

/** How long after the last client has left, ms: a client that was cut off tries again well within that. */
const STAY_MS = 60_000;

/** An event, and where to go on from. */
export interface NumberedEvent {
  /** Names the event among those of the same journal. */
  readonly id: string;
  readonly event: VisorEvent;
}

/** What a journal is made of. */
export interface EventJournalDeps {
  readonly runtime: { readonly clock: Clock; readonly timers: Timers; readonly random: Random };
  /** All events from now on, until the signal aborts. */
  readonly watch: (signal: AbortSignal) => AsyncIterable<VisorEvent>;
}

/** See the top of the file. Disposing ends it. */
export class EventJournal implements Disposable {
  readonly #deps: EventJournalDeps;
  #record: EventRecord | undefined;
  #followers = 0;
  #cancelEnd: (() => void) | undefined;

  constructor(deps: EventJournalDeps) {
    this.#deps = deps;
  }

  /**
   * All events after one, until the signal aborts or the visor ends. What is not known any more is told by an event
   * `missed` in its place.
   * @param after the id of the last event that the client has seen; absent: from now on
   */
  async *follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    const record = this.#enter();
    try {
      yield* record.follow(after, signal);
    } finally {
      this.#leave();
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #enter(): EventRecord {
    this.#followers++;
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    return this.#record ??= new EventRecord(this.#deps);
  }

  #leave(): void {
    this.#followers--;
    if (this.#followers > 0 || this.#record === undefined) return;
    this.#cancelEnd = this.#deps.runtime.timers.after(STAY_MS, () => this.#end());
  }

  #end(): void {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    this.#record?.[Symbol.dispose]();
    this.#record = undefined;
  }
}

/** Events without a gap, from its beginning on; the latest are remembered. */
class EventRecord implements Disposable {
  readonly #clock: Clock;
  /** Tells its ids from those of other records. */
  readonly #name: string;
  readonly #events: VisorEvent[] = [];
  readonly #ending = new AbortController();
  readonly #wakers = new Set<() => void>();
  /** The number of the first event that is remembered. */
  #first = 0;

  constructor({ runtime, watch }: EventJournalDeps) {
    this.#clock = runtime.clock;
    this.#name = formatHex(runtime.random.bytes(4));
    void this.#run(watch(this.#ending.signal));
  }

  async *follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    const over = AbortSignal.any([signal, this.#ending.signal]);
    let wake = (): void => {};
    const waker = (): void => wake();
    this.#wakers.add(waker);
    over.addEventListener("abort", waker, { once: true });
    try {
      let next = after === undefined ? this.#end : this.#numberAfter(after);
      while (!over.aborted) {
        const event = next === undefined ? undefined : this.#events[next - this.#first];
        if (next === undefined || next < this.#first) {
          const count = next === undefined ? {} : { count: this.#first - next };
          const at = new Date(this.#clock.wallMs()).toISOString();
          next = this.#first;
          yield { id: this.#idOf(next - 1), event: { type: "missed", at, ...count } };
        } else if (event === undefined) await new Promise<void>((resolve) => wake = resolve);
        else yield { id: this.#idOf(next++), event };
      }
    } finally {
      this.#wakers.delete(waker);
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #run(events: AsyncIterable<VisorEvent>): Promise<void> {
    for await (const event of events) {
      this.#events.push(event);
      if (this.#events.length > REMEMBERED) {
        this.#events.shift();
        this.#first++;
      }
      for (const wake of this.#wakers) wake();
    }
    this.#ending.abort();
  }

  /** The number of the next event. */
  get #end(): number {
    return this.#first + this.#events.length;
  }

  #idOf(number: number): string {
    return `${this.#name}-${number}`;
  }

  /** Undefined when the id is none of this record. */
  #numberAfter(id: string): number | undefined {
    const [, name, digits] = /^([0-9a-f]+)-(-1|\d{1,15})$/.exec(id) ?? [];
    const number = Number(digits) + 1;
    return name === this.#name && number <= this.#end ? number : undefined;
  }
}
