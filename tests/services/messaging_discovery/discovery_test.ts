import assert from "node:assert/strict";
import { publicKeyOf } from "../../../lib/core/mod.ts";
import { createMessagingDiscovery } from "../../../lib/services/messaging_discovery/mod.ts";
import {
  CLIENT_LIFETIME_MS,
  REMOVED_LIFETIME_MS,
  SERVER_LIFETIME_MS,
} from "../../../lib/services/messaging_discovery/logic.ts";
import { createDenoRuntime } from "../../../lib/runtime/deno/mod.ts";
import { openSqlite } from "../../../lib/storage/mod.ts";
import { SecretKey } from "../../../lib/types/mod.ts";
import { type Entry, formatEntry, signEntry } from "../../../lib/wire/messaging_entry.ts";
import { type Answer, ask, makeWorld, type TestWorld } from "../http/support.ts";

const NOW = 1_700_000_000_000_000_000n;
const SECRET = new SecretKey(new Uint8Array(32).fill(1));
const KEY = publicKeyOf(SECRET);

function client(parts: Partial<Entry> = {}): Entry {
  const entry = { version: "0.0.1", sequence: 0n, timestamp: NOW, static: KEY, client: { delegatedServers: [] } };
  return signEntry({ ...entry, ...parts }, SECRET);
}

function server(number: number, parts: Partial<Entry> = {}): Entry {
  const secret = new SecretKey(new Uint8Array(32).fill(2).with(0, number >> 8).with(1, number & 0xff));
  return signEntry({
    version: "0.0.1",
    sequence: 0n,
    timestamp: NOW,
    static: publicKeyOf(secret),
    server: { address: "198.51.100.1:80", availableSessions: 1 },
    ...parts,
  }, secret);
}

interface Discovery {
  readonly world: TestWorld;
  post(entry: Entry, query?: string): Promise<Answer>;
  /** Asks from a host; default: the one that posts. */
  remove(entry: Entry, host?: string): Promise<Answer>;
  get(path: string): Promise<Answer>;
}

async function makeDiscovery(): Promise<Discovery> {
  const world = makeWorld(NOW);
  const { fetch } = await createMessagingDiscovery({ runtime: world.runtime });
  return {
    world,
    post: (entry, query = "") =>
      ask(fetch, { method: "POST", path: `/dmsg-discovery/entry/${query}`, body: formatEntry(entry) }),
    remove: (entry, host) =>
      ask((request, context) => fetch(request, host === undefined ? context : { remote: `${host}:5` }), {
        method: "DELETE",
        path: "/dmsg-discovery/entry",
        body: formatEntry(entry),
      }),
    get: (path) => ask(fetch, { method: "GET", path: `/dmsg-discovery/${path}` }),
  };
}

Deno.test("the entry of a server is gone 2 minutes after it was posted last", async () => {
  const { world, post, get } = await makeDiscovery();
  const step = BigInt(SERVER_LIFETIME_MS) * 1_000_000n / 2n;
  const first = server(0);
  await post(first);
  world.nowNanos += step;
  assert.equal((await post(server(0, { sequence: 1n, timestamp: world.nowNanos }))).status, 200);
  world.nowNanos += step;
  assert.equal((await get(`entry/${first.static}`)).status, 200);
  world.nowNanos += step;
  assert.equal((await get(`entry/${first.static}`)).status, 404);
  assert.equal((await get("all_servers")).status, 404);
});

Deno.test("the entry of a client stays, unless it asked to expire", async () => {
  const { world, post, get } = await makeDiscovery();
  await post(client());
  world.nowNanos += 3_600_000_000_000_000n;
  assert.equal((await get(`entry/${KEY}`)).status, 200);
  await post(client({ sequence: 1n }), "?timeout=true");
  world.nowNanos += BigInt(CLIENT_LIFETIME_MS - 1) * 1_000_000n;
  assert.equal((await get(`entry/${KEY}`)).status, 200);
  world.nowNanos += 1_000_000n;
  assert.equal((await get(`entry/${KEY}`)).status, 404);
  assert.equal((await get("entries")).text, "[]");
});

Deno.test("an entry that was removed does not come back, a newer one of the key does, from sequence 0", async () => {
  const { world, post, remove, get } = await makeDiscovery();
  const old = client({ sequence: 4n }), newest = client({ sequence: 5n, timestamp: NOW + 1n });
  await post(old);
  await post(newest);
  assert.equal((await remove(newest)).status, 200);
  for (const replayed of [old, newest]) {
    const answer = await post(replayed);
    assert.equal(answer.status, 422);
    assert.match(answer.text, /timestamp is not greater than previous/);
  }
  assert.equal((await get(`entry/${KEY}`)).status, 404);
  const back = await post(client({ sequence: 0n, timestamp: NOW + 2n }));
  assert.match(back.text, /wrote a new entry/);
  assert.deepEqual(world.problems, []);
});

Deno.test("that an entry was removed is forgotten after a week", async () => {
  const { world, post, remove } = await makeDiscovery();
  const entry = client();
  await post(entry);
  await remove(entry);
  world.nowNanos += BigInt(REMOVED_LIFETIME_MS) * 1_000_000n;
  assert.equal((await post(entry)).status, 200);
});

Deno.test("an entry that was never posted removes the stored one when it is newer", async () => {
  const { post, remove, get } = await makeDiscovery();
  await post(client());
  assert.equal((await remove(client({ sequence: 1n, timestamp: NOW - 1n }))).status, 422);
  assert.equal((await remove(client({ sequence: 1n, timestamp: NOW + 1n }))).status, 200);
  assert.equal((await get(`entry/${KEY}`)).status, 404);
});

Deno.test("expired entries are taken out of the database when somebody publishes", async () => {
  const world = makeWorld(NOW);
  await using database = openSqlite(":memory:");
  const { fetch } = await createMessagingDiscovery({ runtime: world.runtime, database });
  const post = (entry: Entry): Promise<Answer> =>
    ask(fetch, { method: "POST", path: "/dmsg-discovery/entry/?timeout=true", body: formatEntry(entry) });
  const keys = async (): Promise<unknown[]> =>
    (await database.prepare("SELECT public_key FROM entries").all()).map((row) => row["public_key"]);
  await post(server(0));
  await post(server(1));
  world.nowNanos += BigInt(SERVER_LIFETIME_MS) * 1_000_000n;
  await post(client({ timestamp: world.nowNanos }));
  assert.deepEqual(await keys(), [KEY]);
});

Deno.test("nobody removes an entry by fetching it and sending it back; v1.3 does so from the host that published it", async () => {
  const { post, remove, get } = await makeDiscovery();
  await post(client());
  for (const stranger of ["198.51.100.7", "[2001:db8::1]", "02".padEnd(66, "1"), ""]) {
    assert.equal((await remove(client(), stranger)).status, 422, stranger);
    assert.equal((await get(`entry/${KEY}`)).status, 200);
  }
  assert.equal((await remove(client())).status, 200);
  assert.equal((await get(`entry/${KEY}`)).status, 404);
});

Deno.test("over messaging, where hosts are proven keys, an owner removes its entry from anywhere", async () => {
  const { post, remove, get } = await makeDiscovery();
  await post(client());
  assert.equal((await remove(client(), KEY)).status, 200);
  assert.equal((await get(`entry/${KEY}`)).status, 404);
});

Deno.test("an owner that removes by newer entries is safe from its own host, too", async () => {
  const { post, remove, get } = await makeDiscovery();
  await post(client(), "?removal=newer");
  for (const host of [undefined, "198.51.100.7"]) assert.equal((await remove(client(), host)).status, 422);
  assert.equal((await get(`entry/${KEY}`)).status, 200);
  assert.equal((await remove(client({ sequence: 1n }), "198.51.100.7")).status, 200);
  assert.equal((await get(`entry/${KEY}`)).status, 404);
});

Deno.test("of entries of one key posted at once, each is stored or refused, and the last one stays", async () => {
  const { post, get } = await makeDiscovery();
  const answers = await Promise.all([0n, 1n, 2n, 3n, 4n].map((sequence) => post(client({ sequence }))));
  for (const { status } of answers) assert.ok(status === 200 || status === 422);
  assert.equal((await get(`entry/${KEY}`)).text, formatEntry(client({ sequence: 4n })));
});

Deno.test("one answer names at most 512 available servers", async () => {
  const { post, get } = await makeDiscovery();
  for (let i = 0; i < 530; i++) {
    const free = { address: "198.51.100.1:80", availableSessions: 530 - i };
    assert.equal((await post(server(i, { server: free }))).status, 200);
  }
  const available = JSON.parse((await get("available_servers")).text) as { server: { availableSessions: number } }[];
  const free = available.map((entry) => entry.server.availableSessions);
  assert.equal(free.length, 512);
  assert.deepEqual(free, free.toSorted((a, b) => b - a));
  assert.equal(JSON.parse((await get("all_servers")).text).length, 530);
});

Deno.test("a body beyond the limit is refused with 413", async () => {
  const { world } = await makeDiscovery();
  const { fetch } = await createMessagingDiscovery({ runtime: world.runtime });
  const answer = await ask(fetch, { method: "POST", path: "/dmsg-discovery/entry/", body: "x".repeat(65_537) });
  assert.deepEqual([answer.status, answer.text], [
    413,
    '{"message":"Read the body: more than 65536 bytes","code":413}',
  ]);
});

Deno.test("the messaging discovery serves curl", async () => {
  using runtime = createDenoRuntime({ logSink: () => {} });
  const discovery = await createMessagingDiscovery({ runtime });
  const server = await runtime.http.serve("127.0.0.1:0", (request, context) => discovery.fetch(request, context));
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await new Deno.Command("curl", { args: ["-s", "--noproxy", "*", ...args] }).output();
    return new TextDecoder().decode(stdout);
  };
  try {
    const entry = formatEntry(client());
    assert.equal(
      await curl("-d", entry, `${server.url}/dmsg-discovery/entry/`),
      '{"message":"wrote a new entry","code":200}',
    );
    assert.equal(await curl(`${server.url}/dmsg-discovery/entry/${KEY}`), entry);
    assert.match(await curl("-i", `${server.url}/health`), /^HTTP\/1.1 200 OK\r\n[^]*"build_info"/);
  } finally {
    await server.close();
    await discovery.close();
  }
});
