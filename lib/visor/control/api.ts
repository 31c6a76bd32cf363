/**
 * The control API of a running visor: HTTP with JSON on loopback, for the command line and local programs. Every
 * request carries the token of the data folder. Paths begin with `/v1/`.
 */

import { Hono } from "hono";
import * as v from "valibot";
import { parseWith, publicKeySchema } from "../../check/mod.ts";
import { describeError, RefusedError, SkywireError } from "../../errors/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import { errorResponse, readBody } from "../../services/http/mod.ts";
import { DISJOINT, MAX_COUNT, METRICS } from "../../services/route_finder/mod.ts";
import { parseTransportId, type PathStep, type PublicKey } from "../../types/mod.ts";
import { proxySettingsSchema } from "../proxies/settings.ts";
import { STATUS_HEADER } from "../views.ts";
import type { Visor } from "../visor.ts";

/** What the API controls. */
export type ControlledVisor = Omit<Visor, "api" | typeof Symbol.asyncDispose>;

/** Requests are small: a body beyond this is somebody's mistake. */
const MAX_BODY_BYTES = 65_536;

const keyText = v.pipe(v.string(), v.regex(/^[0-9a-f]{8,66}$/, "wanted a public key, or its first 8 digits or more"));
const word = v.pipe(v.string(), v.minLength(1));
const transportBody = v.strictObject({ remote: keyText, type: word, address: v.optional(v.string()) });
const pathStep = v.pipe(v.string(), v.regex(/^[0-9a-f-]{8,66}$/, "wanted public keys or ids of transports"));
const pathSteps = v.pipe(v.array(pathStep), v.minLength(1));
const weight = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1_000)));
const weights = v.strictObject({ hops: weight, latency: weight, throughput: weight, reliability: weight });
/** A whole number from 1 on. */
const upTo = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const hops = v.optional(upTo(50));
const constraintMembers = {
  metric: v.optional(v.union([v.picklist(METRICS), weights])),
  minHops: hops,
  maxHops: hops,
  avoid: v.optional(v.array(keyText)),
  avoidTypes: v.optional(v.array(word)),
  via: v.optional(v.array(keyText)),
};
const findBody = v.strictObject({
  remote: keyText,
  count: v.optional(upTo(MAX_COUNT)),
  disjoint: v.optional(v.picklist(DISJOINT)),
  ...constraintMembers,
});
const benchBody = v.strictObject({
  remote: keyText,
  seconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(60)), 3),
  path: v.optional(pathSteps),
  ...constraintMembers,
});
const pingBody = v.strictObject({
  remote: keyText,
  count: v.optional(upTo(1_000), 4),
  path: v.optional(pathSteps),
  ...constraintMembers,
});
const isHttp = (text: string): boolean => URL.parse(text)?.protocol === "http:";
const httpBody = v.strictObject({ url: v.pipe(v.string(), v.check(isHttp, "wanted http://PK.sky/…")) });

/** Its keys may be short; the rest is checked when they are whole. */
const proxyBody = v.looseObject({
  to: v.optional(keyText),
  path: v.optional(pathSteps),
  allow: v.optional(v.array(keyText)),
});

/** What is asked of routes in keys that may be short. */
interface ShortConstraints {
  readonly path?: readonly string[] | undefined;
  readonly avoid?: readonly string[] | undefined;
  readonly via?: readonly string[] | undefined;
}

/** The same in whole keys. */
interface FullConstraints {
  readonly path?: readonly PathStep[];
  readonly avoid?: readonly PublicKey[];
  readonly via?: readonly PublicKey[];
}

/** What the handler is made of. */
export interface ControlApiOptions {
  readonly runtime: Pick<Runtime, "timers" | "log">;
  /** What requests must carry as bearer token. */
  readonly token: string;
}

/** Makes the handler. */
export function createControlApi(
  visor: ControlledVisor,
  { runtime, token }: ControlApiOptions,
): (request: Request) => Promise<Response> {
  const app = new Hono();
  app.use(async (c, next) => {
    if (!equalText(c.req.header("authorization") ?? "", `Bearer ${token}`)) {
      throw new RefusedError("unauthorized", "Give the token of the visor's data folder as bearer token");
    }
    await next();
  });
  app.onError((error) => errorResponse(withCauses(error), { log: runtime.log }));
  app.notFound((c) => errorResponse(new RefusedError("not-found", `No such path: ${c.req.method} ${c.req.path}`)));

  const body = async <T>(request: Request, schema: v.GenericSchema<unknown, T>): Promise<T> => {
    const bytes = await readBody(request, { maxBytes: MAX_BODY_BYTES, timers: runtime.timers });
    return parseWith(schema, { text: new TextDecoder().decode(bytes), name: "the request" });
  };
  const fullKeys = (texts: readonly string[]): Promise<PublicKey[]> =>
    Promise.all(texts.map((text) => fullKey(visor, text)));

  const fullPath = (texts: readonly string[]): Promise<PathStep[]> =>
    Promise.all(texts.map((text) => parseTransportId(text) ?? fullKey(visor, text)));
  const fullConstraints = async <T extends ShortConstraints>(
    { path, avoid, via, ...rest }: T,
  ): Promise<Omit<T, keyof ShortConstraints> & FullConstraints> => ({
    ...rest,
    ...(path && { path: await fullPath(path) }),
    ...(avoid && { avoid: await fullKeys(avoid) }),
    ...(via && { via: await fullKeys(via) }),
  });

  app.get("/v1/status", async (c) => c.json(await visor.status()));
  app.get("/v1/transports", (c) => c.json({ transports: visor.transports() }));
  app.get("/v1/network/transports", async (c) => c.json({ transports: await visor.networkTransports() }));
  app.post("/v1/transports", async (c) => {
    const { remote, type, address } = await body(c.req.raw, transportBody);
    const transport = await visor.addTransport(await fullKey(visor, remote), {
      type,
      address,
      signal: c.req.raw.signal,
    });
    return c.json({ transport });
  });
  app.delete("/v1/transports/:id", async (c) => {
    const removed = await visor.removeTransport(c.req.param("id"));
    return c.json({ removed });
  });
  app.post("/v1/routes/find", async (c) => {
    const { remote, ...options } = await body(c.req.raw, findBody);
    const query = { ...await fullConstraints(options), signal: c.req.raw.signal };
    return c.json({ routes: await visor.findRoutes(await fullKey(visor, remote), query) });
  });
  app.post("/v1/routes/explain", async (c) => {
    const { remote, ...options } = await body(c.req.raw, findBody);
    const query = { ...await fullConstraints(options), signal: c.req.raw.signal };
    return c.json({ candidates: await visor.explainRoutes(await fullKey(visor, remote), query) });
  });
  app.get("/v1/rules", (c) => c.json({ rules: visor.rules() }));
  app.post("/v1/ping", async (c) => {
    const { remote, count, ...constraints } = await body(c.req.raw, pingBody);
    const to = await fullKey(visor, remote);
    return c.json(await visor.ping(to, { count, signal: c.req.raw.signal, ...await fullConstraints(constraints) }));
  });
  app.post("/v1/bench", async (c) => {
    const { remote, seconds, ...constraints } = await body(c.req.raw, benchBody);
    const to = await fullKey(visor, remote);
    return c.json(await visor.bench(to, { seconds, signal: c.req.raw.signal, ...await fullConstraints(constraints) }));
  });
  app.post("/v1/http/get", async (c) => {
    const { url } = await body(c.req.raw, httpBody);
    const { status, body: content } = await visor.fetch(
      new Request(await withFullKey(visor, url), { signal: c.req.raw.signal }),
    );
    // The answer of the other side is content here, whatever its status.
    return new Response(content, {
      headers: { "content-type": "application/octet-stream", [STATUS_HEADER]: `${status}` },
    });
  });
  app.get("/v1/apps", (c) => c.json({ apps: visor.apps() }));
  app.post("/v1/apps/:name/start", async (c) => {
    await visor.startApp(c.req.param("name"));
    return c.json({ apps: visor.apps() });
  });
  app.post("/v1/apps/:name/stop", async (c) => {
    await visor.stopApp(c.req.param("name"));
    return c.json({ apps: visor.apps() });
  });
  app.get("/v1/proxies", (c) => c.json({ proxies: visor.proxies() }));
  app.post("/v1/proxies", async (c) => {
    const { to, path, allow, ...rest } = await body(c.req.raw, proxyBody);
    const keys = {
      ...(to && { to: await fullKey(visor, to) }),
      ...(path && { path: await fullPath(path) }),
      ...(allow && { allow: await fullKeys(allow) }),
    };
    const text = JSON.stringify({ ...rest, ...keys });
    return c.json({ proxy: await visor.addProxy(parseWith(proxySettingsSchema, { text, name: "the request" })) });
  });
  app.delete("/v1/proxies/:id", async (c) => {
    await visor.removeProxy(c.req.param("id"));
    return c.json({ removed: c.req.param("id") });
  });
  return async (request) => await app.fetch(request);
}

/** Completes a key that a person shortened, from all keys that this visor has heard of. */
async function fullKey(visor: ControlledVisor, text: string): Promise<PublicKey> {
  const whole = v.safeParse(publicKeySchema, text);
  if (whole.success) return whole.output;
  const known = await visor.knownKeys();
  const matches = [...known].filter((key) => key.startsWith(text));
  if (matches.length === 1) return matches[0]!;
  throw new RefusedError(
    matches.length === 0 ? "visor/unknown-key" : "visor/ambiguous-key",
    matches.length === 0
      ? `Find the visor whose key begins with "${text}": none is known here; give all 66 digits`
      : `Find the visor whose key begins with "${text}": ${matches.length} do; give more digits`,
  );
}

/** Whoever may control the visor may see why something failed, the whole chain. */
function withCauses(error: Error): Error {
  if (!(error instanceof SkywireError) || error.cause === undefined) return error;
  const { code, details } = error;
  return new (error.constructor as typeof SkywireError)(code, describeError(error), { details });
}

/** A URL whose host may be a shortened key. */
async function withFullKey(visor: ControlledVisor, text: string): Promise<URL> {
  const url = new URL(text);
  const short = /^([0-9a-f]{8,66})\.sky$/.exec(url.hostname)?.[1];
  if (short !== undefined) url.hostname = `${await fullKey(visor, short)}.sky`;
  return url;
}

/** Compares without telling by its time where the texts differ. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
  return difference === 0;
}
