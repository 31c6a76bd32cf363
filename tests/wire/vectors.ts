/** Reads the vector files, and runs one test for every case (tests/vectors/README.md). */

/** A case as it stands in the file. */
export interface VectorCase {
  readonly name: string;
  readonly kind: string;
  // deno-lint-ignore no-explicit-any -- test data of many shapes; the runner of its kind knows its fields
  readonly [field: string]: any;
}

/** All cases of one file. */
export function vectorCases(file: string): readonly VectorCase[] {
  const text = Deno.readTextFileSync(new URL(`../vectors/${file}`, import.meta.url));
  return (JSON.parse(text) as { readonly cases: readonly VectorCase[] }).cases;
}

/** What a test file does with each kind; `elsewhere` names the test that runs a kind which this one leaves out. */
export type Runners = Readonly<Record<string, ((data: VectorCase) => void | Promise<void>) | { elsewhere: string }>>;

/** Defines one test per case. Throws for a kind that nobody runs. */
export function testVectors(file: string, runners: Runners): void {
  for (const data of vectorCases(file)) {
    const run = runners[data.kind];
    if (run === undefined) throw new Error(`${file}: nobody knows the kind "${data.kind}"`);
    if (typeof run === "function") Deno.test(`${file}: ${data.name}`, () => run(data));
  }
}
