/**
 * Codecs of the types that gob knows, and ways to put them together (gob-rpc.md §2.4, 2.5, 2.10). Tested in
 * tests/wire/gob/gob_prop_test.ts.
 */

import { Fault } from "../fault.ts";
import { BASIC_IDS, type BasicKind, type Description, type GobType, type ValueSource, type WireType } from "./types.ts";

/** Sizes of integers in bits. */
export type IntegerBits = 8 | 16 | 32 | 64;

/** A boolean; any number but 0 reads as true. */
export const gobBool: GobType<boolean> = basic("bool", {
  goName: "bool",
  zero: () => false,
  write: (out, value) => out.uint(value ? 1 : 0),
  read: ({ reader }) => reader.uint() !== 0n,
});

/** A string. */
export const gobString: GobType<string> = basic("string", {
  goName: "string",
  zero: () => "",
  write: (out, value) => out.string(value),
  read: ({ reader }) => reader.string(),
});

/** A byte slice. The value is a copy. */
export const gobBytes: GobType<Uint8Array> = makeBytes("[]uint8");

/** A signed integer of 64 bits. */
export const gobInt64: GobType<bigint> = basic("int", {
  goName: "int64",
  zero: () => 0n,
  write: (out, value) => out.int(value),
  read: ({ reader }) => reader.int(),
});

/** An unsigned integer of 64 bits. */
export const gobUint64: GobType<bigint> = basic("uint", {
  goName: "uint64",
  zero: () => 0n,
  write: (out, value) => out.uint(value),
  read: ({ reader }) => reader.uint(),
});

/**
 * An unsigned integer of up to 32 bits, range-checked.
 * @param bits its size
 * @param goName Go's name of a named type
 */
export function gobUint(bits: Exclude<IntegerBits, 64>, goName = `uint${bits}`): GobType<number> {
  return basic("uint", {
    goName,
    zero: () => 0,
    write: (out, value) => out.uint(value),
    read({ reader }, _remote, label): number {
      const value = reader.uint();
      if (value < 1n << BigInt(bits)) return Number(value);
      reader.fail("gob/out-of-range", `value for "${label}" out of range`);
      return 0;
    },
  });
}

/** A named byte slice. */
export function makeBytes(goName: string): GobType<Uint8Array> {
  return basic("bytes", {
    goName,
    zero: () => new Uint8Array(),
    isOmitted: (value) => value.length === 0,
    write: (out, value) => out.bytes(value),
    read: ({ reader }) => reader.bytes().slice(),
  });
}

/**
 * An array of bytes, which gob sends as so many numbers.
 * @param name its name on the wire
 * @param options its length, and Go's name
 */
export function gobByteArray(
  name: string,
  options: { readonly length: number; readonly goName: string },
): GobType<Uint8Array> {
  const { length, goName } = options;
  return {
    goName,
    description: { kind: "array", name, element: gobUint8, length },
    zero: () => new Uint8Array(length),
    isOmitted: () => false,
    write(out, value): void {
      out.uint(length);
      for (const byte of value) out.uint(byte);
    },
    accepts: (remote, source) =>
      remote.kind === "array" && remote.length === length && source.typeOf(remote.element)?.kind === "uint",
    read({ reader }, _remote, label): Uint8Array {
      const bytes = new Uint8Array(length);
      if (reader.count() !== length) reader.fail("gob/length", "gob: length mismatch in decodeArray");
      for (let i = 0; i < length && reader.fault === undefined; i++) {
        const value = reader.uint();
        if (value > 0xffn) reader.fail("gob/out-of-range", `value for "element of ${label}" out of range`);
        bytes[i] = Number(value & 0xffn);
      }
      return bytes;
    },
  };
}

/** What a slice is called, and how long it may be. */
export interface SliceOptions {
  /** On the wire: Go's full type text as a field of a struct, "" at top level. */
  readonly name: string;
  /** Go's name, for error texts. */
  readonly goName: string;
  /** More elements are refused before any of them is read. */
  readonly maxLength: number;
}

/** A slice of anything but bytes. */
export function gobSlice<T>(element: GobType<T>, options: SliceOptions): GobType<readonly T[]> {
  const { name, goName, maxLength } = options;
  return {
    goName,
    description: { kind: "slice", name, element },
    zero: () => [],
    isOmitted: (value) => value.length === 0,
    write(out, value): void {
      out.uint(value.length);
      for (const item of value) element.write(out, item);
    },
    accepts(remote, source): boolean {
      const inner = remote.kind === "slice" ? source.typeOf(remote.element) : undefined;
      return inner !== undefined && element.accepts(inner, source);
    },
    read: (source, remote, label) =>
      source.nested<T[]>([], () => {
        const { reader } = source;
        const inner = remote.kind === "slice" ? source.typeOf(remote.element) : undefined;
        const count = reader.count();
        if (count > maxLength) reader.fail("gob/length", `gob: ${count} elements for ${goName}, at most ${maxLength}`);
        const items: T[] = [];
        while (items.length < count && inner !== undefined && reader.fault === undefined) {
          items.push(element.read(source, inner, `element of ${label}`));
        }
        return items;
      }),
  };
}

/** A type that goes over the wire as bytes of its own making (BinaryMarshaler). */
export interface MarshalerOptions<T> {
  /** Go's name, for error texts. */
  readonly goName: string;
  /** What a field that is left out reads as; not sent as a field. */
  readonly zero: T;
  /** Gives the bytes that stand for a value. */
  readonly encode: (value: T) => Uint8Array;
  /** Gives a fault for bytes that are no value; the zero value is never sent, so it may be one of them. */
  readonly decode: (bytes: Uint8Array) => T | Fault;
}

/** A marshaler type. @param name its name on the wire */
export function gobMarshaler<T>(name: string, options: MarshalerOptions<T>): GobType<T> {
  return {
    goName: options.goName,
    description: { kind: "binary-marshaler", name },
    zero: () => options.zero,
    isOmitted: (value) => value === options.zero,
    write: (out, value) => out.bytes(options.encode(value)),
    accepts: (remote) => remote.kind === "binary-marshaler",
    read: ({ reader }) => settle(options.decode(reader.bytes()), { reader, zero: options.zero }),
  };
}

/** The codecs of the fields of a struct, by Go's names and in its order. */
export type FieldTypes<T> = { readonly [Name in keyof T & string]: GobType<T[Name]> };

/** A struct. Fields are matched by name: unknown ones are skipped, absent ones keep their zero value. */
export function gobStruct<T extends object>(name: string, fields: FieldTypes<T>, goName: string = name): GobType<T> {
  // Object.entries() cannot tell which field has which type; each codec is only ever used with its own field.
  const known = Object.entries(fields) as unknown as readonly (readonly [keyof T & string, GobType<T[keyof T]>])[];
  const codecs = new Map(known);
  /** Remote types whose fields were looked at: a stream defines a type once, and may send thousands of values of it. */
  const fitting = new WeakSet<WireType>();
  const zero = (): T => Object.fromEntries(known.map(([field, type]) => [field, type.zero()])) as T;
  return {
    goName,
    description: { kind: "struct", name, fields: known.map(([field, type]) => ({ name: field, type })) },
    zero,
    isOmitted: () => false,
    write(out, value): void {
      let last = -1;
      known.forEach(([field, type], index) => {
        if (type.isOmitted(value[field])) return;
        out.uint(index - last);
        type.write(out, value[field]);
        last = index;
      });
      out.uint(0);
    },
    accepts: (remote) => remote.kind === "struct",
    read: (source, remote) => {
      const value = zero();
      return source.nested<T>(value, () => {
        if (remote.kind !== "struct") return value;
        if (!fitting.has(remote)) checkFields(source, remote);
        readFields(source, remote, (field, type) => {
          const codec = codecOf(field);
          if (codec === undefined) skipValue(source, type);
          else value[field as keyof T] = codec.read(source, type, field);
        });
        return value;
      });
    },
  };

  function checkFields(source: ValueSource, remote: Extract<WireType, { readonly kind: "struct" }>): void {
    let matched = 0;
    for (const field of remote.fields) {
      const codec = codecOf(field.name);
      if (codec === undefined) continue;
      matched++;
      const type = source.typeOf(field.type);
      if (type !== undefined && !codec.accepts(type, source)) {
        const where = `${remote.name}.${field.name}`;
        source.reader.fail("gob/mismatch", `gob: wrong type (${codec.goName}) for received field ${where}`);
      }
    }
    if (matched === 0 && remote.fields.length > 0 && known.length > 0) {
      const message = `gob: type mismatch: no fields matched compiling decoder for ${name}`;
      source.reader.fail("gob/mismatch", message);
    }
    if (source.reader.fault === undefined) fitting.add(remote);
  }

  function codecOf(field: string): GobType<T[keyof T]> | undefined {
    return codecs.get(field as keyof T & string);
  }
}

/** A pointer to a struct: undefined when nil. */
export function gobOptional<T>(type: GobType<T>): GobType<T | undefined> {
  return {
    ...type,
    zero: () => undefined,
    isOmitted: (value) => value === undefined,
    write(out, value): void {
      if (value !== undefined) type.write(out, value);
    },
  };
}

/** A codec of our own values over one of Go's. */
export function mapGob<Wire, Ours>(
  type: GobType<Wire>,
  options: {
    readonly decode: (wire: Wire) => Ours | Fault;
    readonly encode: (ours: Ours) => Wire;
    readonly zero: Ours;
  },
): GobType<Ours> {
  const { decode, encode, zero } = options;
  return {
    goName: type.goName,
    description: type.description,
    zero: () => zero,
    isOmitted: (value) => type.isOmitted(encode(value)),
    write: (out, value) => type.write(out, encode(value)),
    accepts: (remote, source) => type.accepts(remote, source),
    read(source, remote, label): Ours {
      const wire = type.read(source, remote, label);
      return source.reader.fault === undefined ? settle(decode(wire), { reader: source.reader, zero }) : zero;
    },
  };
}

/** The struct without fields: what net/rpc sends where there is nothing to say. */
export const gobEmpty: GobType<Record<never, never>> = gobStruct("", {}, "struct {}");

/**
 * Goes through the fields that a struct value has.
 * @param visit must read or skip the field's value
 */
export function readFields(
  source: ValueSource,
  remote: Extract<WireType, { readonly kind: "struct" }>,
  visit: (field: string, type: WireType) => void,
): void {
  const { reader } = source;
  for (let index = -1;;) {
    const delta = reader.uint();
    if (delta === 0n || reader.fault !== undefined) return;
    index = delta > BigInt(remote.fields.length) ? remote.fields.length : index + Number(delta);
    const field = remote.fields[index];
    if (field === undefined) {
      reader.fail("gob/field-number", "gob: bad data: field numbers out of bounds");
      return;
    }
    const type = source.typeOf(field.type);
    if (type !== undefined) visit(field.name, type);
  }
}

/** Reads a value of any type and forgets it. */
export function skipValue(source: ValueSource, type: WireType): void {
  const { reader } = source;
  source.nested(undefined, () => {
    switch (type.kind) {
      case "bool":
      case "int":
      case "uint":
      case "float":
        return void reader.uint();
      case "complex":
        return void (reader.uint() + reader.uint());
      case "bytes":
      case "string":
      case "gob-encoder":
      case "binary-marshaler":
      case "text-marshaler":
        return void reader.bytes();
      case "interface":
        return skipInterface(source);
      case "struct":
        return readFields(source, type, (_field, inner) => skipValue(source, inner));
      case "array":
      case "slice":
        return skipElements(source, [type.element]);
      case "map":
        return skipElements(source, [type.key, type.element]);
    }
  });
}

function skipElements(source: ValueSource, ids: readonly number[]): void {
  const types = ids.map((id) => source.typeOf(id));
  const { reader } = source;
  for (let left = reader.count(); left > 0 && reader.fault === undefined; left--) {
    for (const type of types) if (type !== undefined) skipValue(source, type);
  }
}

/** An interface says how long its value is, so its type need not be known. */
function skipInterface({ reader }: ValueSource): void {
  if (reader.bytes().length === 0) return;
  if (reader.int() < 0n) return reader.fail("gob/interface", "gob: type definition inside an interface value");
  reader.bytes();
}

type BasicOptions<T> =
  & Pick<GobType<T>, "goName" | "zero" | "write" | "read">
  & Partial<Pick<GobType<T>, "isOmitted">>;

function basic<T>(kind: BasicKind, options: BasicOptions<T>): GobType<T> {
  const description: Description = { kind: "basic", id: BASIC_IDS[kind] };
  return {
    description,
    isOmitted: (value) => value === options.zero(),
    accepts: (remote) => remote.kind === kind,
    ...options,
  };
}

function settle<T>(result: T | Fault, where: { readonly reader: ValueSource["reader"]; readonly zero: T }): T {
  if (!(result instanceof Fault)) return result;
  where.reader.fail("gob/value", result.message);
  return where.zero;
}

const gobUint8: GobType<number> = gobUint(8);
