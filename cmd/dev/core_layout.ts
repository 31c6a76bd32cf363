/**
 * The numbers that both sides of the core's boundary agree on, written once: `core-rs/abi/layout.json`. The build makes of
 * them `core-rs/abi/src/layout.rs` and `lib/core/layout.ts`.
 */

const ROOT = new URL("../../", import.meta.url);
const SOURCE = new URL("core-rs/abi/layout.json", ROOT);
const WARNING = "Made of `core-rs/abi/layout.json` by `deno task core:build`: change that.";

/** A constant. */
interface LayoutNumber {
  readonly name: string;
  /** Its type in Rust. */
  readonly type: string;
  readonly value: number;
  readonly doc: string;
}

/** Words with numbers that follow each other. */
interface LayoutList {
  /** In the singular. */
  readonly name: string;
  /** Of the numbers, in Rust. `usize`: the numbers are places in an array, whose length is made, too. */
  readonly type: string;
  /** The number of the first word. */
  readonly first: number;
  readonly doc: string;
  readonly words: readonly string[];
}

/** The content of `layout.json`. */
export interface Layout {
  /** In order; each becomes a part of both files. */
  readonly sections: readonly {
    readonly title: string;
    readonly numbers: readonly LayoutNumber[];
    readonly lists: readonly LayoutList[];
  }[];
}

/** A file that is made of the layout. */
export interface LayoutFile {
  /** Where it belongs. */
  readonly url: URL;
  /** What it has to say. */
  readonly text: string;
}

/** Reads the one list of numbers. */
export async function readLayout(): Promise<Layout> {
  return JSON.parse(await Deno.readTextFile(SOURCE)) as Layout;
}

/** Both files, as the list wants them. */
export async function renderLayout(): Promise<readonly LayoutFile[]> {
  const layout = await readLayout();
  return [
    { url: new URL("core-rs/abi/src/layout.rs", ROOT), text: renderRust(layout) },
    { url: new URL("lib/core/layout.ts", ROOT), text: renderTypeScript(layout) },
  ];
}

function renderRust({ sections }: Layout): string {
  const lines = [`//! Numbers that both sides of the boundary agree on. ${WARNING}`];
  for (const { title, numbers, lists } of sections) {
    lines.push("", `// ${title}`);
    for (const { name, type, value, doc } of numbers) {
      lines.push("", `/// ${doc}`, `pub const ${name}: ${type} = ${digits(value)};`);
    }
    for (const { name, type, first, doc, words } of lists) {
      lines.push("", `// ${doc}`);
      words.forEach((word, i) => lines.push(`pub const ${name}_${upperCase(word)}: ${type} = ${first + i};`));
      if (type === "usize") lines.push(`pub const ${name}_COUNT: usize = ${words.length};`);
    }
  }
  return lines.join("\n") + "\n";
}

function renderTypeScript({ sections }: Layout): string {
  const lines = [`/** Numbers that both sides of the boundary agree on. ${WARNING} */`];
  for (const { title, numbers, lists } of sections) {
    lines.push("", `// ${title}`);
    for (const { name, value, doc } of numbers) {
      lines.push("", `/** ${doc} */`, `export const ${name}: number = ${digits(value)};`);
    }
    for (const { name, first, doc, words } of lists) {
      const items = [...Array.from({ length: first }, () => "undefined"), ...words.map((word) => `"${word}"`)];
      lines.push("", `/** ${doc} By number. */`, `export const ${name}S = [`, ...items.map((item) => `  ${item},`));
      lines.push("] as const;");
    }
  }
  return lines.join("\n") + "\n";
}

/** `196608` as `196_608`. */
function digits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "_");
}

/** `link-down` as `LINK_DOWN`, `noGroup` as `NO_GROUP`. */
function upperCase(word: string): string {
  return word.replace(/([a-z])([A-Z])/g, "$1_$2").replaceAll("-", "_").toUpperCase();
}
