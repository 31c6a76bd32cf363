/**
 * The control API of a running visor: HTTP with JSON on loopback, for the command line and local programs. Every request
 * carries the token of the data folder, those for `/health`, `/metrics` and `/openapi.json` too: figures and paths are
 * nobody's business but the owner's. Paths begin with `/v1/`.
 */

import * as v from "valibot";
import { parseWith } from "../../check/mod.ts";
import { describeError, RefusedError, SkywireError } from "../../errors/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import {
  createServiceApp,
  type DocumentedRoute,
  errorResponse,
  type HttpCall,
  type HttpService,
  JSON_TYPE,
  readBody,
  TextResponse,
} from "../../services/http/mod.ts";
import { VERSION } from "../../types/version.ts";
import type { ControlRoute } from "./operation.ts";

/** Requests are small: a body beyond this is somebody's mistake. */
const MAX_BODY_BYTES = 65_536;

/** Of the API, not of the program. */
const API_VERSION = "1";

const REFUSALS = {
  400: "The other visor broke the protocol",
  401: "The token of the data folder is missing",
  403: "Refused, and why; a request that is not as described is, too",
  404: "There is none",
};

const errorBody = v.object({
  error: v.object({
    code: v.string(),
    message: v.string(),
    details: v.optional(v.record(v.string(), v.unknown())),
  }),
});

/** What the service is made of. */
export interface ControlApiOptions {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log" | "metrics">;
  /** What requests must carry as bearer token. */
  readonly token: string;
}

/** Makes the service. */
export function createControlApi(
  routes: readonly ControlRoute[],
  { runtime, token }: ControlApiOptions,
): HttpService {
  const closing = new AbortController();
  const app = createServiceApp({
    name: "visor",
    title: "Control API of a visor",
    version: API_VERSION,
    access: "token",
    // A bench runs for minutes. The client may give up at any time.
    answerWithinMs: Infinity,
    runtime,
    routes: routes.map((route) => documentedRoute(route, { runtime, closing: closing.signal })),
    errorBody,
    settings: { build: { version: `v${VERSION}` } },
  });
  return {
    // The token is checked before the limit on requests: who has none cannot use up the limit of those who have it.
    fetch: async (request, context) => {
      if (equalText(request.headers.get("authorization") ?? "", `Bearer ${token}`)) return await app(request, context);
      return errorResponse(
        new RefusedError("unauthorized", "Give the token of the visor's data folder as bearer token"),
      );
    },
    close: () => {
      closing.abort();
      return Promise.resolve();
    },
  };
}

function documentedRoute(
  route: ControlRoute,
  { runtime, closing }: { readonly runtime: Pick<Runtime, "timers">; readonly closing: AbortSignal },
): DocumentedRoute {
  const { method, path, summary, body: schema, answer, content, each, headers } = route.operation;
  const json = answer ?? each;
  const bodyOf = async (request: Request): Promise<unknown> => {
    if (schema === undefined) return undefined;
    const bytes = await readBody(request, { maxBytes: MAX_BODY_BYTES, timers: runtime.timers });
    return parseWith(schema, { text: new TextDecoder().decode(bytes), name: "the request" });
  };
  return {
    method,
    path,
    doc: {
      summary,
      ...(schema === undefined ? {} : { body: schema }),
      ...(headers === undefined ? {} : { headers }),
      answers: {
        200: {
          text: "Done",
          ...(json === undefined ? {} : { json }),
          ...(content === undefined ? {} : { type: content }),
        },
      },
      refusals: REFUSALS,
    },
    handle: async (call: HttpCall): Promise<Response> => {
      try {
        const { request } = call;
        const result = await route.handle({
          request,
          closing,
          body: await bodyOf(request),
          param: (name) => call.param(name),
          query: (name) => call.query(name),
        });
        if (result instanceof Response) return result;
        return new TextResponse(JSON.stringify(result), { headers: JSON_TYPE });
      } catch (error) {
        throw withCauses(error);
      }
    },
  };
}

/** The owner of the visor sees the whole chain of causes. */
function withCauses(error: unknown): unknown {
  if (!(error instanceof SkywireError) || error.cause === undefined) return error;
  const { code, details } = error;
  return new (error.constructor as typeof SkywireError)(code, describeError(error), { details });
}

/** Compares without telling by its time where the texts differ. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
  return difference === 0;
}
