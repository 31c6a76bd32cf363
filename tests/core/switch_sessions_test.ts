import assert from "node:assert/strict";
import fc from "fast-check";
import type { GroupHandle, SessionHandle, Switch, SwitchEvent } from "../../lib/core/mod.ts";
import { ClosedError, UnavailableError } from "../../lib/errors/mod.ts";
import { at } from "../../lib/types/at.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import { SwitchLine } from "./switch_line.ts";

/** A session over a line, and how often a leg was made. */
class Ends implements Disposable {
  readonly line = new SwitchLine(3);
  readonly cores: readonly [Switch, Switch] = [at(this.line.switches, 0), at(this.line.switches, -1)];
  readonly sessions: readonly [SessionHandle, SessionHandle];
  legs: [GroupHandle, GroupHandle] = [0 as GroupHandle, 0 as GroupHandle];

  constructor() {
    this.sessions = [this.#begin(0), this.#begin(1)];
  }

  /** A leg, after its handshake. */
  addLeg(): void {
    const ends = this.line.connect();
    const positions = [0, 1].map((end) => this.#position(end));
    for (const end of [1, 0] as const) {
      this.cores[end].sessions.addLeg(this.sessions[end], ends[end].group, {
        leads: end === 0,
        inUse: true,
        confirmed: end === 0,
        ...at(positions, 1 - end),
      }, this.line.now);
    }
    this.legs = [ends[0].group, ends[1].group];
    this.line.settle();
  }

  /** The leg is gone, with what is under way on it. */
  cut(): void {
    for (const end of [0, 1] as const) this.cores[end].removeGroup(this.legs[end], this.line.now);
  }

  write(end: 0 | 1, bytes: Uint8Array): number {
    return this.cores[end].sessions.write(this.sessions[end], bytes, this.line.now);
  }

  read(end: 0 | 1, space = 4 * 1024 * 1024): Uint8Array {
    const into = new Uint8Array(space);
    return into.slice(0, this.cores[end].sessions.read(this.sessions[end], into, this.line.now));
  }

  events(end: 0 | 1): SwitchEvent["type"][] {
    return this.line.takeEvents(this.cores[end]).map(({ type }) => type);
  }

  [Symbol.dispose](): void {
    this.line[Symbol.dispose]();
  }

  #begin(end: 0 | 1): SessionHandle {
    const session = this.cores[end].sessions.add();
    return session ?? assert.fail("there is memory");
  }

  #position(end: number): Position {
    const core = at(this.cores, end);
    const { receivedBytes, window } = core.sessions.figures(at(this.sessions, end));
    return { received: BigInt(receivedBytes), limit: BigInt(receivedBytes + window) };
  }
}

interface Position {
  readonly received: bigint;
  readonly limit: bigint;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

Deno.test("A session carries both directions, and each ends by itself", () => {
  using ends = new Ends();
  ends.addLeg();
  assert.ok(ends.events(1).includes("leg-confirmed"));
  assert.equal(ends.write(0, bytes("there")), 5);
  ends.cores[0].sessions.finish(ends.sessions[0], false, ends.line.now);
  ends.line.settle();
  assert.ok(ends.events(1).includes("session-readable"));
  assert.equal(text(ends.read(1)), "there");
  assert.deepEqual(ends.cores[1].sessions.state(ends.sessions[1]), { readOut: true, stopped: false, done: false });
  assert.throws(() => ends.write(0, bytes("more")), ClosedError);
  assert.equal(ends.write(1, bytes("and back")), 8);
  ends.cores[1].sessions.finish(ends.sessions[1], false, ends.line.now);
  ends.line.settle();
  assert.equal(text(ends.read(0)), "and back");
  assert.ok(ends.events(0).includes("session-over") && ends.events(1).includes("session-over"));
  const figures = ends.cores[0].sessions.figures(ends.sessions[0]);
  assert.deepEqual([figures.writtenBytes, figures.acknowledgedBytes, figures.receivedBytes, figures.readBytes], [
    5,
    5,
    8,
    8,
  ]);
});

Deno.test("A message of up to 4069 bytes arrives as one", () => {
  using ends = new Ends();
  ends.addLeg();
  const sizes = [1, 4_069, 17, 4_070];
  for (const size of sizes) ends.write(0, new Uint8Array(size));
  ends.line.settle();
  const message = (): number | undefined => ends.cores[1].sessions.readMessage(ends.sessions[1], ends.line.now)?.length;
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(message), [1, 4_069, 17, 4_069, 1, undefined]);
});

Deno.test("A writer waits while nobody reads, and is told when there is room", () => {
  using ends = new Ends();
  ends.addLeg();
  const much = new Uint8Array(16 * 1024 * 1024);
  let written = 0;
  for (let count = -1; count !== 0; written += count) {
    count = ends.write(0, much);
    ends.line.settle();
  }
  assert.ok(written <= 1024 * 1024, `${written} bytes: no more than the reader's window`);
  ends.events(0);
  while (ends.read(1).length > 0) ends.line.settle();
  assert.ok(ends.events(0).includes("session-writable"));
  assert.ok(ends.write(0, much) > 0);
});

Deno.test("A reset is told with its reason, and what came before is still read", () => {
  using ends = new Ends();
  ends.addLeg();
  ends.write(0, bytes("last words"));
  ends.cores[0].sessions.reset(ends.sessions[0], { code: 1, text: "enough" }, ends.line.now);
  ends.line.settle();
  const over = ends.line.takeEvents(ends.cores[1]).find(({ type }) => type === "session-over");
  assert.deepEqual(over, { type: "session-over", session: ends.sessions[1], end: "reset", code: 1, message: "enough" });
  assert.equal(text(ends.read(1)), "last words");
  assert.throws(() => ends.write(1, bytes("what")), ClosedError);
});

Deno.test("A leg needs a group that is there, and a session that is removed leaves its groups", () => {
  using ends = new Ends();
  ends.addLeg();
  const start = { leads: true, inUse: true, confirmed: true, received: 0n, limit: 0n };
  const [core] = ends.cores;
  assert.throws(
    () => core.sessions.addLeg(ends.sessions[0], 77 as GroupHandle, start, ends.line.now),
    UnavailableError,
  );
  core.sessions.remove(ends.sessions[0]);
  assert.throws(() => core.sessions.state(ends.sessions[0]));
  assert.throws(() => ends.write(0, bytes("gone")), ClosedError);
  assert.ok(core.groupStats(ends.legs[0]).sentBytes > 0);
});

Deno.test("Sessions: whenever legs die, each reader sees what was written", () => {
  const action = fc.oneof(
    fc.record({ write: fc.constantFrom(0 as const, 1 as const), size: fc.integer({ min: 1, max: 100_000 }) }),
    fc.record({ read: fc.constantFrom(0 as const, 1 as const), space: fc.integer({ min: 1, max: 200_000 }) }),
    fc.record({ pass: fc.integer({ min: 1, max: 2_000 }) }),
    fc.constantFrom("settle" as const, "cut" as const),
  );
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 }),
      fc.array(action, { maxLength: 60 }),
      (pieces, actions) => {
        using ends = new Ends();
        let turn = 0;
        ends.line.piece = () => at(pieces, turn++ % pieces.length);
        ends.addLeg();
        const sent: Uint8Array[][] = [[], []], got: Uint8Array[][] = [[], []];
        for (const [i, step] of actions.entries()) {
          if (step === "settle") ends.line.settle();
          else if (step === "cut") {
            ends.cut();
            ends.addLeg();
          } else if ("pass" in step) ends.line.pass(step.pass);
          else if ("read" in step) at(got, step.read).push(ends.read(step.read, step.space));
          else {
            const chunk = new Uint8Array(step.size).fill(i + 1);
            at(sent, 1 - step.write).push(chunk.slice(0, ends.write(step.write, chunk)));
          }
        }
        for (const end of [0, 1] as const) {
          for (let last = 1; last > 0;) {
            ends.line.settle();
            const more = ends.read(end);
            at(got, end).push(more);
            last = more.length;
          }
          assert.deepEqual(concatBytes(...at(got, end)), concatBytes(...at(sent, end)));
        }
      },
    ),
    { numRuns: 100 },
  );
});
