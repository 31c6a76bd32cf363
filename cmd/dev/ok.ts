// deno-lint-ignore-file no-console -- a task talks to a person

/**
 * Says whether the work is good: format, lint, types, documentation and its examples, what would be published, tests
 * (layer rules among them).
 *
 *     deno task ok
 */

const CHECKS: readonly (readonly [name: string, ...args: string[]])[] = [
  ["format", "fmt", "--check"],
  ["lint", "lint"],
  ["types", "check", "mod.ts", "cmd/", "lib/", "tests/"],
  ["documentation", "doc", "--lint", "mod.ts"],
  ["examples", "test", "--doc", "-A", "mod.ts", "lib/"],
  ["package", "publish", "--dry-run", "--allow-dirty"],
  ["tests", "run", "-A", "cmd/dev/test.ts"],
];

for (const [name, ...args] of CHECKS) {
  console.log(`— ${name}`);
  const { code } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
  if (code !== 0) {
    console.error(`Not ok: ${name} (deno ${args.join(" ")})`);
    Deno.exit(1);
  }
}
