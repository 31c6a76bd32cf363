/** Begins Noise handshakes with a fresh ephemeral secret, of which no copy is left outside the core. */

import { NoiseHandshake } from "../core/mod.ts";
import type { NoiseOptions } from "../core/mod.ts";
import type { Random } from "../runtime/mod.ts";

/** A secp256k1 scalar. */
const EPHEMERAL_BYTES = 32;

/**
 * Begins a handshake; errors as the constructor of {@link NoiseHandshake}.
 * @param options pattern, role and keys
 * @param random makes the ephemeral secret, which is wiped here
 * @returns to be disposed by the caller
 */
export function beginNoise(options: Omit<NoiseOptions, "ephemeral">, random: Random): NoiseHandshake {
  const ephemeral = random.bytes(EPHEMERAL_BYTES);
  try {
    return new NoiseHandshake({ ...options, ephemeral });
  } finally {
    ephemeral.fill(0);
  }
}
