/** The serving side of net/rpc (gob-rpc.md §3.3). Tested in tests/overlay/rpc/rpc_test.ts. */

import { ClosedError, SkywireError } from "../../errors/mod.ts";
import type { ByteLink } from "../../runtime/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { gobEmpty, type GobFaultCode, type GobLimits } from "../../wire/gob/mod.ts";
import { GobConnection, type Outgoing, outgoing } from "./connection.ts";
import { gobRpcRequest, gobRpcResponse, type RpcMethod, type RpcRequest } from "../../wire/rpc_messages.ts";

/** Calls of one connection that run at once; further ones wait. Go sets no limit. */
export const MAX_CONCURRENT_CALLS = 16;

/** A method that is served. Make it with {@link rpcHandler}. */
export interface RpcHandler {
  /** `Service.Method` */
  readonly name: string;
  /** Reads the argument. @returns what runs the call, or what stood in the way */
  readonly receive: (connection: GobConnection) => Promise<RunCall | Fault<GobFaultCode> | null>;
}

/** Runs a call whose argument was read. */
export type RunCall = (signal: AbortSignal) => Promise<Outgoing>;

/**
 * Ties a method to what it does.
 * @param method which one
 * @param run gets the argument and a signal that ends with the service. What it throws is the error reply: the message of
 *   a {@link SkywireError}, or `internal error` for anything else
 */
export function rpcHandler<Argument, Reply>(
  method: RpcMethod<Argument, Reply>,
  run: (argument: Argument, signal: AbortSignal) => Reply | Promise<Reply>,
): RpcHandler {
  return {
    name: method.name,
    async receive(connection): Promise<RunCall | Fault<GobFaultCode> | null> {
      const argument = await connection.read(method.argument);
      if (argument === null || argument instanceof Fault) return argument;
      return async (signal) => outgoing(method.reply, await run(argument.value, signal));
    },
  };
}

/** What a connection is served with. */
export interface RpcServeOptions {
  /** The methods. */
  readonly handlers: readonly RpcHandler[];
  /** Ends the service: closes the link and tells the handlers. */
  readonly signal?: AbortSignal;
  /** Of what comes in. */
  readonly limits?: GobLimits;
  /** Default {@link MAX_CONCURRENT_CALLS}. */
  readonly maxConcurrentCalls?: number;
}

/**
 * Serves one link until its other side ends it, sends something undecodable, or `signal` aborts. Calls that run then are
 * told by their signal that nobody waits for them; when they have finished, the link is closed.
 * @param link taken over
 * @param options the methods and the limits
 */
export async function serveRpc(link: ByteLink, options: RpcServeOptions): Promise<void> {
  const { handlers, signal, limits, maxConcurrentCalls = MAX_CONCURRENT_CALLS } = options;
  const connection = new GobConnection(link, limits);
  const service = new AbortController();
  const onAbort = (): void => {
    service.abort(signal?.reason);
    connection.close();
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  const running = new Set<Promise<void>>();
  try {
    for (;;) {
      // Read although a call runs: so its end is known while it matters.
      const header = await connection.read(gobRpcRequest);
      if (header === null || header instanceof Fault) return;
      while (running.size >= maxConcurrentCalls) await Promise.race(running);
      const request = header.value;
      const call = await receiveCall(connection, { request, handlers });
      if (call === null) return;
      const answered = answer(connection, { request, call, signal: service.signal }).finally(() =>
        running.delete(answered)
      );
      running.add(answered);
    }
  } catch {
    // The link broke: nobody is left to be told.
  } finally {
    service.abort(signal?.reason ?? new ClosedError("rpc/caller-gone", "Answer a call: its caller has gone"));
    await Promise.all(running);
    signal?.removeEventListener("abort", onAbort);
    connection.close();
  }
}

/** Reads the argument of a call. @returns what runs it, an error text, or null at the end of the stream */
async function receiveCall(
  connection: GobConnection,
  options: { readonly request: RpcRequest; readonly handlers: readonly RpcHandler[] },
): Promise<RunCall | string | null> {
  const name = options.request.ServiceMethod;
  const handler = options.handlers.find((other) => other.name === name);
  if (handler === undefined) {
    return await connection.skip() === null ? null : unknownMethod(name, options.handlers);
  }
  const call = await handler.receive(connection);
  return call instanceof Fault ? call.message : call;
}

async function answer(
  connection: GobConnection,
  options: { readonly request: RpcRequest; readonly call: RunCall | string; readonly signal: AbortSignal },
): Promise<void> {
  const { request, call, signal } = options;
  const head = (error: string): Outgoing => outgoing(gobRpcResponse, { ...request, Error: error });
  const fail = (error: string): Promise<void> => connection.write(head(error), outgoing(gobEmpty, {}));
  const done = typeof call === "string" ? fail(call) : call(signal).then(
    (reply) => connection.write(head(""), reply),
    // An empty error text would read as success.
    (error) => fail(error instanceof SkywireError && error.message !== "" ? error.message : "internal error"),
  );
  // The link broke before the reply was out: the read loop finds out too.
  await done.catch(() => {});
}

/** The texts of net/rpc. The service is what stands before the last dot. */
function unknownMethod(name: string, handlers: readonly RpcHandler[]): string {
  const dot = name.lastIndexOf(".");
  if (dot < 0) return `rpc: service/method request ill-formed: ${name}`;
  const hasService = handlers.some((handler) => handler.name.startsWith(name.slice(0, dot + 1)));
  return hasService ? `rpc: can't find method ${name}` : `rpc: can't find service ${name}`;
}
