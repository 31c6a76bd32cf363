/**
 * HTTP to public keys, the side of the client (dmsg.md §7.2): each request has a stream of its own, and no connection is
 * used again. Which URLs name a key is told in `lib/wire/key_url.ts`; the port is 80 unless named.
 * Tested in tests/messaging/http_test.ts.
 */

import { parsePublicKey } from "../core/mod.ts";
import { ProtocolError } from "../errors/mod.ts";
import type { KeyedNetwork, KeyedStream } from "../overlay/mod.ts";
import type { Http, Timers } from "../runtime/mod.ts";
import type { OverlayAddress } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import { decodeResponseHead, encodeHead, type HeaderList, type ResponseHead } from "../wire/http1.ts";
import { keyTextOf } from "../wire/key_url.ts";
import { headersOf, HttpMessageReader, passOn, unreachable } from "./http_message.ts";

/** The port of HTTP unless the URL names another. */
export const HTTP_PORT = 80;

/** From the request to the head of its answer, ms: services take 20 s at most. */
const ANSWER_WITHIN_MS = 30_000;

/** What {@link createMessagingFetch} needs. */
export interface MessagingFetchDeps {
  /** Opens the streams. */
  readonly messaging: Pick<KeyedNetwork, "dial">;
  /** Where time limits come from. */
  readonly timers: Timers;
  /** Takes the requests to URLs that name no key. */
  readonly http: Pick<Http, "fetch">;
}

/**
 * Which key and port a URL means.
 * @returns undefined for a URL that names no key
 */
export function overlayAddressOf(url: URL): OverlayAddress | undefined {
  const text = keyTextOf(url);
  const publicKey = text === undefined ? undefined : parsePublicKey(text);
  return publicKey === undefined ? undefined : { publicKey, port: Number(url.port) || HTTP_PORT };
}

/**
 * Makes a `fetch` that understands URLs with keys and hands all others on. The body of a request is read as a
 * whole before it is sent. Errors are those of {@link Http.fetch}; redirects are not followed.
 */
export function createMessagingFetch(deps: MessagingFetchDeps): Http["fetch"] {
  const { messaging, timers, http } = deps;
  return async (request) => {
    const url = new URL(request.url);
    const address = overlayAddressOf(url);
    if (address === undefined) {
      if (url.protocol !== "dmsg:") return await http.fetch(request);
      throw unreachable(originOf(url), new ProtocolError("http/no-key", "The URL names no public key"));
    }
    const { signal } = request;
    signal.throwIfAborted();
    let stream: KeyedStream | undefined;
    const onAbort = (): void => stream?.close();
    signal.addEventListener("abort", onAbort, { once: true });
    const leave = (): void => {
      signal.removeEventListener("abort", onAbort);
      stream?.close();
    };
    try {
      const body = new Uint8Array(await request.arrayBuffer());
      stream = await messaging.dial(address.publicKey, address.port, { signal });
      const headers: HeaderList = [
        // As v1.3 writes it: the port where the URL has one.
        ["Host", url.port === "" ? address.publicKey : `${address.publicKey}:${url.port}`],
        ...passOn(request.headers).filter(([name]) => name !== "host" && name !== "content-length"),
        ...(body.length > 0 || request.method === "POST" || request.method === "PUT"
          ? [["Content-Length", String(body.length)] as const]
          : []),
      ];
      await stream.write(encodeHead(`${request.method} ${url.pathname || "/"}${url.search} HTTP/1.1`, headers));
      if (body.length > 0) await stream.write(body);
      const reader = new HttpMessageReader(stream, timers);
      const head = await readAnswer(reader, { method: request.method, signal });
      const isEmpty = head.body.kind === "length" && head.body.bytes === 0;
      if (isEmpty) leave();
      return new Response(isEmpty ? null : reader.body(head.body, leave), {
        status: head.status,
        statusText: head.reason,
        headers: headersOf(head.headers),
      });
    } catch (error) {
      leave();
      signal.throwIfAborted();
      throw unreachable(originOf(url), error);
    }
  };
}

/** The head of the answer, after any that only say to go on. */
async function readAnswer(
  reader: HttpMessageReader,
  request: { readonly method: string; readonly signal: AbortSignal },
): Promise<ResponseHead> {
  while (true) {
    const bytes = await reader.head({ ms: ANSWER_WITHIN_MS, signal: request.signal });
    if (bytes === undefined) throw new ProtocolError("http/cut", "Read the answer: the stream ended before it");
    const head = decodeResponseHead(bytes, request.method);
    if (head instanceof Fault) throw new ProtocolError(head.code, head.message);
    if (head.status === 101) throw new ProtocolError("http/upgrade", "Read the answer: nobody asked for an upgrade");
    if (head.status >= 200) return head;
  }
}

/** `URL.origin` of what is no URL of the web is `null`. */
function originOf(url: URL): string {
  return `${url.protocol}//${url.host}`;
}
