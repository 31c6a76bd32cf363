/** Two mux machines, wired: whatever the applications do and however the link cuts the bytes, every byte arrives in order. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Mux } from "../../lib/core/mod.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import type { MonotonicMs } from "../../lib/types/mod.ts";

const NOW = 0 as MonotonicMs;

type Action =
  | { readonly do: "open" }
  | { readonly do: "write" | "read"; readonly pick: number; readonly length: number }
  | { readonly do: "closeWrite"; readonly pick: number }
  | { readonly do: "carry"; readonly length: number };

const action: fc.Arbitrary<readonly [side: number, action: Action]> = fc.tuple(
  fc.nat({ max: 1 }),
  fc.oneof(
    fc.record({ do: fc.constant("open" as const) }),
    fc.record({
      do: fc.constantFrom("write" as const, "read" as const),
      pick: fc.nat({ max: 30 }),
      length: fc.nat({ max: 400_000 }),
    }),
    fc.record({ do: fc.constant("closeWrite" as const), pick: fc.nat({ max: 30 }) }),
    fc.record({ do: fc.constant("carry" as const), length: fc.integer({ min: 1, max: 300_000 }) }),
  ),
);

/** One machine with its application. */
class Side {
  readonly mux: Mux;
  readonly streams: number[] = [];
  /** What this side wrote and read, by stream: checksums that depend on the order. */
  readonly wrote = new Map<number, Tally>();
  readonly read = new Map<number, Tally>();
  readonly finished = new Set<number>();
  /** On the way to the other side. */
  inFlight: Uint8Array = new Uint8Array();
  #next = 0;

  constructor(role: "client" | "server") {
    this.mux = new Mux({ role, keepAlive: false }, NOW);
  }

  act(step: Action, peer: Side): void {
    const stream = "pick" in step ? this.streams[step.pick % Math.max(1, this.streams.length)] : undefined;
    if (step.do === "open") {
      const id = this.mux.open(NOW);
      if (typeof id === "number") this.streams.push(id);
    } else if (step.do === "carry") {
      this.carry(step.length, peer);
    } else if (stream === undefined) {
      return;
    } else if (step.do === "write") {
      if (this.finished.has(stream)) return;
      const bytes = Uint8Array.from({ length: step.length }, () => this.#next = (this.#next * 5 + 3) & 255);
      const count = this.mux.write(stream, bytes);
      assert.ok(typeof count === "number");
      tallyOf(this.wrote, stream).add(bytes.subarray(0, count));
    } else if (step.do === "read") {
      this.readUpTo(stream, step.length);
    } else {
      this.finished.add(stream);
      this.mux.closeWrite(stream);
    }
  }

  /** @returns false at the end of the stream */
  readUpTo(stream: number, length: number): boolean {
    const into = new Uint8Array(length);
    const count = this.mux.read(stream, into);
    if (count === "end") return false;
    assert.ok(typeof count === "number");
    tallyOf(this.read, stream).add(into.subarray(0, count));
    return true;
  }

  carry(length: number, peer: Side): void {
    const output = this.mux.takeOutput();
    this.inFlight = concatBytes(this.inFlight, output);
    peer.mux.push(this.inFlight.subarray(0, length), NOW);
    this.inFlight = this.inFlight.subarray(length);
    for (let id = peer.mux.accept(); id !== undefined; id = peer.mux.accept()) peer.streams.push(id);
  }
}

/** Tells byte sequences apart without keeping them. */
class Tally {
  count = 0;
  sum = 0;

  add(bytes: Uint8Array): void {
    this.count += bytes.length;
    for (const byte of bytes) this.sum = (Math.imul(this.sum, 31) + byte) >>> 0;
  }
}

function tallyOf(tallies: Map<number, Tally>, stream: number): Tally {
  const tally = tallies.get(stream) ?? new Tally();
  tallies.set(stream, tally);
  return tally;
}

Deno.test("two machines carry every byte in order, whatever the applications do", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const [a, b] = [new Side("client"), new Side("server")];
      using _a = a.mux;
      using _b = b.mux;
      for (const [side, step] of actions) side === 0 ? a.act(step, b) : b.act(step, a);
      for (const side of [a, b]) for (const stream of side.streams) side.mux.closeWrite(stream);
      // Until both sides have read every stream to its end: a round moves at least one window.
      for (let round = 0, open = true; open; round++) {
        assert.ok(round < 1_000, "the streams do not end");
        a.carry(Infinity, b);
        b.carry(Infinity, a);
        for (const side of [a, b]) for (const stream of side.streams) side.mux.closeWrite(stream);
        open = [a, b].some((side) => side.streams.map((stream) => side.readUpTo(stream, 500_000)).some(Boolean)) ||
          a.streams.length !== b.streams.length;
      }
      for (const [from, to] of [[a, b], [b, a]] as const) {
        assert.equal(from.mux.fault, undefined);
        for (const [stream, tally] of from.wrote) assert.deepEqual(tallyOf(to.read, stream), tally);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("Mux survives any bytes: it takes them or ends the session", () => {
  const plausible = fc.tuple(
    fc.constantFrom(0, 0, 0, 0, 1),
    fc.nat({ max: 4 }),
    fc.nat({ max: 31 }),
    fc.nat({ max: 6 }),
    fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(0, 262_144, 262_145, 0xffff_ffff)),
  ).map(([version, type, flags, stream, length]) => {
    const header = new DataView(new ArrayBuffer(12));
    header.setUint8(0, version);
    header.setUint8(1, type);
    header.setUint16(2, flags);
    header.setUint32(4, stream);
    header.setUint32(8, length);
    return new Uint8Array(header.buffer);
  });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(plausible, plausible, fc.uint8Array({ maxLength: 60 })), { maxLength: 60 }),
      (parts) => {
        using mux = new Mux({ role: "server", keepAlive: true }, NOW);
        for (const part of parts) {
          mux.push(part, NOW);
          const id = mux.accept();
          if (id !== undefined) {
            mux.read(id, new Uint8Array(100));
            mux.write(id, part);
            if (part.length % 3 === 0) mux.close(id, NOW);
          }
          mux.takeOutput();
          while (mux.pollEvent() !== undefined);
        }
        mux.handleDeadline(1e9 as MonotonicMs);
        assert.equal(typeof mux.pollDeadline(), mux.fault === undefined ? "number" : "undefined");
      },
    ),
    { numRuns: 300 },
  );
});
