/**
 * Go's net/rpc over gob, raw on a byte link: no preamble, one gob stream in each direction.
 *
 * @module
 */
export * from "./client.ts";
export type { RpcMethod } from "./messages.ts";
export { MAX_CONCURRENT_CALLS, type RpcHandler, rpcHandler, type RpcServeOptions, serveRpc } from "./server.ts";
