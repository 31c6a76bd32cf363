/**
 * The space that a read loop reads into: small while little comes, so that thousands of idle links fit into memory, and
 * large while much comes, since large reads are what makes bulk fast (design.md §8).
 * Tested in tests/links/link_reader_test.ts.
 */

/** What one of thousands of idle streams keeps. */
const SMALL_BYTES = 4 * 1024;

/** The most that a read of a stream between many others brings, bytes. */
export const MANY_STREAMS_BYTES: number = 64 * 1024;

/** What a busy link reads into: beyond this, larger reads gain nothing (design.md §8). */
export const BUSY_LINK_BYTES: number = 256 * 1024;

/** Large buffers kept for the next busy link; the others are left to the garbage collector. */
const MOST_SPARE_BUFFERS = 8;

/** Lends large buffers to many loops in turn. */
export class BufferPool {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer of {@link BUSY_LINK_BYTES} with any content. */
  acquire(): Uint8Array<ArrayBuffer> {
    return this.#spare.pop() ?? new Uint8Array(BUSY_LINK_BYTES);
  }

  /** Gives a large buffer back; others are ignored. */
  release(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length === BUSY_LINK_BYTES && this.#spare.length < MOST_SPARE_BUFFERS) this.#spare.push(buffer);
  }
}

/** How large a buffer is. */
export interface ReadBufferOptions {
  /** While little comes, bytes. Default 4 KiB. */
  readonly smallBytes?: number;
  /** While much comes, bytes. Default {@link MANY_STREAMS_BYTES}. */
  readonly largeBytes?: number;
  /** Lends the large one; `largeBytes` is {@link BUSY_LINK_BYTES} then. Default: a new one. */
  readonly pool?: BufferPool;
}

/** One buffer: a large one after a read that filled the small one, and the small one again after a read of little. */
export class ReadBuffer {
  readonly #smallBytes: number;
  readonly #largeBytes: number;
  readonly #pool: BufferPool | undefined;
  #space: Uint8Array<ArrayBuffer> | undefined;
  #isLargeNext = false;

  constructor({ smallBytes = SMALL_BYTES, pool, largeBytes }: ReadBufferOptions = {}) {
    this.#smallBytes = smallBytes;
    this.#largeBytes = pool === undefined ? largeBytes ?? MANY_STREAMS_BYTES : BUSY_LINK_BYTES;
    this.#pool = pool;
  }

  /** What to read into. What an earlier read brought is gone then. */
  get space(): Uint8Array<ArrayBuffer> {
    const bytes = this.#isLargeNext ? this.#largeBytes : this.#smallBytes;
    if (this.#space?.length === bytes) return this.#space;
    this.release();
    return this.#space = this.#isLargeNext && this.#pool !== undefined ? this.#pool.acquire() : new Uint8Array(bytes);
  }

  /**
   * What a read brought.
   * @param count bytes read into {@link ReadBuffer.space}
   * @returns those bytes; good until {@link ReadBuffer.space} is asked for again
   */
  taken(count: number): Uint8Array<ArrayBuffer> {
    const space = this.#space ?? new Uint8Array();
    if (count === space.length) this.#isLargeNext = true;
    else if (count < this.#smallBytes / 2) this.#isLargeNext = false;
    return space.subarray(0, count);
  }

  /** Gives the space up. It may be used again afterwards. */
  release(): void {
    if (this.#space !== undefined) this.#pool?.release(this.#space);
    this.#space = undefined;
  }
}
