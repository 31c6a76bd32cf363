/** What the description of an API says of each of its routes. It stands beside the route, and a test compares. */

import type * as v from "valibot";
import type { Route } from "./app.ts";

/** A route that says what it does. */
export interface DocumentedRoute extends Route {
  readonly doc: RouteDoc;
}

/** The description of a route. */
export interface RouteDoc {
  /** One line. */
  readonly summary: string;
  /** The path with parameters as `{name}`, where the pattern of the route says more than that. */
  readonly path?: string;
  /** Members of the query: what each does. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers that a client may send: what each does. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Who may ask; everybody, if absent. */
  readonly access?: "signed" | "monitor";
  /** The JSON of the body. */
  readonly body?: v.GenericSchema;
  /** Answers that have a form of their own, by status. */
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Answers in the form of the API's errors, by status: when each is given. */
  readonly refusals?: Readonly<Record<number, string>>;
}

/** The description of an answer. */
export interface AnswerDoc {
  /** When it is given. */
  readonly text: string;
  /** The JSON of its body. */
  readonly json?: v.GenericSchema;
  /** The media type without parameters; default `application/json` with `json`, else the answer has no body. */
  readonly type?: string;
}
