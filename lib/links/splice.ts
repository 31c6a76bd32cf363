/**
 * Joins two streams: what comes on one goes out on the other, until one of them ends (dmsg.md §4.4 step 9). Memory is
 * bounded by one buffer a direction; a slow reader slows the writer down through the windows of the mux.
 * Tested in tests/messaging/server_test.ts.
 */

import type { Counter } from "../runtime/mod.ts";
import type { MuxStream } from "./mux_session.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * Relays both ways until either stream ends or breaks. An end is passed on after all bytes that came before it, and ends
 * the other direction, too: half-closed streams do not exist in this network (dmsg.md Q32). A break is passed on as a
 * reset.
 * @param a one stream
 * @param b the other; both are closed afterwards
 * @param relayed counts bytes
 */
export async function splice(a: MuxStream, b: MuxStream, relayed: Counter): Promise<void> {
  let ended = false;
  /** The first end counts: what it makes of the other direction's read or write is a consequence. */
  const end = (how: "close" | "reset"): void => {
    if (ended) return;
    ended = true;
    for (const stream of [a, b]) stream[how]();
  };
  const copy = async (from: MuxStream, to: MuxStream): Promise<void> => {
    const buffer = new ReadBuffer();
    try {
      for (let count = await from.read(buffer.space); count !== null; count = await from.read(buffer.space)) {
        await to.write(buffer.taken(count));
        relayed.add(count);
      }
      end("close");
    } catch {
      end("reset");
    }
  };
  await Promise.all([copy(a, b), copy(b, a)]);
}
