// deno-lint-ignore-file no-console -- a task talks to a person

/**
 * Makes the standalone program `skywire` (or the file that the first argument names), for this platform or, with
 * `--target`, for another.
 *
 *     deno task compile [FILE] [--target TRIPLE]
 *
 * The WASM module and every text asset are embedded, and no package that only tests use: this fails when the compiler
 * lists it otherwise.
 */

const [file = "skywire", ...rest] = Deno.args[0]?.startsWith("--") ? ["skywire", ...Deno.args] : Deno.args;
/** The listing shows a folder of one kind of files as a whole. */
const MUST_EMBED = ["skywire_core.wasm", "migrations/*"];
const MUST_NOT_EMBED = ["zod/", "fast-check/", "@types/"];

const child = new Deno.Command(Deno.execPath(), {
  args: ["compile", "-A", "--exclude-unused-npm", "--output", file, ...rest, "cmd/skywire.ts"],
  stdin: "null",
  stdout: "piped",
  stderr: "piped",
  env: { NO_COLOR: "1" },
}).spawn();
const { success, stdout, stderr } = await child.output();
const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
console.log(text.trim());
if (!success && /denort\S*\.zip/.test(text)) {
  console.error(
    "Compile: the runtime that the program is put into (denort) is not here and could not be fetched: connect to the " +
      "network once, or name a copy of it by DENORT_BIN",
  );
  Deno.exit(1);
}
const wrong = [
  ...(success ? [] : ["failed"]),
  ...MUST_EMBED.filter((name) => !text.includes(name)).map((name) => `${name} is not embedded`),
  ...MUST_NOT_EMBED.filter((name) => text.includes(` ${name}`)).map((name) => `${name} is embedded`),
];
if (wrong.length > 0) {
  console.error(`Compile: ${wrong.join(", ")}`);
  Deno.exit(1);
}
