/** A byte link that plays a recorded peer, and keeps what is written. */

import assert from "node:assert/strict";
import type { ByteLink, Random } from "../../lib/runtime/mod.ts";

/** One recorded write. */
export interface ScriptedWrite {
  readonly from: "us" | "peer";
  readonly bytes: Uint8Array;
}

/** See {@link createScriptedLink}. */
export interface ScriptedLink extends ByteLink {
  /** Our writes, one element each. */
  readonly written: readonly Uint8Array[];
  readonly closed: boolean;
}

/**
 * Plays a script in order: a read gives the peer's next write whole, if it is the peer's turn; a write of ours must be
 * due, so strict alternation is checked. After the last entry the stream ends.
 */
export function createScriptedLink(script: readonly ScriptedWrite[]): ScriptedLink {
  const written: Uint8Array[] = [];
  let rest = [...script];
  let closed = false;
  return {
    written,
    remoteAddress: "script",
    get closed(): boolean {
      return closed;
    },
    read(into: Uint8Array): Promise<number | null> {
      const next = rest[0];
      if (closed || next === undefined) return Promise.resolve(null);
      assert.equal(next.from, "peer", "a read while it is our turn to write");
      const part = next.bytes.subarray(0, into.length);
      into.set(part);
      rest = part.length === next.bytes.length
        ? rest.slice(1)
        : [{ from: "peer", bytes: next.bytes.subarray(part.length) }, ...rest.slice(1)];
      return Promise.resolve(part.length);
    },
    write(bytes: Uint8Array): Promise<void> {
      const next = rest.shift();
      assert.equal(next?.from ?? "us", "us", "a write while it is the peer's turn");
      written.push(bytes.slice());
      return Promise.resolve();
    },
    close(): void {
      closed = true;
    },
  };
}

/** Randomness that gives prepared bytes, in order. */
export function createScriptedRandom(...draws: readonly Uint8Array[]): Random {
  const rest = [...draws];
  return {
    bytes(length: number): Uint8Array<ArrayBuffer> {
      const next = rest.shift() ?? assert.fail("more randomness was drawn than prepared");
      assert.equal(next.length, length);
      return new Uint8Array(next);
    },
  };
}
