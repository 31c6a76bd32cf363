/**
 * One link with a gob stream in each direction: values in, values out, in order. Client and server both stand on it.
 * Tested in tests/overlay/rpc/rpc_test.ts.
 */

import { ClosedError } from "../../errors/mod.ts";
import { ReadBuffer } from "../../links/read_buffer.ts";
import type { ByteLink } from "../../runtime/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { GobDecoder, GobEncoder, type GobFaultCode, type GobLimits, type GobType } from "../../wire/gob/mod.ts";

/** A value on its way out, with its type inside. Make it with {@link outgoing}. */
export type Outgoing = (encoder: GobEncoder) => Uint8Array;

/** Ties a value to its codec. */
export function outgoing<T>(type: GobType<T>, value: T): Outgoing {
  return (encoder) => encoder.encode(type, value);
}

/** What came in: a value, a fault in its place, or null at the end of the stream. */
export type Received<T> = { readonly value: T } | Fault<GobFaultCode> | null;

/** See the file's comment. */
export class GobConnection {
  readonly #link: ByteLink;
  readonly #encoder = new GobEncoder();
  readonly #decoder: GobDecoder;
  readonly #buffer = new ReadBuffer();
  #written: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Begins both streams.
   * @param link taken over
   * @param limits of what comes in
   */
  constructor(link: ByteLink, limits: GobLimits = {}) {
    this.#link = link;
    this.#decoder = new GobDecoder(limits);
  }

  /**
   * The next value.
   * @throws {UnavailableError} when the link breaks
   */
  read<T>(type: GobType<T>): Promise<Received<T>> {
    return this.#next(() => this.#decoder.read(type));
  }

  /** Skips the next value, see {@link GobConnection.read}. */
  skip(): Promise<Received<true>> {
    return this.#next(() => this.#decoder.skip());
  }

  /**
   * Writes values, with nothing of others between them.
   * @throws {UnavailableError} when the link breaks; {ClosedError} after close
   */
  write(...values: readonly Outgoing[]): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError("rpc/closed", "Write on a closed connection"));
    // Encoded at once: definitions must go out in the order in which they were made.
    const parts = values.map((encode) => encode(this.#encoder));
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const written = this.#written.then(() => this.#link.write(bytes));
    // The next write reports its own failure; that of this one is for its caller.
    this.#written = written.catch(() => {});
    return written;
  }

  /** Closes the link. Harmless when repeated. */
  close(): void {
    this.#closed = true;
    this.#link.close();
  }

  async #next<T>(take: () => T | Fault<GobFaultCode> | undefined): Promise<Received<T>> {
    for (;;) {
      const value = take();
      if (value instanceof Fault) return value;
      if (value !== undefined) return { value };
      const count = await this.#link.read(this.#buffer.space);
      if (count === null) return null;
      this.#decoder.push(this.#buffer.taken(count));
    }
  }
}
