/** Routes over the control API. Tested in tests/visor/control/api_test.ts. */

import * as v from "valibot";
import { DISJOINT, MAX_COUNT, METRICS } from "../../services/route_finder/mod.ts";
import type { PathStep, PublicKey } from "../../types/mod.ts";
import { keyText, pathSteps } from "../control/keys.ts";
import { answer, type ControlRoute, operation } from "../control/operation.ts";
import type { KeyBook } from "../key_book.ts";
import type { RoutesPart } from "./part.ts";
import { benchSchema, candidateSchema, pingSchema, routeSchema, ruleSchema } from "./view.ts";

/** A whole number from 1 on. */
const upTo = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const weight = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1_000)));
const weights = v.strictObject({ hops: weight, latency: weight, throughput: weight, reliability: weight });
const hops = v.optional(upTo(50));

const constraints = {
  metric: v.optional(v.union([v.picklist(METRICS), weights])),
  minHops: hops,
  maxHops: hops,
  avoid: v.optional(v.array(keyText)),
  avoidTypes: v.optional(v.array(v.pipe(v.string(), v.minLength(1)))),
  via: v.optional(v.array(keyText)),
};

const findBody = v.strictObject({
  remote: keyText,
  count: v.optional(upTo(MAX_COUNT)),
  disjoint: v.optional(v.picklist(DISJOINT)),
  ...constraints,
});

/** `route find` */
export const FIND_ROUTES = operation({
  method: "POST",
  path: "/v1/routes/find",
  summary: "The best routes to a visor; nothing is set up",
  body: findBody,
  answer: v.object({ routes: v.array(routeSchema) }),
});

/** `route explain` */
export const EXPLAIN_ROUTES = operation({
  method: "POST",
  path: "/v1/routes/explain",
  summary: "The routes to a visor that there could be, and why one is chosen and the others are not",
  body: findBody,
  answer: v.object({ candidates: v.array(candidateSchema) }),
});

/** `route rules` */
export const LIST_RULES = operation({
  method: "GET",
  path: "/v1/rules",
  summary: "The routing rules of this visor",
  answer: v.object({ rules: v.array(ruleSchema) }),
});

/** `ping` */
export const PING = operation({
  method: "POST",
  path: "/v1/ping",
  summary: "Sets up a route and measures round trips over it",
  body: v.strictObject({
    remote: keyText,
    count: v.optional(upTo(1_000), 4),
    path: v.optional(pathSteps),
    ...constraints,
  }),
  answer: pingSchema,
});

/** `bench` */
export const BENCH = operation({
  method: "POST",
  path: "/v1/bench",
  summary: "Sets up a route and measures its throughput, both ways",
  body: v.strictObject({
    remote: keyText,
    seconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(60)), 3),
    path: v.optional(pathSteps),
    ...constraints,
  }),
  answer: benchSchema,
});

/** The routes of these operations. */
export function routeRoutes(part: RoutesPart, keys: KeyBook): ControlRoute[] {
  return [
    answer(FIND_ROUTES, async ({ body: { remote, ...short }, request: { signal } }) => {
      const options = { ...await inWholeKeys(short, keys), signal };
      return { routes: await part.find(await keys.complete(remote), options) };
    }),
    answer(EXPLAIN_ROUTES, async ({ body: { remote, ...short }, request: { signal } }) => {
      const options = { ...await inWholeKeys(short, keys), signal };
      return { candidates: await part.explain(await keys.complete(remote), options) };
    }),
    answer(LIST_RULES, () => ({ rules: part.rules() })),
    answer(PING, async ({ body: { remote, ...short }, request: { signal } }) => {
      const to = await keys.complete(remote);
      return await part.ping(to, { ...await inWholeKeys(short, keys), signal });
    }),
    answer(BENCH, async ({ body: { remote, ...short }, request: { signal } }) => {
      const to = await keys.complete(remote);
      return await part.bench(to, { ...await inWholeKeys(short, keys), signal });
    }),
  ];
}

/** What is asked of routes in keys that may be short. */
interface ShortKeys {
  readonly path?: readonly string[] | undefined;
  readonly avoid?: readonly string[] | undefined;
  readonly via?: readonly string[] | undefined;
}

/** The same in whole keys. */
interface WholeKeys {
  readonly path?: readonly PathStep[];
  readonly avoid?: readonly PublicKey[];
  readonly via?: readonly PublicKey[];
}

async function inWholeKeys<T extends ShortKeys>(
  { path, avoid, via, ...rest }: T,
  keys: KeyBook,
): Promise<Omit<T, keyof ShortKeys> & WholeKeys> {
  return {
    ...rest,
    ...(path && { path: await keys.completePath(path) }),
    ...(avoid && { avoid: await keys.completeAll(avoid) }),
    ...(via && { via: await keys.completeAll(via) }),
  };
}
