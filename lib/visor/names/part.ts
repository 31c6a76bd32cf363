/** The names that the user gave to keys, kept in the data folder's `names.json`. */

import * as v from "valibot";
import { isKeyName, publicKeySchema, WANTED_NAME } from "../../check/mod.ts";
import { parsePublicKey } from "../../core/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import type { Storage } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import { KeptDocument } from "../kept_document.ts";
import type { NameView } from "./view.ts";

const keptNamesSchema: v.GenericSchema<unknown, readonly NameView[]> = v.array(v.looseObject({
  name: v.pipe(v.string(), v.check(isKeyName, WANTED_NAME)),
  publicKey: publicKeySchema,
  from: v.picklist(["user", "invite"]),
}));

/** See the top of the file. */
export class NamesPart {
  readonly #kept: KeptDocument<readonly NameView[]>;

  constructor({ storage }: { readonly storage: Storage }) {
    this.#kept = new KeptDocument({ storage, name: "names.json", schema: keptNamesSchema, empty: [] });
  }

  async restore(): Promise<void> {
    await this.#kept.load();
  }

  list(): readonly NameView[] {
    return this.#kept.value.toSorted((a, b) => a.name < b.name ? -1 : 1);
  }

  keyOf(name: string): PublicKey | undefined {
    return this.#kept.value.find((one) => one.name === name)?.publicKey;
  }

  /** @throws {RefusedError} `name/bad-name`, `name/bad-key`; {UnavailableError} `storage/write-failed` */
  async set(name: string, text: string): Promise<void> {
    if (!isKeyName(name)) throw new RefusedError("name/bad-name", `Name a key "${name}": ${WANTED_NAME}`);
    const publicKey = parsePublicKey(text);
    if (publicKey === undefined) {
      throw new RefusedError("name/bad-key", `Name a key "${name}": "${text}" is no public key`);
    }
    await this.#kept.change((all) => [
      ...all.filter((one) => one.name !== name),
      { name, publicKey, from: "user" },
    ]);
  }

  /** @throws {RefusedError} `name/not-found`; {UnavailableError} `storage/write-failed` */
  async remove(name: string): Promise<void> {
    await this.#kept.change((all) => {
      const others = all.filter((one) => one.name !== name);
      if (others.length < all.length) return others;
      throw new RefusedError("name/not-found", `Remove the name "${name}": there is none; see "skywire name ls"`);
    });
  }
}
