/**
 * Whole frames over a byte link: `u16be length ‖ bytes` (dmsg.md §2.7, §4.2). A read takes exactly the bytes of its
 * frame, never more, so what follows on the same link stays there for the next reader: the mux after a handshake
 * (dmsg.md Q19), the records after a stream's response.
 */

import { ProtocolError } from "../errors/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";

/** Bytes of the length in front of a frame. */
export const FRAME_PREFIX_BYTES = 2;

/** The longest a length of 16 bits can say. */
export const MAX_FRAME_BYTES = 0xffff;

/**
 * Reads one frame.
 * @param link where from
 * @param maxBytes a longer frame is refused before any memory is taken for it, 1–65535
 * @returns the bytes without the prefix, maybe none; undefined when the link ended before the frame began
 * @throws {ProtocolError} `messaging/frame-length`, or `messaging/cut-frame` when the link ended inside
 * @throws whatever the link throws
 */
export async function readFrame(link: ByteLink, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  const begun = await readAll(link, prefix);
  if (begun === 0) return undefined;
  if (begun < prefix.length) throw cutFrame();
  const length = ((prefix[0] as number) << 8) | (prefix[1] as number);
  if (length > maxBytes) {
    throw new ProtocolError(
      "messaging/frame-length",
      `Read a frame of ${length} bytes: at most ${maxBytes} are allowed`,
    );
  }
  const body = new Uint8Array(length);
  if (await readAll(link, body) < length) throw cutFrame();
  return body;
}

/**
 * Puts the length in front.
 * @param body 0–65535 bytes
 * @returns what {@link readFrame} reads
 * @throws {RangeError} when it is longer
 */
export function makeFrame(body: Uint8Array): Uint8Array<ArrayBuffer> {
  if (body.length > MAX_FRAME_BYTES) throw new RangeError(`A frame of ${body.length} bytes is too long`);
  const frame = new Uint8Array(FRAME_PREFIX_BYTES + body.length);
  frame[0] = body.length >> 8;
  frame[1] = body.length & 0xff;
  frame.set(body, FRAME_PREFIX_BYTES);
  return frame;
}

/** Fills `into`. @returns how many bytes came before the link ended */
async function readAll(link: ByteLink, into: Uint8Array): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const count = await link.read(done === 0 ? into : into.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}

function cutFrame(): ProtocolError {
  return new ProtocolError("messaging/cut-frame", "Read a frame: the link ended inside it");
}
