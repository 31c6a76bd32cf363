/**
 * HTTP between hosts in memory: requests go to the handler that serves the address, under the network's fault rules.
 * Tested in tests/simulation/simulation_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import { formatAddress, parseAddress, untilAborted, withTimeout } from "../runtime/mod.ts";
import type { Http, HttpHandler, HttpServer, MessageSocket, SocketUpgrade, Timers } from "../runtime/mod.ts";
import { UNREACHABLE_AFTER_MS } from "./memory_network.ts";
import type { MemoryNetwork } from "./memory_network.ts";
import { createSocketPair } from "./memory_socket.ts";

/** The port that a URL means when it names none. */
const DEFAULT_PORT = 80;

interface Served {
  readonly handler: HttpHandler;
  readonly loopbackOnly: boolean;
  /** Aborts when the server closes or its host is killed. */
  readonly gone: AbortSignal;
}

/** HTTP of all hosts. */
export interface MemoryHttp {
  /** HTTP as one host sees it. */
  httpOf(host: string): Http;
}

/** What HTTP in memory is made of. */
export interface MemoryHttpDeps {
  readonly network: MemoryNetwork;
  readonly timers: Timers;
  /** Called whenever something happens. */
  readonly touch: () => void;
}

/** Makes HTTP over the hosts of a network. */
export function createMemoryHttp({ network, timers, touch }: MemoryHttpDeps): MemoryHttp {
  const served = new Map<string, Served>();

  const httpOf = (name: string): Http => ({
    async fetch(request: Request): Promise<Response> {
      const url = new URL(request.url);
      const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
      const host = url.hostname.replace(/^\[|\]$/g, "");
      const target = network.resolve(name, { host, port });
      const unreachable = (): UnavailableError =>
        new UnavailableError("http/unreachable", `Get an answer from ${url.origin}`, {
          details: { origin: url.origin },
        });
      request.signal.throwIfAborted();
      if (!network.isAlive(name)) throw unreachable();
      const died = new AbortController();
      const forget = network.onKilled(name, () => died.abort(unreachable()));
      const leaving = AbortSignal.any([request.signal, died.signal]);
      try {
        return await withTimeout(
          () =>
            new Promise<Response>((resolve, reject) =>
              network.carry(name, target, () => {
                touch();
                const server = served.get(`${target}:${port}`);
                if (server === undefined || (server.loopbackOnly && target !== name)) {
                  return network.carry(target, name, () => reject(unreachable()));
                }
                const ends = AbortSignal.any([leaving, server.gone]);
                answer(server.handler, { request, signal: ends, remote: formatAddress(name, 40_000) }).then(
                  (response) => network.carry(target, name, () => resolve(guardBody(response, { ends, touch }))),
                  () => network.carry(target, name, () => resolve(new Response(null, { status: 500 }))),
                );
                if (server.gone.aborted) reject(unreachable());
                else server.gone.addEventListener("abort", () => reject(unreachable()), { once: true });
              })
            ),
          { timers, ms: UNREACHABLE_AFTER_MS, code: "http/unreachable", message: `Ask ${url.origin}`, signal: leaving },
        );
      } finally {
        forget();
      }
    },
    async openSocket(url, { protocol, signal }): Promise<MessageSocket> {
      const { hostname, port } = new URL(url);
      const host = hostname.replace(/^\[|\]$/g, "");
      const target = network.resolve(name, { host, port: Number(port || DEFAULT_PORT) });
      const key = `${target}:${port || DEFAULT_PORT}`;
      const failed = (): UnavailableError =>
        new UnavailableError("network/dial-failed", `Open a socket to "${url}"`, { details: { url } });
      signal?.throwIfAborted();
      if (!network.isAlive(name)) throw failed();
      return await withTimeout(
        () =>
          new Promise<MessageSocket>((resolve, reject) =>
            network.carry(name, target, () => {
              touch();
              const server = served.get(key);
              const refuse = (): void => network.carry(target, name, () => reject(failed()));
              if (server === undefined || (server.loopbackOnly && target !== name)) return refuse();
              const died = new AbortController();
              const forget = [
                network.onKilled(name, () => died.abort()),
                network.onKilled(target, () => died.abort()),
              ];
              const gone = AbortSignal.any([died.signal, server.gone]);
              gone.addEventListener("abort", () => forget.forEach((one) => one()), { once: true });
              const [dialled, accepted] = createSocketPair({
                addresses: [formatAddress(name, 40_000), formatAddress(target, Number(port || DEFAULT_PORT))],
                carry: [
                  (deliver) => network.carry(name, target, deliver),
                  (deliver) => network.carry(target, name, deliver),
                ],
                gone,
                touch,
              });
              let upgraded = false;
              const upgrade = (wanted: string): SocketUpgrade => {
                upgraded = wanted === protocol;
                return {
                  // A response of status 101 cannot be made by hand; nobody looks at this one.
                  response: new Response(null),
                  socket: upgraded ? Promise.resolve(accepted) : Promise.reject(failed()),
                };
              };
              const request = new Request(url.replace(/^ws/, "http"), { headers: { upgrade: "websocket" } });
              const context = { remote: formatAddress(name, 40_000), upgrade };
              Promise.resolve(server.handler(request, context)).then(
                () => upgraded ? network.carry(target, name, () => resolve(dialled)) : refuse(),
                refuse,
              );
            })
          ),
        {
          timers,
          ms: UNREACHABLE_AFTER_MS,
          code: "network/dial-failed",
          message: `Open a socket to "${url}"`,
          signal,
          discard: (late) => late.close(),
        },
      );
    },
    // Async: the port promises errors as rejections.
    // deno-lint-ignore require-await
    async serve(address: string, handler: HttpHandler): Promise<HttpServer> {
      const taken = network.takePort(name, address);
      const key = `${name}:${taken.port}`;
      const ending = new AbortController();
      const loopbackOnly = parseAddress(taken.address)?.host !== name;
      const end = (): void => {
        if (ending.signal.aborted) return;
        forget();
        served.delete(key);
        taken.release();
        ending.abort(new UnavailableError("http/unreachable", "The server closed"));
        touch();
      };
      const forget = network.onKilled(name, end);
      served.set(key, { handler, loopbackOnly, gone: ending.signal });
      return {
        address: taken.address,
        url: `http://${taken.address}`,
        close(): Promise<void> {
          end();
          return Promise.resolve();
        },
      };
    },
  });
  return { httpOf };
}

interface Asked {
  readonly request: Request;
  readonly signal: AbortSignal;
  readonly remote: string;
}

async function answer(handler: HttpHandler, { request, signal, remote }: Asked): Promise<Response> {
  return await handler(new Request(request, { signal }), { remote });
}

/** A body that ends with the connection, however long its server would go on. */
function guardBody(response: Response, on: { readonly ends: AbortSignal; readonly touch: () => void }): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await untilAborted(reader.read(), on.ends);
        on.touch();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        reader.cancel(error).catch(() => {});
        controller.error(error);
      }
    },
    cancel: (reason): Promise<void> => reader.cancel(reason),
  }, { highWaterMark: 0 });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
