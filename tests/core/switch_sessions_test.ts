import assert from "node:assert/strict";
import fc from "fast-check";
import { core as module } from "../../lib/core/instance.ts";
import {
  type GroupHandle,
  MAX_SESSION_MESSAGE_BYTES,
  type SessionHandle,
  type Switch,
  type SwitchEvent,
} from "../../lib/core/mod.ts";
import { ClosedError, UnavailableError } from "../../lib/errors/mod.ts";
import { at } from "../../lib/types/at.ts";
import { concatBytes } from "../../lib/types/mod.ts";
import { SwitchLine } from "./switch_line.ts";

/** Of one leg, at both ends. */
interface LegEnds {
  readonly cable: number;
  readonly groups: readonly [GroupHandle, GroupHandle];
}

interface LegChoice {
  /** Undefined: along the line. */
  readonly cable?: number;
  readonly inUse?: boolean;
}

/** Two switches that are joined by any number of cables, and a session whose legs go over them. */
class Ends implements Disposable {
  readonly line = new SwitchLine(2);
  readonly cores: readonly [Switch, Switch] = [at(this.line.switches, 0), at(this.line.switches, 1)];
  sessions: readonly [SessionHandle, SessionHandle] = this.#begin();

  /** Another session; the first one stays. */
  begin(): void {
    this.sessions = this.#begin();
  }

  /** A leg, after its handshake. */
  addLeg({ cable = 0, inUse = true }: LegChoice = {}): LegEnds {
    const ends = this.line.connect(cable);
    const positions = [0, 1].map((end) => this.#position(end));
    for (const end of [1, 0] as const) {
      this.cores[end].sessions.addLeg(this.sessions[end], ends[end].group, {
        leads: end === 0,
        inUse: end === 0 && inUse,
        confirmed: end === 0,
        ...at(positions, 1 - end),
      }, this.line.now);
    }
    this.line.settle();
    return { cable, groups: [ends[0].group, ends[1].group] };
  }

  write(end: 0 | 1, bytes: Uint8Array): number {
    return this.cores[end].sessions.write(this.sessions[end], bytes, this.line.now);
  }

  read(end: 0 | 1, space = 4 * 1024 * 1024): Uint8Array {
    const into = new Uint8Array(space);
    return into.slice(0, this.cores[end].sessions.read(this.sessions[end], into, this.line.now));
  }

  readMessage(end: 0 | 1): Uint8Array | undefined {
    return this.cores[end].sessions.readMessage(this.sessions[end], this.line.now);
  }

  finish(end: 0 | 1, stops = false): void {
    this.cores[end].sessions.finish(this.sessions[end], stops, this.line.now);
  }

  state(end: 0 | 1): ReturnType<Switch["sessions"]["state"]> {
    return this.cores[end].sessions.state(this.sessions[end]);
  }

  /** The types of what was told since they were taken last. */
  events(end: 0 | 1): SwitchEvent["type"][] {
    return this.line.takeEvents(this.cores[end]).map(({ type }) => type);
  }

  [Symbol.dispose](): void {
    this.line[Symbol.dispose]();
  }

  #begin(): [SessionHandle, SessionHandle] {
    const [a, b] = this.cores.map((core) => core.sessions.add() ?? assert.fail("there is memory"));
    return [a, b] as [SessionHandle, SessionHandle];
  }

  #position(end: number): { readonly received: bigint; readonly limit: bigint } {
    const core = at(this.cores, end);
    const { receivedBytes, window } = core.sessions.figures(at(this.sessions, end));
    return { received: BigInt(receivedBytes), limit: BigInt(receivedBytes + window) };
  }
}

const ENDS = [0, 1] as const;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

Deno.test("A session carries both directions, and each ends by itself", () => {
  using ends = new Ends();
  ends.addLeg();
  assert.ok(ends.events(1).includes("leg-confirmed"));
  assert.equal(ends.write(0, bytes("there")), 5);
  ends.finish(0);
  ends.line.settle();
  assert.ok(ends.events(1).includes("session-readable"));
  assert.deepEqual(ends.state(1), { readOut: false, stopped: false, done: false });
  assert.equal(text(ends.read(1)), "there");
  assert.deepEqual(ends.state(1), { readOut: true, stopped: false, done: false });
  assert.throws(() => ends.write(0, bytes("more")), ClosedError);
  assert.equal(ends.write(1, bytes("and back")), 8);
  ends.finish(1);
  ends.line.settle();
  assert.equal(text(ends.read(0)), "and back");
  for (const end of ENDS) {
    assert.ok(ends.events(end).includes("session-over"));
    assert.deepEqual(ends.state(end), { readOut: true, stopped: false, done: true });
  }
  const { writtenBytes, acknowledgedBytes, receivedBytes, readBytes } = ends.cores[0].sessions.figures(
    ends.sessions[0],
  );
  assert.deepEqual([writtenBytes, acknowledgedBytes, receivedBytes, readBytes], [5, 5, 8, 8]);
});

Deno.test("An end that reads no more stops the writer at the other end", () => {
  using ends = new Ends();
  ends.addLeg();
  ends.write(1, bytes("nobody reads this"));
  ends.finish(0, true);
  ends.line.settle();
  assert.deepEqual(ends.state(1), { readOut: true, stopped: true, done: true });
  assert.throws(() => ends.write(1, bytes("nor this")), ClosedError);
  assert.ok(ends.state(0).done);
  assert.equal(ends.read(0).length, 0);
});

Deno.test("A message of up to 4069 bytes arrives as one", () => {
  using ends = new Ends();
  ends.addLeg();
  const sizes = [1, MAX_SESSION_MESSAGE_BYTES, 17, MAX_SESSION_MESSAGE_BYTES + 1];
  for (const size of sizes) ends.write(0, new Uint8Array(size));
  ends.line.settle();
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => ends.readMessage(1)?.length), [1, 4_069, 17, 4_069, 1, undefined]);
});

Deno.test("A writer waits while nobody reads, and is told when there is room", () => {
  using ends = new Ends();
  ends.addLeg();
  const much = new Uint8Array(16 * 1024 * 1024);
  let written = 0;
  for (let count = -1; count !== 0;) {
    count = ends.write(0, much);
    written += count;
    ends.line.settle();
  }
  assert.ok(written > 500 * 1024 && written <= 512 * 1024, `${written} bytes: as much as the reader's window`);
  ends.events(0);
  ends.line.pass(5_000);
  assert.ok(!ends.events(0).includes("session-writable"), "nobody has read");
  let read = 0;
  for (let last = 1; last > 0; read += last) {
    last = ends.read(1).length;
    ends.line.settle();
  }
  assert.equal(read, written);
  assert.ok(ends.events(0).includes("session-writable"));
  assert.ok(ends.write(0, much) > 0);
});

Deno.test("A session goes on when the cable of a leg is out, over another one or over one on standby", () => {
  using ends = new Ends();
  const [second, third] = [ends.line.addCable(), ends.line.addCable()];
  const first = ends.addLeg();
  ends.addLeg({ cable: second });
  const standby = ends.addLeg({ cable: third, inUse: false });
  const [core] = ends.cores;
  assert.equal(core.sessions.isLegUsed(ends.sessions[0], standby.groups[0]), false);
  let written = 0;
  const write = (): number => ends.write(0, new Uint8Array(100_000).fill(++written));
  assert.equal(write(), 100_000);
  ends.line.unplug(first.cable);
  assert.equal(write(), 100_000);
  ends.line.unplug(second);
  assert.equal(write(), 100_000);
  const closed = ends.line.takeEvents(core).filter(({ type }) => type === "group-closed");
  assert.deepEqual(closed.map((event) => "reason" in event && event.reason), ["link-down", "link-down"]);
  ends.line.settle();
  const expected = [1, 2, 3].map((fill) => new Uint8Array(100_000).fill(fill));
  assert.deepEqual(ends.read(1), concatBytes(...expected));
});

Deno.test("What a leg that stands still was given goes over another one, and is read once", () => {
  using ends = new Ends();
  const other = ends.line.addCable();
  const first = ends.addLeg();
  const standby = ends.addLeg({ cable: other, inUse: false });
  ends.line.pass(1_000);
  ends.events(0);
  ends.line.jam(first.cable, ENDS);
  ends.write(0, bytes("where is it"));
  ends.line.pass(2_000);
  const told = ends.line.takeEvents(ends.cores[0]);
  assert.ok(told.some((event) => event.type === "leg-silent" && event.group === first.groups[0]));
  assert.equal(text(ends.read(1)), "where is it");
  ends.line.jam(first.cable, []);
  ends.line.pass(4_000);
  assert.deepEqual(
    ends.line.takeEvents(ends.cores[0]).filter(({ type }) => type === "leg-heard" || type === "leg-silent"),
    [{ type: "leg-heard", group: first.groups[0] }],
  );
  assert.equal(ends.read(1).length, 0);
  assert.equal(ends.cores[1].sessions.figures(ends.sessions[1]).repeatedBytes, 11);
  // Now the initiator wants the other one.
  const { sessions } = ends.cores[0];
  sessions.useLeg(ends.sessions[0], standby.groups[0], true, ends.line.now);
  sessions.useLeg(ends.sessions[0], first.groups[0], false, ends.line.now);
  ends.line.settle();
  const isUsed = ({ groups }: LegEnds): boolean => ends.cores[1].sessions.isLegUsed(ends.sessions[1], groups[1]);
  assert.deepEqual([isUsed(first), isUsed(standby)], [false, true], "the other end knows");
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

Deno.test("A peer that breaks the protocol is told, and the session is over", () => {
  using ends = new Ends();
  const [first, last] = ends.line.connect();
  const start = { leads: false, inUse: false, confirmed: false, received: 0n, limit: 0n };
  last.core.sessions.addLeg(ends.sessions[1], last.group, start, ends.line.now);
  // The other end is a plain group, so these are the records of a leg: ACK, then a kind that nobody knows.
  first.core.write(first.group, new Uint8Array(26).fill(2, 0, 1), ends.line.now);
  first.core.write(first.group, Uint8Array.of(9), ends.line.now);
  ends.line.settle();
  const over = ends.line.takeEvents(last.core).find(({ type }) => type === "session-over");
  assert.ok(over?.type === "session-over" && over.end === "fault" && over.message !== "");
  const told = [1, 2].map(() => first.core.readMessage(first.group, ends.line.now));
  assert.deepEqual(told.map((frame) => frame?.subarray(0, 2)), [Uint8Array.of(2, 0), Uint8Array.of(4, 2)]);
});

Deno.test("A leg needs a group that is there, and a session that is removed leaves its groups", () => {
  using ends = new Ends();
  const { groups } = ends.addLeg();
  const start = { leads: true, inUse: true, confirmed: true, received: 0n, limit: 0n };
  const [core] = ends.cores;
  assert.throws(
    () => core.sessions.addLeg(ends.sessions[0], 77 as GroupHandle, start, ends.line.now),
    UnavailableError,
  );
  core.sessions.remove(ends.sessions[0]);
  assert.throws(() => core.sessions.state(ends.sessions[0]));
  assert.throws(() => ends.write(0, bytes("gone")), ClosedError);
  assert.ok(core.groupStats(groups[0]).sentBytes > 0);
});

Deno.test("A switch has memory for hundreds of sessions; what one had is free when it was removed", () => {
  using line = new SwitchLine(2);
  const core = at(line.switches, 0);
  const fill = (): SessionHandle[] => {
    const added: SessionHandle[] = [];
    for (let session = core.sessions.add(); session !== undefined; session = core.sessions.add()) added.push(session);
    return added;
  };
  const all = fill();
  assert.ok(all.length > 250 && all.length <= 1024, `${all.length} sessions`);
  for (const session of all.slice(0, 10)) core.sessions.remove(session);
  assert.ok(fill().length >= 10);
  core[Symbol.dispose]();
  assert.throws(() => core.sessions.add(), { code: "switch/closed" });
  assert.throws(() => core.sessions.state(at(all, 20)), { code: "switch/closed" });
});

Deno.test("Sessions that rest keep no buffers", () => {
  using ends = new Ends();
  const much = new Uint8Array(200_000);
  const burst = (): void => {
    ends.begin();
    const { groups } = ends.addLeg();
    for (let written = 0; written < much.length; ends.line.settle()) written += ends.write(0, much.subarray(written));
    assert.equal(ends.read(1).length, much.length);
    ends.line.pass(6_000);
    for (const end of ENDS) ends.cores[end].removeGroup(groups[end], ends.line.now);
  };
  burst();
  const before = module.memory.buffer.byteLength;
  for (let i = 0; i < 20; i++) burst();
  const more = module.memory.buffer.byteLength - before;
  assert.ok(more < 5_000_000, `${more} bytes for 20 sessions`);
});

Deno.test("Sessions: whatever happens to their legs, each reader sees what was written", () => {
  const end = fc.constantFrom(0 as const, 1 as const);
  const which = fc.nat(2);
  const action = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        write: end,
        size: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 300_000 })),
      }),
    },
    { weight: 3, arbitrary: fc.record({ read: end, space: fc.integer({ min: 0, max: 200_000 }) }) },
    { weight: 2, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 2_000 }) }) },
    { weight: 4, arbitrary: fc.record({ rounds: fc.integer({ min: 1, max: 30 }) }) },
    { weight: 2, arbitrary: fc.record({ cut: which, abrupt: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ jam: which, from: fc.subarray([...ENDS]) }) },
    { weight: 1, arbitrary: fc.record({ use: which, inUse: fc.boolean() }) },
  );
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 }),
      fc.array(action, { maxLength: 60 }),
      (pieces, actions) => {
        using ends = new Ends();
        const { line } = ends;
        let turn = 0;
        line.piece = () => at(pieces, turn++ % pieces.length);
        // Two that carry, and one on standby.
        const legs = [ends.addLeg(), ...[true, false].map((inUse) => ends.addLeg({ cable: line.addCable(), inUse }))];
        /** Messages as they were written, and bytes as they were read, by reader. */
        const sent: Uint8Array[][] = [[], []], got: Uint8Array[][] = [[], []];
        const read = (reader: 0 | 1, space: number): number => {
          // What is read as messages has the borders of the writer.
          const part = space === 0 ? ends.readMessage(reader) ?? new Uint8Array() : ends.read(reader, space);
          at(got, reader).push(part);
          return part.length;
        };
        for (const [i, step] of actions.entries()) {
          if ("rounds" in step) line.settle(step.rounds);
          else if ("pass" in step) line.pass(step.pass);
          else if ("read" in step) read(step.read, step.read === 1 ? 0 : step.space);
          else if ("jam" in step) line.jam(at(legs, step.jam).cable, step.from);
          else if ("use" in step) {
            const group = at(legs, step.use).groups[0];
            ends.cores[0].sessions.useLeg(ends.sessions[0], group, step.inUse, line.now);
          } else if ("cut" in step) {
            const leg = at(legs, step.cut);
            if (step.abrupt) line.unplug(leg.cable);
            else for (const side of ENDS) ends.cores[side].removeGroup(leg.groups[side], line.now);
            legs[step.cut] = ends.addLeg({ cable: line.addCable(), inUse: step.cut < 2 });
          } else {
            const chunk = new Uint8Array(step.size).map((_, j) => i + j);
            const taken = ends.write(step.write, chunk);
            for (let from = 0; from < taken; from += MAX_SESSION_MESSAGE_BYTES) {
              at(sent, 1 - step.write).push(chunk.slice(from, Math.min(taken, from + MAX_SESSION_MESSAGE_BYTES)));
            }
          }
        }
        // One that works is enough, also for what was said over another one last.
        line.jam(at(legs, 0).cable, []);
        const until = (reached: (side: 0 | 1) => boolean, what: string): void => {
          for (let round = 0; !ENDS.every(reached); round++) {
            // Sooner than route groups are silent, after 9 s.
            assert.ok(round < 16, what);
            line.pass(500);
            while (read(0, 1_000_000) + read(1, 0) > 0) line.settle();
          }
        };
        until((side) => {
          const { writtenBytes, acknowledgedBytes } = ends.cores[side].sessions.figures(ends.sessions[side]);
          return acknowledgedBytes === writtenBytes;
        }, "all that was written is acknowledged");
        for (const side of ENDS) ends.finish(side);
        until((side) => ends.state(side).done, "it comes to its end");
        for (const side of ENDS) {
          assert.deepEqual(concatBytes(...at(got, side)), concatBytes(...at(sent, side)));
          assert.ok(ends.state(side).readOut);
        }
        assert.deepEqual(
          at(got, 1).filter(({ length }) => length > 0).map(({ length }) => length),
          at(sent, 1).map(({ length }) => length),
        );
      },
    ),
    { numRuns: 100 },
  );
});
