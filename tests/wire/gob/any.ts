/** A codec that takes values of every type as the sender described them: for tools, tests and logs. It only reads. */

import { readFields } from "../../../lib/wire/gob/shapes.ts";
import type { GobType, ValueSource, WireType } from "../../../lib/wire/gob/types.ts";

/** A value of any type. */
export type GobValue =
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | null
  | GobComplex
  | GobList
  | GobMap
  | GobRecord
  | GobOpaque
  | GobInterface;

/** A complex number. */
export interface GobComplex {
  /** Tells the shapes apart. */
  readonly kind: "complex";
  /** The real part. */
  readonly real: number;
  /** The imaginary part. */
  readonly imaginary: number;
}

/** An array or slice. */
export interface GobList {
  /** Tells the shapes apart. */
  readonly kind: "list";
  /** As the sender described it. */
  readonly type: WireType;
  /** The elements in order. */
  readonly items: readonly GobValue[];
}

/** A map. */
export interface GobMap {
  /** Tells the shapes apart. */
  readonly kind: "map";
  /** Keys and values, in the order of the stream. */
  readonly entries: readonly (readonly [GobValue, GobValue])[];
}

/** A struct: all fields of its definition; one that was left out is undefined. */
export interface GobRecord {
  /** Tells the shapes apart. */
  readonly kind: "record";
  /** What the sender called the type; may be "". */
  readonly name: string;
  /** By name, in the order of the definition. */
  readonly fields: ReadonlyMap<string, { readonly type: WireType; readonly value: GobValue | undefined }>;
}

/** What a marshaler made, under the name of its type. */
export interface GobOpaque {
  /** Tells the shapes apart. */
  readonly kind: "opaque";
  /** What the sender called the type; may be "". */
  readonly name: string;
  /** What the marshaler wrote. */
  readonly bytes: Uint8Array;
}

/** What an interface held, under the name that its type was registered with. */
export interface GobInterface {
  /** Tells the shapes apart. */
  readonly kind: "interface";
  /** What the type was registered as, such as `main.Inner`. */
  readonly name: string;
  /** What the interface held. */
  readonly value: GobValue;
}

/** Takes everything. */
export const gobAny: GobType<GobValue> = {
  goName: "interface {}",
  description: { kind: "basic", id: 8 },
  zero: () => null,
  isOmitted: (value) => value === null,
  write(): void {
    throw new TypeError("Write a value of any type: it has no type of its own");
  },
  accepts: () => true,
  read: readAny,
};

function readAny(source: ValueSource, type: WireType): GobValue {
  const { reader } = source;
  return source.nested<GobValue>(null, () => {
    switch (type.kind) {
      case "bool":
        return reader.uint() !== 0n;
      case "int":
        return reader.int();
      case "uint":
        return reader.uint();
      case "float":
        return reader.float();
      case "complex":
        return { kind: "complex", real: reader.float(), imaginary: reader.float() };
      case "string":
        return reader.string();
      case "bytes":
        return reader.bytes().slice();
      case "gob-encoder":
      case "binary-marshaler":
      case "text-marshaler":
        return { kind: "opaque", name: type.name, bytes: reader.bytes().slice() };
      case "array":
      case "slice":
        return { kind: "list", type, items: readRows(source, [type.element]).map(([item]) => item as GobValue) };
      case "map": {
        const rows = readRows(source, [type.key, type.element]);
        return { kind: "map", entries: rows.map(([key, value]) => [key as GobValue, value as GobValue]) };
      }
      case "struct":
        return readRecord(source, type);
      case "interface":
        return readInterface(source);
    }
  });
}

function readRows(source: ValueSource, ids: readonly number[]): GobValue[][] {
  const types = ids.map((id) => source.typeOf(id));
  const { reader } = source;
  const rows: GobValue[][] = [];
  for (let left = reader.count(); left > 0 && reader.fault === undefined; left--) {
    rows.push(types.map((type) => type === undefined ? null : readAny(source, type)));
  }
  return rows;
}

function readRecord(source: ValueSource, type: Extract<WireType, { readonly kind: "struct" }>): GobRecord {
  const fields = new Map<string, { readonly type: WireType; readonly value: GobValue | undefined }>();
  for (const field of type.fields) {
    const inner = source.typeOf(field.type);
    if (inner !== undefined) fields.set(field.name, { type: inner, value: undefined });
  }
  readFields(source, type, (name, inner) => fields.set(name, { type: inner, value: readAny(source, inner) }));
  return { kind: "record", name: type.name, fields };
}

function readInterface(source: ValueSource): GobValue {
  const { reader } = source;
  const name = reader.string();
  if (name === "") return null;
  const id = reader.int();
  if (id < 0n) {
    reader.fail("gob/interface", "gob: type definition inside an interface value");
    return null;
  }
  const type = source.typeOf(Number(id));
  reader.count();
  if (type === undefined) return null;
  if (type.kind !== "struct" && reader.uint() !== 0n) {
    reader.fail("gob/not-a-singleton", "gob: decode: corrupted data: non-zero delta for singleton");
  }
  return { kind: "interface", name, value: readAny(source, type) };
}
