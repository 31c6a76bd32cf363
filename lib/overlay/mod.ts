/**
 * Dial and listen by public key and port.
 *
 * @module
 */
export type { DetachableStream, DetachedStream } from "./detachable_stream.ts";
export type { KeyedDialOptions, KeyedListener, KeyedNetwork, KeyedStream } from "./keyed_network.ts";
export { isRelayed, MESSAGING, STCP, STCPR, type TransportKind, WS } from "./kinds.ts";
export { checkPort, PortSpace } from "./port_space.ts";
