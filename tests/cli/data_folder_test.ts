/** Where keys land, as the environment and the options say. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { denoArgv, type Ended, runArgv, temporaryFolder } from "../e2e/program.ts";

const ignore = Deno.build.os !== "linux";
const VARIABLES = ["HOME", "USERPROFILE", "XDG_DATA_HOME", "SKYWIRE_DATA"];

/** Asks for a visor from within a folder, with no other places in the environment than those given: none runs. */
async function statusIn(folder: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const { denoDir } = JSON.parse((await runArgv([Deno.execPath(), "info", "--json"])).lines.join("\n"));
  const clean = [...VARIABLES.flatMap((name) => ["-u", name]), `DENO_DIR=${denoDir}`];
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const script = fileURLToPath(new URL("../../cmd/skywire.ts", import.meta.url));
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
    const command = denoArgv("cmd/messaging_discovery.ts", ["--listen", "127.0.0.1:0", "--key", key]);
    // Its ready line cannot be written, so it ends when it has made its key.
    const ended = await runArgv(["sh", "-c", `${command.join(" ")} > /dev/full`]);
    assert.equal(ended.code, 1);
    assert.ok(await Deno.stat(key));
    assert.match(ended.stderr, new RegExp(`warn +key-in-work-tree .*workTree=${folder.path}/checkout\\n`));
  },
});

Deno.test("a service that cannot start leaves no key behind, and does no harm to what it was given", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await Deno.mkdir(`${path}/folder`);
  await Deno.writeTextFile(`${path}/file`, "mine");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const inUse = `127.0.0.1:${(taken.addr as Deno.NetAddr).port}`;
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["--listen", "256.0.0.1:1"], /network\/listen-failed/],
    [["--listen", inUse, "--db", `sqlite:${path}/new.sqlite`], /in use by another program.*network\/address-in-use/],
    [["--listen", "127.0.0.1:0", "--db", `sqlite:${path}/folder`], /it is a folder .*storage\/open-failed/],
    [["--listen", "127.0.0.1:0", "--db", `sqlite:${path}/file`], /it is no database.*storage\/corrupt/],
    [["--listen", "127.0.0.1:0", "--db", `sqlite:${path}/none/a.sqlite`], /its folder does not exist.*open-failed/],
  ];
  for (const [args, error] of cases) {
    const command = denoArgv("cmd/messaging_discovery.ts", [...args, "--key", `${path}/new.key`]);
    const ended = await runArgv(command);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, error);
  }
  assert.deepEqual([...Deno.readDirSync(path)].map(({ name }) => name).sort(), ["file", "folder"]);
  assert.equal(await Deno.readTextFile(`${path}/file`), "mine");
});

Deno.test("a visor that is refused leaves everything as it was, and says what is wrong", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const made = ["foreign/photo.jpg", "file", "no-config.json", "old/visor.lock", "old/messaging-discovery.sqlite"];
  for (const name of made) {
    await Deno.mkdir(dirname(`${path}/${name}`), { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, "mine");
  }
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["--data", `${path}/new/folder`, "--join", "skywire2.AAAA.12345678"], /check digits.*config\/bad-ticket/],
    [["--data", `${path}/new`, "--config", `${path}/no-config.json`], /it is no JSON.*config\/invalid/s],
    [["--data", `${path}/foreign`], /is not a visor's, it holds "photo.jpg".*visor\/foreign-folder/],
    [["--data", `${path}/file`], /it is no folder.*storage\/read-failed/],
    [["--data", `${path}/old`], /messaging-discovery.sqlite": it is no database.*storage\/corrupt/],
  ];
  for (const [args, error] of cases) {
    const ended = await runArgv(denoArgv("cmd/visor.ts", args));
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, error);
    assert.deepEqual([...filesBelow(path)].sort(), [...made].sort(), args.join(" "));
  }
  for (const name of made) assert.equal(await Deno.readTextFile(`${path}/${name}`), "mine");
});

/** Files, and folders that are empty. */
function* filesBelow(folder: string, prefix = ""): Generator<string> {
  const entries = [...Deno.readDirSync(folder)];
  if (entries.length === 0) yield prefix;
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`, `${prefix}${name}/`);
    else yield prefix + name;
  }
}
