/** Completes keys that a person shortened or gave a name. */

import * as v from "valibot";
import { isKeyStart, publicKeySchema } from "../check/mod.ts";
import { RefusedError } from "../errors/mod.ts";
import { parseTransportId, type PathStep, type PublicKey } from "../types/mod.ts";

/** Knows some keys. */
export interface KeySource {
  /** The key that a text stands for; undefined when it stands for none here. */
  readonly named?: (text: string) => PublicKey | undefined;
  /** The keys that may be shortened. */
  readonly known?: () => Promise<readonly PublicKey[]>;
}

/** All sources of keys together. */
export class KeyBook {
  readonly #sources: KeySource[] = [];

  /** Adds a source. */
  add(source: KeySource): void {
    this.#sources.push(source);
  }

  /**
   * The whole key.
   * @param text a public key, its first 8 digits or more, or a name
   * @throws {RefusedError} `visor/unknown-name`, `visor/unknown-key`, `visor/ambiguous-key`
   */
  async complete(text: string): Promise<PublicKey> {
    const whole = v.safeParse(publicKeySchema, text);
    if (whole.success) return whole.output;
    for (const { named } of this.#sources) {
      const key = named?.(text);
      if (key !== undefined) return key;
    }
    if (!isKeyStart(text)) {
      throw new RefusedError(
        "visor/unknown-name",
        `Find the visor "${text}": no key has that name here; see "skywire name ls"`,
      );
    }
    const known = await Promise.all(this.#sources.map(({ known }) => known?.() ?? []));
    const [match, ...others] = new Set(known.flat().filter((key) => key.startsWith(text)));
    if (match === undefined) {
      throw new RefusedError(
        "visor/unknown-key",
        `Find the visor whose key begins with "${text}": none is known here; give all 66 digits`,
      );
    }
    if (others.length === 0) return match;
    throw new RefusedError(
      "visor/ambiguous-key",
      `Find the visor whose key begins with "${text}": ${others.length + 1} do; give more digits`,
    );
  }

  /** The same for several. */
  async completeAll(texts: readonly string[]): Promise<PublicKey[]> {
    return await Promise.all(texts.map((text) => this.complete(text)));
  }

  /** The same for the steps of a path, which may be ids of transports, too. */
  async completePath(texts: readonly string[]): Promise<PathStep[]> {
    return await Promise.all(texts.map((text) => parseTransportId(text) ?? this.complete(text)));
  }
}
