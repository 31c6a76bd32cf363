/** What both ends of the bench protocol share; the protocol is described in `SPEC.md`. */

import { at } from "../../types/at.ts";
import { ProtocolError } from "../../errors/mod.ts";
import type { ByteLink, Clock } from "../../runtime/mod.ts";
import type { Port } from "../../types/mod.ts";

/** Where visors answer. Above v1.3's ports, below the ephemeral ones. */
export const BENCH_PORT: Port = 1048;

/** The longest measurement, ms. */
export const MAX_DURATION_MS = 60_000;

/** Who sends. */
export const DIRECTION = { up: 1, down: 2 } as const;

/** Many whole records: a write is cut into 4070 bytes anyway. */
const BLOCK_BYTES = 64 * 4070 - 4;
const MAX_BLOCK_BYTES = 1_048_576;
const LENGTH_BYTES = 4;

/** Sends blocks for a time, then the end. @returns how many bytes the blocks held */
export async function sendBlocks(
  link: ByteLink,
  options: { readonly durationMs: number; readonly clock: Clock },
): Promise<number> {
  const { durationMs, clock } = options;
  const block = new Uint8Array(LENGTH_BYTES + BLOCK_BYTES);
  new DataView(block.buffer).setUint32(0, BLOCK_BYTES);
  const end = clock.monotonic() + durationMs;
  let sent = 0;
  while (clock.monotonic() < end) {
    await link.write(block);
    sent += BLOCK_BYTES;
  }
  await link.write(new Uint8Array(LENGTH_BYTES));
  return sent;
}

/**
 * Takes blocks until the end.
 * @returns how many bytes they held
 * @throws {ProtocolError} `bench/block` for a length that is too large, `bench/cut` when the connection ends before
 */
export async function takeBlocks(link: ByteLink): Promise<number> {
  const buffer = new Uint8Array(256 * 1024);
  const length = new Uint8Array(LENGTH_BYTES);
  let received = 0, left = 0, have = 0;
  while (true) {
    const count = await link.read(buffer);
    if (count === null) throw new ProtocolError("bench/cut", "Measure: the other end left before it was done");
    for (let taken = 0; taken < count;) {
      if (left > 0) {
        const some = Math.min(left, count - taken);
        taken += some;
        left -= some;
        received += some;
        continue;
      }
      length[have++] = at(buffer, taken++);
      if (have < LENGTH_BYTES) continue;
      have = 0;
      left = new DataView(length.buffer).getUint32(0);
      if (left === 0) return received;
      if (left > MAX_BLOCK_BYTES) {
        throw new ProtocolError("bench/block", `Measure: a block of ${left} bytes is too large`);
      }
    }
  }
}

/**
 * Reads exactly so many bytes.
 * @throws {ProtocolError} `bench/cut`
 */
export async function readExactly(link: ByteLink, count: number): Promise<DataView> {
  const bytes = new Uint8Array(count);
  for (let have = 0; have < count;) {
    const more = await link.read(bytes.subarray(have));
    if (more === null) throw new ProtocolError("bench/cut", "Measure: the other end left before it was done");
    have += more;
  }
  return new DataView(bytes.buffer);
}
