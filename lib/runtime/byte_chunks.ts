/** Bytes that arrived in pieces and are read in others. Tested in tests/transport/transport_table_test.ts. */

/** A queue of bytes. It keeps the arrays that it is given, so their owner must not change them any more. */
export class ByteChunks {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  /** Bytes that were not read yet. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** Takes as many bytes as there are and fit. @returns how many */
  read(into: Uint8Array): number {
    let count = 0;
    for (let chunk = this.#chunks[0]; chunk !== undefined && count < into.length; chunk = this.#chunks[0]) {
      const part = chunk.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#length -= count;
    return count;
  }

  /** Throws everything away. */
  clear(): void {
    this.#chunks.length = 0;
    this.#length = 0;
  }
}
