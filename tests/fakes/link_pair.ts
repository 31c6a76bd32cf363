/** Two ends of a byte link in memory, without delay. */

import type { ByteLink } from "../../lib/runtime/mod.ts";
import { createPipe } from "../../lib/simulation/pipe.ts";

/** Makes both ends. What one writes the other reads. */
export function linkPair(): [ByteLink, ByteLink] {
  const pipe = (): ReturnType<typeof createPipe> => createPipe((deliver) => deliver(), () => {});
  const [there, back] = [pipe(), pipe()];
  const end = (incoming: typeof there, outgoing: typeof there): ByteLink => ({
    read: (into) => incoming.read(into),
    write: (bytes) => outgoing.write(bytes),
    close: () => {
      outgoing.end();
      incoming.stop();
    },
    remoteAddress: "memory:0",
  });
  return [end(back, there), end(there, back)];
}

/** Reads exactly `length` bytes. */
export async function readExactly(link: ByteLink, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await link.read(bytes.subarray(at));
    if (count === null) throw new Error(`The link ends after ${at} of ${length} bytes`);
    at += count;
  }
  return bytes;
}

/** Reads to the end of the stream. */
export async function readAll(link: ByteLink): Promise<Uint8Array> {
  const bytes: number[] = [];
  const chunk = new Uint8Array(4096);
  for (let count; (count = await link.read(chunk)) !== null;) bytes.push(...chunk.subarray(0, count));
  return new Uint8Array(bytes);
}
