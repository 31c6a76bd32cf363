/** Limits on what a client may send: how much, and how slowly. */

import { RefusedError, UnavailableError } from "../../errors/mod.ts";
import { type Timers, untilAborted, withTimeout } from "../../runtime/mod.ts";
import { concatBytes } from "../../types/mod.ts";

/** How long a body may take, ms: v1.3 gives a request 3 s (dmsg.md §6.9); twice the worst round trip of a modem more. */
const BODY_WITHIN_MS = 10_000;

/**
 * Reads a body.
 * @param request whose body was not read yet
 * @param options at most so many bytes; where time comes from
 * @returns the bytes; empty when there is no body
 * @throws {RefusedError} `http/body-too-large`, `http/body-too-slow`
 * @throws {UnavailableError} `http/client-gone` when the client went away meanwhile
 */
export async function readBody(
  request: Request,
  options: { readonly maxBytes: number; readonly timers: Timers },
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes, timers } = options;
  if (request.body === null) return new Uint8Array();
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const reader = request.body.getReader();
  try {
    return await withTimeout((signal) => readAll(reader, { maxBytes, signal }), {
      timers,
      ms: BODY_WITHIN_MS,
      code: "http/body-too-slow",
      message: "Read the body",
    });
  } catch (error) {
    reader.cancel(error).catch(() => {});
    if (error instanceof UnavailableError) throw new RefusedError(error.code, error.message);
    if (error instanceof RefusedError) throw error;
    throw new UnavailableError("http/client-gone", "Read the body", { cause: error });
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (true) {
    const { done, value } = await untilAborted(reader.read(), options.signal);
    if (done) break;
    length += value.length;
    if (length > options.maxBytes) throw tooLarge(options.maxBytes);
    chunks.push(value);
  }
  return concatBytes(...chunks);
}

function tooLarge(maxBytes: number): RefusedError {
  return new RefusedError("http/body-too-large", `Read the body: more than ${maxBytes} bytes`, {
    details: { maxBytes },
  });
}
