/** Replays what was seen of v1.3, on both stores. */

import assert from "node:assert/strict";
import { openSqlite, type SqlDatabase } from "../../../lib/storage/mod.ts";
import type { HttpService } from "../../../lib/services/http/mod.ts";
import { createAddressResolver } from "../../../lib/services/address_resolver/mod.ts";
import type { VectorCase } from "../../wire/vectors.ts";
import { assertApiFile, assertDocumented, readApiDocument } from "../http/api_document.ts";
import { ABSENT_SERVICES, ask, makeWorld, sortMethods, testApiVectors } from "../http/support.ts";

/** Where our answer is not that of v1.3, by case and number of the request: the status, and why. */
const DIFFERENCES: Readonly<
  Record<string, Readonly<Record<number, { readonly status: number; readonly why: string }>>>
> = {
  "address resolver over HTTP, redis": {
    21: { status: 404, why: "a type that is not known is no failure of ours; as the memory store of v1.3" },
  },
};

testApiVectors({
  ...ABSENT_SERVICES,
  "dmsg discovery": { elsewhere: "tests/services/messaging_discovery/vectors_test.ts" },
  "transport discovery": { elsewhere: "tests/services/transport_discovery/vectors_test.ts" },
  "route finder": { elsewhere: "tests/services/route_finder/vectors_test.ts" },
  "address resolver": async (data) => {
    for (const database of [undefined, openSqlite(":memory:")] satisfies (SqlDatabase | undefined)[]) {
      const world = makeWorld(1_700_000_000_000_000_000n);
      const service = await createAddressResolver({
        runtime: world.runtime,
        database,
        monitors: data.nm_whitelist,
        // The recorded requests say in X-Real-IP where they come from.
        trustsProxy: true,
      });
      await replay(service, data);
      await service.close();
      await database?.close();
      assert.equal(world.timerCount, 0);
      assert.deepEqual(world.problems, []);
    }
  },
});

Deno.test("the address resolver describes its API as the file in tests/vectors/api says", async () => {
  const service = await createAddressResolver({ runtime: makeWorld(0n).runtime });
  await assertApiFile(service.fetch, "address-resolver");
});

async function replay(service: HttpService, data: VectorCase): Promise<void> {
  const document = await readApiDocument(service.fetch);
  for (const [i, step] of (data.requests as (VectorCase & { method: string; path: string })[]).entries()) {
    const place = `${data.name}, request ${i}: ${step.method} ${step.path}`;
    const answer = await ask(service.fetch, step);
    assertDocumented(document, step, answer);
    assert.equal(answer.status, DIFFERENCES[data.name]?.[i]?.status ?? step.status, place);
    if (step.volatile === true) assert.deepEqual(shapeOf(answer.text), shapeOf(step.response), place);
    else assert.equal(answer.text, step.response, place);
    assert.equal(answer.contentType, step.response_headers["Content-Type"] ?? "", place);
    assert.equal(sortMethods(answer.allow), sortMethods(step.response_headers.Allow ?? ""), place);
  }
}

function shapeOf(text: string): unknown {
  return JSON.parse(text, (_name, value) => typeof value === "string" ? "text" : value);
}
