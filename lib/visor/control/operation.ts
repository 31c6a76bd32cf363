/**
 * What can be asked of a running visor over its control API. An operation is described once; the server, its OpenAPI
 * document and the client of the command line all come from the description.
 * Tested in tests/visor/control/api_test.ts.
 */

import type * as v from "valibot";
import type { HttpCall, Method } from "../../services/http/mod.ts";

/** The description of an operation. `Input` is what a client sends, `Body` the same with what it left out. */
export interface Operation<Input, Body, Answer> {
  /** One of the four. */
  readonly method: Method;
  /** From the base URL on; `:name` is a path segment. */
  readonly path: string;
  /** One line. */
  readonly summary: string;
  /** Checks the body, and adds what it may leave out. Absent: a body is not read. */
  readonly body?: v.GenericSchema<Input, Body>;
  /** The JSON of the answer. Absent: the answer is no JSON. */
  readonly answer?: v.GenericSchema<Answer>;
  /** The media type of an answer that is no JSON. */
  readonly content?: string;
  /** The JSON of each event of an answer that is a stream of them. */
  readonly each?: v.GenericSchema;
  /** Headers that a client may send, and what each does. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An operation whose answer is content, or a stream of events. */
export type ContentOperation<Input = never, Body = Input> = Operation<Input, Body, Response> & {
  readonly content: string;
};

/** What a client sends to an operation. */
export type InputOf<Asked> = Asked extends Operation<infer Input, infer _Body, infer _Answer> ? Input : never;

/** Describes an operation whose answer is JSON. */
export function operation<Answer, Input = never, Body = Input>(
  description: Operation<Input, Body, Answer> & { readonly answer: v.GenericSchema<Answer> },
): Operation<Input, Body, Answer> {
  return description;
}

/** A request, as its handler sees it. */
export interface ControlCall<Body> extends Pick<HttpCall, "request" | "param" | "query"> {
  /** Checked. */
  readonly body: Body;
  /** Ends an answer that goes on: aborts with the visor. */
  readonly closing: AbortSignal;
}

/** An operation and what answers it. */
export interface ControlRoute {
  /** What is asked. */
  readonly operation: Operation<unknown, unknown, unknown>;
  /** Gives the JSON, or the whole response. */
  readonly handle: (call: ControlCall<unknown>) => unknown;
}

/** Answers an operation. What `handle` throws is answered as an error, with its causes. */
export function answer<Input, Body, Answer>(
  operation: Operation<Input, Body, Answer>,
  handle: (call: ControlCall<Body>) => Answer | Promise<Answer>,
): ControlRoute {
  return { operation, handle } as unknown as ControlRoute;
}

/** A schema of all members of a view, those that may be absent too: forgetting one is a mistake of types. */
export function viewSchema<View>(): <S extends v.GenericSchema<View>>(
  schema: Required<v.InferInput<S>> extends Required<View> ? S : never,
) => v.GenericSchema<View> {
  return (schema) => schema as unknown as v.GenericSchema<View>;
}
