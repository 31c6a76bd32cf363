/**
 * What a check of input found wrong, in words that the writer of the input understands. Tested in
 * tests/network/ticket_test.ts.
 */

import * as v from "valibot";

/** One thing that is wrong. */
export interface InputProblem {
  /** The member, `ports.api`; empty: the whole. */
  readonly path: string;
  /** What was wanted of it. */
  readonly message: string;
}

/** More problems help nobody; to describe a hundred thousand takes seconds. */
const MOST_PROBLEMS = 20;

/** From the findings of a schema, which are about types and keys; the first 20. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): InputProblem[] {
  return issues.slice(0, MOST_PROBLEMS).map((issue) => ({
    path: v.getDotPath(issue) ?? "",
    message: messageOf(issue),
  }));
}

/** All problems in one line. */
export function formatProblems(problems: readonly InputProblem[]): string {
  return problems.map(({ path, message }) => `${path || "the whole"}: ${message}`).join("; ");
}

function messageOf({ message, expected, received }: v.BaseIssue<unknown>): string {
  if (!message.startsWith("Invalid key")) return message;
  return expected === "never" ? "is not known here" : received === "undefined" ? "is missing" : message;
}
