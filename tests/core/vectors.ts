/** Reads vector files for the tests of the core. */

/** One case of a vector file. */
export interface VectorCase extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly kind: string;
}

/** All cases of a file in `tests/vectors/`. */
export function vectorCases(file: string): readonly VectorCase[] {
  const text = Deno.readTextFileSync(new URL(`../vectors/${file}`, import.meta.url));
  return (JSON.parse(text) as { cases: VectorCase[] }).cases;
}

/** The bytes of a field that holds hex. */
export function hex(value: unknown): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string") throw new TypeError(`Read a vector: ${JSON.stringify(value)} is no hex text`);
  return Uint8Array.fromHex(value);
}
