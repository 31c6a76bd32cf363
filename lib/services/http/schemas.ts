/**
 * Schemas that the descriptions of several services need. They describe; what checks requests are the codecs. Tested in
 * tests/services/http/event_stream_test.ts.
 */

import * as v from "valibot";

/** A whole number. */
export const integer: v.GenericSchema<number> = v.pipe(v.number(), v.integer());

/** A schema, and what it stands for. */
export function described<S extends v.GenericSchema>(schema: S, text: string): v.GenericSchema<v.InferInput<S>> {
  return v.pipe(schema, v.description(text)) as unknown as v.GenericSchema<v.InferInput<S>>;
}

/** A public key. */
export const keySchema: v.GenericSchema = described(v.pipe(v.string(), v.regex(/^0[23][0-9a-f]{64}$/)), "A public key");

/** A UUID, as transports have one. */
export const uuidSchema: v.GenericSchema = described(
  v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  "The id of a transport",
);

/** What tells about a failed log-in, in every service. */
export const authErrorSchema: v.GenericSchema = v.object({ error: v.object({ message: v.string(), code: integer }) });
