/**
 * The primitive forms of gob (gob-rpc.md §2.1–2.3): what everything else is made of.
 *
 * ```
 * uint    n ≤ 127: one byte n        else: one byte 256 − k, then k bytes big-endian, 1 ≤ k ≤ 8
 * int     as uint: 2·i for i ≥ 0, 2·(−i−1)+1 for i < 0
 * float   the 64 bits of a double with their bytes reversed, as uint
 * bytes   uint length, the bytes       string alike
 * ```
 *
 * Tested in tests/wire/gob/gob_test.ts.
 */

import { Fault } from "../fault.ts";
import type { GobFaultCode } from "./fault_codes.ts";

/** Appends primitives to a growing buffer. Integers come out in their shortest form. */
export class GobWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #length = 0;

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Unsigned, 0 … 2^64−1. */
  uint(value: number | bigint): void {
    if (value <= 0x7f) {
      this.raw([Number(value)]);
      return;
    }
    const digits: number[] = [];
    for (let rest = BigInt(value); rest > 0n; rest >>= 8n) digits.push(Number(rest & 0xffn));
    this.raw([256 - digits.length, ...digits.reverse()]);
  }

  /** Signed, 64 bits. */
  int(value: number | bigint): void {
    const wide = BigInt(value);
    this.uint(wide >= 0n ? wide << 1n : (-wide - 1n << 1n) + 1n);
  }

  /** Bytes with their length before them. */
  bytes(bytes: Uint8Array): void {
    this.uint(bytes.length);
    this.raw(bytes);
  }

  /** A string, as UTF-8 with its length before it. */
  string(text: string): void {
    this.bytes(new TextEncoder().encode(text));
  }

  /** Bytes as they are. */
  raw(bytes: ArrayLike<number>): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }
}

/**
 * Reads primitives. After the first fault everything reads as zero and nothing is left, so every loop over the input
 * ends: read on, and look at {@link GobReader.fault} once.
 */
export class GobReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end: number;
  #fault: Fault<GobFaultCode> | undefined;

  /** Reads from the front. @param bytes one message body; read in place */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** The first thing that was wrong. */
  get fault(): Fault<GobFaultCode> | undefined {
    return this.#fault;
  }

  /** Bytes not read yet; 0 after a fault. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Notes a fault, unless there is one, and ends the input. */
  fail(code: GobFaultCode, message: string): void {
    this.#fault ??= new Fault(code, message);
    this.#at = this.#end = 0;
  }

  /** Unsigned, 64 bits; forms that are not the shortest are taken too, as Go does. */
  uint(): bigint {
    const first = this.#byte();
    if (first <= 0x7f) return BigInt(first);
    const length = 256 - first;
    if (length > 8) {
      this.fail("gob/integer", "gob: encoded unsigned integer out of range");
      return 0n;
    }
    return this.raw(length).reduce((value, byte) => value << 8n | BigInt(byte), 0n);
  }

  /** Signed, 64 bits. */
  int(): bigint {
    const value = this.uint();
    return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
  }

  /** A double. */
  float(): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, this.uint(), true);
    return view.getFloat64(0, false);
  }

  /** A length or count: never more than there are bytes left, since every element takes one at least. */
  count(): number {
    const count = this.uint();
    if (count <= BigInt(this.remaining)) return Number(count);
    this.fail("gob/length", `gob: length ${count} exceeds the message`);
    return 0;
  }

  /** Bytes with their length before them, as a view. */
  bytes(): Uint8Array {
    return this.raw(this.count());
  }

  /** A string with its length before it. */
  string(): string {
    return new TextDecoder().decode(this.bytes());
  }

  /** The next `length` bytes, as a view. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) {
      this.fail("gob/truncated", "gob: the value ends too early");
      return new Uint8Array();
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #byte(): number {
    if (this.remaining > 0) return this.#bytes[this.#at++] as number;
    this.fail("gob/truncated", "gob: the value ends too early");
    return 0;
  }
}
