/** Replays what was seen of v1.3, on both stores. */

import assert from "node:assert/strict";
import { openSqlite, type SqlDatabase } from "../../../lib/storage/mod.ts";
import type { HttpService } from "../../../lib/services/http/mod.ts";
import {
  createMessagingDiscovery,
  type MessagingDiscoveryDeps,
} from "../../../lib/services/messaging_discovery/mod.ts";
import { testVectors, type VectorCase } from "../../wire/vectors.ts";
import { assertApiFile, assertDocumented, readApiDocument } from "../http/api_document.ts";
import { ABSENT_SERVICES, ask, makeWorld, sortMethods, testApiVectors } from "../http/support.ts";

/** Where we are stricter than v1.3 on purpose: by case and number of the request. */
const STRICTER: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "http: client life cycle": { 11: "an entry older than the stored one removes nothing (dmsg.md Q9)" },
  "dmsg discovery: clients": { 18: "an entry older than the stored one removes nothing (dmsg.md Q9)" },
};

const REFUSED =
  '{"message":"entry validation error: sequence field of new entry is not sequence of old entry + 1","code":422}';

async function onBothStores(
  deps: Omit<MessagingDiscoveryDeps, "runtime" | "database">,
  run: (service: HttpService, world: ReturnType<typeof makeWorld>) => Promise<void>,
): Promise<void> {
  for (const database of [undefined, openSqlite(":memory:")] satisfies (SqlDatabase | undefined)[]) {
    const world = makeWorld(0n);
    const service = await createMessagingDiscovery({ ...deps, runtime: world.runtime, database });
    await run(service, world);
    await service.close();
    await database?.close();
    assert.equal(world.timerCount, 0);
    assert.deepEqual(world.problems, []);
  }
}

async function replay(service: HttpService, data: VectorCase, setClock: (step: VectorCase) => void): Promise<void> {
  const document = await readApiDocument(service.fetch);
  for (const [i, step] of (data.requests as VectorCase[]).entries()) {
    setClock(step);
    const answer = await ask(service.fetch, step as VectorCase & { method: string; path: string });
    assertDocumented(document, step as VectorCase & { method: string; path: string }, answer);
    if (STRICTER[data.name]?.[i] !== undefined) {
      assert.deepEqual([answer.status, answer.text], [422, REFUSED]);
      await removeAsOwner(service, step);
      continue;
    }
    const place = `${data.name}, request ${i}: ${step.method} ${step.path}`;
    assert.equal(answer.status, step.status, place);
    if (step.volatile === true) assert.deepEqual(shapeOf(answer.text), shapeOf(step.response), place);
    else assert.equal(answer.text, step.response, place);
    const headers = step.response_headers ?? { "Content-Type": step.content_type, Allow: step.allow };
    assert.equal(answer.contentType, headers["Content-Type"] ?? "", place);
    assert.equal(sortMethods(answer.allow), sortMethods(headers.Allow ?? ""), place);
  }
}

/** What a v1.3 client does when it stops: it fetches its entry and removes it by that same entry. */
async function removeAsOwner(service: HttpService, step: VectorCase): Promise<void> {
  const stored = await ask(service.fetch, {
    method: "GET",
    path: `/dmsg-discovery/entry/${JSON.parse(step.body).static}`,
  });
  const answer = await ask(service.fetch, { method: "DELETE", path: step.path, body: stored.text });
  assert.deepEqual([answer.status, answer.text], [step.status, step.response]);
}

function shapeOf(text: string): unknown {
  return JSON.parse(text, (_name, value) => typeof value === "string" ? "text" : value);
}

Deno.test("the messaging discovery describes its API as the file in tests/vectors/api says", async () => {
  const service = await createMessagingDiscovery({ runtime: makeWorld(0n).runtime });
  await assertApiFile(service.fetch, "messaging-discovery");
});

testApiVectors({
  ...ABSENT_SERVICES,
  "address resolver": { elsewhere: "tests/services/address_resolver/vectors_test.ts" },
  "transport discovery": { elsewhere: "tests/services/transport_discovery/vectors_test.ts" },
  "route finder": { elsewhere: "tests/services/route_finder/vectors_test.ts" },
  "dmsg discovery": async (data) => {
    const deps = {
      monitors: data.nm_whitelist ?? [],
      officialServers: data.official_servers ?? [],
      passphrase: data.passphrase ?? "",
      allowLoopback: data.test_mode ?? false,
    };
    await onBothStores(
      deps,
      (service, world) => replay(service, data, (step) => world.nowNanos = BigInt(step.time_ns)),
    );
  },
});

const WIRE = { elsewhere: "tests/wire/messaging_entry_test.ts and tests/wire/stream_objects_test.ts" };

testVectors("dmsg_stream.json", {
  exchange: WIRE,
  ip_lookup: WIRE,
  request_check: WIRE,
  response_check: WIRE,
  error_codes: WIRE,
  object_frame: WIRE,
  entry: WIRE,
  entry_verify: WIRE,
  entry_validate: WIRE,
  entry_iteration: WIRE,
  entry_http: async (data) => {
    const deps = { passphrase: data.passphrase, allowLoopback: data.test_mode };
    await onBothStores(deps, (service, world) => replay(service, data, () => world.nowNanos = BigInt(data.now_ns)));
  },
});
