// deno-lint-ignore-file no-console -- a task talks to whoever runs it

/**
 * Makes the standalone program `skywire` (or the file that the first argument names), for this platform or, with
 * `--target`, for another.
 *
 *     deno task compile [FILE] [--target TRIPLE]
 *
 * The WASM module and every text asset are embedded: this fails when the compiler does not list them.
 */

const [file = "skywire", ...rest] = Deno.args[0]?.startsWith("--") ? ["skywire", ...Deno.args] : Deno.args;
/** The listing shows a folder of one kind of files as a whole. */
const MUST_EMBED = ["skywire_core.wasm", "migrations/*"];

const child = new Deno.Command(Deno.execPath(), {
  args: ["compile", "-A", "--output", file, ...rest, "cmd/skywire.ts"],
  stdin: "null",
  stdout: "piped",
  stderr: "piped",
  env: { NO_COLOR: "1" },
}).spawn();
const { success, stdout, stderr } = await child.output();
const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
console.log(text.trim());
const missing = MUST_EMBED.filter((name) => !text.includes(name));
if (!success || missing.length > 0) {
  console.error(`Compile: ${missing.length > 0 ? `not embedded: ${missing.join(", ")}` : "failed"}`);
  Deno.exit(1);
}
