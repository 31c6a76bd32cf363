import assert from "node:assert/strict";
import { clientBehindProxy, TextResponse } from "../../../lib/services/http/mod.ts";
import { serviceOf } from "./service_support.ts";

const KEY = `02${"ab".repeat(32)}`;

Deno.test("clientBehindProxy() takes the address that a proxy names, and the connection's where it names none", () => {
  for (
    const [headers, remote, client] of [
      [{ "X-Forwarded-For": "198.51.100.9, 10.0.0.1" }, "127.0.0.1:1", "198.51.100.9:0"],
      [{ "X-Real-IP": "198.51.100.8", "X-Forwarded-For": "198.51.100.9" }, "127.0.0.1:1", "198.51.100.8:0"],
      [{ "True-Client-IP": "2001:db8::1", "X-Real-IP": "198.51.100.8" }, "[::1]:1", "[2001:db8::1]:0"],
      [{ "X-Real-IP": "somebody" }, "127.0.0.1:1", "127.0.0.1:1"],
      [{}, "127.0.0.1:1", "127.0.0.1:1"],
      [{ "X-Real-IP": "198.51.100.8" }, `${KEY}:80`, `${KEY}:80`],
      [{ "X-Real-IP": "198.51.100.8" }, "", ""],
    ] as const
  ) assert.equal(clientBehindProxy(new Headers(headers), remote), client, JSON.stringify(headers));
});

Deno.test("behind a proxy each client has a limit of its own, and is who routes and the log speak of", async () => {
  const remotes: string[] = [];
  const handle = ({ remote }: { readonly remote: string }): Response => {
    remotes.push(remote);
    return new TextResponse("ok");
  };
  const rateLimit = { perSecond: 1, burst: 2 };
  for (const trustsProxy of [true, false]) {
    const { fetch, lines } = serviceOf([{ method: "GET", path: "/", handle }], { rateLimit, trustsProxy });
    const statusFor = async (client: string): Promise<number> => {
      const request = new Request("http://s/", { headers: { "X-Real-IP": client } });
      return (await fetch(request, { remote: "127.0.0.1:1" })).status;
    };
    const statuses = [];
    for (let i = 1; i <= 4; i++) statuses.push(await statusFor(`198.51.100.${i}`));
    assert.deepEqual(statuses, trustsProxy ? [200, 200, 200, 200] : [200, 200, 429, 429]);
    assert.match(lines[0] ?? "", trustsProxy ? /remote=198\.51\.100\.1:0/ : /remote=127\.0\.0\.1:1/);
    if (!trustsProxy) continue;
    assert.equal(await statusFor("198.51.100.1"), 200);
    assert.equal(await statusFor("198.51.100.1"), 429, "one client has one limit");
  }
  assert.equal(remotes[0], "198.51.100.1:0");
});

Deno.test("/health tells what does not work, and nothing of it while all does", async () => {
  let problems: string[] = [];
  const { fetch } = serviceOf([], { problems: () => problems });
  const health = async (): Promise<Record<string, unknown>> =>
    await (await fetch(new Request("http://s/health"))).json();
  assert.ok(!("problems" in await health()));
  problems = ["the entry is not published: nobody answers"];
  assert.deepEqual((await health()).problems, problems);
});
