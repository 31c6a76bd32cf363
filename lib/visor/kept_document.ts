/**
 * A JSON file of the data folder that the visor reads once and changes while it runs. Changes are made one after the other,
 * each on what the one before it left; each counts once it is on disk, and one that could not be written never was.
 */

import type * as v from "valibot";
import { formatJsonFile, parseWith } from "../check/mod.ts";
import type { Storage } from "../runtime/mod.ts";
import { createSerial } from "../services/http/mod.ts";

/** What a document is kept as. */
export interface KeptDocumentOptions<T> {
  /** The data folder. */
  readonly storage: Pick<Storage, "read" | "write">;
  /** The file, such as `transports.json`. */
  readonly name: string;
  /** Checks the file. Members that a later version wrote should pass, so that they are written back. */
  readonly schema: v.GenericSchema<unknown, T>;
  /** What there is while there is no file. */
  readonly empty: T;
}

/** See the top of the file. */
export class KeptDocument<T> {
  readonly #options: KeptDocumentOptions<T>;
  readonly #inOrder = createSerial();
  #value: T;
  #isLoaded = false;

  /** Reads nothing yet. */
  constructor(options: KeptDocumentOptions<T>) {
    this.#options = options;
    this.#value = options.empty;
  }

  /** The latest that is on disk; `empty` before it is loaded. */
  get value(): T {
    return this.#value;
  }

  /**
   * Reads the file, unless that was done.
   * @throws {RefusedError} `config/invalid`, naming each member that is wrong
   * @throws {UnavailableError} `storage/read-failed`
   */
  load(): Promise<T> {
    return this.#inOrder(() => this.#load());
  }

  /**
   * Changes the document, which is read first if it was not. Resolves when the change is on disk.
   * @param change makes the next value of the latest one; what it throws leaves everything as it was
   * @throws {UnavailableError} `storage/write-failed`: nothing was changed; as {@link KeptDocument.load}
   */
  change(change: (value: T) => T): Promise<T> {
    return this.#inOrder(async () => {
      const next = change(await this.#load());
      const { storage, name } = this.#options;
      await storage.write(name, new TextEncoder().encode(formatJsonFile(next)));
      return this.#value = next;
    });
  }

  async #load(): Promise<T> {
    if (this.#isLoaded) return this.#value;
    const { storage, name, schema } = this.#options;
    const bytes = await storage.read(name);
    if (bytes !== undefined) this.#value = parseWith(schema, { text: new TextDecoder().decode(bytes), name });
    this.#isLoaded = true;
    return this.#value;
  }
}
