/**
 * A bounded queue between a producer that is called back and a consumer that iterates: what listeners are made of.
 * Tested in tests/simulation/simulation_test.ts.
 */

import { Signal } from "./signal.ts";

/** See {@link createQueue}. */
export interface Queue<T> extends AsyncIterable<T> {
  /** Adds at the end. @returns false when the queue is full or closed: the caller keeps the item and disposes of it */
  push(item: T): boolean;
  /** Ends the iteration after the items that are already there. Harmless when repeated. */
  close(): void;
  /** Takes out what nobody has taken yet, for disposal after {@link Queue.close}. */
  drain(): T[];
  /** Items waiting. */
  readonly length: number;
}

/**
 * Makes a queue for one consumer.
 * @param capacity items that may wait, ≥ 1; more are refused, so that nobody can fill the memory from outside
 */
export function createQueue<T>(capacity: number): Queue<T> {
  const items: T[] = [];
  let closed = false;
  const changed = new Signal();

  async function* iterate(): AsyncGenerator<T> {
    while (true) {
      while (items.length > 0) yield items.shift() as T;
      if (closed) return;
      await changed.next();
    }
  }

  return {
    push(item: T): boolean {
      if (closed || items.length >= capacity) return false;
      items.push(item);
      changed.notify();
      return true;
    },
    close(): void {
      closed = true;
      changed.notify();
    },
    drain: (): T[] => items.splice(0),
    get length(): number {
      return items.length;
    },
    [Symbol.asyncIterator]: (): AsyncIterator<T> => iterate(),
  };
}
