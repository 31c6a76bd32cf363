/**
 * The space that a loop reads into: small while little comes, so that thousands of idle streams fit into memory.
 * Tested in tests/links/link_reader_test.ts.
 */

const FIRST_BYTES = 4_096;
const GROWTH = 4;

/** The most that a read of a stream between many others brings, bytes. */
export const MANY_STREAMS_BYTES: number = 64 * 1024;

/** One buffer, exchanged for a larger one whenever a read filled it. */
export class ReadBuffer {
  readonly #mostBytes: number;
  #space: Uint8Array<ArrayBuffer> | undefined;

  /** @param mostBytes how large it becomes, ≥ 4096 */
  constructor(mostBytes: number = MANY_STREAMS_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** What to read into, 4 KiB and more. */
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
    if (count === space.length && count < this.#mostBytes) {
      this.#space = new Uint8Array(Math.min(count * GROWTH, this.#mostBytes));
    }
    return space.subarray(0, count);
  }
}
