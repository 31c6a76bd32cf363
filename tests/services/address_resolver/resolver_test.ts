/** The address resolver and its client, without a network between them. */

import assert from "node:assert/strict";
import { hasCode, type RefusedError } from "../../../lib/errors/mod.ts";
import {
  type AddressResolverClient,
  type AddressResolverDeps,
  createAddressResolver,
  createAddressResolverClient,
  isPublicIPv4,
} from "../../../lib/services/address_resolver/mod.ts";
import { dialOrder } from "../../../lib/services/address_resolver/api.ts";
import { makeWorld, type TestWorld } from "../http/support.ts";
import { makeVisor, type TestVisor } from "../transport_discovery/support.ts";

const MINUTE_NS = 60_000_000_000n;
const [A, B] = [makeVisor(1), makeVisor(2)];

interface Stage {
  readonly world: TestWorld;
  /** A client whose requests come from an address; headers are added to them. */
  client(visor: TestVisor, remote: string, headers?: Readonly<Record<string, string>>): AddressResolverClient;
}

async function stage(deps: Partial<AddressResolverDeps> = {}): Promise<Stage> {
  const world = makeWorld(1_700_000_000_000_000_000n);
  const service = await createAddressResolver({ runtime: world.runtime, ...deps });
  return {
    world,
    client: (visor, remote, headers = {}) =>
      createAddressResolverClient({
        url: "http://resolver",
        timers: world.runtime.timers,
        secret: visor.secret,
        http: {
          fetch: (request) => {
            for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
            return service.fetch(request, { remote });
          },
        },
      }),
  };
}

Deno.test("a visor that is bound is found by its key, listed, and gone when it unbinds", async () => {
  const { client } = await stage();
  const a = client(A, "198.51.100.7:40000"), b = client(B, "198.51.100.8:40000");
  assert.equal(await b.resolve(A.publicKey), undefined);
  await a.bind(7777, ["198.51.100.7"]);
  assert.deepEqual(await b.resolve(A.publicKey), ["198.51.100.7:7777"]);
  assert.deepEqual(await b.listed(), [A.publicKey]);
  await a.unbind();
  await a.unbind();
  assert.equal(await b.resolve(A.publicKey), undefined);
  assert.deepEqual(await b.listed(), []);
});

Deno.test("a visor that binds every 5 minutes stays, one that has stopped expires", async () => {
  const { client, world } = await stage();
  const a = client(A, "198.51.100.7:40000"), b = client(B, "198.51.100.8:40000");
  for (let i = 0; i < 5; i++) {
    await a.bind(7777, ["198.51.100.7"]);
    world.nowNanos += 5n * MINUTE_NS;
    assert.deepEqual(await b.listed(), [A.publicKey]);
  }
  world.nowNanos += 11n * MINUTE_NS;
  assert.deepEqual(await b.listed(), []);
  assert.equal(await b.resolve(A.publicKey), undefined);
});

Deno.test("private addresses are refused, with a reason, unless they are allowed", async () => {
  const strict = await stage(), lenient = await stage({ allowLoopback: true });
  for (const ip of ["127.0.0.1", "10.0.0.5", "192.168.1.1"]) {
    await assert.rejects(
      strict.client(A, `${ip}:1`).bind(7777, [ip]),
      (error: RefusedError) =>
        hasCode(error, "address-resolver/refused") && /Invalid IP address/.test(String(error.details["message"])),
    );
    await lenient.client(A, `${ip}:1`).bind(7777, [ip]);
  }
  await assert.rejects(lenient.client(A, "127.0.0.1:1").bind(7777, ["10.0.0.5"]), /not present/);
});

Deno.test("a port that is none is refused", async () => {
  const { client } = await stage();
  for (const port of [0, 65_536, 0.5]) {
    await assert.rejects(client(A, "198.51.100.7:1").bind(port, ["198.51.100.7"]), /Invalid port/);
  }
});

Deno.test("headers of a proxy are believed only when there is one", async () => {
  const headers = { "X-Forwarded-For": "198.51.100.9, 10.0.0.1" };
  const [direct, proxied] = [await stage(), await stage({ trustsProxy: true })];
  await assert.rejects(direct.client(A, "198.51.100.7:1", headers).bind(1, ["198.51.100.9"]), /not present/);
  await proxied.client(A, "198.51.100.7:1", headers).bind(1, ["198.51.100.9"]);
});

Deno.test("a visor that is reached over messaging says itself where it is", async () => {
  const { client } = await stage();
  const a = client(A, `${A.publicKey}:80`, { "SW-PublicIP": "198.51.100.9" });
  await a.bind(1, ["198.51.100.9"]);
  assert.deepEqual(await a.resolve(A.publicKey), ["198.51.100.9:1"]);
});

Deno.test("dialOrder() tries the addresses of a visor nearby first, and leaves out what is none", () => {
  const visor = { remoteAddress: "203.0.113.5", isLocal: false, port: "41001", addresses: ["127.0.0.1", "::1"] };
  assert.deepEqual(dialOrder(visor), ["203.0.113.5:41001"]);
  assert.deepEqual(dialOrder({ ...visor, isLocal: true, remoteAddress: "203.0.113.5:7" }), [
    "127.0.0.1:41001",
    "[::1]:41001",
    "203.0.113.5:7",
  ]);
  assert.deepEqual(dialOrder({ ...visor, remoteAddress: "not an address" }), []);
  assert.deepEqual(dialOrder({ ...visor, port: "x" }), []);
});

Deno.test("isPublicIPv4() knows the private networks of v1.3, and no others", () => {
  const yes = [
    "198.51.100.7",
    "100.64.0.1",
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.0.1",
  ];
  const no = ["10.1.2.3", "127.0.0.1", "169.254.1.1", "172.16.0.0", "172.31.255.255", "192.168.0.1"];
  const none = ["2001:db8::1", "1.2.3", "1.2.3.256", "01.2.3.4", "example.org", ""];
  assert.deepEqual(yes.filter((ip) => !isPublicIPv4(ip)), []);
  assert.deepEqual([...no, ...none].filter(isPublicIPv4), []);
});
