/**
 * Holds a service to the description that it serves: a copy in `tests/vectors/api/` makes every change of it seen in
 * review, and answers are compared with what it says. `UPDATE_API=1 deno test -A tests/services` writes the copies.
 */

import assert from "node:assert/strict";
// Not in the import map, which is that of what ships: nothing but this checks answers by JSON Schema.
// deno-lint-ignore no-import-prefix
import { z } from "npm:zod@4.6.7";
import type { HttpService } from "../../../lib/services/http/mod.ts";
import { type Answer, ask } from "./support.ts";

/** The part of OpenAPI that is looked at. */
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Reference | Response>>;
}

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Schema {
  readonly contentSchema?: Schema | Reference;
}

interface Reference {
  readonly $ref: string;
}

/** Reads the document of a service. */
export async function readApiDocument(fetch: HttpService["fetch"]): Promise<Document> {
  const answer = await ask(fetch, { method: "GET", path: "/openapi.json" });
  assert.deepEqual([answer.status, answer.contentType], [200, "application/json"]);
  return JSON.parse(answer.text);
}

/** Compares the document of a service with `tests/vectors/api/<name>.json`. */
export async function assertApiFile(fetch: HttpService["fetch"], name: string): Promise<void> {
  const document = await readApiDocument(fetch);
  const file = new URL(`../../vectors/api/${name}.json`, import.meta.url);
  if (Deno.env.get("UPDATE_API") === "1") Deno.writeTextFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`);
  assert.deepEqual(document, JSON.parse(Deno.readTextFileSync(file)), "see api_document.ts for how to update the file");
  assert.equal(document.openapi, "3.1.0");
}

/**
 * Is the answer one that the document names, with a body as it says? Paths and methods that the service does not have
 * are none of the document's business.
 */
export function assertDocumented(
  document: Document,
  question: { readonly method: string; readonly path: string },
  answer: Pick<Answer, "status" | "text" | "contentType">,
): void {
  const operation = operationFor(document, question);
  const what = `${question.method} ${question.path}: ${answer.status}`;
  if (operation === undefined) {
    assert.ok([404, 405].includes(answer.status), `${what} is on no path of the document`);
    return;
  }
  const named = operation.responses[answer.status];
  assert.ok(named !== undefined, `${what} is not documented`);
  const response = resolve(document, named);
  // v1.3 says why to some requests and not to others that it answers with the same status.
  if (answer.status >= 400 && answer.text === "") return;
  if (response.content === undefined) return assert.equal(answer.text, "", `${what} should have no body`);
  const type = answer.contentType.split(";")[0] as string;
  const content = response.content[type];
  assert.ok(content !== undefined, `${what} has the type "${type}", which is not documented`);
  const inner = type === "application/json" ? content.schema : content.schema.contentSchema;
  if (inner === undefined) return;
  const schema = resolve(document, inner);
  const result = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(JSON.parse(answer.text));
  assert.ok(result.success, `${what} is not as documented: ${answer.text}\n${result.error}`);
}

/** What a reference leads to; anything else as it is. */
function resolve<T extends object>(document: Document, item: T | Reference): T {
  if (!("$ref" in item)) return item;
  const found = item.$ref.split("/").slice(1).reduce<unknown>(
    (at, name) => (at as Record<string, unknown>)[name],
    document,
  );
  return found as T;
}

/** A path of its own goes before one with parameters. */
function operationFor(document: Document, { method, path }: { method: string; path: string }): Operation | undefined {
  const bare = path.split("?")[0] as string;
  const having = Object.entries(document.paths).filter(([, methods]) => methods[method.toLowerCase()] !== undefined);
  const found = having.find(([template]) => template === bare) ??
    having.find(([template]) => new RegExp(`^${template.replace(/\{[a-z]+\}/gi, "[^/]+")}$`).test(bare));
  return found?.[1][method.toLowerCase()];
}
