/** Reads and writes JSON files: text in, checked values out. Tested in tests/visor/kept_document_test.ts. */

import * as v from "valibot";
import { RefusedError } from "../errors/mod.ts";
import { formatProblems, problemsOf } from "./problems.ts";

/** The longest text, characters: thousands of transports. To check it takes a few hundred ms at most, once at a start. */
const MAX_CHARACTERS = 512 * 1024;

/**
 * Reads JSON text and checks it.
 * @throws {RefusedError} `config/invalid`, naming each member that is wrong
 */
export function parseWith<T>(
  schema: v.GenericSchema<unknown, T>,
  source: { readonly text: string; readonly name: string },
): T {
  if (source.text.length > MAX_CHARACTERS) {
    throw new RefusedError("config/invalid", `Read ${source.name}: it has more than ${MAX_CHARACTERS} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(source.text);
  } catch (cause) {
    throw new RefusedError("config/invalid", `Read ${source.name}: it is no JSON; mend it or move it away`, { cause });
  }
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const problems = problemsOf(result.issues);
    throw new RefusedError("config/invalid", `Read ${source.name}: ${formatProblems(problems)}`, {
      details: { problems },
    });
  }
  return result.output;
}

/** Writes a configuration as its file holds it. */
export function formatJsonFile(value: unknown): string {
  return JSON.stringify(value, undefined, 2) + "\n";
}
