/** The headers of Go's net/rpc, and how a method is declared here (gob-rpc.md §3). */

import { gobString, gobStruct, type GobType, gobUint64 } from "./gob/mod.ts";

/** A method that can be called: its name on the wire, what it takes and what it gives. */
export interface RpcMethod<Argument, Reply> {
  /** `Service.Method` */
  readonly name: string;
  /** What it takes. */
  readonly argument: GobType<Argument>;
  /** What it gives. */
  readonly reply: GobType<Reply>;
}

/** Comes before every argument. */
export interface RpcRequest {
  readonly ServiceMethod: string;
  /** Chosen by the client; Go counts from 0. */
  readonly Seq: bigint;
}

/** Comes before every reply. */
export interface RpcResponse {
  readonly ServiceMethod: string;
  /** Of the request. */
  readonly Seq: bigint;
  /** Not empty: the call failed, and an empty struct follows in place of the reply. */
  readonly Error: string;
}

/** The codec of request headers. */
export const gobRpcRequest: GobType<RpcRequest> = gobStruct<RpcRequest>("Request", {
  ServiceMethod: gobString,
  Seq: gobUint64,
});

/** The codec of response headers. */
export const gobRpcResponse: GobType<RpcResponse> = gobStruct<RpcResponse>("Response", {
  ServiceMethod: gobString,
  Seq: gobUint64,
  Error: gobString,
});
