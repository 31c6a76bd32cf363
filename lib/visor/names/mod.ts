/** `visor.names`: names for keys, which stand wherever a key does. Tested in tests/visor/embedding_test.ts. */

import type { PublicKey } from "../../types/mod.ts";
import type { Capability } from "../capability.ts";
import { nameRoutes } from "./api.ts";
import { NamesPart } from "./part.ts";
import type { NameView } from "./view.ts";

/** The names that a visor knows, as `visor.names`. */
export interface VisorNames {
  /** All names, in the order of the alphabet. */
  list(): readonly NameView[];
  /** The key of a name; undefined when there is no such name. */
  keyOf(name: string): PublicKey | undefined;
  /**
   * Names a key, over restarts too; one that had the name loses it.
   * @param name 1–63 small letters, digits and `-`; it must not look like the beginning of a key (`0` and hex digits, or 8
   * hex digits and more) or like the id of a transport
   * @throws {RefusedError} `name/bad-name`, `name/bad-key`; {UnavailableError} `storage/write-failed`
   */
  set(name: string, publicKey: string): Promise<void>;
  /**
   * Forgets a name.
   * @throws {RefusedError} `name/not-found`; {UnavailableError} `storage/write-failed`
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
