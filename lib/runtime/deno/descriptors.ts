/**
 * How many descriptors this process may open: each connection costs one, and one behind an HTTP gate three. Tested in
 * tests/runtime/deno/http_test.ts.
 */

/** Where Linux tells a process its limits. */
const LIMITS_FILE = "/proc/self/limits";

/** @returns the limit in force, or undefined where the system or the permissions do not let it be read */
export async function mostDescriptors(): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const { state } = await Deno.permissions.query({ name: "read", path: LIMITS_FILE });
  // To ask the user would be too much.
  if (state !== "granted") return undefined;
  const text = await Deno.readTextFile(LIMITS_FILE).catch(() => "");
  const most = Number(/^Max open files +(\d+)/m.exec(text)?.[1]);
  return Number.isSafeInteger(most) ? most : undefined;
}
