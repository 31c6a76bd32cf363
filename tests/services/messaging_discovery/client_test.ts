import assert from "node:assert/strict";
import { publicKeyOf } from "../../../lib/core/mod.ts";
import { RefusedError, UnavailableError } from "../../../lib/errors/mod.ts";
import {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
  type MessagingDiscoveryClient,
} from "../../../lib/services/messaging_discovery/mod.ts";
import { SecretKey } from "../../../lib/types/mod.ts";
import { type Entry, signEntry } from "../../../lib/wire/messaging_entry.ts";
import { httpTo, makeWorld, type TestWorld } from "../http/support.ts";

const NOW = 1_700_000_000_000_000_000n;
const SECRET = new SecretKey(new Uint8Array(32).fill(1));
const KEY = publicKeyOf(SECRET);

function sign(parts: Partial<Entry> = {}): Entry {
  const entry = { version: "0.0.1", sequence: 0n, timestamp: NOW, static: KEY, client: { delegatedServers: [] } };
  return signEntry({ ...entry, ...parts }, SECRET);
}

const SERVER = { server: { address: "198.51.100.1:80", availableSessions: 1 } };

async function makeClient(): Promise<{ client: MessagingDiscoveryClient; world: TestWorld }> {
  const world = makeWorld(NOW);
  const discovery = await createMessagingDiscovery({ runtime: world.runtime });
  const { http, timers } = makeWorld(NOW, httpTo({ discovery })).runtime;
  return { client: createMessagingDiscoveryClient({ http, timers, url: "http://discovery/" }), world };
}

/** A client of a discovery that always answers the same. */
function clientOf(answer: () => Response): MessagingDiscoveryClient {
  const { runtime } = makeWorld(NOW, () => Promise.resolve(answer()));
  return createMessagingDiscoveryClient({ ...runtime, url: "http://discovery" });
}

Deno.test("the client of the messaging discovery publishes, finds and removes an entry", async () => {
  const { client } = await makeClient();
  assert.equal(await client.entry(KEY), undefined);
  await client.publish(sign());
  assert.deepEqual(await client.entry(KEY), sign());
  await client.remove(sign());
  assert.equal(await client.entry(KEY), undefined);
  await client.remove(sign());
});

Deno.test("the client lets entries of clients expire, and entries of servers be as they are", async () => {
  const { client, world } = await makeClient();
  await client.publish(sign());
  world.nowNanos += 180_000_000_000n;
  assert.equal(await client.entry(KEY), undefined);
});

Deno.test("the client lists servers, none included", async () => {
  const { client } = await makeClient();
  assert.deepEqual(await client.availableServers(), []);
  assert.deepEqual(await client.allServers(), []);
  await client.publish(sign(SERVER));
  assert.deepEqual((await client.availableServers()).map((entry) => entry.static), [KEY]);
  assert.equal((await client.allServers())[0]?.server?.serverType, "official");
});

Deno.test("the client names a refusal by code and by the text on the wire", async () => {
  const { client } = await makeClient();
  await client.publish(sign({ sequence: 3n }));
  await assert.rejects(client.publish(sign({ sequence: 3n })), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.code, "discovery/wrong-sequence");
    assert.match(String(error.details["message"]), /^entry validation error: sequence field/);
    return true;
  });
  const forged = { ...sign({ sequence: 4n }), clientType: "visor" };
  await assert.rejects(client.publish(forged), { code: "discovery/bad-signature" });
});

Deno.test("the client calls a failing discovery unavailable and a lying one broken", async () => {
  const failing = clientOf(() => new Response("<html>", { status: 502 }));
  await assert.rejects(failing.entry(KEY), (error) => error instanceof UnavailableError);
  await assert.rejects(failing.publish(sign()), { code: "discovery/failed" });
  const lying = clientOf(() => Response.json({ static: "02".padEnd(66, "1") }));
  await assert.rejects(lying.entry(KEY), { code: "discovery/bad-answer" });
  await assert.rejects(lying.allServers(), { code: "discovery/bad-answer" });
  await assert.rejects(clientOf(() => new Response("{")).entry(KEY), { code: "discovery/bad-answer" });
});

Deno.test("the client leaves out an entry in a list that nobody can read", async () => {
  const client = clientOf(() => new Response('[{"static":5},{"version":"1","server":{"address":"a:1"}}]'));
  assert.deepEqual((await client.allServers()).map(({ version }) => version), ["1"]);
});

Deno.test("the client gives up on a discovery that does not answer", async () => {
  const world = makeWorld(
    NOW,
    (request) =>
      new Promise((_resolve, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason))),
  );
  const client = createMessagingDiscoveryClient({ ...world.runtime, url: "http://discovery" });
  const asking = client.entry(KEY);
  world.fireTimers();
  await assert.rejects(asking, { code: "http/timeout" });
  assert.equal(world.timerCount, 0);
});
