/**
 * Random bytes from a seed: the same seed gives the same bytes. Good statistics, no secrecy. Tested in
 * tests/simulation/simulation_test.ts.
 */

import type { Random } from "../runtime/mod.ts";

/**
 * Makes a generator (sfc32 by Chris Doty-Humphrey, seeded by FNV-1a of the text).
 * @param seed any text; hosts of a simulation use `<seed>/<name>`, so that one host's draws do not shift another's
 */
export function createSeededRandom(seed: string): Random {
  let a = fnv1a(`a${seed}`), b = fnv1a(`b${seed}`), c = fnv1a(`c${seed}`), counter = 1;
  const next = (): number => {
    const result = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21 | c >>> 11) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return {
    bytes(length: number): Uint8Array<ArrayBuffer> {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += 4) {
        const word = next();
        for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
      }
      return bytes;
    },
  };
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
