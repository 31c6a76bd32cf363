/**
 * Skywire for Deno: a private overlay network that you run yourself, wire-compatible with Go Skywire v1.3.
 *
 * A **visor** is a node. It opens **transports** to others, has routes set up over them, and gives you connections to a
 * public key and port:
 *
 * ```ts ignore
 * import { createVisor } from "@skywire/skywire";
 *
 * await using visor = await createVisor({ data: "./node", join: ticket });
 * await using link = await visor.dial(friend, 8080);
 * await request.body!.pipeTo(link.writable);
 * for await (const incoming of visor.listen(8080)) handle(incoming.remoteKey, incoming.readable, incoming.writable);
 * ```
 *
 * The services of a network are here, too, each an object with `fetch(request)`; so are the transport driver interface
 * with the cases that a driver must pass, and the ports through which everything reaches the world.
 *
 * @module
 */

export { createVisor, type CreateVisorOptions, startVisor, type Visor, type VisorOptions } from "./lib/visor/mod.ts";
export type * from "./lib/visor/mod.ts";
export type {
  DialOptions,
  GroupCloseReason,
  GroupEnd,
  PingDialer,
  PingOptions,
  PingResult,
  RouteConnection,
  RouteConnectionStats,
  RouteListener,
  Router,
  RouteWish,
  RuleSummary,
} from "./lib/routing/mod.ts";
export { createMessagingClient, createMessagingServer } from "./lib/messaging/mod.ts";
export type * from "./lib/messaging/mod.ts";
export {
  createMessagingDiscovery,
  createMessagingDiscoveryClient,
  type MessagingDiscoveryClient,
  type MessagingDiscoveryClientDeps,
  type MessagingDiscoveryDeps,
} from "./lib/services/messaging_discovery/mod.ts";
export {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  createTransportFeedClient,
} from "./lib/services/transport_discovery/mod.ts";
export type * from "./lib/services/transport_discovery/mod.ts";
export { createRouteFinder, createRouteFinderClient } from "./lib/services/route_finder/mod.ts";
export type * from "./lib/services/route_finder/mod.ts";
export { createSetupNode, type SetupNode, type SetupNodeDeps } from "./lib/services/setup_node/mod.ts";
export { createDenoRuntime, createDenoStorage } from "./lib/runtime/deno/mod.ts";
export type * from "./lib/runtime/deno/mod.ts";
export type * from "./lib/runtime/mod.ts";
export * from "./lib/errors/mod.ts";
export * from "./lib/types/mod.ts";
