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

const LOCK_FILE = "visor.lock";
const CONFIG_FILE = "config.json";

/** Typed access to the files of one data folder. */
export class DataFolder {
  /** For what capabilities keep. */
  readonly storage: Storage;
  readonly #random: Random;

  constructor(storage: Storage, random: Random) {
    this.storage = storage;
    this.#random = random;
  }

  /** The folder on disk; undefined in memory. */
  get path(): string | undefined {
    return this.storage.path;
  }

  /**
   * Takes the folder for this visor: two on one folder would both be «the» visor of its key.
   * @throws {RefusedError} `visor/already-running`
   */
  async lock(): Promise<Disposable> {
    const lock = await this.storage.lock(LOCK_FILE);
    if (lock !== undefined) return lock;
    throw new RefusedError(
      "visor/already-running",
      `Start the visor: one runs already on the data folder "${this.path}"; stop it, or name another with --data`,
    );
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
    `Read "${file}": wanted a secret key of 64 hex digits; restore it from a copy, or remove it to get another key`,
  );
}
