/** The README's examples do what they say, from outside of this project too. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as everything from "../../mod.ts";
import { at } from "../../lib/types/at.ts";

const ROOT = new URL("../../", import.meta.url);

/** The blocks of a language in a text. */
function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map((match) => at(match, 1));
}

const readme = Deno.readTextFileSync(new URL("README.md", ROOT));

Deno.test("what the examples import is there", () => {
  const examples = [...blocksOf(readme, "ts"), Deno.readTextFileSync(new URL("mod.ts", ROOT))];
  const names = examples.flatMap((text) =>
    [...text.matchAll(/import \{ ([^}]*) \} from "@skywire\/skywire"/g)].flatMap((match) => at(match, 1).split(", "))
  );
  assert.ok(names.length > 2);
  assert.deepEqual(names.filter((name) => !(name in everything)), []);
});

Deno.test("the example in memory runs in a project that finds the library by its path, type-checked, and ends", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "a project #1 " });
  try {
    const example = blocksOf(readme, "ts").find((text) => text.includes("createNetwork()"));
    const settings = JSON.parse(blocksOf(readme, "json").find((text) => text.includes('"links"')) ?? "");
    assert.deepEqual(settings.links, ["/path/to/skywire"]);
    settings.links = [fileURLToPath(ROOT)];
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify(settings));
    Deno.writeTextFileSync(`${folder}/example.ts`, example ?? "");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--check", "example.ts"],
      cwd: folder,
      signal: AbortSignal.timeout(60_000),
    }).output();
    assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, "true\n"], new TextDecoder().decode(stderr));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the documentation begins with createVisor", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "mod.ts"],
    cwd: fileURLToPath(ROOT),
    stderr: "null",
  }).output();
  const [module] = Object.values<{ symbols: readonly { name: string }[] }>(
    JSON.parse(new TextDecoder().decode(stdout)).nodes,
  );
  assert.equal(module?.symbols[0]?.name, "createVisor");
});
