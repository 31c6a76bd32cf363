/** The facade of the mux machine: sessions recorded with the yamux of v1.3, deadlines, use after the end. */

import assert from "node:assert/strict";
import { Mux, sha256 } from "../../lib/core/mod.ts";
import type { MuxEvent, MuxStreamFault } from "../../lib/core/mod.ts";
import { SkywireError } from "../../lib/errors/mod.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import type { MonotonicMs } from "../../lib/types/mod.ts";
import { hex, vectorCases } from "./vectors.ts";

const NOW = 1_000 as MonotonicMs;
const HEADER_BYTES = 12;

interface Frame {
  readonly header: string;
  readonly body?: string;
  readonly body_length?: number;
  readonly body_sha256?: string;
  readonly body_byte?: string;
}

interface Step {
  readonly do: string;
  readonly stream?: number;
  readonly error?: string | null;
  readonly max?: number;
  readonly data?: string;
  readonly data_length?: number;
  readonly data_sha256?: string;
  readonly data_byte?: string;
  readonly written?: number;
  readonly blocked?: boolean;
  readonly frames?: readonly Frame[];
  readonly sent: readonly Frame[];
  readonly connection_closed?: boolean;
}

/** What the yamux of v1.3 calls them. */
const ERRORS: Readonly<Partial<Record<MuxStreamFault | "nothing", string>>> = {
  end: "EOF",
  cut: "EOF",
  nothing: "nothing to read",
  reset: "connection reset",
  finished: "stream closed",
  session: "session shutdown",
  "going-away": "remote end is not accepting connections",
};

/** A session under test, with the writes and the ping that have begun and not ended. */
class Replay implements Disposable {
  readonly mux: Mux;
  readonly #writing = new Map<number, { readonly data: Uint8Array; done: number }>();
  #ping: number | undefined;
  #sent: Uint8Array[] = [];

  constructor(role: "client" | "server") {
    this.mux = new Mux({ role, keepAlive: true, acknowledge: "accept" }, NOW);
  }

  [Symbol.dispose](): void {
    this.mux[Symbol.dispose]();
  }

  run(step: Step): void {
    const { mux } = this;
    const stream = step.stream ?? 0;
    switch (step.do) {
      case "open":
        return expectResult(mux.open(NOW), step.stream, step);
      case "accept":
        if (step.error === "nothing to accept") return assert.equal(mux.accept(), undefined);
        return expectResult(mux.accept() ?? "unknown", step.stream, step);
      case "write":
        return expectResult(mux.write(stream, hex(step.data)), step.written, step);
      case "write_begin": {
        const data = new Uint8Array(step.data_length ?? 0).fill(hex(step.data_byte)[0] ?? 0);
        this.#writing.set(stream, { data, done: 0 });
        return this.#goOnWriting();
      }
      case "write_end": {
        const write = this.#writing.get(stream) ?? assert.fail("no write has begun");
        if (step.blocked === true) return assert.ok(write.done < write.data.length);
        assert.equal(write.done, step.written);
        assert.equal(write.done, write.data.length);
        this.#writing.delete(stream);
        return;
      }
      case "read":
        return this.#read(stream, step);
      case "close":
        return mux.closeWrite(stream);
      case "close_session":
        return mux.closeSession();
      case "go_away":
        return mux.goAway();
      case "ping_begin": {
        const ping = mux.ping(NOW);
        assert.ok(typeof ping === "number");
        this.#ping = ping;
        return;
      }
      case "ping_end":
        return assert.deepEqual(eventsOf(mux).filter((event) => event.type === "pong"), [
          { type: "pong", ping: this.#ping, roundTripMs: 0 },
        ]);
      case "receive":
        for (const frame of step.frames ?? assert.fail("no frames")) mux.push(received(frame), NOW);
        return this.#goOnWriting();
      default:
        throw new Error(`Unknown step "${step.do}"`);
    }
  }

  /** What was sent since the last call. A write may be cut into frames anywhere, so neighbours of one stream are joined. */
  sent(): { header: string; body: Uint8Array }[] {
    const bytes = concatBytes(...this.#sent.splice(0), ...outputOf(this.mux));
    const frames: { stream: number; type: number; header: string; body: Uint8Array }[] = [];
    for (let at = 0; at < bytes.length;) {
      const view = new DataView(bytes.buffer, at, HEADER_BYTES);
      const [type, stream, length] = [view.getUint8(1), view.getUint32(4), view.getUint32(8)];
      const body = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + (type === 0 ? length : 0));
      const header = bytes.subarray(at, at + HEADER_BYTES);
      at += HEADER_BYTES + body.length;
      const last = frames.at(-1);
      if (last?.type === 0 && type === 0 && last.stream === stream && header.toHex().startsWith("00000000")) {
        last.body = concatBytes(last.body, body);
        last.header = last.header.slice(0, 16) + last.body.length.toString(16).padStart(8, "0");
      } else {
        frames.push({ stream, type, header: header.toHex(), body });
      }
    }
    return frames;
  }

  #goOnWriting(): void {
    for (const [stream, write] of this.#writing) {
      const count = this.mux.write(stream, write.data.subarray(write.done));
      assert.ok(typeof count === "number");
      write.done += count;
      this.#sent.push(...outputOf(this.mux));
    }
  }

  #read(stream: number, step: Step): void {
    const into = new Uint8Array(step.max ?? 0);
    const count = this.mux.read(stream, into);
    if (typeof count !== "number" || count === 0) {
      return assert.equal(ERRORS[count === 0 ? "nothing" : count], step.error);
    }
    assert.equal(step.error, null);
    const data = into.subarray(0, count);
    if (step.data_sha256 === undefined) return assert.equal(data.toHex(), step.data);
    assert.equal(count, step.data_length);
    assert.equal(sha256(data).toHex(), step.data_sha256);
  }
}

function expectResult(result: number | MuxStreamFault, expected: number | undefined, step: Step): void {
  if (typeof result === "string") return assert.equal(ERRORS[result], step.error);
  assert.equal(step.error, null);
  assert.equal(result, expected);
}

function received(frame: Frame): Uint8Array {
  if (frame.body_length === undefined) return concatBytes(hex(frame.header), hex(frame.body ?? ""));
  const body = new Uint8Array(frame.body_length).fill(hex(frame.body_byte)[0] ?? 0);
  return concatBytes(hex(frame.header), body);
}

function outputOf(mux: Mux): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let part = mux.takeOutput(); part.length > 0; part = mux.takeOutput()) parts.push(part);
  return parts;
}

function eventsOf(mux: Mux): MuxEvent[] {
  const events: MuxEvent[] = [];
  for (let event = mux.pollEvent(); event !== undefined; event = mux.pollEvent()) events.push(event);
  return events;
}

for (const vector of vectorCases("yamux.json")) {
  Deno.test(`a recorded session gives the same frames: ${vector.name}`, () => {
    assert.equal(vector.kind, "session");
    const { role } = vector;
    if (role !== "client" && role !== "server") throw new Error(`Unknown role "${role}"`);
    using replay = new Replay(role);
    for (const [index, step] of (vector["steps"] as readonly Step[]).entries()) {
      const place = `step ${index}: ${step.do}`;
      replay.run(step);
      const sent = replay.sent();
      assert.deepEqual(sent.map((frame) => frame.header), step.sent.map((frame) => frame.header), place);
      for (const [at, expected] of step.sent.entries()) {
        const body = sent[at]?.body ?? assert.fail(place);
        if (expected.body_sha256 !== undefined) assert.equal(sha256(body).toHex(), expected.body_sha256, place);
        else assert.equal(body.toHex(), expected.body ?? "", place);
      }
      assert.equal(replay.mux.fault !== undefined, step.connection_closed === true, place);
    }
    assert.equal(replay.mux.fault !== undefined, vector["session_closed"]);
  });
}

Deno.test("Mux pings after 30 s and ends the session 10 s later without an answer", () => {
  using mux = new Mux({ role: "client", keepAlive: true }, NOW);
  assert.equal(mux.pollDeadline(), NOW + 30_000);
  mux.handleDeadline(NOW + 30_000 as MonotonicMs);
  assert.equal(concatBytes(...outputOf(mux)).toHex(), "000200010000000000000000");
  assert.equal(mux.pollDeadline(), NOW + 40_000);
  mux.handleDeadline(NOW + 40_000 as MonotonicMs);
  assert.deepEqual(eventsOf(mux), [{ type: "closed" }]);
  assert.equal(mux.fault, "keep-alive");
  assert.equal(mux.pollDeadline(), undefined);
});

Deno.test("Mux without keep-alive is due for nothing", () => {
  using mux = new Mux({ role: "server", keepAlive: false }, NOW);
  assert.equal(mux.pollDeadline(), undefined);
});

Deno.test("Mux acknowledges on arrival and announces a larger window, if so told", () => {
  using mux = new Mux({ role: "server", keepAlive: false, receiveWindow: 1 << 20 }, NOW);
  mux.push(hex("000100010000000100000000"), NOW);
  assert.equal(concatBytes(...outputOf(mux)).toHex(), "0001000200000001000c0000");
  assert.deepEqual(eventsOf(mux), [{ type: "incoming" }]);
  assert.equal(mux.accept(), 1);
});

Deno.test("Mux reports a ping without an answer, and how long an answer took", () => {
  using mux = new Mux({ role: "client", keepAlive: false }, NOW);
  assert.deepEqual([mux.ping(NOW), mux.ping(NOW)], [0, 1]);
  mux.push(hex("000200020000000000000001"), NOW + 7 as MonotonicMs);
  mux.handleDeadline(NOW + 10_000 as MonotonicMs);
  assert.deepEqual(eventsOf(mux), [
    { type: "pong", ping: 1, roundTripMs: 7 },
    { type: "ping-timed-out", ping: 0 },
  ]);
});

Deno.test("Mux knows no stream after its end, and nothing after its disposal", () => {
  const mux = new Mux({ role: "client", keepAlive: false }, NOW);
  const stream = mux.open(NOW);
  assert.equal(stream, 1);
  mux.reset(1);
  assert.equal(mux.read(1, new Uint8Array(1)), "unknown");
  assert.equal(mux.write(1, new Uint8Array(1)), "unknown");
  mux[Symbol.dispose]();
  mux[Symbol.dispose]();
  assert.throws(() => mux.push(new Uint8Array(1), NOW), SkywireError);
  assert.throws(() => mux.open(NOW), SkywireError);
});

Deno.test("Mux refuses windows that the protocol does not know", () => {
  for (const receiveWindow of [0, 262_143, 2 ** 31 + 1, 300_000.5]) {
    assert.throws(() => new Mux({ role: "client", keepAlive: false, receiveWindow }, NOW), RangeError);
  }
});
