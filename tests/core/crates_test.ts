/** Files of the Rust core use each other in no circle, as those of `lib` do (`tests/tidy_test.ts`). */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const CRATES = fileURLToPath(new URL("../../core-rs/", import.meta.url));

/** What a file says that it uses of its crate: one path or several, from the crate's root or from the folder above. */
const USE = /^\s*(?:pub(?:\([a-z]+\))? )?use (?<from>crate|super)::(?<paths>\w+|\{[^}]*)/gm;

Deno.test("files of core-rs use each other in no circle", () => {
  for (const crate of Deno.readDirSync(CRATES).filter(({ isDirectory }) => isDirectory)) {
    const root = `${CRATES}${crate.name}/src/`;
    const edges = new Map(sourcesIn(root).map((file) => [file, usesOf(root, file)]));
    const done = new Set<string>();
    const visit = (file: string, way: readonly string[]): void => {
      assert.ok(!way.includes(file), `${crate.name}: ${[...way.slice(way.indexOf(file)), file].join(" → ")}`);
      if (done.has(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...way, file]);
      done.add(file);
    };
    for (const file of edges.keys()) visit(file, []);
  }
});

/** All files of a folder, as modules: `switch/links`, and `switch` for `switch/mod.rs`. */
function sourcesIn(root: string, folder: string = ""): string[] {
  if (!isFolder(root)) return [];
  return [...Deno.readDirSync(root + folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? sourcesIn(root, `${folder}${name}/`) : [moduleOf(folder + name)]
  );
}

function usesOf(root: string, module: string): string[] {
  const folder = isFolder(`${root}${module}`) ? `${module}/` : module.replace(/[^/]*$/, "");
  // Tests at the bottom may use what they like.
  const text = Deno.readTextFileSync(fileOf(root, module)).split("#[cfg(test)]\nmod tests")[0] ?? "";
  return [...text.matchAll(USE)].flatMap(({ groups }) => {
    const names = groups?.["paths"]?.match(/(?<!::)\b\w+/g) ?? [];
    const targets = names.map((name) => (groups?.["from"] === "crate" ? "" : folder) + name);
    // What is no file is an item of the crate's root.
    return targets.filter((target) => isFile(fileOf(root, target)));
  });
}

function moduleOf(path: string): string {
  return path.replace(/(\/mod)?\.rs$/, "");
}

function fileOf(root: string, module: string): string {
  return isFolder(`${root}${module}`) ? `${root}${module}/mod.rs` : `${root}${module}.rs`;
}

function isFolder(path: string): boolean {
  return stat(path)?.isDirectory ?? false;
}

function isFile(path: string): boolean {
  return stat(path)?.isFile ?? false;
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
