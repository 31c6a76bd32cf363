/**
 * Type definitions are gob values themselves, of types with fixed ids (gob-rpc.md §2.7, 2.8):
 *
 * ```
 * wireType { ArrayT, SliceT, StructT, MapT, GobEncoderT, BinaryMarshalerT, TextMarshalerT }      exactly one is there
 *   each   { CommonType { Name, Id }, … }
 * ```
 *
 * Tested in tests/wire/gob/gob_test.ts.
 */

import { Fault } from "../fault.ts";
import { gobInt64, gobOptional, gobSlice, gobString, gobStruct } from "./shapes.ts";
import type { GobFaultCode } from "./fault_codes.ts";
import { BASIC_IDS, type Description, type GobType, type WireField, type WireType } from "./types.ts";

/** The most fields that a struct may have. */
const MAX_FIELDS = 256;

interface CommonType {
  readonly Name: string;
  readonly Id: bigint;
}
interface ArrayType {
  readonly CommonType: CommonType;
  readonly Elem: bigint;
  readonly Len: bigint;
}
interface SliceType {
  readonly CommonType: CommonType;
  readonly Elem: bigint;
}
interface FieldType {
  readonly Name: string;
  readonly Id: bigint;
}
interface StructType {
  readonly CommonType: CommonType;
  readonly Field: readonly FieldType[];
}
interface MapType {
  readonly CommonType: CommonType;
  readonly Key: bigint;
  readonly Elem: bigint;
}
interface MarshalerType {
  readonly CommonType: CommonType;
}

/** A definition as it goes over the wire. */
export interface Definition {
  readonly ArrayT: ArrayType | undefined;
  readonly SliceT: SliceType | undefined;
  readonly StructT: StructType | undefined;
  readonly MapT: MapType | undefined;
  readonly GobEncoderT: MarshalerType | undefined;
  readonly BinaryMarshalerT: MarshalerType | undefined;
  readonly TextMarshalerT: MarshalerType | undefined;
}

const commonType: GobType<CommonType> = gobStruct<CommonType>("CommonType", { Name: gobString, Id: gobInt64 });
const arrayType = gobStruct<ArrayType>("arrayType", { CommonType: commonType, Elem: gobInt64, Len: gobInt64 });
const sliceType = gobStruct<SliceType>("sliceType", { CommonType: commonType, Elem: gobInt64 });
const fieldType = gobStruct<FieldType>("fieldType", { Name: gobString, Id: gobInt64 });
const fieldTypes = gobSlice(fieldType, { name: "", goName: "[]fieldType", maxLength: MAX_FIELDS });
const structType = gobStruct<StructType>("structType", { CommonType: commonType, Field: fieldTypes });
const mapType = gobStruct<MapType>("mapType", { CommonType: commonType, Key: gobInt64, Elem: gobInt64 });
const marshalerType = gobStruct<MarshalerType>("gobEncoderType", { CommonType: commonType });

/** The codec of definitions. */
export const gobDefinition: GobType<Definition> = gobStruct<Definition>("wireType", {
  ArrayT: gobOptional(arrayType),
  SliceT: gobOptional(sliceType),
  StructT: gobOptional(structType),
  MapT: gobOptional(mapType),
  GobEncoderT: gobOptional(marshalerType),
  BinaryMarshalerT: gobOptional(marshalerType),
  TextMarshalerT: gobOptional(marshalerType),
});

/** The id under which every stream knows {@link gobDefinition}. */
export const DEFINITION_ID = 16;

/** An id that gob leaves free: marshalers are described without their description having an id on the wire. */
const MARSHALER_ID = 24;

/** The types that every stream knows from the start. */
export const BOOTSTRAP_TYPES: ReadonlyMap<number, WireType> = new Map<number, WireType>([
  ...Object.entries(BASIC_IDS).map(([kind, id]): [number, WireType] => [id, { kind: kind as keyof typeof BASIC_IDS }]),
  [DEFINITION_ID, {
    kind: "struct",
    name: "wireType",
    fields: [
      { name: "ArrayT", type: 17 },
      { name: "SliceT", type: 19 },
      { name: "StructT", type: 20 },
      { name: "MapT", type: 23 },
      // The three kinds of marshalers are described alike: the common part and nothing else.
      { name: "GobEncoderT", type: MARSHALER_ID },
      { name: "BinaryMarshalerT", type: MARSHALER_ID },
      { name: "TextMarshalerT", type: MARSHALER_ID },
    ],
  }],
  [17, { kind: "struct", name: "arrayType", fields: [common(), integer("Elem"), integer("Len")] }],
  [18, { kind: "struct", name: "CommonType", fields: [{ name: "Name", type: BASIC_IDS.string }, integer("Id")] }],
  [19, { kind: "struct", name: "sliceType", fields: [common(), integer("Elem")] }],
  [20, { kind: "struct", name: "structType", fields: [common(), { name: "Field", type: 22 }] }],
  [21, { kind: "struct", name: "fieldType", fields: [{ name: "Name", type: BASIC_IDS.string }, integer("Id")] }],
  [22, { kind: "slice", name: "", element: 21 }],
  [23, { kind: "struct", name: "mapType", fields: [common(), integer("Key"), integer("Elem")] }],
  [MARSHALER_ID, { kind: "struct", name: "gobEncoderType", fields: [common()] }],
]);

/** What a definition says. @returns a fault when it says nothing, or two things */
export function wireTypeOf(definition: Definition): WireType | Fault<GobFaultCode> {
  const { ArrayT, SliceT, StructT, MapT, GobEncoderT, BinaryMarshalerT, TextMarshalerT } = definition;
  const found: WireType[] = [];
  if (ArrayT !== undefined) {
    found.push({ kind: "array", ...name(ArrayT), element: Number(ArrayT.Elem), length: Number(ArrayT.Len) });
  }
  if (SliceT !== undefined) found.push({ kind: "slice", ...name(SliceT), element: Number(SliceT.Elem) });
  if (StructT !== undefined) {
    const fields = StructT.Field.map((field): WireField => ({ name: field.Name, type: Number(field.Id) }));
    found.push({ kind: "struct", ...name(StructT), fields });
  }
  if (MapT !== undefined) {
    found.push({ kind: "map", ...name(MapT), key: Number(MapT.Key), element: Number(MapT.Elem) });
  }
  if (GobEncoderT !== undefined) found.push({ kind: "gob-encoder", ...name(GobEncoderT) });
  if (BinaryMarshalerT !== undefined) found.push({ kind: "binary-marshaler", ...name(BinaryMarshalerT) });
  if (TextMarshalerT !== undefined) found.push({ kind: "text-marshaler", ...name(TextMarshalerT) });
  const [type, surplus] = found;
  if (type === undefined || surplus !== undefined) return new Fault("gob/definition", "gob: unclear type definition");
  return type;
}

/**
 * The definition of one of our types.
 * @param description what it is
 * @param options its id, and how other types are called
 */
export function definitionOf(
  description: Exclude<Description, { readonly kind: "basic" }>,
  options: { readonly id: number; readonly idOf: (description: Description) => number },
): Definition {
  const { id, idOf } = options;
  const CommonType = { Name: description.name, Id: BigInt(id) };
  const idOfType = (type: { readonly description: Description }): bigint => BigInt(idOf(type.description));
  const nothing = gobDefinition.zero();
  switch (description.kind) {
    case "array":
      return {
        ...nothing,
        ArrayT: { CommonType, Elem: idOfType(description.element), Len: BigInt(description.length) },
      };
    case "slice":
      return { ...nothing, SliceT: { CommonType, Elem: idOfType(description.element) } };
    case "struct": {
      const Field = description.fields.map((field) => ({ Name: field.name, Id: idOfType(field.type) }));
      return { ...nothing, StructT: { CommonType, Field } };
    }
    case "binary-marshaler":
      return { ...nothing, BinaryMarshalerT: { CommonType } };
  }
}

function common(): WireField {
  return { name: "CommonType", type: 18 };
}

function integer(field: string): WireField {
  return { name: field, type: BASIC_IDS.int };
}

function name(type: MarshalerType): { readonly name: string } {
  return { name: type.CommonType.Name };
}
