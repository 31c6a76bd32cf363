/**
 * What visors and setup nodes say to each other when a route is set up: net/rpc methods and the types they carry
 * (routing.md §5.2, gob-rpc.md §4).
 *
 * ```
 * visor → setup node, messaging port 36     SetupRPCGateway.DialRouteGroup      BidirectionalRoute → EdgeRules
 * setup node → visor, messaging port 136    RPCGateway.ReserveIDs               count → route ids
 *                                           RPCGateway.AddIntermediaryRules     rules → true
 *                                           RPCGateway.AddEdgeRules             EdgeRules → true
 *                                           RPCGateway.RemoveRules              route ids → true      ours: v1.3 does not know it
 * ```
 *
 * Tested in tests/overlay/rpc/rpc_vectors_test.ts.
 */

import { decodeDescriptor, DESCRIPTOR_BYTES, encodeDescriptor, isValidPublicKey } from "../core/mod.ts";
import {
  type Hop,
  NULL_PUBLIC_KEY,
  type OverlayAddress,
  type Port,
  type PublicKey,
  type RouteDescriptor,
  type RouteId,
  type TransportId,
} from "../types/mod.ts";
import { Fault } from "./fault.ts";
import {
  gobBool,
  gobByteArray,
  gobInt64,
  gobSlice,
  gobStruct,
  type GobType,
  gobUint,
  makeBytes,
  mapGob,
} from "./gob/mod.ts";
import { gobPublicKey, gobTransportId } from "./gob_types.ts";
import type { RpcMethod } from "./rpc_messages.ts";

/** The messaging port on which a setup node is asked for routes. */
export const SETUP_NODE_PORT: Port = 36;

/** The messaging port on which a visor is told its rules by setup nodes. */
export const RULE_GATEWAY_PORT: Port = 136;

/** Shortest and longest idle time of a rule, ns. v1.3 asks for 30 s, later upstream for up to 24 h (routing.md App. D). */
export const KEEP_ALIVE_RANGE_NS = { min: 1_000_000_000n, max: 86_400_000_000_000n } as const;

/** The most hops that are read of one path. The count of ids a visor reserves is one byte. */
export const MAX_ENCODED_HOPS = 255;

/** The most ids or rules that are read at once, for the same reason. */
export const MAX_RULES = 255;

/** Two paths between two visors, and what is asked of them. */
export interface BidirectionalRoute {
  /** Source: who asks. */
  readonly descriptor: RouteDescriptor;
  /** How long rules live without traffic, ns. */
  readonly keepAliveNs: bigint;
  /** From source to destination. */
  readonly forward: readonly Hop[];
  /** From destination to source. */
  readonly reverse: readonly Hop[];
}

/** The two rules of one end of a route pair. */
export interface EdgeRules {
  /** Of the rule that receives: its destination is the visor that gets these rules. */
  readonly descriptor: RouteDescriptor;
  /** A forward rule as bytes: where what this end sends goes. */
  readonly forward: Uint8Array;
  /** A consume rule as bytes: what this end receives. `Reverse` on the wire. */
  readonly consume: Uint8Array;
}

/** Reads a descriptor. @param bytes 70 of them. Keys may be null, but not off the curve */
export function decodeRouteDescriptor(bytes: Uint8Array): RouteDescriptor | Fault<"setup/descriptor"> {
  if (bytes.length !== DESCRIPTOR_BYTES) return new Fault("setup/descriptor", `A descriptor of ${bytes.length} bytes`);
  const descriptor = decodeDescriptor(bytes);
  const isKey = ({ publicKey }: OverlayAddress): boolean =>
    publicKey === NULL_PUBLIC_KEY || isValidPublicKey(publicKey);
  if (isKey(descriptor.source) && isKey(descriptor.destination)) return descriptor;
  return new Fault("setup/descriptor", "Invalid public key");
}

const NO_DESCRIPTOR: RouteDescriptor = {
  source: { publicKey: NULL_PUBLIC_KEY, port: 0 },
  destination: { publicKey: NULL_PUBLIC_KEY, port: 0 },
};

interface WireHop {
  readonly TpID: TransportId;
  readonly From: PublicKey;
  readonly To: PublicKey;
}

interface WireRoute {
  readonly Desc: RouteDescriptor;
  readonly KeepAlive: bigint;
  readonly Forward: readonly Hop[];
  readonly Reverse: readonly Hop[];
}

interface WireEdgeRules {
  readonly Desc: RouteDescriptor;
  readonly Forward: Uint8Array;
  readonly Reverse: Uint8Array;
}

const gobDescriptor: GobType<RouteDescriptor> = mapGob<Uint8Array, RouteDescriptor>(
  gobByteArray("RouteDescriptor", { length: DESCRIPTOR_BYTES, goName: "routing.RouteDescriptor" }),
  { decode: decodeRouteDescriptor, encode: encodeDescriptor, zero: NO_DESCRIPTOR },
);

const gobHop: GobType<Hop> = mapGob<WireHop, Hop>(
  gobStruct<WireHop>("Hop", { TpID: gobTransportId, From: gobPublicKey, To: gobPublicKey }, "routing.Hop"),
  {
    decode: (wire) => ({ transportId: wire.TpID, from: wire.From, to: wire.To }),
    encode: (hop) => ({ TpID: hop.transportId, From: hop.from, To: hop.to }),
    zero: { transportId: gobTransportId.zero(), from: NULL_PUBLIC_KEY, to: NULL_PUBLIC_KEY },
  },
);

const gobHops: GobType<readonly Hop[]> = gobSlice(gobHop, {
  name: "[]routing.Hop",
  goName: "[]routing.Hop",
  maxLength: MAX_ENCODED_HOPS,
});

const gobRule: GobType<Uint8Array> = makeBytes("routing.Rule");

/** The codec of a route request. */
export const gobBidirectionalRoute: GobType<BidirectionalRoute> = mapGob<WireRoute, BidirectionalRoute>(
  gobStruct<WireRoute>("BidirectionalRoute", {
    Desc: gobDescriptor,
    KeepAlive: gobInt64,
    Forward: gobHops,
    Reverse: gobHops,
  }, "routing.BidirectionalRoute"),
  {
    decode: (wire) => ({
      descriptor: wire.Desc,
      keepAliveNs: wire.KeepAlive,
      forward: wire.Forward,
      reverse: wire.Reverse,
    }),
    encode: (route) => ({
      Desc: route.descriptor,
      KeepAlive: route.keepAliveNs,
      Forward: route.forward,
      Reverse: route.reverse,
    }),
    zero: { descriptor: NO_DESCRIPTOR, keepAliveNs: 0n, forward: [], reverse: [] },
  },
);

/** The codec of the rules of an edge. */
export const gobEdgeRules: GobType<EdgeRules> = mapGob<WireEdgeRules, EdgeRules>(
  gobStruct<WireEdgeRules>(
    "EdgeRules",
    { Desc: gobDescriptor, Forward: gobRule, Reverse: gobRule },
    "routing.EdgeRules",
  ),
  {
    decode: (wire) => ({ descriptor: wire.Desc, forward: wire.Forward, consume: wire.Reverse }),
    encode: (rules) => ({ Desc: rules.descriptor, Forward: rules.forward, Reverse: rules.consume }),
    zero: { descriptor: NO_DESCRIPTOR, forward: new Uint8Array(), consume: new Uint8Array() },
  },
);

/** The codec of a list of route ids. */
export const gobRouteIds: GobType<readonly RouteId[]> = gobSlice(
  gobUint(32, "routing.RouteID") as GobType<RouteId>,
  { name: "", goName: "[]routing.RouteID", maxLength: MAX_RULES },
);

/** The codec of a list of rules as bytes. */
export const gobRules: GobType<readonly Uint8Array[]> = gobSlice(gobRule, {
  name: "",
  goName: "[]routing.Rule",
  maxLength: MAX_RULES,
});

/** Asks a setup node for a route pair; the reply holds the rules of the asker. */
export const DIAL_ROUTE_GROUP: RpcMethod<BidirectionalRoute, EdgeRules> = {
  name: "SetupRPCGateway.DialRouteGroup",
  argument: gobBidirectionalRoute,
  reply: gobEdgeRules,
};

/** Asks a visor for fresh route ids, 0–255 of them. */
export const RESERVE_IDS: RpcMethod<number, readonly RouteId[]> = {
  name: "RPCGateway.ReserveIDs",
  argument: gobUint(8),
  reply: gobRouteIds,
};

/** Tells a visor the rules of routes that pass through it. */
export const ADD_INTERMEDIARY_RULES: RpcMethod<readonly Uint8Array[], boolean> = {
  name: "RPCGateway.AddIntermediaryRules",
  argument: gobRules,
  reply: gobBool,
};

/** Tells a visor the rules of a route that ends at it. */
export const ADD_EDGE_RULES: RpcMethod<EdgeRules, boolean> = {
  name: "RPCGateway.AddEdgeRules",
  argument: gobEdgeRules,
  reply: gobBool,
};

/** Takes rules back that this setup node installed. Only our visors know it; v1.3 answers «can't find method». */
export const REMOVE_RULES: RpcMethod<readonly RouteId[], boolean> = {
  name: "RPCGateway.RemoveRules",
  argument: gobRouteIds,
  reply: gobBool,
};
