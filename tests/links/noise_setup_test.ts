/** The set-up of Noise handshakes. */

import assert from "node:assert/strict";
import { generateSecretKey, publicKeyOf } from "../../lib/core/mod.ts";
import { beginNoise } from "../../lib/links/noise_setup.ts";
import { createSeededRandom } from "../fakes/mod.ts";

Deno.test("beginNoise() leaves no ephemeral secret behind, and takes a fresh one each time", () => {
  const random = createSeededRandom("noise");
  const localSecret = generateSecretKey(random);
  const remoteKey = publicKeyOf(generateSecretKey(random));
  const made: Uint8Array[] = [];
  const recorded = {
    bytes(length: number): Uint8Array<ArrayBuffer> {
      const bytes = random.bytes(length);
      made.push(bytes);
      return bytes;
    },
  };
  const options = { pattern: "KK", role: "initiator", localSecret, remoteKey } as const;
  using one = beginNoise(options, recorded);
  using other = beginNoise(options, recorded);
  assert.equal(made.length, 2);
  assert.ok(made.every((bytes) => bytes.length === 32 && bytes.every((byte) => byte === 0)));
  assert.notDeepEqual(one.writeMessage(), other.writeMessage());
});

Deno.test("beginNoise() wipes the ephemeral secret when the handshake cannot begin", () => {
  const ephemeral = new Uint8Array(32).fill(7);
  const localSecret = generateSecretKey(createSeededRandom("noise"));
  assert.throws(
    () => beginNoise({ pattern: "KK", role: "initiator", localSecret }, { bytes: () => ephemeral }),
    TypeError,
  );
  assert.ok(ephemeral.every((byte) => byte === 0));
});
