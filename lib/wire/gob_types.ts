/**
 * Codecs of the named types that several gob messages share: keys and ids as their own binary forms (gob-rpc.md §4.2).
 * Tested in tests/wire/gob/gob_test.ts.
 */

import { parsePublicKey } from "../core/mod.ts";
import { NULL_PUBLIC_KEY, type PublicKey, publicKeyBytes } from "../types/mod.ts";
import { type TransportId, transportIdBytes, transportIdOf } from "../types/mod.ts";
import { Fault } from "./fault.ts";
import { gobMarshaler, type GobType } from "./gob/mod.ts";

/** 16 zero bytes: no transport. */
export const NULL_TRANSPORT_ID: TransportId = transportIdOf(new Uint8Array(16));

/** A public key: 33 bytes, a point on the curve. The null key is left out, and refused when sent as zeros. */
export const gobPublicKey: GobType<PublicKey> = gobMarshaler<PublicKey>("PubKey", {
  goName: "cipher.PubKey",
  zero: NULL_PUBLIC_KEY,
  encode: publicKeyBytes,
  decode(bytes): PublicKey | Fault {
    if (bytes.length !== 33) return new Fault("gob/value", "Invalid public key length");
    return parsePublicKey(bytes.toHex()) ?? new Fault("gob/value", "Invalid public key");
  },
});

/** A transport id: 16 bytes. */
export const gobTransportId: GobType<TransportId> = gobMarshaler<TransportId>("UUID", {
  goName: "uuid.UUID",
  zero: NULL_TRANSPORT_ID,
  encode: transportIdBytes,
  decode: (bytes) =>
    bytes.length === 16 ? transportIdOf(bytes) : new Fault("gob/value", `invalid UUID (got ${bytes.length} bytes)`),
});
