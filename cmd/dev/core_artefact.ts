/** How the WASM artefact is made, shared by the task that builds it and the one that checks it. */

import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** The committed artefact. */
export const CORE_WASM: URL = new URL("lib/core/skywire_core.wasm", ROOT);
/** Its digest, in the form of `sha256sum`. */
export const CORE_DIGEST: URL = new URL("lib/core/skywire_core.wasm.sha256", ROOT);
/** With what it was built. */
export const CORE_VERSIONS: URL = new URL("lib/core/skywire_core.versions.txt", ROOT);

/** Builds the module and returns its bytes. */
export async function buildCore(): Promise<Uint8Array<ArrayBuffer>> {
  const crates = fileURLToPath(new URL("core-rs/", ROOT));
  const lock = await Deno.open(new URL("core-rs/.build-lock", ROOT), { create: true, write: true });
  await lock.lock(true);
  const out = await Deno.makeTempDir({ prefix: "skywire-core-" });
  try {
    const home = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;
    await run("wasm-pack", {
      cwd: crates,
      args: ["build", "abi", "--target", "bundler", "--mode", "no-install", "--no-pack", "--no-opt", "--out-dir", out],
      env: {
        // The linker opens no file whose path has a percent sign.
        ...(crates.includes("%") && { CARGO_TARGET_DIR: `${out}/target` }),
        // Of the two forms the one in which a path may hold blanks.
        CARGO_ENCODED_RUSTFLAGS: [
          "-Ctarget-feature=+simd128,+bulk-memory,-reference-types,-multivalue",
          // WASM has no product of 128 bits. Without this, k256 counts on one, and the routine that stands in for it is
          // slow and brings back what -reference-types took away.
          '--cfg=cpubits="32"',
          `--remap-path-prefix=${home}=/cargo`,
          `--remap-path-prefix=${crates.replace(/\/$/, "")}=/core-rs`,
          `--remap-path-prefix=${await sysroot(crates)}=/rust`,
        ].join("\x1f"),
      },
    });
    return await Deno.readFile(`${out}/skywire_abi_bg.wasm`);
  } finally {
    await Deno.remove(out, { recursive: true });
    lock.close();
  }
}

/** SHA-256 as lower-case hex. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The versions of the tools, a line each. */
export async function toolVersions(): Promise<string> {
  const cwd = fileURLToPath(new URL("core-rs/", ROOT));
  const rustc = await run("rustc", { cwd, args: ["--version"] });
  const pack = await run("wasm-pack", { cwd, args: ["--version"] });
  const bindgen = await run("wasm-bindgen", { cwd, args: ["--version"] });
  return rustc + pack + bindgen;
}

async function sysroot(cwd: string): Promise<string> {
  return (await run("rustc", { cwd, args: ["--print", "sysroot"] })).trim();
}

async function run(
  program: string,
  options: { cwd: string; args: string[]; env?: Record<string, string> },
): Promise<string> {
  const output = await new Deno.Command(program, { ...options, stdout: "piped", stderr: "piped" }).output()
    .catch((cause) => {
      throw new Error(`Run ${program}: not found; .ci/run installs it`, { cause });
    });
  if (!output.success) {
    throw new Error(`Run ${program} ${options.args.join(" ")}:\n${new TextDecoder().decode(output.stderr)}`);
  }
  return new TextDecoder().decode(output.stdout);
}
