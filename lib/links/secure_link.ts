/**
 * A link whose other end has proven its key, with the record layer that protects it: what both ways of connection set-up
 * end in, what settlement speaks over, and what the switch takes over.
 * Tested in tests/transport/transport_table_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import type { Records } from "../core/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { PublicKey } from "../types/mod.ts";

/** Read at once while settling. */
const READ_BYTES = 2_048;

/** See the top of the file. Its holder closes the link and disposes the records, or hands both on. */
export interface SecureLink {
  /** Carries records. */
  readonly link: ByteLink;
  /** Protects what goes over the link. */
  readonly records: Records;
  /** Whose visor is at the other end, proven. */
  readonly remoteKey: PublicKey;
}

/** Closes a link that is not wanted any more. */
export function discardSecureLink(secure: SecureLink): void {
  secure.link.close();
  secure.records[Symbol.dispose]();
}

/** Writes plaintext, in one write. Errors as {@link ByteLink.write}. */
export async function writeSecure(secure: SecureLink, plaintext: Uint8Array): Promise<void> {
  await secure.link.write(secure.records.seal(plaintext));
}

/**
 * Waits for plaintext.
 * @returns all that is there, at least one byte
 * @throws {UnavailableError} `transport/peer-left` at the end of the stream; {ProtocolError} when a record is wrong
 */
export async function readSecure(secure: SecureLink): Promise<Uint8Array<ArrayBuffer>> {
  const { link, records } = secure;
  while (records.available === 0) {
    const into = new Uint8Array(READ_BYTES);
    const count = await link.read(into);
    if (count === null) throw new UnavailableError("transport/peer-left", "Read from the peer: it closed the link");
    records.push(into.subarray(0, count));
  }
  return takeSecure(secure);
}

/** Takes the plaintext that was opened already; perhaps none. */
export function takeSecure({ records }: SecureLink): Uint8Array<ArrayBuffer> {
  const plaintext = new Uint8Array(records.available);
  records.read(plaintext);
  return plaintext;
}
