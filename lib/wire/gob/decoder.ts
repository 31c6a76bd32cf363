/**
 * Reads gob streams (gob-rpc.md §2.6). A stream is a sequence of messages that define types or carry a value:
 *
 * ```
 * message  uint length ‖ int −id ‖ definition                       nothing behind it
 *        | uint length ‖ int id  ‖ struct value                     bytes behind it are ignored
 *        | uint length ‖ int id  ‖ 00 ‖ any other value
 * ```
 *
 * Nothing is allocated on the word of the sender: lengths are bounded by the message, messages by the limits.
 * Tested in tests/wire/gob/gob_test.ts.
 */

import { Fault } from "../fault.ts";
import { BOOTSTRAP_TYPES, DEFINITION_ID, gobDefinition, wireTypeOf } from "./definition.ts";
import { GobReader } from "./primitives.ts";
import { skipValue } from "./shapes.ts";
import type { GobFaultCode } from "./fault_codes.ts";
import { FIRST_USER_ID, type GobType, LAST_USER_ID, MAX_DEPTH, type ValueSource, type WireType } from "./types.ts";

/**
 * The longest message that is taken: several times the largest that is right, a route of 2 × 255 hops. The dearest one of
 * this length takes 20 ms.
 */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** All definitions of one stream together; Go's largest set, that of the remote visor interface, has about 10 kB. */
export const MAX_DEFINITION_BYTES = 64 * 1024;

/** Limits of one stream. */
export interface GobLimits {
  /** Default {@link MAX_MESSAGE_BYTES}. */
  readonly maxMessageBytes?: number;
  /** Default {@link MAX_DEFINITION_BYTES}. */
  readonly maxDefinitionBytes?: number;
}

/** A message: its body within the buffer, and its length with the prefix. */
interface Message {
  readonly body: Uint8Array;
  readonly used: number;
}

/** Received bytes not read yet. Grows by doubling, so that tiny pieces of a long message cost no more than large ones. */
class ReceiveBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #start = 0;
  #end = 0;

  get view(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#bytes.length) {
      const kept = this.view;
      const needed = kept.length + bytes.length;
      // Moved to the front only when that frees half of the room at least.
      const room = 2 * needed <= this.#bytes.length ? this.#bytes : new Uint8Array(2 * needed);
      room.set(kept);
      [this.#bytes, this.#start, this.#end] = [room, 0, kept.length];
    }
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  drop(length: number): void {
    this.#start += length;
    if (this.#start >= this.#end) this.#start = this.#end = 0;
  }
}

/**
 * One direction of a connection, or one self-contained object. Give it bytes in any split, ask for values in order.
 * A fault of one value leaves the stream usable; after a fault of framing or definitions every answer is that fault.
 */
export class GobDecoder {
  readonly #types = new Map(BOOTSTRAP_TYPES);
  readonly #maxMessageBytes: number;
  #definitionBytesLeft: number;
  readonly #received = new ReceiveBuffer();
  #broken: Fault<GobFaultCode> | undefined;

  /** Begins a stream. @param limits smaller or larger ones than usual */
  constructor(limits: GobLimits = {}) {
    this.#maxMessageBytes = limits.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#definitionBytesLeft = limits.maxDefinitionBytes ?? MAX_DEFINITION_BYTES;
  }

  /** Why the stream cannot be read any further. */
  get broken(): Fault<GobFaultCode> | undefined {
    return this.#broken;
  }

  /** Received bytes that belong to no value read so far. */
  get buffered(): number {
    return this.#received.view.length;
  }

  /** Takes received bytes; they are copied. */
  push(bytes: Uint8Array): void {
    if (this.#broken === undefined) this.#received.push(bytes);
  }

  /**
   * The next value.
   * @param type what it should be
   * @returns the value, a fault, or undefined when more bytes are needed
   */
  read<T>(type: GobType<T>): T | Fault<GobFaultCode> | undefined {
    return this.#value((source, remote) => {
      if (!type.accepts(remote, source)) {
        const message = `gob: decoding into local type *${type.goName}, received remote type ${this.#nameOf(remote)}`;
        source.reader.fail("gob/mismatch", message);
      }
      return type.read(source, remote, `*${type.goName}`);
    });
  }

  /** Skips the next value, whatever it is. @returns true, a fault, or undefined when more bytes are needed */
  skip(): true | Fault<GobFaultCode> | undefined {
    return this.#value((source, remote) => {
      skipValue(source, remote);
      return true as const;
    });
  }

  #value<T>(read: (source: ValueSource, remote: WireType) => T): T | Fault<GobFaultCode> | undefined {
    for (;;) {
      const message = this.#broken === undefined ? this.#nextMessage() : this.#broken;
      if (message === undefined || message instanceof Fault) return message;
      const reader = new GobReader(message.body);
      const id = reader.int();
      if (reader.fault === undefined && id < 0n) this.#define(-id, { reader, bytes: message.used });
      this.#received.drop(message.used);
      if (reader.fault === undefined && id < 0n) continue;
      const source = new StreamSource(reader, this.#types);
      const remote = source.typeOf(Number(id));
      if (remote !== undefined && remote.kind !== "struct" && reader.uint() !== 0n) {
        reader.fail("gob/not-a-singleton", "gob: decode: corrupted data: non-zero delta for singleton");
      }
      if (reader.fault !== undefined || remote === undefined) return this.#broken ?? reader.fault;
      const value = read(source, remote);
      return reader.fault ?? value;
    }
  }

  #nextMessage(): Message | Fault<GobFaultCode> | undefined {
    const received = this.#received.view;
    const [first] = received;
    if (first === undefined) return undefined;
    const headBytes = first <= 0x7f ? 1 : 257 - first;
    if (headBytes <= 9 && received.length < headBytes) return undefined;
    const head = new GobReader(received);
    const length = head.uint();
    if (head.fault !== undefined) return this.#break(head.fault);
    if (length === 0n) return this.#break(new Fault("gob/empty-message", "gob: empty message"));
    if (length > BigInt(this.#maxMessageBytes)) {
      return this.#break(new Fault("gob/message-too-long", "invalid message length"));
    }
    const used = headBytes + Number(length);
    return received.length < used ? undefined : { body: received.subarray(headBytes, used), used };
  }

  #define(id: bigint, definition: { readonly reader: GobReader; readonly bytes: number }): void {
    const { reader, bytes } = definition;
    this.#definitionBytesLeft -= bytes;
    if (this.#definitionBytesLeft < 0) reader.fail("gob/too-many-types", "gob: too many type definitions");
    const isFree = id >= BigInt(FIRST_USER_ID) && id <= BigInt(LAST_USER_ID) && !this.#types.has(Number(id));
    if (!isFree) reader.fail("gob/duplicate-type", "gob: duplicate type received");
    const source = new StreamSource(reader, BOOTSTRAP_TYPES);
    const remote = source.typeOf(DEFINITION_ID) as WireType;
    const type = wireTypeOf(gobDefinition.read(source, remote, "wireType"));
    if (reader.remaining > 0) reader.fail("gob/definition", "extra data in buffer");
    if (reader.fault === undefined && type instanceof Fault) reader.fail(type.code, type.message);
    if (reader.fault !== undefined) this.#break(reader.fault);
    else if (!(type instanceof Fault)) this.#types.set(Number(id), type);
  }

  #break(fault: Fault<GobFaultCode>): Fault<GobFaultCode> {
    this.#broken = fault;
    this.#received.drop(this.#received.view.length);
    return fault;
  }

  /** Go's words for a remote type, one level deep. */
  #nameOf(type: WireType): string {
    const nameOfId = (id: number): string => {
      const inner = this.#types.get(id);
      return inner === undefined ? "?" : "name" in inner ? inner.name : inner.kind;
    };
    if (type.kind === "array") return `[${type.length}]${nameOfId(type.element)}`;
    if (type.kind === "slice") return `[]${nameOfId(type.element)}`;
    if (type.kind === "map") return `map[${nameOfId(type.key)}]${nameOfId(type.element)}`;
    return "name" in type ? type.name : type.kind;
  }
}

/**
 * Reads the first value of a self-contained stream; what follows it is ignored (dmsg.md §4.2).
 * @param bytes the stream
 * @param type what the value should be
 */
export function decodeGob<T>(bytes: Uint8Array, type: GobType<T>): T | Fault<GobFaultCode> {
  const decoder = new GobDecoder();
  decoder.push(bytes);
  return decoder.read(type) ?? new Fault("gob/truncated", "unexpected EOF");
}

class StreamSource implements ValueSource {
  readonly reader: GobReader;
  readonly #types: ReadonlyMap<number, WireType>;
  #depth = 0;

  constructor(reader: GobReader, types: ReadonlyMap<number, WireType>) {
    this.reader = reader;
    this.#types = types;
  }

  typeOf(id: number): WireType | undefined {
    const type = this.#types.get(id);
    const isInternal = id >= DEFINITION_ID && id < FIRST_USER_ID && this.#types !== BOOTSTRAP_TYPES;
    if (type !== undefined && !isInternal) return type;
    this.reader.fail("gob/unknown-type", "gob: unknown type id or corrupted data");
    return undefined;
  }

  nested<T>(zero: T, work: () => T): T {
    if (this.#depth >= MAX_DEPTH) {
      this.reader.fail("gob/too-deep", `gob: values nested more than ${MAX_DEPTH} deep`);
      return zero;
    }
    this.#depth++;
    const result = work();
    this.#depth--;
    return result;
  }
}
