/**
 * The rule state machine where packets meet it (routing.md §2.7): the switch against a model, in any order of events.
 * `core-rs/routing/src/table_model.rs` has the table alone.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { switchCommands } from "../models/switch_rules/commands.ts";
import { SwitchModel } from "../models/switch_rules/model.ts";
import { RealSwitch } from "../models/switch_rules/real.ts";
import type { Visits } from "../models/switch_rules/state.ts";

/** Where ids begin: at the very first one, somewhere, and so late that they run out. */
const FIRST_IDS = fc.constantFrom(1, 77_000, 0xffff_fffa);

const TYPES = ["consume", "forward", "intermediary"];

/** What has to happen in a run long enough: rules in every state, packets of every type on them, and what ends them. */
const VISITS = [
  "reserve",
  "reserve too many",
  "reserve: none are left",
  ...TYPES.flatMap((type) => [
    ...["unreserved", "reserved", "active", "expired", "with a group"].map((state) => `save ${type}: ${state}`),
    ...["data", "close", "keepAlive", "handshake", "ping", "pong", "error"].map((packet) => `${packet} on ${type}`),
    `collect ${type}`,
    `link down under ${type}`,
  ]),
  "save a short rule",
  "save a rule of no type",
  "delete a rule",
  "delete nothing",
  "at the edge of a keep-alive",
  "beyond the edge of a keep-alive",
  "a link comes back",
  "transportPing between neighbours",
  "transportPong between neighbours",
  "a length lies",
  "what was missing came",
  ...[
    "unknownType",
    "shortPayload",
    "unknownRoute",
    "expiredRoute",
    "wrongLink",
    "noTransport",
    "noGroup",
  ].map((counter) => `drop: ${counter}`),
  "group begins",
  "group refused",
  "group: early packet",
  "group: expired",
  "group: no answer to a close",
  ...["local", "remote", "expired", "link-down", "fault"].map((reason) => `group ended: ${reason}`),
  ...["open", "closing", "ended"].flatMap((
    state,
  ) => [`close a group that is ${state}`, `remove a group that is ${state}`]),
];

Deno.test("Switch does with rules and packets what a map, a clock and lists do, whatever happens to it", () => {
  runModel(new Map(), { numRuns: 300 });
});

Deno.test("Switch's model test goes through every state, packet and end", () => {
  const visits: Visits = new Map();
  runModel(visits, { numRuns: 800, seed: 0x5eed });
  const unseen = VISITS.filter((visit) => (visits.get(visit) ?? 0) < 3);
  assert.deepEqual(unseen, [], "each at least three times");
});

function runModel(visits: Visits, parameters: { readonly numRuns: number; readonly seed?: number }): void {
  const property = fc.property(FIRST_IDS, switchCommands, (firstId, commands) => {
    using real = new RealSwitch(firstId);
    fc.modelRun(() => ({ model: new SwitchModel(firstId, visits), real }), commands);
  });
  fc.assert(property, parameters);
}
