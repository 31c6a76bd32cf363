/**
 * The data folder of a visor: its lock, keys and configuration. What capabilities keep there is theirs, see `KeptDocument`.
 * Every file is written as a whole or not at all, and is readable by its owner only.
 */

import { formatJsonFile } from "../check/mod.ts";
import { parseVisorConfig, type VisorConfig } from "./config/visor_config.ts";
import { generateSecretKey, isValidSecretKey } from "../core/mod.ts";
import { RefusedError } from "../errors/mod.ts";
import type { Random, Storage } from "../runtime/mod.ts";
import { formatHex, parseHex, SecretKey } from "../types/mod.ts";
import { CONTROL_FILE, type ControlFile } from "./control/file.ts";
import { RevertibleStorage } from "./revertible_storage.ts";

const LOCK_FILE = "visor.lock";
const KEY_FILE = "visor.key";
const CONFIG_FILE = "config.json";

/** Each of them is in every folder that a visor has used. */
const MARKS: readonly string[] = [LOCK_FILE, KEY_FILE];

/** What people may have prepared for a visor, or found there: nothing else is harmed by one. */
const HARMLESS: readonly string[] = [CONFIG_FILE, "transports.json", "proxies.json", "names.json", "lost+found"];

/** SQLite's files beside a database, and the database itself. */
const DATABASE_FILES = ["", "-wal", "-shm"];

/** The folder while a visor has it. Disposing frees it, and leaves it as it was unless it is to stay as it is. */
export interface TakenFolder extends AsyncDisposable {
  /** The visor has started: what it has written stays. */
  keep(): void;
}

/** Typed access to the files of one data folder. */
export class DataFolder {
  /** For what capabilities keep. */
  readonly storage: Storage;
  readonly #files: RevertibleStorage;
  readonly #random: Random;
  #atFirst: readonly string[] = [];

  constructor(storage: Storage, random: Random) {
    this.storage = this.#files = new RevertibleStorage(storage);
    this.#random = random;
  }

  /** The folder on disk; undefined in memory. */
  get path(): string | undefined {
    return this.storage.path;
  }

  /**
   * Takes the folder for this visor: two on one folder would both be «the» visor of its key.
   * @throws {RefusedError} `visor/already-running`; `visor/foreign-folder` when it holds files, and none of a visor
   */
  async take(): Promise<TakenFolder> {
    this.#atFirst = await this.storage.list();
    await this.#refuseForeign(this.#atFirst);
    const lock = await this.storage.lock(LOCK_FILE);
    if (lock === undefined) {
      throw new RefusedError(
        "visor/already-running",
        `Start the visor: one runs already on the data folder "${this.path}"; stop it, or name another with --data`,
      );
    }
    let isKept = false;
    return {
      keep: (): void => {
        isKept = true;
        this.#files.keep();
      },
      [Symbol.asyncDispose]: async (): Promise<void> => {
        using _freed = lock;
        if (isKept) return;
        // What cannot be taken back stays, and the reason of the failure is told.
        await this.#files.revert().then(() => lock.undo()).catch(() => {});
      },
    };
  }

  /** Where a service of the visor's own network keeps its records: `sqlite:FILE`, or `memory:` when the folder is. */
  databaseOf(name: string): string {
    if (this.path === undefined) return "memory:";
    const files = DATABASE_FILES.map((end) => `${name}.sqlite${end}`);
    this.#files.noteNew(files.filter((file) => !this.#atFirst.includes(file)));
    return `sqlite:${this.path}/${name}.sqlite`;
  }

  /**
   * The secret key `<name>.key`; made and written when it is missing.
   * @param first what is written when it is missing; else a random one
   * @throws {RefusedError} `config/bad-key` when the file holds no key
   */
  async secretKey(name: string, first?: SecretKey): Promise<SecretKey> {
    const file = `${name}.key`;
    const text = await this.#readText(file);
    if (text === undefined) {
      const secret = first === undefined ? generateSecretKey(this.#random) : new SecretKey(first.expose().slice());
      await this.#writeText(file, formatHex(secret.expose()) + "\n");
      return secret;
    }
    return parseSecretKeyFile(text, file);
  }

  /** The configuration, or undefined at the first start. */
  async config(): Promise<VisorConfig | undefined> {
    const text = await this.#readText(CONFIG_FILE);
    return text === undefined ? undefined : parseVisorConfig(text);
  }

  async saveConfig(config: VisorConfig): Promise<void> {
    await this.#writeText(CONFIG_FILE, formatJsonFile(config));
  }

  async saveControl(control: ControlFile): Promise<void> {
    await this.#writeText(CONTROL_FILE, formatJsonFile(control));
  }

  async removeControl(): Promise<void> {
    await this.storage.remove(CONTROL_FILE);
  }

  /** A folder that was named by mistake must not be filled with keys. */
  async #refuseForeign(names: readonly string[]): Promise<void> {
    const foreign = names.find((name) => !HARMLESS.includes(name));
    if (foreign === undefined || names.some((name) => MARKS.includes(name))) return;
    const hasConfig = names.includes(CONFIG_FILE) && await this.config().then(() => true, () => false);
    if (hasConfig) return;
    throw new RefusedError(
      "visor/foreign-folder",
      `Start the visor: the folder "${this.path}" is not a visor's, it holds "${foreign}"; ` +
        "name a new folder, or an empty one, with --data",
      { details: { data: this.path } },
    );
  }

  async #readText(name: string): Promise<string | undefined> {
    const bytes = await this.storage.read(name);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  #writeText(name: string, text: string): Promise<void> {
    return this.storage.write(name, new TextEncoder().encode(text));
  }
}

/**
 * Reads a secret key as its file holds it: 64 hex digits and a line end.
 * @throws {RefusedError} `config/bad-key`
 */
export function parseSecretKeyFile(text: string, file: string): SecretKey {
  const hex = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(hex)) {
    const secret = new SecretKey(parseHex(hex));
    if (isValidSecretKey(secret.expose())) return secret;
    secret[Symbol.dispose]();
  }
  throw new RefusedError(
    "config/bad-key",
    `Read "${file}": wanted a secret key of 64 hex digits; restore it from a copy, or move it away to get another key`,
  );
}
