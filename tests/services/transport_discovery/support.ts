/** Visors and their transports for tests of the map. */

import { publicKeyOf } from "../../../lib/core/mod.ts";
import { type PublicKey, SecretKey } from "../../../lib/types/mod.ts";
import {
  makeTransportEntry,
  type SignedEntry,
  signTransportEntry,
  type TransportEntry,
} from "../../../lib/wire/transport_entry.ts";

/** Somebody who signs. */
export interface TestVisor {
  readonly secret: SecretKey;
  readonly publicKey: PublicKey;
}

/** The visor of a number, 1–255. */
export function makeVisor(number: number): TestVisor {
  const secret = new SecretKey(new Uint8Array(32).fill(number));
  return { secret, publicKey: publicKeyOf(secret) };
}

/** An entry signed by both of its edges. */
export function makeSigned(a: TestVisor, b: TestVisor, parts: { kind?: string; label?: string } = {}): SignedEntry {
  const entry = makeTransportEntry(a.publicKey, b.publicKey, { kind: "stcp", label: "user", ...parts });
  return signBoth(entry, [a, b]);
}

/** Signs an entry, whatever it says. */
export function signBoth(entry: TransportEntry, signers: readonly TestVisor[]): SignedEntry {
  return signers.reduce<SignedEntry | TransportEntry>(signTransportEntry, entry) as SignedEntry;
}
