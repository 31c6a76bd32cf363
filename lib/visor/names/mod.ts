/** `visor.names`: names for keys. A name can be used wherever a key can. Tested in tests/visor/embedding_test.ts. */

import type { PublicKey } from "../../types/mod.ts";
import type { Capability } from "../capability.ts";
import { nameRoutes } from "./api.ts";
import { NamesPart } from "./part.ts";
import type { NameView } from "./view.ts";

/** The names of a visor for public keys, as `visor.names`. A name can be used wherever a key can. */
export interface VisorNames {
  /** Lists all names in alphabetical order. */
  list(): readonly NameView[];
  /** Gives the key of a name; undefined when there is no such name. */
  keyOf(name: string): PublicKey | undefined;
  /**
   * Gives a name to a key, and keeps it over restarts. Another key that had the name loses it.
   * @param name 1–63 small letters, digits and `-`; not what looks like the beginning of a key (`0` and hex digits, or 8
   * hex digits and more) or like the id of a transport
   * @param publicKey 66 hex digits
   * @throws {RefusedError} `name/bad-name`; `name/bad-key` when the key is not a public key
   * @throws {UnavailableError} `storage/write-failed`
   */
  set(name: string, publicKey: string): Promise<void>;
  /**
   * Removes a name.
   * @throws {RefusedError} `name/not-found` when there is no such name
   * @throws {UnavailableError} `storage/write-failed`
   */
  remove(name: string): Promise<void>;
}

/** The capability. */
export const names: Capability<NamesPart, VisorNames> = {
  makePart: ({ storage, keys }) => {
    const part = new NamesPart({ storage });
    keys.add({
      named: (text) => part.keyOf(text),
      known: () => Promise.resolve(part.list().map(({ publicKey }) => publicKey)),
    });
    return part;
  },
  makeFacet: (part) => ({
    list: () => part.list(),
    keyOf: (name) => part.keyOf(name),
    set: (name, publicKey) => part.set(name, publicKey),
    remove: (name) => part.remove(name),
  }),
  makeRoutes: nameRoutes,
};
