/** HTTP on Deno: `fetch` without the proxies of the environment, and a quiet server. */

import { UnavailableError } from "../../errors/mod.ts";
import { formatAddress } from "../address.ts";
import type { Http, HttpContext, HttpHandler, HttpServer, Timers } from "../ports.ts";
import { sleep } from "../wait.ts";
import { acceptSocket, dialSocket } from "./message_socket.ts";
import { listenError, parseListenAddress } from "./network.ts";

/** How long a closing server waits for requests that are being answered (ports.ts). */
const CLOSE_WITHIN_MS = 2_000;

/** Idle connections to services are dropped after this long: shorter than the 75–120 s after which servers drop them. */
const IDLE_CONNECTION_MS = 30_000;

/** The variables from which Deno takes proxies. */
const PROXY_VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/** The HTTP port. Disposing closes idle client connections. */
export function createDenoHttp({ timers }: { readonly timers: Timers }): Http & Disposable {
  let client: Deno.HttpClient | undefined;
  return {
    async fetch(request: Request): Promise<Response> {
      client ??= createDirectClient();
      try {
        return await fetch(request, { client });
      } catch (cause) {
        request.signal.throwIfAborted();
        const { origin } = new URL(request.url);
        throw new UnavailableError("http/unreachable", `Get an answer from ${origin}`, { details: { origin }, cause });
      }
    },
    // Async although Deno binds at once: the port promises errors as rejections.
    // deno-lint-ignore require-await
    serve: async (address, handler): Promise<HttpServer> => serve(address, { handler, timers }),
    openSocket: (url, options) => dialSocket(url, { ...options, client: client ??= createDirectClient() }),
    [Symbol.dispose](): void {
      client?.close();
      client = undefined;
    },
  };
}

/**
 * A client that connects to the named host itself. The visor's own services listen on loopback, where a proxy of the
 * environment cannot reach them. Deno offers no option for that, but reads the variables only while a client is made.
 */
function createDirectClient(): Deno.HttpClient {
  const saved: [string, string][] = [];
  try {
    for (const name of PROXY_VARIABLES) {
      const value = Deno.env.get(name);
      if (value === undefined) continue;
      saved.push([name, value]);
      Deno.env.delete(name);
    }
  } catch {
    // Without permission for the environment, its proxies are used.
  }
  try {
    return Deno.createHttpClient({ poolIdleTimeout: IDLE_CONNECTION_MS });
  } finally {
    for (const [name, value] of saved) Deno.env.set(name, value);
  }
}

function serve(address: string, options: { readonly handler: HttpHandler; readonly timers: Timers }): HttpServer {
  const { handler, timers } = options;
  const { host, port } = parseListenAddress(address);
  const ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const answer = (request: Request, connection: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> => {
    if (closing !== undefined) return new Response(null, { status: 503, headers: { connection: "close" } });
    const completed = connection.completed.catch(() => {}).finally(() => running.delete(completed));
    running.add(completed);
    const { hostname, port } = connection.remoteAddr;
    const remote = formatAddress(hostname, port);
    const context: HttpContext = request.headers.get("upgrade")?.toLowerCase() === "websocket"
      ? { remote, upgrade: (protocol) => acceptSocket(request, { protocol, remote }) }
      : { remote };
    return handler(request, context);
  };
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname: host,
      port,
      signal: ending.signal,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    }, answer);
  } catch (cause) {
    throw listenError(address, cause);
  }

  // Only `shutdown()` writes answers to their end, but it waits for ever for a handler that hangs, and nothing can end the
  // server after it. So it comes when all handlers are done. What may outlive it then is a connection whose client never
  // sends the rest of a body that nobody reads.
  const close = async (): Promise<void> => {
    const waiting = new AbortController();
    const limit = sleep(timers, CLOSE_WITHIN_MS, waiting.signal).then(() => false, () => false);
    const isAnswered = await Promise.race([Promise.all(running).then(() => true), limit]);
    if (isAnswered) {
      await Promise.race([server.shutdown(), limit]);
    } else {
      ending.abort();
      await server.finished;
    }
    waiting.abort();
  };
  const taken = formatAddress(server.addr.hostname, server.addr.port);
  return {
    address: taken,
    url: `http://${taken}`,
    close: (): Promise<void> => closing ??= close(),
  };
}
