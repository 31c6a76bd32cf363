// deno-lint-ignore-file no-console -- a task talks to a person

/**
 * Runs all tests and ends with one plain line, `N passed, N failed`.
 *
 *     deno task test [path or filter options of `deno test`]
 *     deno task test:slow       tests of minutes: hosts of their own, kills, floods; one after the other
 */

const [serial, paths] = Deno.args[0] === "--serial" ? [true, Deno.args.slice(1)] : [false, Deno.args];
const child = new Deno.Command(Deno.execPath(), {
  args: [
    ...["test", "-A", ...(serial ? [] : ["--parallel", "--preload=tests/time_limit.ts"])],
    ...(paths.length > 0 ? paths : ["--ignore=tests/slow/", "tests/"]),
  ],
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
  env: { NO_COLOR: "1" },
}).spawn();

let tail = "";
const decoder = new TextDecoder();
for await (const chunk of child.stdout) {
  await Deno.stdout.write(chunk);
  tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4096);
}
const { success } = await child.status;
const summary = /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/.exec(tail);
const [passed, failed, skipped] = [summary?.[1] ?? "0", summary?.[2] ?? "1", summary?.[3]];
console.log(`${passed} passed, ${failed} failed${skipped === undefined ? "" : `, ${skipped} skipped`}`);
Deno.exit(success && summary !== null ? 0 : 1);
