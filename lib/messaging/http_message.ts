/**
 * HTTP messages on a messaging stream: heads and bodies as they come, with limits on waiting. Tested in
 * tests/messaging/http_test.ts.
 */

import { ProtocolError, UnavailableError } from "../errors/mod.ts";
import { type ByteLink, type Timers, untilAborted, withTimeout } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import { BodyDecoder, type BodyFraming, encodeChunk, headLength, LAST_CHUNK } from "../wire/http1.ts";

/**
 * How long nothing may come of a message that has begun, ms. Streams of events send a comment every 15 s; what keeps
 * silent for four of them is gone.
 */
const SILENCE_MS = 60_000;

/** Read at once. */
const BUFFER_BYTES = 16_384;

/** Headers that speak of one connection, and have no meaning on the next (RFC 9110 §7.6.1). */
const OF_CONNECTION = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/** Reads the messages of one stream, one after the other. */
export class HttpMessageReader {
  readonly #link: Pick<ByteLink, "read">;
  readonly #timers: Timers;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** What came and was not taken yet. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(link: Pick<ByteLink, "read">, timers: Timers) {
    this.#link = link;
    this.#timers = timers;
  }

  /**
   * Reads a head.
   * @param limit within which it must be there
   * @returns its bytes; undefined when the stream ended before it began
   * @throws {ProtocolError} `http1/…` when it is none, `http/cut` when the stream ended in the midst of it
   * @throws {UnavailableError} `http/timeout`, or when the stream broke; the reason of the signal
   */
  async head(
    limit: { readonly ms: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array | undefined> {
    const { ms, signal } = limit;
    return await withTimeout(() => this.#head(), {
      timers: this.#timers,
      ms,
      code: "http/timeout",
      message: "Wait for the head of an HTTP message",
      signal,
    });
  }

  /**
   * Reads a body.
   * @param framing how it ends
   * @param ended called once, when it has been read, has broken, or nobody wants it any more
   */
  body(framing: BodyFraming, ended: (error?: unknown) => void): ReadableStream<Uint8Array<ArrayBuffer>> {
    const decoder = new BodyDecoder(framing);
    return new ReadableStream({
      pull: async (controller) => {
        try {
          for (let came = false; !came;) {
            for (const piece of await this.#pieces(decoder)) {
              // A copy: the buffer is read into again.
              controller.enqueue(piece.slice());
              came = true;
            }
            if (!decoder.done && (came || !this.#hasEnded)) continue;
            controller.close();
            ended();
            return;
          }
        } catch (error) {
          controller.error(error);
          ended(error);
        }
      },
      cancel: (reason) => ended(reason),
    }, { highWaterMark: 0 });
  }

  /** Waits until the other side has gone. What it sends meanwhile is dropped. */
  async untilGone(): Promise<void> {
    try {
      while (await this.#link.read(this.#buffer) !== null);
    } catch {
      // Gone, too.
    }
  }

  #hasEnded = false;

  async #pieces(decoder: BodyDecoder): Promise<Uint8Array[]> {
    if (decoder.done) return [];
    const bytes = this.#rest.length > 0 ? this.#rest : await withTimeout(() => this.#read(), {
      timers: this.#timers,
      ms: SILENCE_MS,
      code: "http/timeout",
      message: "Wait for the rest of an HTTP message",
    });
    this.#rest = new Uint8Array();
    if (bytes === undefined) {
      if (!decoder.mayEnd) throw new ProtocolError("http/cut", "Read the body: the stream ended in the midst of it");
      this.#hasEnded = true;
      return [];
    }
    const pieces = decoder.push(bytes);
    if (pieces instanceof Fault) throw new ProtocolError(pieces.code, pieces.message);
    return pieces;
  }

  async #head(): Promise<Uint8Array | undefined> {
    while (true) {
      const length = headLength(this.#rest);
      if (length instanceof Fault) throw new ProtocolError(length.code, length.message);
      if (length !== undefined) {
        const head = this.#rest.slice(0, length);
        this.#rest = this.#rest.slice(length);
        return head;
      }
      const more = await this.#read();
      if (more === undefined) {
        if (this.#rest.length === 0) return undefined;
        throw new ProtocolError("http/cut", "Read the head: the stream ended in the midst of it");
      }
      this.#rest = concatBytes(this.#rest, more);
    }
  }

  /** What comes next; good until the next read. Undefined at the end. */
  async #read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const count = await this.#link.read(this.#buffer);
    return count === null ? undefined : this.#buffer.subarray(0, count);
  }
}

/**
 * Writes a body.
 * @param link where to; a head has been written
 * @param options which body: read to its end or, when writing fails or the signal aborts, cancelled; whether in chunks
 */
export async function writeBody(
  link: Pick<ByteLink, "write">,
  options: { readonly body: ReadableStream<Uint8Array>; readonly chunked: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { body, chunked, signal } = options;
  const reader = body.getReader();
  const read = (): ReturnType<typeof reader.read> => untilAborted(reader.read(), signal);
  try {
    for (let next = await read(); !next.done; next = await read()) {
      if (next.value.length > 0) await link.write(chunked ? encodeChunk(next.value) : next.value);
    }
    if (chunked) await link.write(LAST_CHUNK);
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
}

/**
 * Looks whether a body is there as a whole, as that of a text is, so that its length can be told. A stream of events is
 * not waited for.
 * @param body not read yet
 * @returns the body, to be used instead; its length, if it is known
 */
export async function measureBody(
  body: ReadableStream<Uint8Array>,
): Promise<{ readonly body: ReadableStream<Uint8Array>; readonly length: number | undefined }> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  let next = reader.read();
  for (let turns = 0; turns < MOST_TURNS && length <= MOST_MEASURED_BYTES;) {
    const part = await Promise.race([next, Promise.resolve(undefined)]);
    if (part === undefined) {
      turns++;
      continue;
    }
    if (part.done) return { body: streamOf(parts, async () => await next), length };
    parts.push(part.value);
    length += part.value.length;
    next = reader.read();
  }
  // Its failure shows at the next read.
  next.catch(() => {});
  const rest = async (): ReturnType<typeof reader.read> => {
    const part = await next;
    if (!part.done) next = reader.read();
    return part;
  };
  return { body: streamOf(parts, rest, (reason) => reader.cancel(reason)), length: undefined };
}

/** Turns of the microtask queue in which a body that is in memory has been read to its end. */
const MOST_TURNS = 50;
/** What is longer is not kept in memory for the sake of its length. */
const MOST_MEASURED_BYTES = 1024 * 1024;

function streamOf(
  parts: readonly Uint8Array[],
  rest: () => Promise<ReadableStreamReadResult<Uint8Array>>,
  cancel: (reason: unknown) => Promise<void> = () => Promise.resolve(),
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller): Promise<void> {
      const part = parts[at++];
      if (part !== undefined) return controller.enqueue(part);
      const next = await rest();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel,
  }, { highWaterMark: 0 });
}

/** The headers that go on to the other side, without those of one connection. */
export function passOn(headers: Headers): [string, string][] {
  const named = (headers.get("connection") ?? "").toLowerCase().split(/[\s,]+/);
  return [...headers].filter(([name]) => !OF_CONNECTION.includes(name) && !named.includes(name));
}

/** The same, from a head that was read. Unlike {@link Headers}, a head can hold what no program should be given. */
export function headersOf(list: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers();
  for (const [name, value] of list) headers.append(name, value);
  return new Headers(passOn(headers));
}

/** An error as one that {@link Http.fetch} may throw. */
export function unreachable(origin: string, cause: unknown): UnavailableError {
  return new UnavailableError("http/unreachable", `Get an answer from ${origin}`, { details: { origin }, cause });
}
