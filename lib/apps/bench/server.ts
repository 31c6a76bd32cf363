/** Lets others measure their way to this visor, a few at a time. */

import { describeError } from "../../errors/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import { shortKey } from "../../types/mod.ts";
import type { KeyedListener, KeyedStream } from "../../overlay/mod.ts";
import { DIRECTION, MAX_DURATION_MS, readExactly, sendBlocks, takeBlocks } from "./protocol.ts";

/** Each may use all that the way gives, so few suffice. */
const MAX_MEASUREMENTS = 4;
const GRACE_MS = 10_000;
const REQUEST_BYTES = 5;

/** Answers measurements until the listener closes. */
export async function serveBench(
  listener: Pick<KeyedListener, typeof Symbol.asyncIterator>,
  runtime: Pick<Runtime, "clock" | "timers" | "log">,
): Promise<void> {
  let running = 0;
  for await (const connection of listener) {
    if (running >= MAX_MEASUREMENTS) {
      connection.close();
      continue;
    }
    running++;
    const remote = shortKey(connection.remoteKey);
    answer(connection, runtime)
      .catch((error) => runtime.log.debug("bench-failed", { remote, error: describeError(error) }))
      .finally(() => {
        running--;
        connection.close();
      });
  }
}

async function answer(connection: KeyedStream, runtime: Pick<Runtime, "clock" | "timers">): Promise<void> {
  const limited = <T>(ms: number, work: () => Promise<T>): Promise<T> =>
    withTimeout(work, { timers: runtime.timers, ms, code: "bench/timeout", message: "Measure" });
  const request = await limited(GRACE_MS, () => readExactly(connection, REQUEST_BYTES));
  const durationMs = Math.min(request.getUint32(1), MAX_DURATION_MS);
  if (request.getUint8(0) === DIRECTION.down) {
    await limited(durationMs + GRACE_MS, () => sendBlocks(connection, { durationMs, clock: runtime.clock }));
    await limited(GRACE_MS, () => untilClosed(connection));
    return;
  }
  const received = await limited(durationMs + GRACE_MS, () => takeBlocks(connection));
  const report = new DataView(new ArrayBuffer(8));
  report.setBigUint64(0, BigInt(received));
  await connection.write(new Uint8Array(report.buffer));
  await limited(GRACE_MS, () => untilClosed(connection));
}

/** The client closes once it has everything; a break is an end, too. */
async function untilClosed(connection: KeyedStream): Promise<void> {
  const scrap = new Uint8Array(64);
  while (await connection.read(scrap).catch(() => null) !== null);
}
