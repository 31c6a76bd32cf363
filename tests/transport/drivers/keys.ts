/** Three visors' keys, for fixtures. */

import { generateSecretKey, publicKeyOf } from "../../../lib/core/mod.ts";
import type { PublicKey, SecretKey } from "../../../lib/types/mod.ts";
import { createSeededRandom } from "../../fakes/mod.ts";

const secretOf = (name: string): SecretKey => generateSecretKey(createSeededRandom(name));

/** The secrets behind {@link KEY_A} and {@link KEY_B}. */
export const SECRET_A: SecretKey = secretOf("a"), SECRET_B: SecretKey = secretOf("b");

/** Who dials, who listens, and who is not there. */
export const KEY_A: PublicKey = publicKeyOf(SECRET_A),
  KEY_B: PublicKey = publicKeyOf(SECRET_B),
  KEY_C: PublicKey = publicKeyOf(secretOf("c"));
