/**
 * HTTP at a public key, the side of the server (dmsg.md §7.2): one request for each stream, which then ends. Handlers see
 * `<key>:<port>` of the client as its address, and the key is proven. Tested in tests/messaging/http_test.ts.
 */

import { ClosedError, describeError, ProtocolError } from "../errors/mod.ts";
import type { KeyedNetwork, KeyedStream } from "../overlay/mod.ts";
import {
  HostLimit,
  type HostLimits,
  type HttpHandler,
  type Log,
  sleep,
  type Timers,
  untilAborted,
} from "../runtime/mod.ts";
import { type Port, shortKey } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import { decodeRequestHead, encodeHead, type HeaderList, type RequestHead } from "../wire/http1.ts";
import { HTTP_PORT } from "./http_fetch.ts";
import { headersOf, HttpMessageReader, measureBody, passOn, writeBody } from "./http_message.ts";

/** How long a client may take for the head of its request, ms: v1.3 gives 3 s, which a slow relay uses up. */
const HEAD_WITHIN_MS = 10_000;

/**
 * Requests at once, in all and of one client; those beyond are told to come later. Followers of the transport discovery
 * take one each, for long.
 */
const MAX_REQUESTS: HostLimits = { most: 512, perHost: 64 };

/** How long a closing server waits for requests that are being answered, ms: as one on TCP (runtime ports). */
const CLOSE_WITHIN_MS = 2_000;

/** What {@link serveHttp} needs. */
export interface ServeHttpDeps {
  /** At whose key it is served, which is the host in the URLs that the handler sees. */
  readonly messaging: Pick<KeyedNetwork, "listen" | "publicKey">;
  /** Default {@link HTTP_PORT}. */
  readonly port?: Port;
  /** Answers. */
  readonly handler: HttpHandler;
  /** Where time limits come from. */
  readonly timers: Timers;
  /** Where broken requests are told, at debug. */
  readonly log: Log;
}

/** A running server. Disposing stops it: no new requests; running ones have 2 s to end. */
export type MessagingHttpServer = AsyncDisposable;

/** Serves until it is disposed, or the messaging client is. @throws {RefusedError} `messaging/port-taken` */
export function serveHttp(deps: ServeHttpDeps): MessagingHttpServer {
  const { messaging, port = HTTP_PORT, timers, log } = deps;
  const listener = messaging.listen(port);
  const running = new Map<KeyedStream, Promise<void>>();
  // The host of a client is its key, which is proven.
  const places = new HostLimit(MAX_REQUESTS);
  const accepting = (async (): Promise<void> => {
    for await (const stream of listener) {
      const release = places.take(stream.remoteAddress);
      const answering = (release === undefined ? refuse(stream) : answer(stream, deps)).catch((error) =>
        log.debug("http-request-broke", { client: shortKey(stream.remoteKey), error: describeError(error) })
      ).finally(() => {
        release?.();
        stream.close();
        running.delete(stream);
      });
      running.set(stream, answering);
    }
  })();

  return {
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      const waiting = new AbortController();
      await Promise.race([
        Promise.all(running.values()),
        sleep(timers, CLOSE_WITHIN_MS, waiting.signal).catch(() => {}),
      ]);
      waiting.abort();
      for (const stream of running.keys()) stream.close();
      await Promise.all(running.values());
    },
  };
}

async function answer(stream: KeyedStream, deps: ServeHttpDeps): Promise<void> {
  const { timers, handler, messaging: { publicKey } } = deps;
  const reader = new HttpMessageReader(stream, timers);
  const head = await readRequest(reader);
  if (head === undefined) return;
  const leaving = new AbortController();
  const { signal } = leaving;
  if (head instanceof Fault) return await send(stream, { response: new Response(null, { status: 400 }), signal });
  if (head.headers.some(([name, value]) => name.toLowerCase() === "expect" && /^100-continue$/i.test(value))) {
    await stream.write(encodeHead("HTTP/1.1 100 Continue", []));
  }
  const leave = (): void => leaving.abort(new ClosedError("http/client-gone", "The client left"));
  // Once the request is whole, the client has nothing more to say; when it leaves, the answer is for nobody.
  const watch = (): void => void reader.untilGone().then(leave);
  const isEmpty = head.body.kind === "length" && head.body.bytes === 0;
  const takesBody = !isEmpty && head.method !== "GET" && head.method !== "HEAD";
  const body = takesBody ? reader.body(head.body, (error) => error === undefined ? watch() : leave()) : undefined;
  if (body === undefined) watch();
  const request = new Request(`http://${publicKey}.sky${head.target}`, {
    method: head.method,
    headers: headersOf(head.headers),
    signal,
    ...(body === undefined ? {} : { body }),
  });
  const answering = Promise.resolve(handler(request, { remote: stream.remoteAddress }));
  try {
    await send(stream, { response: await untilAborted(answering, signal), head, signal });
  } catch (error) {
    answering.then((late) => late.body?.cancel(error)).catch(() => {});
    throw error;
  }
}

/** @returns undefined when the client left without asking */
async function readRequest(reader: HttpMessageReader): Promise<RequestHead | Fault | undefined> {
  try {
    const bytes = await reader.head({ ms: HEAD_WITHIN_MS });
    return bytes === undefined ? undefined : decodeRequestHead(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return new Fault(error.code, error.message);
    throw error;
  }
}

async function send(
  stream: KeyedStream,
  answer: { readonly response: Response; readonly head?: RequestHead; readonly signal: AbortSignal },
): Promise<void> {
  const { response, head, signal } = answer;
  const { status, statusText, body } = response;
  const isBare = body === null || status === 204 || status === 304 || head?.method === "HEAD";
  const measured = isBare || response.headers.has("content-length") ? undefined : await measureBody(body);
  const isSized = response.headers.has("content-length") || measured?.length !== undefined;
  // A client of HTTP/1.0 takes what comes until the end.
  const chunked = !isBare && !isSized && head?.version !== "1.0";
  const headers: HeaderList = [
    ...passOn(response.headers),
    ...(chunked ? [["Transfer-Encoding", "chunked"] as const] : []),
    ...(measured?.length === undefined ? [] : [["Content-Length", String(measured.length)] as const]),
    ...(body === null && !isSized && status !== 204 && status !== 304 ? [["Content-Length", "0"] as const] : []),
    ["Connection", "close"],
  ];
  await stream.write(encodeHead(`HTTP/1.1 ${status} ${statusText}`, headers));
  if (isBare) await body?.cancel();
  else await writeBody(stream, { body: measured?.body ?? body, chunked, signal });
}

async function refuse(stream: KeyedStream): Promise<void> {
  const response = new Response(null, { status: 503, headers: { "retry-after": "5" } });
  await send(stream, { response, signal: new AbortController().signal });
}
