/**
 * What gob knows about types: on the wire (descriptions under ids that the sender chose) and here (codecs that say which
 * descriptions they accept). Types meet by kind and field name, never by id or type name (gob-rpc.md §2.7–2.10).
 */

import type { GobReader, GobWriter } from "./primitives.ts";

/** Kinds that need no description. */
export type BasicKind = "bool" | "int" | "uint" | "float" | "bytes" | "string" | "complex" | "interface";

/** Ids of the kinds that need no description. */
export const BASIC_IDS: Readonly<Record<BasicKind, number>> = {
  bool: 1,
  int: 2,
  uint: 3,
  float: 4,
  bytes: 5,
  string: 6,
  complex: 7,
  interface: 8,
};

/** The smallest id that a sender may define. */
export const FIRST_USER_ID = 64;

/** The largest one. */
export const LAST_USER_ID = 2 ** 31 - 1;

/** A type as its sender described it; other types by their ids, which may be defined later. */
export type WireType =
  | { readonly kind: BasicKind }
  | { readonly kind: "array"; readonly name: string; readonly element: number; readonly length: number }
  | { readonly kind: "slice"; readonly name: string; readonly element: number }
  | { readonly kind: "struct"; readonly name: string; readonly fields: readonly WireField[] }
  | { readonly kind: "map"; readonly name: string; readonly key: number; readonly element: number }
  | { readonly kind: "gob-encoder" | "binary-marshaler" | "text-marshaler"; readonly name: string };

/** A field of a described struct. */
export interface WireField {
  /** Fields of ours are found by it. */
  readonly name: string;
  /** An id; it may be defined later. */
  readonly type: number;
}

/** How deep values may be nested; the deepest ones of the protocol have 4 levels. Bounds recursion. */
export const MAX_DEPTH = 32;

/** The value being read: its bytes, the types of its stream, and how deep we are in it. */
export interface ValueSource {
  /** The bytes of the message. */
  readonly reader: GobReader;
  /** Looks a type up; an unknown id is noted as a fault. */
  typeOf(id: number): WireType | undefined;
  /** Goes one level deeper for `work`, or notes a fault. */
  nested<T>(zero: T, work: () => T): T;
}

/** How an encoder describes a type. Equal descriptions are one object: it is sent once. */
export type Description =
  | { readonly kind: "basic"; readonly id: number }
  | { readonly kind: "array"; readonly name: string; readonly element: Describable; readonly length: number }
  | { readonly kind: "slice"; readonly name: string; readonly element: Describable }
  | { readonly kind: "struct"; readonly name: string; readonly fields: readonly DescribedField[] }
  | { readonly kind: "binary-marshaler"; readonly name: string };

/** What has a description. */
export interface Describable {
  /** Made once per type and shared: its identity is that of the type. */
  readonly description: Description;
}

/** A field of a struct that we describe. */
export interface DescribedField {
  /** Upper-case initial, as Go demands of exported fields. */
  readonly name: string;
  /** What the field holds. */
  readonly type: Describable;
}

/** A codec of values of one type. Make them with the functions of `shapes.ts`. */
export interface GobType<T> extends Describable {
  /** Go's name of the type, for error texts that v1.3 peers know. */
  readonly goName: string;
  /** The value of a field that is not there. */
  zero(): T;
  /** Is the value left out as a field of a struct (gob-rpc.md §2.5)? */
  isOmitted(value: T): boolean;
  /** Writes the value. */
  write(out: GobWriter, value: T): void;
  /** Can values of the described type be read? Struct fields are compared when one is read. */
  accepts(remote: WireType, source: Pick<ValueSource, "typeOf">): boolean;
  /**
   * Reads a value of an accepted type; faults are noted in the reader.
   * @param label Go's words for the place, in `value for "…" out of range`
   */
  read(source: ValueSource, remote: WireType, label: string): T;
}
