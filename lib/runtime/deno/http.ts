/** HTTP on Deno: `fetch` without the proxies of the environment, and a quiet server. */

import { UnavailableError } from "../../errors/mod.ts";
import type { Http, HttpContext, HttpHandler, HttpServer, LinkListener, Timers } from "../ports.ts";
import { sleep } from "../wait.ts";
import { mostDescriptors } from "./descriptors.ts";
import {
  createGateRoom,
  DEFAULT_HTTP_GATE_LIMITS,
  type GateRoom,
  HttpGate,
  type HttpGateLimits,
  type ServerLink,
} from "./http_gate.ts";
import { acceptSocket, dialSocket } from "./message_socket.ts";
import { createDenoNetwork, makeTcpLink } from "./network.ts";

/** How long a closing server waits for requests that are being answered (ports.ts). */
const CLOSE_WITHIN_MS = 2_000;

/** Idle connections to services are dropped after this long: shorter than the 75–120 s after which servers drop them. */
const IDLE_CONNECTION_MS = 30_000;

/** The variables from which Deno takes proxies. */
const PROXY_VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/** Where the server behind a gate listens. */
const LOOPBACK = "127.0.0.1";

/** The HTTP port. Disposing closes idle client connections. @param deps time; how much a server lets in */
export function createDenoHttp(
  { timers, limits = DEFAULT_HTTP_GATE_LIMITS }: { readonly timers: Timers; readonly limits?: HttpGateLimits },
): Http & Disposable {
  const network = createDenoNetwork({ timers });
  let client: Deno.HttpClient | undefined;
  let room: Promise<GateRoom> | undefined;
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
    serve: async (address, handler, { behindProxy = false } = {}): Promise<HttpServer> => {
      const listener = await network.listen(address);
      room ??= mostDescriptors().then(createGateRoom);
      const connectionsPerHost = behindProxy ? limits.connections : limits.connectionsPerHost;
      return serve(listener, { handler, timers, limits: { ...limits, connectionsPerHost }, room: await room });
    },
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

interface ServeOptions {
  readonly handler: HttpHandler;
  readonly timers: Timers;
  readonly limits: HttpGateLimits;
  readonly room: GateRoom;
}

function serve(listener: LinkListener, { handler, timers, limits, room }: ServeOptions): HttpServer {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  let server: LoopbackServer | undefined;

  const answer = (request: Request, connection: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> => {
    if (closing !== undefined) return new Response(null, { status: 503, headers: { connection: "close" } });
    const { port } = connection.remoteAddr;
    const remote = gate.remoteOf(port);
    if (remote === undefined) return new Response(null, { status: 403, headers: { connection: "close" } });
    const completed = connection.completed.catch(() => {}).finally(() => running.delete(completed));
    running.add(completed);
    const context: HttpContext = request.headers.get("upgrade")?.toLowerCase() === "websocket"
      ? {
        remote,
        upgrade(protocol): ReturnType<typeof acceptSocket> {
          let end = (): void => {};
          const accepted = acceptSocket(request, { protocol, remote, onClosing: () => end() });
          // Until it is open it is a request like any other.
          accepted.socket.then(() => end = gate.release(port), () => {});
          return accepted;
        },
      }
      : { remote };
    return handler(request, context);
  };
  const dialServer = async (): Promise<ServerLink> => {
    // It ends by itself when descriptors run out. The next connection gets another one.
    if (server === undefined || server.hasEnded) server = new LoopbackServer(answer);
    return await server.dial();
  };
  const gate = new HttpGate({ listener, dialServer, timers, limits, room });

  const close = async (): Promise<void> => {
    // While some are being answered, others are told that they come too late.
    if (running.size === 0) gate.stop();
    const waiting = new AbortController();
    const limit = sleep(timers, CLOSE_WITHIN_MS, waiting.signal).then(() => false, () => false);
    const isAnswered = await Promise.race([Promise.all(running).then(() => true), limit]);
    gate.stop();
    if (isAnswered) await Promise.race([server?.shutdown(), limit]);
    else await server?.abort();
    await gate.close(limit);
    waiting.abort();
  };
  return {
    address: listener.address,
    url: `http://${listener.address}`,
    close: (): Promise<void> => closing ??= close(),
  };
}

/** Deno's server, for nobody but the gate. */
class LoopbackServer {
  readonly #ending = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #finished: Promise<void>;
  #hasEnded = false;

  constructor(handler: Deno.ServeHandler<Deno.NetAddr>) {
    this.#server = Deno.serve({
      hostname: LOOPBACK,
      port: 0,
      signal: this.#ending.signal,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    }, handler);
    this.#finished = this.#server.finished.catch(() => this.#ending.abort()).then(() => {
      this.#hasEnded = true;
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async dial(): Promise<ServerLink> {
    const { hostname, port } = this.#server.addr;
    const connection = await Deno.connect({ hostname, port });
    return { link: makeTcpLink(connection), port: connection.localAddr.port };
  }

  /**
   * Writes answers to their end. It waits for ever for a handler that hangs, and nothing can end the server after it: to be
   * called when all handlers are done. What may outlive it then is a connection whose client never sends the rest of a body
   * that nobody reads.
   */
  shutdown(): Promise<void> {
    return this.#server.shutdown();
  }

  /** Cuts all connections. */
  async abort(): Promise<void> {
    this.#ending.abort();
    await this.#finished;
  }
}
