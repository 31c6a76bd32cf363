/**
 * Replays what was seen of v1.3, on both stores. Our answers do not depend on the store; those of v1.3 do, and where its
 * two differ ours is that of PostgreSQL, which its network runs on.
 */

import assert from "node:assert/strict";
import { openSqlite, type SqlDatabase } from "../../../lib/storage/mod.ts";
import type { HttpService } from "../../../lib/services/http/mod.ts";
import { createTransportDiscovery } from "../../../lib/services/transport_discovery/mod.ts";
import { formatSignedEntries, parseSignedEntries } from "../../../lib/services/transport_discovery/api.ts";
import { NULL_SIGNATURE, parseHex, SecretKey } from "../../../lib/types/mod.ts";
import { authHeaders } from "../../../lib/wire/http_auth.ts";
import { type SignedEntry, signTransportEntry } from "../../../lib/wire/transport_entry.ts";
import type { VectorCase } from "../../wire/vectors.ts";
import { assertApiFile, assertDocumented, readApiDocument } from "../http/api_document.ts";
import { ABSENT_SERVICES, ask, makeWorld, sortMethods, testApiVectors } from "../http/support.ts";

/** An answer of ours that differs, and why. */
interface Difference {
  readonly why: string;
  readonly status: number;
  readonly text: string;
  /** v1.3 stored the entries; they are registered again as it should be done, so that the next requests find them. */
  readonly registerProperly?: true;
}

const NOT_AN_EDGE: Difference = {
  why: "the caller is no edge of an entry (transports.md W6)",
  status: 403,
  text: '{"error":"the caller is not an edge of the transport"}\n',
  registerProperly: true,
};

const FALSE_ENTRY: Readonly<Record<number, Difference>> = { 11: NOT_AN_EDGE, 23: NOT_AN_EDGE };

const CRASHES: Difference = {
  why: "a request that crashes the handler of v1.3 is refused like others that are no entries",
  status: 500,
  text: '{"error":"bad entry format"}\n',
};

const DIFFERENCES: Readonly<Record<string, Readonly<Record<number, Difference>>>> = {
  "transport discovery, memory": {
    ...FALSE_ENTRY,
    3: { why: "no transports: as PostgreSQL", status: 200, text: "null\n" },
    22: CRASHES,
    49: { why: "removing what is not there: as PostgreSQL", status: 200, text: "null" },
  },
  "transport discovery, postgres": {
    ...FALSE_ENTRY,
    // 10, registering again: not 500 but 201, since the entry is there as it should be (transports.md W6); see below.
    21: CRASHES,
    22: CRASHES,
  },
  "transport discovery for the route finder": { 1: NOT_AN_EDGE, 3: NOT_AN_EDGE, 4: NOT_AN_EDGE },
};

Deno.test("the transport discovery describes its API as the file in tests/vectors/api says", async () => {
  const service = await createTransportDiscovery({ runtime: makeWorld(0n).runtime });
  await assertApiFile(service.fetch, "transport-discovery");
  await service.close();
});

testApiVectors({
  ...ABSENT_SERVICES,
  "address resolver": { elsewhere: "tests/services/address_resolver/vectors_test.ts" },
  "dmsg discovery": { elsewhere: "tests/services/messaging_discovery/vectors_test.ts" },
  "route finder": { elsewhere: "tests/services/route_finder/vectors_test.ts" },
  "transport discovery": async (data) => {
    for (const database of [undefined, openSqlite(":memory:")] satisfies (SqlDatabase | undefined)[]) {
      const world = makeWorld(1_700_000_000_000_000_000n);
      const service = await createTransportDiscovery({
        runtime: world.runtime,
        database,
        monitors: data.nm_whitelist ?? [],
      });
      await replay(service, data);
      await service.close();
      await database?.close();
      assert.equal(world.timerCount, 0);
      assert.deepEqual(world.problems, []);
    }
  },
});

async function replay(service: HttpService, data: VectorCase): Promise<void> {
  const secretOf = (key: string): SecretKey => new SecretKey(parseHex(data.keys[key]));
  const document = await readApiDocument(service.fetch);
  for (const [i, step] of (data.requests as VectorCase[]).entries()) {
    const place = `${data.name}, request ${i}: ${step.method} ${step.path}`;
    const difference = DIFFERENCES[data.name]?.[i] ?? registeredAgain(step);
    const headers = await withOurNonce(service, step, secretOf);
    const answer = await ask(service.fetch, { method: step.method, path: step.path, body: step.body, headers });
    assertDocumented(document, { method: step.method, path: step.path }, answer);
    if (difference !== undefined) {
      assert.deepEqual([answer.status, answer.text], [difference.status, difference.text], place);
      if (difference.registerProperly === true) await registerProperly(service, step.body, secretOf);
      continue;
    }
    assert.equal(answer.status, step.status, place);
    if (step.note === "order is not defined") assert.deepEqual(inOrder(answer.text), inOrder(step.response), place);
    else if (step.volatile === true) assert.deepEqual(shapeOf(answer.text), shapeOf(step.response), place);
    else assert.equal(answer.text, step.response, place);
    assert.equal(answer.contentType, step.response_headers["Content-Type"] ?? "", place);
    assert.equal(sortMethods(answer.allow), sortMethods(step.response_headers.Allow ?? ""), place);
  }
}

/** v1.3 on PostgreSQL fails there, which its visors take as success; its memory store answers as ours. */
function registeredAgain(step: VectorCase): Difference | undefined {
  if (step.note !== "registered again" || step.status !== 500) return undefined;
  return { why: "registering again is no error (transports.md W6)", status: 201, text: step.body };
}

/** The headers as recorded; signed anew where an earlier difference made our nonce another one. */
async function withOurNonce(
  service: HttpService,
  step: VectorCase,
  secretOf: (key: string) => SecretKey,
): Promise<Record<string, string>> {
  const headers = (step.headers ?? {}) as Record<string, string>;
  const key = headers["SW-Public"];
  if (key === undefined || step.note === "wrong nonce") return headers;
  const nonce = await nonceOf(service, key);
  if (`${nonce}` === headers["SW-Nonce"]) return headers;
  return { ...headers, ...authHeaders({ body: new TextEncoder().encode(step.body ?? ""), nonce }, secretOf(key)) };
}

async function registerProperly(
  service: HttpService,
  body: string,
  secretOf: (key: string) => SecretKey,
): Promise<void> {
  for (const { entry } of parseSignedEntries(body) ?? []) {
    const signed = [...new Set(entry.edges)].map((publicKey) => ({ publicKey, secret: secretOf(publicKey) }))
      .reduce<SignedEntry>(signTransportEntry, { entry, signatures: [NULL_SIGNATURE, NULL_SIGNATURE] });
    const text = formatSignedEntries([signed]);
    const caller = entry.edges[0];
    const payload = { body: new TextEncoder().encode(text), nonce: await nonceOf(service, caller) };
    const headers = authHeaders(payload, secretOf(caller));
    const answer = await ask(service.fetch, { method: "POST", path: "/transports/", body: text, headers });
    assert.deepEqual([answer.status, answer.text], [201, text]);
  }
}

async function nonceOf(service: HttpService, key: string): Promise<bigint> {
  const answer = await ask(service.fetch, { method: "GET", path: `/security/nonces/${key}` });
  return BigInt(JSON.parse(answer.text).next_nonce);
}

function inOrder(text: string): unknown {
  return (JSON.parse(text) as { t_id: string }[]).toSorted((a, b) => a.t_id < b.t_id ? -1 : 1);
}

function shapeOf(text: string): unknown {
  return JSON.parse(text, (_name, value) => typeof value === "string" ? "text" : value);
}
