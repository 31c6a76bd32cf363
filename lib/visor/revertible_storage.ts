/** Files whose changes can be taken back: a start that fails leaves the data folder as it was. */

import type { Storage, StorageLock } from "../runtime/mod.ts";

/** See the top of the file. */
export class RevertibleStorage implements Storage {
  readonly #storage: Storage;
  /** What the changed files held; undefined: they were not there. Undefined as a whole once changes stay. */
  #before: Map<string, Uint8Array | undefined> | undefined = new Map();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The folder on disk; undefined in memory. */
  get path(): string | undefined {
    return this.#storage.path;
  }

  /** As of any storage. */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#storage.read(name);
  }

  /** As of any storage. */
  list(): Promise<readonly string[]> {
    return this.#storage.list();
  }

  /** As of any storage. */
  lock(name: string): Promise<StorageLock | undefined> {
    return this.#storage.lock(name);
  }

  /** As of any storage. */
  async write(name: string, content: Uint8Array): Promise<void> {
    await this.#remember(name);
    await this.#storage.write(name, content);
  }

  /** As of any storage. */
  async remove(name: string): Promise<void> {
    await this.#remember(name);
    await this.#storage.remove(name);
  }

  /** Remembers that somebody else makes files, which are not there yet. */
  noteNew(names: readonly string[]): void {
    for (const name of names) this.#before?.set(name, undefined);
  }

  /** What was changed stays. */
  keep(): void {
    this.#before = undefined;
  }

  /** Takes all changes back that are not to stay. */
  async revert(): Promise<void> {
    const before = this.#before ?? [];
    this.keep();
    for (const [name, content] of before) {
      await (content === undefined ? this.#storage.remove(name) : this.#storage.write(name, content));
    }
  }

  async #remember(name: string): Promise<void> {
    if (this.#before === undefined || this.#before.has(name)) return;
    const content = await this.#storage.read(name);
    this.#before?.set(name, content);
  }
}
