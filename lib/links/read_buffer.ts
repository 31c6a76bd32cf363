/**
 * The space that a loop reads into: small while little comes, so that thousands of idle streams fit into memory. Tested
 * in tests/messaging/server_test.ts.
 */

const FIRST_BYTES = 4_096;
const MAX_BYTES = 65_536;
const GROWTH = 4;

/** One buffer, exchanged for a larger one whenever a read filled it. */
export class ReadBuffer {
  #space: Uint8Array<ArrayBuffer> | undefined;

  /** What to read into, 4–64 KiB. */
  get space(): Uint8Array<ArrayBuffer> {
    return this.#space ??= new Uint8Array(FIRST_BYTES);
  }

  /**
   * What a read brought.
   * @param count bytes read into {@link ReadBuffer.space}
   * @returns those bytes; good until the next read
   */
  taken(count: number): Uint8Array<ArrayBuffer> {
    const space = this.space;
    if (count === space.length && count < MAX_BYTES) this.#space = new Uint8Array(count * GROWTH);
    return space.subarray(0, count);
  }
}
