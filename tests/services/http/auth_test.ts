import assert from "node:assert/strict";
import {
  createHttpApp,
  createHttpAuth,
  createMemoryNonceStore,
  createSignedClient,
  type HttpService,
  TEXT,
} from "../../../lib/services/http/mod.ts";
import { parseHex, type PublicKey, SecretKey, type Signature } from "../../../lib/types/mod.ts";
import { AUTH_ERRORS } from "../../../lib/services/http/mod.ts";
import { authHeaders, verifyAuth } from "../../../lib/wire/http_auth.ts";
import { testVectors, type VectorCase } from "../../wire/vectors.ts";
import { ask, httpTo, makeWorld } from "./support.ts";

/** A service whose every path but the nonces is signed; `/answer-N` answers with status N. */
function makeService(
  handle?: (body: string) => Promise<Response>,
): { fetch: HttpService["fetch"]; nonces: NonceReader } {
  const { runtime } = makeWorld(0n);
  const nonces = createMemoryNonceStore();
  const auth = createHttpAuth({ nonces, timers: runtime.timers, maxBodyBytes: 100_000 });
  const answer = auth.signed(async (call) => {
    if (handle !== undefined) return await handle(new TextDecoder().decode(call.body));
    const status = Number(/^\/answer-(\d+)$/.exec(new URL(call.request.url).pathname)?.[1] ?? 200);
    return status === 204 ? new Response(null, { status }) : new Response("ok", { status, headers: TEXT });
  });
  const routes = (["GET", "POST", "DELETE"] as const).map((method) => ({ method, path: "/:any", handle: answer }));
  const fetch = createHttpApp({ ...runtime, errors: AUTH_ERRORS, routes: [auth.nonceRoute, ...routes] });
  return { fetch, nonces };
}

type NonceReader = Pick<ReturnType<typeof createMemoryNonceStore>, "next">;

testVectors("httpauth.json", {
  sign: { elsewhere: "tests/wire/http_auth_test.ts" },
  network_monitor: { elsewhere: "tests/wire/http_auth_test.ts" },

  async server(data): Promise<void> {
    const { fetch, nonces } = makeService();
    for (const step of data.requests as VectorCase[]) {
      const answer = await ask(fetch, { method: step.method, path: step.path, headers: step.headers, body: step.body });
      assert.deepEqual(
        { status: answer.status, contentType: answer.contentType, text: answer.text },
        { status: step.status, contentType: step.content_type, text: step.response },
        `${step.method} ${step.path}`,
      );
      assert.equal(Number(await nonces.next(data.public)), step.next_nonce_after, `nonce after ${step.path}`);
    }
  },

  async client(data): Promise<void> {
    const sent: VectorCase[] = [];
    const expected = data.requests as VectorCase[];
    const world = makeWorld(0n, async (request) => {
      const step = expected[sent.length] as VectorCase;
      const headers = Object.fromEntries(
        ["SW-Public", "SW-Nonce", "SW-Sig", "SW-PublicIP"].flatMap((name) => {
          const value = request.headers.get(name);
          return value === null ? [] : [[name, value]];
        }),
      );
      const { pathname, search } = new URL(request.url);
      sent.push({ ...step, method: request.method, path: pathname + search, headers, body: await request.text() });
      return new Response(step.response_body, { status: step.response_status });
    });
    const signed = createSignedClient({
      ...world.runtime,
      url: "http://service/",
      secret: new SecretKey(parseHex(data.secret)),
      ...(data.public_ip === "" ? {} : { publicIp: () => data.public_ip as string }),
    });

    // What the client of the service asked for; nonces and the repeated request are the signing client's own doing.
    const asked = expected.filter((step, i) =>
      !step.path.startsWith("/security/nonces/") && !(expected[i - 2]?.response_status === 401)
    );
    for (const step of asked) {
      const signs = step.headers["SW-Sig"] !== undefined;
      if (signs) {
        await signed({ method: step.method, path: step.path, ...(step.body === "" ? {} : { body: step.body }) });
      } else sent.push(step);
    }

    assert.equal(sent.length, expected.length);
    for (const [i, step] of expected.entries()) {
      const ours = sent[i] as VectorCase;
      assert.deepEqual([ours.method, ours.path, ours.body], [step.method, step.path, step.body]);
      if (step.headers["SW-Sig"] === undefined) continue;
      assert.deepEqual({ ...ours.headers, "SW-Sig": "" }, { ...step.headers, "SW-Sig": "" });
      const payload = { body: new TextEncoder().encode(ours.body), nonce: BigInt(step.headers["SW-Nonce"]) };
      assert.ok(verifyAuth(payload, { key: data.public, signature: ours.headers["SW-Sig"] as Signature }));
    }
    assert.equal(world.timerCount, 0);
  },
});

const SECRET = new SecretKey(new Uint8Array(32).fill(7));

Deno.test("createSignedClient() sends one request at a time and counts only answers of 200", async () => {
  let running = 0, most = 0;
  const { fetch, nonces } = makeService(async (body) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 0));
    running--;
    return new Response(body, { status: body === "no" ? 404 : 200 });
  });
  const { runtime } = makeWorld(0n, httpTo({ service: { fetch } }));
  const client = createSignedClient({ ...runtime, url: "http://service", secret: SECRET });
  const answers = await Promise.all(["a", "no", "b", "c"].map((body) => client({ method: "POST", path: "/x", body })));
  assert.deepEqual(answers.map(({ status, text }) => `${status} ${text}`), ["200 a", "404 no", "200 b", "200 c"]);
  assert.equal(most, 1);
  const key = authHeaders({ body: new Uint8Array(), nonce: 0n }, SECRET)["SW-Public"] as PublicKey;
  assert.equal(await nonces.next(key), 3n);
});

Deno.test("createSignedClient() repeats once when another client of the key was faster", async () => {
  const { fetch } = makeService();
  const { runtime } = makeWorld(0n, httpTo({ service: { fetch } }));
  const [one, two] = [1, 2].map(() => createSignedClient({ ...runtime, url: "http://service", secret: SECRET }));
  for (const client of [one, two, two, one]) {
    assert.equal((await client?.({ method: "GET", path: "/x" }))?.status, 200);
  }
});

Deno.test("createHttpAuth() lets one of two requests with the same nonce pass, even at the same time", async () => {
  const { fetch } = makeService(async (body) => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return new Response(body);
  });
  const headers = authHeaders({ body: new TextEncoder().encode("same"), nonce: 0n }, SECRET);
  const question = { method: "POST", path: "/x", headers, body: "same" };
  const answers = await Promise.all([ask(fetch, question), ask(fetch, question)]);
  assert.deepEqual(answers.map(({ status }) => status), [200, 401]);
});
