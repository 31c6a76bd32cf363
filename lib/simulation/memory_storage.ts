/** A folder of files in memory. Tested in tests/simulation/simulation_test.ts. */

import { UnavailableError } from "../errors/mod.ts";
import type { Storage, StorageLock } from "../runtime/mod.ts";

/** Storage in memory that can fail like a disk. */
export interface MemoryStorage extends Storage {
  /** While true, writes fail with `storage/write-failed`, as on a full disk. */
  full: boolean;
  /** Acts as if the process that uses it had died: the locks are free, the files stay. */
  crash(): void;
}

/** Makes an empty folder. */
export function createMemoryStorage(): MemoryStorage {
  const files = new Map<string, Uint8Array>();
  const locks = new Set<string>();
  return {
    path: undefined,
    full: false,
    crash: () => locks.clear(),
    read: (name): Promise<Uint8Array<ArrayBuffer> | undefined> => {
      const content = files.get(name);
      return Promise.resolve(content === undefined ? undefined : new Uint8Array(content));
    },
    write(name, content): Promise<void> {
      if (this.full) {
        return Promise.reject(new UnavailableError("storage/write-failed", `Write "${name}": the disk is full`));
      }
      files.set(name, new Uint8Array(content));
      return Promise.resolve();
    },
    lock(name): Promise<StorageLock | undefined> {
      if (locks.has(name)) return Promise.resolve(undefined);
      locks.add(name);
      const isNew = !files.has(name);
      files.set(name, new Uint8Array());
      return Promise.resolve({
        undo: (): Promise<void> => {
          if (isNew) files.delete(name);
          return Promise.resolve();
        },
        [Symbol.dispose]: () => void locks.delete(name),
      });
    },
    list: () => Promise.resolve([...new Set([...files.keys()].map((name) => name.replace(/\/.*/, "")))]),
    remove(name): Promise<void> {
      files.delete(name);
      return Promise.resolve();
    },
  };
}
