/** One piece of work after the other. Tested in tests/services/http/auth_test.ts. */

/** Runs work when all work given before has ended, and gives its result. Failed work does not stop what follows. */
export type Serial = <T>(work: () => Promise<T>) => Promise<T>;

/** Makes a queue without members. */
export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

/**
 * Runs work of the same key one after the other, of different keys at once. Keys without work take no memory.
 */
export function createKeyedSerial<Key>(): <T>(key: Key, work: () => Promise<T>) => Promise<T> {
  const last = new Map<Key, Promise<unknown>>();
  return <T>(key: Key, work: () => Promise<T>): Promise<T> => {
    const before = last.get(key);
    const result = before === undefined ? work() : before.then(work);
    const settled = result.catch(() => {}).finally(() => {
      if (last.get(key) === settled) last.delete(key);
    });
    last.set(key, settled);
    return result;
  };
}
