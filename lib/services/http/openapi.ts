/**
 * The OpenAPI 3.1 document of a service, from its list of routes. Members may be added to bodies later, so no schema
 * closes them. v1.3 sends JSON as `text/plain` here and there; then the schema is that of the text's content.
 * Tested in tests/services/messaging_discovery/vectors_test.ts.
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { AnswerDoc, DocumentedRoute } from "./docs.ts";
import type { ErrorFormat } from "./errors.ts";
import { AUTH_HEADERS, MONITOR_HEADERS } from "../../wire/http_auth.ts";
import { authErrorSchema } from "./schemas.ts";

/** What is described. */
export interface ApiDescription {
  /** The service in words. */
  readonly title: string;
  /** Of the API, not of the program: the document of a release must not differ from the next without reason. */
  readonly version: string;
  readonly routes: readonly DocumentedRoute[];
  /** Absent: errors are JSON in our own form. */
  readonly errors?: ErrorFormat;
  /** The JSON of an error. */
  readonly errorBody: v.GenericSchema;
  /** Whether every request carries a bearer token. */
  readonly access?: "token";
}

type Json = Readonly<Record<string, unknown>>;

/** Refusals that every route can give, and those of routes that read a body. */
const COMMON_REFUSALS: Readonly<Record<number, { readonly name: string; readonly text: string }>> = {
  408: { name: "TooSlow", text: "The body did not come in time" },
  413: { name: "TooLarge", text: "The body is too large" },
  429: {
    name: "TooMany",
    text: "Too many requests from this address; `Retry-After` says when to come back",
  },
  500: { name: "Failed", text: "The service failed" },
  503: { name: "Unavailable", text: "The service cannot answer now, or not in time" },
};

const BODY_ONLY = ["408", "413"];

const ERROR_SCHEMA: Json = { $ref: "#/components/schemas/Error" };

/** Makes the document. */
export function openApiDocument(api: ApiDescription): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of api.routes) {
    const path = pathOf(route);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, api) };
  }
  const needsToken = api.access === "token";
  const header = (name: string): Json => ({ type: "apiKey", in: "header", name });
  return {
    openapi: "3.1.0",
    info: { title: api.title, version: api.version },
    ...(needsToken ? { security: [{ token: [] }] } : {}),
    paths,
    components: {
      schemas: { Error: schemaOf(api.errorBody) },
      responses: Object.fromEntries(
        Object.values(COMMON_REFUSALS).map(({ name, text }) => [name, refusalOf(text, api)]),
      ),
      securitySchemes: needsToken ? { token: { type: "http", scheme: "bearer" } } : {
        key: header(AUTH_HEADERS.publicKey),
        nonce: header(AUTH_HEADERS.nonce),
        signature: header(AUTH_HEADERS.signature),
        monitorKey: header(MONITOR_HEADERS.publicKey),
        monitorSignature: header(MONITOR_HEADERS.signature),
      },
    },
  };
}

/** The path of a route as the document writes it. */
export function pathOf(route: DocumentedRoute): string {
  return route.doc.path ?? route.path.replace(/:([a-z]+)(\{[^}]*\})?/gi, "{$1}");
}

function operationOf({ doc, path, method }: DocumentedRoute, api: ApiDescription): Json {
  const { summary, query = {}, headers = {}, access, body, answers, refusals = {} } = doc;
  const names = [...(doc.path ?? path).matchAll(doc.path === undefined ? /:([a-z]+)/gi : /\{([a-z]+)\}/gi)];
  const string = { type: "string" };
  const parameters = [
    ...names.map(([, name]) => ({ name, in: "path", required: true, schema: string })),
    ...Object.entries(query).map(([name, description]) => ({ name, in: "query", description, schema: string })),
    ...Object.entries(headers).map(([name, description]) => ({ name, in: "header", description, schema: string })),
  ];
  const security = access === "signed"
    ? [{ key: [], nonce: [], signature: [] }]
    : access === "monitor"
    ? [{ monitorKey: [], monitorSignature: [] }]
    : undefined;
  const takesBody = body !== undefined || access === "signed" || method === "POST" || method === "PUT";
  const responses: Record<string, Json> = {};
  for (const [status, { name }] of Object.entries(COMMON_REFUSALS)) {
    if (takesBody || !BODY_ONLY.includes(status)) responses[status] = { $ref: `#/components/responses/${name}` };
  }
  for (const [status, text] of Object.entries(refusals)) responses[status] = refusalOf(text, api);
  if (access === "signed") responses[401] = responseOf({ text: "The log-in is not good", json: authErrorSchema });
  for (const [status, answer] of Object.entries(answers)) responses[status] = responseOf(answer);
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(security === undefined ? {} : { security }),
    ...(body === undefined ? {} : { requestBody: { content: { "application/json": { schema: schemaOf(body) } } } }),
    responses,
  };
}

function refusalOf(text: string, { errors }: ApiDescription): Json {
  return contentOf(ERROR_SCHEMA, { text, type: errors?.contentType.split(";")[0] ?? "application/json" });
}

function responseOf({ text, json, type }: AnswerDoc): Json {
  const content = type ?? (json === undefined ? undefined : "application/json");
  if (content === undefined) return { description: text };
  if (json !== undefined) return contentOf(schemaOf(json), { text, type: content });
  return { description: text, content: { [content]: { schema: { type: "string" } } } };
}

/** JSON under its own media type, or under that of text. */
function contentOf(schema: Json, { text, type }: { readonly text: string; readonly type: string }): Json {
  const inner = type === "application/json"
    ? schema
    : { type: "string", contentMediaType: "application/json", contentSchema: schema };
  return { description: text, content: { [type]: { schema: inner } } };
}

/** As input: what comes out may have more members than are known. */
function schemaOf(schema: v.GenericSchema): Json {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    // Checks in code, and what is made of the text: a description has no words for them.
    ignoreActions: ["check", "max_bytes", "to_lower_case"],
  });
  return rest;
}
