import assert from "node:assert/strict";
import { parseVisorConfig } from "../../../lib/visor/config/visor_config.ts";
import type { SkywireError } from "../../../lib/errors/mod.ts";

const GOOD = { version: 1, host: "127.0.0.1", ports: { api: 3435 }, autoTransport: true };

Deno.test("parseVisorConfig() takes files of before there was autoconnect", () => {
  assert.deepEqual(parseVisorConfig(JSON.stringify(GOOD)), { ...GOOD, autoconnect: false });
});

Deno.test("parseVisorConfig() keeps members that it does not know, wherever they are", () => {
  const network = {
    messagingDiscovery: "http://127.0.0.1:9090",
    transportDiscovery: "http://127.0.0.1:9091",
    setupNodes: [`02${"ab".repeat(32)}`],
    fromTheFuture: { a: 1 },
  };
  const config = {
    ...GOOD,
    autoconnect: false,
    network,
    ports: { api: 3435, "something-new": 12345 },
    fromTheFuture: true,
  };
  assert.deepEqual(parseVisorConfig(JSON.stringify(config)), config);
});

Deno.test("parseVisorConfig() names each member that is wrong or missing", () => {
  const { autoTransport: _, ...rest } = GOOD;
  const text = JSON.stringify({ ...rest, host: "a b", ports: { api: 0 } });
  assert.throws(() => parseVisorConfig(text), (error: SkywireError) => {
    assert.equal(error.code, "config/invalid");
    const problems = error.details["problems"] as { path: string; message: string }[];
    assert.deepEqual(
      new Map(problems.map(({ path, message }) => [path, message])),
      new Map([
        ["host", "wanted a name or an IPv4 address, without port"],
        ["ports.api", "wanted a port, 1–65535"],
        ["autoTransport", "is missing"],
      ]),
    );
    return true;
  });
});
