/**
 * How a setup node says that a visor asks too much, and when to come again (extensions.md §3.3). Errors of net/rpc are
 * text and nothing else, so the time stands in the text. Tested in tests/sim/setup_pace_test.ts.
 */

/** The words of a refusal. @param who for people @param seconds to wait, ≥ 1 */
export function formatTooManyRequests(who: string, seconds: number): string {
  return `too many route requests from ${who}: come back in ${seconds} s`;
}

/** When to come again, from the words of a refusal. @returns s; undefined when they say something else */
export function parseComeBack(words: string): number | undefined {
  const seconds = /^too many route requests from .{1,80}: come back in (\d{1,6}) s$/.exec(words)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
