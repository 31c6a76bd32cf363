/**
 * Holds every citation to a page and clause that exist: `routing.md §3.2`, `dmsg.md §4.5.4` (step 4 of clause 4.5),
 * `routing.md App. D`, `transports.md §10, W3`, `design.md D5` (docs/protocol/README.md). Comments must not tell how the
 * code came to be.
 */

import assert from "node:assert/strict";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where citations stand. */
const CITING = [
  "lib",
  "cmd",
  "core-rs",
  "tests",
  "docs",
  ".github",
  ".ci",
  "mod.ts",
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
];
const CITING_FILE = /\.(?:ts|rs|toml|md|sql)$|^run$/;
const SKIPPED_FOLDERS = ["target", "vectors"];
/** Shows citations of all kinds, right and wrong. */
const SELF = "tests/citations_test.ts";

/** Pages that are cited by their name alone. Others are cited by their path, or from beside them. */
const PAGES = ["docs", "README.md", "ARCHITECTURE.md", "CHANGELOG.md"];

/** `3.2`, `4.5.4`, `B.5`, `W3`. */
const CLAUSE = String.raw`(?:§\d+(?:\.\d+)*|App(?:\.|endix)\s+[A-Z](?:\.\d+)*|[WQD]\d{1,2})\b`;
const NEXT = String.raw`(?:(?:,|,?\s+and)\s+(?:${CLAUSE}|\d+(?:\.\d+)+\b)|–§?\d+(?:\.\d+)*)`;
const CITATION = new RegExp(
  String.raw`(?<![:\w./-])(?<page>(?:[\w.-]+\/)*[\w-]+\.md)\b(?:\x60?:?,?\s+(?<clauses>${CLAUSE}${NEXT}*))?`,
  "g",
);
const BARE = new RegExp(String.raw`(?<![\w.#$-])(?:${CLAUSE})${NEXT}*`, "g");
/** A clause of somebody else's document. */
const FOREIGN = /\b(?:RFC \d+|Web Crypto|HTML standard|\d{4}),?\s+\(?$/;

/** A path from the root. Those of v1.3 have the name of their repository before them. */
const PATH = /`(?<named>(?:lib|cmd|core-rs|tests|docs|\.ci|\.github)\/[\w./-]*[\w/])`/g;
const EXAMPLES = ["lib/a/b.ts", "tests/a/b_test.ts"];

/** What no comment says. */
const STORIES: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /\bissue #?\d+/i, reason: "a reader of the repository has no issues: give the reason itself" },
  { pattern: /\.\.\/shared\b|\bhouse\.md\b|\bclosing note\b/i, reason: "it is not in the repository" },
  {
    pattern: /\b(?:formerly|in an earlier version|was renamed|used to be|the old (?:code|version|way))\b/i,
    reason: "say how the code is, not how it came to be",
  },
];

const FILES = CITING.flatMap(readTexts).filter(({ path }) => path !== SELF);
const CLAUSES = new Map<string, ReadonlySet<string>>();

Deno.test("each citation names a page and a clause that exist", () => {
  assert.deepEqual(FILES.flatMap(problemsOf), []);
});

Deno.test("each path that a page names is there", () => {
  const problems = FILES.filter(({ path }) => path.endsWith(".md")).flatMap(({ path, text }) =>
    [...text.matchAll(PATH)].flatMap(({ index, groups }) => {
      const named = groups?.["named"] ?? "";
      if (EXAMPLES.includes(named) || isThere(join(ROOT, named))) return [];
      return [`${path}:${lineOf(text, index)}: there is no ${named}`];
    })
  );
  assert.deepEqual(problems, []);
});

Deno.test("no file tells how it came to be, or speaks of what is not in the repository", () => {
  const problems = FILES.filter(({ path }) => !path.endsWith(".md")).flatMap(({ path, text }) =>
    STORIES.flatMap(({ pattern, reason }) =>
      [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map((match) =>
        `${path}:${lineOf(text, match.index)}: "${match[0]}": ${reason}`
      )
    )
  );
  assert.deepEqual(problems, []);
});

Deno.test("the scan finds citations across lines, and tells those that lead nowhere", () => {
  const problems = (text: string): string[] => problemsOf({ path: "lib/x.ts", text });
  const right = [
    "// As v1.3 does (routing.md\n// §3.2, 3.3; more in routing.md App. D).",
    "/** dmsg.md §4.5.4, App. B.5, Q18 and Q20; transports.md §6.2–6.7, W3; design.md D5; `gob.md` §4.3 */",
    "/** RFC 8290, §4.2, README.md, tests/vectors/README.md */",
  ];
  for (const text of right) assert.deepEqual(problems(text), []);
  assert.deepEqual(problems("// routing.md §99"), ["lib/x.ts:1: routing.md has no clause 99"]);
  assert.deepEqual(problems("\n// routing.md\n// W99"), ["lib/x.ts:2: routing.md has no clause W99"]);
  assert.deepEqual(problems("// dmsg.md §4.5.99"), ["lib/x.ts:1: dmsg.md has no clause 4.5.99"]);
  assert.deepEqual(problems("// nowhere.md §1"), ["lib/x.ts:1: there is no page nowhere.md"]);
  assert.deepEqual(problems("// late (Q2)"), ["lib/x.ts:1: Q2 is of no page: name the page before it"]);
});

interface Text {
  readonly path: string;
  readonly text: string;
}

/** A page cites its own clauses without its name. */
function problemsOf({ path, text }: Text): string[] {
  const problems: string[] = [];
  const flat = flatten(text);
  const own = path.endsWith(".md") ? path : undefined;
  const say = (index: number, problem: string): unknown => problems.push(`${path}:${lineOf(text, index)}: ${problem}`);
  const check = (page: string, clauses: string, index: number): void => {
    for (const clause of namesOf(clauses)) {
      if (!clausesOf(page).has(clause)) say(index, `${basename(page)} has no clause ${clause}`);
    }
  };
  const rest = flat.replace(CITATION, (whole, name: string, clauses: string | undefined, index: number) => {
    const page = pageOf(name, path);
    if (page === undefined) say(index, `there is no page ${name}`);
    else check(page, clauses ?? "", index);
    return " ".repeat(whole.length);
  });
  for (const { 0: clauses, index } of rest.matchAll(BARE)) {
    if (FOREIGN.test(rest.slice(0, index))) continue;
    // Tables and figures of pages that have no clauses may use such words as they like.
    if (own !== undefined && clausesOf(own).size > 0) check(own, clauses, index);
    else if (own === undefined) {
      say(index, `${clauses} is of no page: name the page before it`);
    }
  }
  return problems;
}

/** Lines of a comment in one, at the same places. */
function flatten(text: string): string {
  return text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/[/!]?)?[ \t]*/g, (whole) => " ".repeat(whole.length));
}

function namesOf(clauses: string): string[] {
  return [...clauses.matchAll(/[WQD]\d+|App(?:\.|endix)\s+(?<appendix>[A-Z](?:\.\d+)*)|\d+(?:\.\d+)*/g)]
    .map((match) => match.groups?.["appendix"] ?? match[0]);
}

function pageOf(name: string, from: string): string | undefined {
  const beside = join(dirname(from), name);
  const places = name.includes("/") ? [beside, name] : [
    ...FILES.map(({ path }) => path).filter((path) =>
      basename(path) === name && PAGES.some((page) => path === page || path.startsWith(`${page}/`))
    ),
    beside,
  ];
  return places.find((place) => isFile(join(ROOT, place)));
}

/** The clauses of a page: its numbered headings, the numbered steps below them, and what is marked W, Q or D. */
function clausesOf(page: string): ReadonlySet<string> {
  const known = CLAUSES.get(page);
  if (known !== undefined) return known;
  const clauses = new Set<string>();
  let heading = "";
  for (const line of Deno.readTextFileSync(join(ROOT, page)).split("\n")) {
    const clause = /^#{2,5} (?:Appendix )?(?<clause>(?:\d+|[A-Z](?=\.))(?:\.\d+)*)/.exec(line)?.groups?.["clause"];
    if (clause !== undefined) heading = clause;
    const step = /^\s*(?<step>\d+)\. /.exec(line)?.groups?.["step"];
    const mark = /^(?:\| |\s*- \*\*)(?<mark>[WQD]\d+)\b/.exec(line)?.groups?.["mark"];
    for (const name of [clause, mark, step === undefined ? undefined : `${heading}.${step}`]) {
      if (name !== undefined) clauses.add(name);
    }
  }
  CLAUSES.set(page, clauses);
  return clauses;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function isFile(path: string): boolean {
  return isThere(path) && Deno.statSync(path).isFile;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

function readTexts(path: string): Text[] {
  const full = join(ROOT, path);
  if (isFile(full)) return [{ path: relative(ROOT, full).replaceAll("\\", "/"), text: Deno.readTextFileSync(full) }];
  return [...Deno.readDirSync(full)]
    .filter(({ name, isDirectory }) => isDirectory ? !SKIPPED_FOLDERS.includes(name) : CITING_FILE.test(name))
    .flatMap(({ name }) => readTexts(`${path}/${name}`));
}
