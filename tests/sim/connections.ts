/** What tests do with connections. */

import assert from "node:assert/strict";
import type { DialOptions, RouteConnection } from "../../lib/routing/mod.ts";
import type { SimVisor } from "./network.ts";

/** Where tests listen. */
export const PORT = 3;

/** Dials one visor from another, which accepts it. */
export async function connect(
  from: SimVisor,
  to: SimVisor,
  options: DialOptions = {},
): Promise<[RouteConnection, RouteConnection]> {
  const listener = to.router.listen(PORT);
  try {
    const dialled = await from.router.dial(to.key, PORT, options);
    for await (const accepted of listener) return [dialled, accepted];
    throw new Error("The listener was closed");
  } finally {
    listener.close();
  }
}

/** What one read gives, as text; null at the end. */
export async function readText(connection: RouteConnection): Promise<string | null> {
  const into = new Uint8Array(65_536);
  const length = await connection.read(into);
  return length === null ? null : new TextDecoder().decode(into.subarray(0, length));
}

/** Reads so many bytes. */
export async function readBytes(connection: RouteConnection, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(bytes.subarray(at));
    assert.ok(count !== null, `the end came after ${at} of ${length} bytes`);
    at += count;
  }
  return bytes;
}
