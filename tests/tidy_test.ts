/**
 * The rules of the house that no linter knows (style.md §2): who may import whom, where the platform may be touched, and
 * no state at module level. A plain scan of the text; each ban names its reason.
 */

import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * A file imports from floors below its own, and from its own folder. The order of ARCHITECTURE.md, from the ground up;
 * the root `mod.ts` stands beside `cmd`.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["types", "errors"],
  ["runtime", "core"],
  ["check", "wire"],
  ["storage", "simulation", "links"],
  ["overlay"],
  ["transport", "messaging"],
  ["paths"],
  ["services"],
  ["routing"],
  ["apps"],
  ["network"],
  ["visor"],
  ["cli"],
  ["cmd"],
];

interface Ban {
  readonly pattern: RegExp;
  readonly reason: string;
}

/** Where the platform may be touched. */
const PLATFORM = [
  "lib/runtime/deno/",
  "lib/storage/",
  "lib/transport/drivers/",
  // It gives the event loop its turns.
  "lib/simulation/virtual_time.ts",
  "cmd/",
];

const BANS: readonly Ban[] = [
  { pattern: /\bDeno\s*\./, reason: "the world comes through the runtime ports, so that it can be simulated" },
  {
    pattern: /(?:\b(?:await|return|void)|[=(,?:>])\s*fetch\(|globalThis\.fetch/,
    reason: "use runtime.http: a simulation routes it in memory, and it ignores proxies of the environment",
  },
  { pattern: /\bset(?:Timeout|Interval|Immediate)\b/, reason: "use runtime.timers: virtual time must own every wait" },
  { pattern: /\bAbortSignal\.timeout\b/, reason: "it runs on real time; use withTimeout()" },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    reason: "use runtime.clock: the wall clock of a simulation is virtual",
  },
  { pattern: /\bperformance\.(?:now|timeOrigin)\b/, reason: "use runtime.clock.monotonic()" },
  { pattern: /\bMath\.random\b/, reason: "use runtime.random: a run is a function of its seed" },
  {
    pattern: /\bcrypto\.(?:getRandomValues|randomUUID)\b/,
    reason: "use runtime.random: a run is a function of its seed",
  },
  { pattern: /\bconsole\s*\./, reason: "use runtime.log, or the output that a command was given" },
  { pattern: /\bnew (?:Worker|WebSocket|EventSource)\(/, reason: "it opens the world behind the runtime's back" },
  { pattern: /\blocalStorage\b|\bsessionStorage\b/, reason: "it is state of the process; use the storage port" },
];

/** Modules of Node that are pure computation. All others touch the platform. */
const PURE_NODE_MODULES = ["node:path", "node:util", "node:buffer", "node:assert", "node:assert/strict", "node:url"];

/** The only module that may hold state: the WASM instance. */
const STATEFUL = ["lib/core/instance.ts"];

const IMPORT = /^\s*(?:import|export)\b(?<what>[^;"']*?)\bfrom\s*["'](?<from>[^"']+)["']/gm;
const BARE_IMPORT = /^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** With comments and the insides of strings blanked out; same lines. */
  readonly code: string;
  readonly imports: readonly string[];
}

const FILES: readonly SourceFile[] = ["lib", "cmd", "mod.ts"].flatMap(readSources);

Deno.test("a file imports from lower floors and from its own folder", () => {
  const problems: string[] = [];
  for (const { path, imports } of FILES) {
    const from = partOf(path);
    if (from === undefined) continue;
    for (const target of imports.map((one) => resolveImport(path, one)).filter((one) => one !== undefined)) {
      const to = partOf(target);
      if (to === undefined) problems.push(`${path} imports ${target}, which is no part of the library`);
      else if (from !== to && floorOf(to) >= floorOf(from)) {
        problems.push(`${path} (floor ${floorOf(from)}) imports ${target} (floor ${floorOf(to)})`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("ARCHITECTURE.md prints the floors", () => {
  const rows = Deno.readTextFileSync(join(ROOT, "ARCHITECTURE.md")).matchAll(
    /^\| (?<floor>\d+) +\| (?<folders>[^|]+)/gm,
  );
  const printed = [...rows].map(({ groups }) =>
    [...(groups?.["folders"] ?? "").matchAll(/`(?:lib\/)?(?<part>\w+)`/g)].map((match) => match.groups?.["part"])
  );
  assert.deepEqual(printed, FLOORS);
});

Deno.test("files import each other in no circle", () => {
  const edges = new Map<string, string[]>(
    FILES.map(({ path, imports }) => [
      path,
      imports.map((specifier) => resolveImport(path, specifier)).filter((target) => target !== undefined),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    assert.ok(!way.includes(path), `a circle: ${[...way.slice(way.indexOf(path)), path].join(" → ")}`);
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
});

Deno.test("the platform is touched in the runtime, the storage engines, the drivers and cmd only", () => {
  const problems: string[] = [];
  for (const { path, code, imports } of FILES) {
    if (PLATFORM.some((folder) => path.startsWith(folder))) continue;
    code.split("\n").forEach((line, i) => {
      for (const { pattern, reason } of BANS) {
        if (pattern.test(line)) {
          problems.push(`${path}:${i + 1}: ${line.trim()} — ${reason}`);
        }
      }
    });
    for (const specifier of imports) {
      if (specifier.startsWith("node:") && !PURE_NODE_MODULES.includes(specifier)) {
        problems.push(`${path}: imports ${specifier} — it touches the platform behind the runtime ports`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("no element is asserted to be there: at() says so when it is not", () => {
  const problems: string[] = [];
  for (const { path, code } of [...FILES, ...readSources("tests")]) {
    code.split("\n").forEach((line, i) => {
      if (/\]!|\.at\(-?\d+\)!/.test(line)) problems.push(`${path}:${i + 1}: ${line.trim()}`);
    });
  }
  assert.deepEqual(problems, []);
});

Deno.test("amounts are shown to people by one rule: formatFigure()", () => {
  const rounds = FILES.filter(({ code }) => /\.toFixed\(|\.toPrecision\(|\.toLocaleString\(/.test(code));
  // The second one rounds what it sends.
  assert.deepEqual(rounds.map(({ path }) => path).sort(), ["lib/runtime/figure.ts", "lib/wire/transport_status.ts"]);
});

Deno.test("no module holds state but the one with the WASM instance", () => {
  const problems: string[] = [];
  for (const { path, code } of FILES) {
    // The main module of a program is the process, and may have variables.
    if (STATEFUL.includes(path) || path.startsWith("cmd/")) continue;
    code.split("\n").forEach((line, i) => {
      if (/^(?:export )?(?:let|var) /.test(line)) problems.push(`${path}:${i + 1}: ${line}`);
    });
  }
  assert.deepEqual(problems, [], "two visors must be able to live in one process");
});

Deno.test("only lib/core/instance.ts imports the WASM module", () => {
  const importers = FILES.filter(({ imports }) => imports.some((one) => one.endsWith(".wasm"))).map(({ path }) => path);
  assert.deepEqual(importers, ["lib/core/instance.ts"]);
});

Deno.test("dependencies come from npm through the import map, and are the ones listed there", () => {
  const config = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as { imports: Record<string, string> };
  const known = Object.keys(config.imports);
  const problems: string[] = [];
  for (const { path, imports } of FILES) {
    for (const specifier of imports) {
      if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
      if (known.some((name) => specifier === name || specifier.startsWith(`${name}/`))) continue;
      problems.push(`${path}: imports ${specifier}`);
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("no URL of a file is taken for a path: a blank, #, % or umlaut in a folder's name is written otherwise in it", () => {
  const sources = [...FILES, ...readSources("tests")];
  const takers = sources.filter(({ code }) => /\.pathname\b/.test(code) && /import\.meta\.url/.test(code));
  assert.deepEqual(takers.map(({ path }) => path), []);
});

Deno.test("every file says at its top what it is for", () => {
  const silent = FILES.filter(({ text }) => !/^(?:#!.*\n)?\s*(?:\/\*\*|\/\/)/.test(text)).map(({ path }) => path);
  assert.deepEqual(silent, []);
});

Deno.test("the scan itself tells code from comments, strings and patterns", () => {
  const source = [
    "// Deno.open",
    "/* Deno.open */ a(`Deno.${b(Deno.pid)}`);",
    'const q = /["\'`]/.test("Deno.x"); // Date.now',
    "const half = a / b / c;",
    "Deno.exit();",
  ].join("\n");
  const hits = blank(source).split("\n").map((line, i) => /\bDeno\./.test(line) ? i : -1).filter((i) => i >= 0);
  assert.deepEqual(hits, [1, 4]);
});

/** The folder that stands on a floor: `wire` for `lib/wire/x.ts`, `cmd` for `cmd/x.ts`. The root `mod.ts` has none. */
function partOf(path: string): string | undefined {
  const [top, second] = path.split("/");
  return top === "cmd" ? "cmd" : top === "lib" ? second : undefined;
}

function floorOf(part: string): number {
  const floor = FLOORS.findIndex((parts) => parts.includes(part));
  assert.ok(floor >= 0, `"${part}" is on no floor: say in tests/tidy_test.ts where it belongs`);
  return floor;
}

function resolveImport(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(path), specifier).replaceAll("\\", "/") : undefined;
}

function readSources(path: string): SourceFile[] {
  const full = join(ROOT, path);
  if (!path.endsWith(".ts")) {
    return [...Deno.readDirSync(full)].filter(({ name, isDirectory }) => isDirectory || /\.tsx?$/.test(name))
      .flatMap(({ name }) => readSources(`${path}/${name}`)).sort((a, b) => a.path < b.path ? -1 : 1);
  }
  let text: string;
  try {
    text = Deno.readTextFileSync(full);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return [{ path: relative(ROOT, full).replaceAll("\\", "/"), text, code: blank(text), imports: importsOf(text) }];
}

function importsOf(text: string): string[] {
  return [
    ...[...text.matchAll(IMPORT)].map((match) => match.groups?.from ?? ""),
    ...[...text.matchAll(BARE_IMPORT)].map((match) => match[1] ?? match[2] ?? ""),
  ];
}

/** Blanks comments, strings and patterns, and keeps the lines. What stands in `${…}` of a template is code. */
function blank(source: string): string {
  let out = "";
  const templateDepths: number[] = [];
  let depth = 0;
  for (let i = 0; i < source.length;) {
    const rest = source.slice(i, i + 2);
    const character = source[i] as string;
    const skip = (length: number): void => {
      out += source.slice(i, i + length).replace(/[^\n]/g, " ");
      i += length;
    };
    if (rest === "//") {
      skip(lengthUntil(source, i, "\n"));
    } else if (rest === "/*") {
      skip(lengthUntil(source, i, "*/") + 2);
    } else if (character === '"' || character === "'") {
      skip(quotedLength(source, i));
    } else if (character === "/" && /(?:^|[(,=:[!&|?{};>+]|\breturn)\s*$/.test(out.slice(-20))) {
      skip(patternLength(source, i));
    } else if (character === "`" || (character === "}" && templateDepths.at(-1) === depth)) {
      if (character === "}") templateDepths.pop();
      const { length, opens } = templateLength(source, i);
      skip(length);
      if (opens) templateDepths.push(depth);
    } else {
      if (character === "{") depth++;
      if (character === "}") depth--;
      out += character;
      i++;
    }
  }
  return out;
}

function lengthUntil(source: string, from: number, end: string): number {
  const at = source.indexOf(end, from + 1);
  return (at < 0 ? source.length : at) - from;
}

function quotedLength(source: string, from: number): number {
  let i = from + 1;
  while (i < source.length && source[i] !== source[from] && source[i] !== "\n") i += source[i] === "\\" ? 2 : 1;
  return i + 1 - from;
}

function patternLength(source: string, from: number): number {
  let i = from + 1;
  for (let inClass = false; i < source.length && (source[i] !== "/" || inClass) && source[i] !== "\n"; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "[") inClass = true;
    else if (source[i] === "]") inClass = false;
  }
  return i + 1 - from;
}

/** From a backtick or the end of a `${…}` to the closing backtick, or behind the next `${`. */
function templateLength(source: string, from: number): { readonly length: number; readonly opens: boolean } {
  let i = from + 1;
  while (i < source.length && source[i] !== "`") {
    if (source.startsWith("${", i)) return { length: i + 2 - from, opens: true };
    i += source[i] === "\\" ? 2 : 1;
  }
  return { length: i + 1 - from, opens: false };
}
