/**
 * Holds every file to be found by the name of what it tests, or that it is tested in (style.md §10): `lib/a/b.ts` is
 * tested in `tests/a/b_test.ts`, `b_prop_test.ts` or `b_model_test.ts`, or says in its first comment where:
 * `Tested in tests/sim/map_test.ts.` A file without functions and classes needs no test: types, constants, re-exports.
 */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A test of these runs programs; whatever the programs load is tested. */
const RUNS_PROGRAMS = ["tests/e2e/", "tests/examples/", "tests/slow/"];

const SUFFIXES = ["_test.ts", "_prop_test.ts", "_model_test.ts"];
const FIRST_COMMENT = /^(?:#!.*\n)?(?:\s*\/\*\*[\s\S]*?\*\/|(?:\s*\/\/.*\n)+)/;
const SAYS_WHERE = /\bTested in (?<tests>tests\/\S+?_test\.ts(?:(?:, | and )tests\/\S+?_test\.ts)*)/;
const IMPORT =
  /^\s*(?:import|export)\b[^;"']*?\bfrom\s*["'](?<from>[^"']+)["']|\bimport\(\s*["'](?<loaded>[^"']+)["']\s*\)/gm;

Deno.test("every file with code in lib/ is tested by name, or says where", () => {
  const problems: string[] = [];
  for (const path of filesBelow("lib")) {
    const text = read(path);
    if (!hasCode(text) || SUFFIXES.some((suffix) => isFile(mirrorOf(path, suffix)))) continue;
    const said = testsNamedIn(text);
    if (said.length === 0) problems.push(`${path}: no ${mirrorOf(path, "_test.ts")}, and "Tested in …" is not said`);
    for (const test of said) {
      if (!isFile(test)) problems.push(`${path}: there is no ${test}`);
      else if (!RUNS_PROGRAMS.some((folder) => test.startsWith(folder)) && !reach(test).has(path)) {
        problems.push(`${path}: ${test} does not load it`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("the scan tells files with code from those without, and reads where they are tested", () => {
  const without = [
    "/** Types. */\nexport interface A {\n  readonly run: (x: number) => void;\n}\nexport type B = (x: A) => void;",
    'export * from "./a.ts";\nexport type { B } from "./b.ts";',
    '/** A function of `x`. */\nexport const LIMIT = 3;\nexport const NAMES = { a: "b" } as const;',
  ];
  const withCode = [
    "export function f(): void {}",
    "export class A {}",
    "export const f = (x: number): number => x + 1;",
    "export const a: A = {\n  make: ({ b }) => b,\n};",
  ];
  for (const text of without) assert.equal(hasCode(text), false, text);
  for (const text of withCode) assert.equal(hasCode(text), true, text);
  assert.deepEqual(testsNamedIn("/** What. Tested in tests/a/b_test.ts and tests/c_test.ts. */"), [
    "tests/a/b_test.ts",
    "tests/c_test.ts",
  ]);
  assert.deepEqual(testsNamedIn("/** What. */\n/** Tested in tests/a/b_test.ts. */"), []);
});

function mirrorOf(path: string, suffix: string): string {
  return path.replace(/^lib\//, "tests/").replace(/\.tsx?$/, suffix);
}

/** Comments, interfaces and types aside. */
function hasCode(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
    .replace(/^(?:export )?interface [\s\S]*?^\}/gm, "")
    .replace(/^(?:export )?type [^;]*;/gm, "");
  return /\bfunction\b|\bclass [A-Z]|=>/.test(code);
}

function testsNamedIn(text: string): string[] {
  const named = SAYS_WHERE.exec(FIRST_COMMENT.exec(text)?.[0].replace(/\s*\n\s*(?:\*|\/\/)\s*/g, " ") ?? "");
  return named?.groups?.["tests"]?.split(/, | and /) ?? [];
}

/** What a file loads, itself and through others. */
function reach(from: string): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const todo = [from]; todo.length > 0;) {
    const path = todo.pop() as string;
    if (seen.has(path)) continue;
    seen.add(path);
    todo.push(...importsOf(path));
  }
  return seen;
}

const IMPORTS = new Map<string, readonly string[]>();

function importsOf(path: string): readonly string[] {
  const known = IMPORTS.get(path);
  if (known !== undefined) return known;
  const text = path.endsWith(".ts") && isFile(path) ? read(path) : "";
  const imports = [...text.matchAll(IMPORT)]
    .map(({ groups }) => groups?.["from"] ?? groups?.["loaded"] ?? "")
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => join(dirname(path), specifier).replaceAll("\\", "/"));
  IMPORTS.set(path, imports);
  return imports;
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`) : /\.tsx?$/.test(name) ? [`${folder}/${name}`] : []
  ).sort();
}

function read(path: string): string {
  return Deno.readTextFileSync(join(ROOT, path));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(join(ROOT, path)).isFile;
  } catch {
    return false;
  }
}
