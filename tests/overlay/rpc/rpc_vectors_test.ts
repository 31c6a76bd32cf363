/** What Go's net/rpc wrote and answered, replayed against our client and server (tests/vectors/gob.json). */

import assert from "node:assert/strict";
import { RefusedError } from "../../../lib/errors/mod.ts";
import type { ByteLink } from "../../../lib/runtime/mod.ts";
import { concatBytes, type Hop, parseHex, type RouteDescriptor, type RouteId } from "../../../lib/types/mod.ts";
import { Fault } from "../../../lib/wire/fault.ts";
import { GobDecoder } from "../../../lib/wire/gob/mod.ts";
import { gobAny, type GobRecord } from "../../wire/gob/any.ts";
import { RpcClient, type RpcHandler, rpcHandler, type RpcMethod, serveRpc } from "../../../lib/overlay/rpc/mod.ts";
import {
  ADD_EDGE_RULES,
  ADD_INTERMEDIARY_RULES,
  type BidirectionalRoute,
  decodeRouteDescriptor,
  DIAL_ROUTE_GROUP,
  type EdgeRules,
  RESERVE_IDS,
} from "../../../lib/wire/setup_messages.ts";
import { showValue, unwrap } from "../../wire/gob/gob_json.ts";
import { normalForm } from "../../wire/gob/normal_form.ts";
import { testVectors } from "../../wire/vectors.ts";
import { linkPair } from "../../fakes/link_pair.ts";

interface Call {
  readonly method: string;
  readonly seq: number;
  // deno-lint-ignore no-explicit-any -- of many shapes, known by the method
  readonly args: any;
  // deno-lint-ignore no-explicit-any -- as `args`
  readonly reply: any;
  readonly error: string | null;
  readonly client_bytes: string;
  readonly server_bytes: string;
}

testVectors("gob.json", {
  async rpc(data): Promise<void> {
    checkContents(data.calls);
    if (data.port !== 36 && data.port !== 136) return;
    await checkServer(data.calls);
    await checkClient(wellTyped(data.calls));
  },
  value: { elsewhere: "tests/wire/gob/gob_test.ts" },
  values: { elsewhere: "tests/wire/gob/gob_test.ts" },
  decode: { elsewhere: "tests/wire/gob/gob_test.ts" },
});

/** Both streams of the connection hold what the file says. */
function checkContents(calls: readonly Call[]): void {
  const [client, server] = [new GobDecoder(), new GobDecoder()];
  for (const call of calls) {
    client.push(parseHex(call.client_bytes));
    server.push(parseHex(call.server_bytes));
    const header = { ServiceMethod: call.method, Seq: call.seq };
    assert.deepEqual(showValue(unwrap(client.read(gobAny))), header);
    assert.deepEqual(showArgument(unwrap(client.read(gobAny)) as GobRecord, call.args), call.args);
    assert.deepEqual(showValue(unwrap(server.read(gobAny))), { ...header, Error: call.error ?? "" });
    const reply = showArgument(unwrap(server.read(gobAny)) as GobRecord, call.reply);
    if (call.error === null) assert.deepEqual(reply, call.reply);
  }
  assert.equal(client.buffered + server.buffered, 0);
}

/** A nil pointer and a nil value of another kind look alike in a description: the file knows which it was. */
function showArgument(value: GobRecord, expected: unknown): unknown {
  return alike(showValue(value), expected);
}

function alike(shown: unknown, expected: unknown): unknown {
  if (typeof expected !== "object" || expected === null || typeof shown !== "object" || shown === null) {
    const isZero = (any: unknown): boolean =>
      any === null || any === 0 || any === "" || /^[0:.\-TZ1]*$/.test(String(any)) || JSON.stringify(any) === "[]";
    return isZero(shown) && isZero(expected) ? expected : shown;
  }
  return Array.isArray(shown) ? shown.map((item, i) => alike(item, (expected as unknown[])[i])) : Object.fromEntries(
    Object.entries(shown).map(([name, inner]) => [name, alike(inner, (expected as Record<string, unknown>)[name])]),
  );
}

/** Our server gets Go's requests, byte for byte, and must write what Go's server wrote, but for type ids. */
async function checkServer(calls: readonly Call[]): Promise<void> {
  const [ours, theirs] = linkPair();
  const served = serveRpc(ours, { handlers: handlersOf(calls) });
  const answers = new PairReader(theirs);
  for (const call of calls) {
    await theirs.write(parseHex(call.client_bytes));
    await answers.readPair();
  }
  theirs.close();
  await served;
  assert.deepEqual(normalForm(answers.bytes), normalForm(joined(calls, "server_bytes")));
}

/** Our client makes Go's calls, and must write what Go's client wrote, but for type ids; then it gets Go's answers. */
async function checkClient(calls: readonly Call[]): Promise<void> {
  const [ours, theirs] = linkPair();
  using client = new RpcClient(ours);
  const requests = new PairReader(theirs);
  for (const call of calls) {
    const result = callAs(client, call).then((reply) => ({ reply }), (error: RefusedError) => ({ error }));
    await requests.readPair();
    await theirs.write(parseHex(call.server_bytes));
    const settled = await result;
    if (call.error === null) assert.deepEqual(settled, { reply: replyOf(call) });
    else assert.equal("error" in settled && settled.error.details.message, call.error);
  }
  assert.deepEqual(normalForm(requests.bytes), normalForm(joined(calls, "client_bytes")));
}

/** The calls before the first one that our types cannot express. */
function wellTyped(calls: readonly Call[]): readonly Call[] {
  const end = calls.findIndex((call) => !isWellTyped(call));
  return end < 0 ? calls : calls.slice(0, end);
}

/** Did the argument decode into the type of the method? */
function isWellTyped(call: Call): boolean {
  return !/^gob:|^value for/.test(call.error ?? "");
}

function callAs(client: RpcClient, { method, args }: Call): Promise<unknown> {
  switch (method) {
    case RESERVE_IDS.name:
      return client.call(RESERVE_IDS, args);
    case ADD_INTERMEDIARY_RULES.name:
      return client.call(ADD_INTERMEDIARY_RULES, args.map(parseHex));
    case ADD_EDGE_RULES.name:
      return client.call(ADD_EDGE_RULES, edgeRulesOf(args));
    default:
      return client.call(DIAL_ROUTE_GROUP, routeOf(args));
  }
}

function replyOf({ method, reply }: Call): unknown {
  return method === DIAL_ROUTE_GROUP.name ? edgeRulesOf(reply) : reply;
}

/** Reads values two by two, header and body, and keeps their bytes. */
class PairReader {
  readonly #link: ByteLink;
  readonly #decoder = new GobDecoder();
  bytes: Uint8Array = new Uint8Array();

  constructor(link: ByteLink) {
    this.#link = link;
  }

  async readPair(): Promise<void> {
    for (let left = 2; left > 0;) {
      const value = this.#decoder.read(gobAny);
      if (value instanceof Fault) throw new Error(value.message);
      if (value !== undefined) left--;
      else await this.#readMore();
    }
  }

  async #readMore(): Promise<void> {
    const chunk = new Uint8Array(4096);
    const count = await this.#link.read(chunk);
    if (count === null) throw new Error("The link ended");
    this.#decoder.push(chunk.subarray(0, count));
    this.bytes = concatBytes(this.bytes, chunk.subarray(0, count));
  }
}

function handlersOf(calls: readonly Call[]): RpcHandler[] {
  const next = new Map<string, Call[]>();
  for (const call of calls.filter(isWellTyped)) next.set(call.method, [...next.get(call.method) ?? [], call]);
  const answer = <A, R>(
    method: RpcMethod<A, R>,
    toReply: (reply: Call["reply"]) => R,
    toArgument: (args: Call["args"]) => A,
  ): RpcHandler =>
    rpcHandler(method, (argument) => {
      const call = next.get(method.name)?.shift() as Call;
      assert.deepEqual(argument, toArgument(call.args));
      if (call.error !== null) throw new RefusedError("test/refused", call.error);
      return toReply(call.reply);
    });
  return [
    answer(RESERVE_IDS, (ids) => ids as RouteId[], (count) => count as number),
    answer(ADD_INTERMEDIARY_RULES, (ok) => ok as boolean, (rules) => rules.map(parseHex)),
    answer(ADD_EDGE_RULES, (ok) => ok as boolean, edgeRulesOf),
    answer(DIAL_ROUTE_GROUP, edgeRulesOf, routeOf),
  ];
}

function edgeRulesOf(json: { Desc: string; Forward: string; Reverse: string }): EdgeRules {
  return { descriptor: descriptorOf(json.Desc), forward: parseHex(json.Forward), consume: parseHex(json.Reverse) };
}

function routeOf(json: Record<string, unknown>): BidirectionalRoute {
  const hops = (list: unknown): Hop[] =>
    (list as { TpID: Hop["transportId"]; From: Hop["from"]; To: Hop["to"] }[]).map((hop) => ({
      transportId: hop.TpID,
      from: hop.From,
      to: hop.To,
    }));
  return {
    descriptor: descriptorOf(json.Desc as string),
    keepAliveNs: BigInt(json.KeepAlive as number),
    forward: hops(json.Forward),
    reverse: hops(json.Reverse),
  };
}

function descriptorOf(hex: string): RouteDescriptor {
  const descriptor = decodeRouteDescriptor(parseHex(hex));
  if (descriptor instanceof Fault) throw new Error(descriptor.message);
  return descriptor;
}

function joined(calls: readonly Call[], field: "client_bytes" | "server_bytes"): Uint8Array {
  return parseHex(calls.map((call) => call[field]).join(""));
}
