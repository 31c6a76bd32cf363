/** Where keys land, as the environment and the options say. */

import assert from "node:assert/strict";
import { denoArgv, type Ended, runArgv, temporaryFolder } from "../e2e/program.ts";

const ignore = Deno.build.os !== "linux";
const VARIABLES = ["HOME", "USERPROFILE", "XDG_DATA_HOME", "SKYWIRE_DATA"];

/** Asks for a visor from within a folder, with no other places in the environment than those given: none runs. */
async function statusIn(folder: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const { denoDir } = JSON.parse((await runArgv([Deno.execPath(), "info", "--json"])).lines.join("\n"));
  const clean = [...VARIABLES.flatMap((name) => ["-u", name]), `DENO_DIR=${denoDir}`];
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const script = new URL("../../cmd/skywire.ts", import.meta.url).pathname;
  const command = denoArgv(script, ["status", "--json", ...args]);
  return await runArgv(["env", "-C", folder, ...clean, ...set, ...command]);
}

const folderOf = (ended: Ended): unknown => JSON.parse(ended.lines[0] ?? "{}").error?.details.data;
const codeOf = (ended: Ended): unknown => JSON.parse(ended.lines[0] ?? "{}").error?.code;

Deno.test({
  name: "an empty variable is none, a relative folder neither, and no place at all is an error that says so",
  ignore,
  fn: async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const cases: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
      [{ HOME: path, XDG_DATA_HOME: "" }, `${path}/.local/share/skywire`],
      [{ HOME: path, XDG_DATA_HOME: "relative" }, `${path}/.local/share/skywire`],
      [{ HOME: path, XDG_DATA_HOME: `${path}/x` }, `${path}/x/skywire`],
      [{ HOME: path, SKYWIRE_DATA: "" }, `${path}/.local/share/skywire`],
      [{ HOME: path, SKYWIRE_DATA: `${path}/y` }, `${path}/y`],
    ];
    for (const [env, expected] of cases) assert.equal(folderOf(await statusIn(path, env)), expected);
    for (const env of [{}, { HOME: "" }, { HOME: "." }]) {
      assert.equal(codeOf(await statusIn(path, env)), "cli/no-data-folder");
    }
    const empty = await statusIn(path, { HOME: path }, "--data", "");
    assert.deepEqual([empty.code, codeOf(empty)], [2, "cli/usage"]);
    assert.deepEqual([...Deno.readDirSync(path)], []);
  },
});

Deno.test({
  name: "a key that is made in a git work tree is warned of",
  ignore,
  fn: async () => {
    await using folder = await temporaryFolder();
    const key = `${folder.path}/checkout/keys/setup.key`;
    await Deno.mkdir(`${folder.path}/checkout/.git`, { recursive: true });
    // It cannot listen there, so it ends after it has made its key.
    const args = ["--listen", "256.0.0.1:1", "--key", key];
    const ended = await runArgv(denoArgv("cmd/messaging_discovery.ts", args));
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, new RegExp(`warn +key-in-work-tree .*workTree=${folder.path}/checkout\\n`));
  },
});
