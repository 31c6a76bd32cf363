/** Compares gob streams of different makers: equal but for type ids, which every process chooses for itself. */

import { BOOTSTRAP_TYPES, DEFINITION_ID, gobDefinition, wireTypeOf } from "../../../lib/wire/gob/definition.ts";
import { GobReader } from "../../../lib/wire/gob/primitives.ts";
import type { WireType } from "../../../lib/wire/gob/mod.ts";
import { Fault } from "../../../lib/wire/fault.ts";

/**
 * The messages of a stream as text: definitions with ids by order of first mention, values with their bytes.
 * Two streams with the same normal form have the same messages in the same order.
 */
export function normalForm(stream: Uint8Array): string[] {
  const numbers = new Map<number, string>();
  const idOf = (id: number): string => {
    if (id < 64) return `#${id}`;
    const number = numbers.get(id) ?? `T${numbers.size}`;
    numbers.set(id, number);
    return number;
  };
  const lines: string[] = [];
  const outer = new GobReader(stream);
  while (outer.remaining > 0) {
    const reader = new GobReader(outer.bytes());
    const id = Number(reader.int());
    if (id >= 0) lines.push(`${idOf(id)} ${reader.raw(reader.remaining).toHex()}`);
    else lines.push(`${idOf(-id)} = ${JSON.stringify(definition(reader, idOf))}`);
    if (reader.fault !== undefined) throw new Error(reader.fault.message);
  }
  if (outer.fault !== undefined) throw new Error(outer.fault.message);
  return lines;
}

function definition(reader: GobReader, idOf: (id: number) => string): unknown {
  const source = {
    reader,
    typeOf: (id: number) => BOOTSTRAP_TYPES.get(id),
    nested: <T>(_zero: T, work: () => T) => work(),
  };
  const type = wireTypeOf(gobDefinition.read(source, BOOTSTRAP_TYPES.get(DEFINITION_ID) as WireType, ""));
  if (type instanceof Fault) throw new Error(type.message);
  switch (type.kind) {
    case "struct":
      return { ...type, fields: type.fields.map((field) => `${field.name} ${idOf(field.type)}`) };
    case "array":
    case "slice":
      return { ...type, element: idOf(type.element) };
    case "map":
      return { ...type, key: idOf(type.key), element: idOf(type.element) };
    default:
      return type;
  }
}
