/**
 * Go's net/rpc over gob, raw on a byte link: no preamble, one gob stream in each direction.
 *
 * @module
 */
export * from "./client.ts";
export { GobConnection, type Outgoing, type Received } from "./connection.ts";
export type { RpcMethod } from "../../wire/rpc_messages.ts";
export {
  MAX_CONCURRENT_CALLS,
  type RpcHandler,
  rpcHandler,
  type RpcServeOptions,
  type RunCall,
  serveRpc,
} from "./server.ts";
