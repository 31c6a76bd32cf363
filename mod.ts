/**
 * Skywire for Deno: a private overlay network that you run yourself, wire-compatible with Go Skywire v1.3.
 *
 * A **visor** is a node. It opens **transports** to others, has routes set up over them, and gives you connections to a
 * public key and port:
 *
 * ```ts ignore
 * import { createVisor } from "@skywire/skywire";
 *
 * await using visor = await createVisor({ data: "/tmp/node", join: ticket });
 * await using link = await visor.dial("02ab…", 8080);
 * await request.body!.pipeTo(link.writable);
 * for await (const incoming of visor.listen(8080)) handle(incoming.remoteKey, incoming.readable, incoming.writable);
 * ```
 *
 * The services of a network are here, too, each an object with `fetch(request)`; so are the transport driver interface
 * with the cases that a driver must pass, and the ports through which everything reaches the world.
 *
 * @module
 */

// A visor.
export { createVisor, startVisor, VERSION } from "./lib/visor/mod.ts";
export type {
  AddTransportOptions,
  AppView,
  CreateVisorOptions,
  FindOptions,
  ListenerView,
  NameView,
  NetworkTransport,
  ProxyClientSettings,
  ProxyRequest,
  ProxyServerSettings,
  ProxySettings,
  ProxyView,
  RouteCandidateView,
  RouteEventView,
  RouteView,
  StatusCheck,
  TransportView,
  Visor,
  VisorApps,
  VisorBenchOptions,
  VisorEvent,
  VisorFacets,
  VisorHttp,
  VisorNames,
  VisorOptions,
  VisorProxies,
  VisorRoutes,
  VisorSettings,
  VisorStatus,
  VisorTransports,
} from "./lib/visor/mod.ts";
export type { BenchResult, RefusalReason, SocksRefusal } from "./lib/apps/mod.ts";
export type {
  Disjoint,
  Figures,
  Measurable,
  Metric,
  MetricWeights,
  RatedRoute,
  RouteAnswer,
  RouteCandidate,
  RouteConstraints,
  RouteQuery,
} from "./lib/services/route_finder/mod.ts";
export type {
  ConnectionLeg,
  ConnectionMove,
  DialOptions,
  GroupCloseReason,
  GroupEnd,
  PingOptions,
  PingResult,
  RouteConnection,
  RouteConnectionStats,
  RuleSummary,
  SessionOptions,
} from "./lib/routing/mod.ts";

// Networks of keys and ports: the router is one, and messaging.
export type {
  DetachableStream,
  DetachedStream,
  KeyedDialOptions,
  KeyedListener,
  KeyedNetwork,
  KeyedStream,
} from "./lib/overlay/mod.ts";

// Messaging, and the services of a network.
export { createMessagingClient, createMessagingServer } from "./lib/messaging/mod.ts";
export type {
  MessagingClient,
  MessagingClientDeps,
  MessagingDirectory,
  MessagingServer,
  MessagingServerDeps,
  MessagingServerLimits,
  MessagingServerStats,
  MessagingSession,
  MessagingStream,
} from "./lib/messaging/mod.ts";
export { createMessagingDiscovery, createMessagingDiscoveryClient } from "./lib/services/messaging_discovery/mod.ts";
export type {
  MessagingDiscoveryClient,
  MessagingDiscoveryClientDeps,
  MessagingDiscoveryDeps,
} from "./lib/services/messaging_discovery/mod.ts";
export {
  createTransportDiscovery,
  createTransportDiscoveryClient,
  createTransportFeedClient,
} from "./lib/services/transport_discovery/mod.ts";
export type {
  EdgeStatus,
  FeedEvent,
  MapTransport,
  TransportChange,
  TransportDiscovery,
  TransportDiscoveryClient,
  TransportDiscoveryClientDeps,
  TransportDiscoveryDeps,
  TransportFeed,
  TransportFigures,
  TransportState,
} from "./lib/services/transport_discovery/mod.ts";
export { createRouteFinder, createRouteFinderClient } from "./lib/services/route_finder/mod.ts";
export type {
  FindRoutesOptions,
  RouteFinder,
  RouteFinderClient,
  RouteFinderDeps,
} from "./lib/services/route_finder/mod.ts";
export { createAddressResolver, createAddressResolverClient } from "./lib/services/address_resolver/mod.ts";
export type {
  AddressResolver,
  AddressResolverClient,
  AddressResolverClientDeps,
  AddressResolverDeps,
} from "./lib/services/address_resolver/mod.ts";
export { createSetupNode } from "./lib/services/setup_node/mod.ts";
export type { SetupNode, SetupNodeDeps, SetupNodeLimits } from "./lib/services/setup_node/mod.ts";
export type {
  BuildInfo,
  HttpService,
  MessagingPresence,
  RateLimit,
  ServiceClientDeps,
  ServiceSettings,
} from "./lib/services/http/mod.ts";
export { type DatabaseOwner, openDatabase } from "./lib/storage/mod.ts";
export type { SqlDatabase, SqlRow, SqlStatement, SqlStep, SqlValue } from "./lib/storage/mod.ts";

// Transport kinds from outside.
export type { TransportKind } from "./lib/overlay/mod.ts";
export { driverConformanceCases } from "./lib/transport/mod.ts";
export type {
  ConformanceCase,
  DialOptions as DriverDialOptions,
  DriverFixture,
  ListenOptions as DriverListenOptions,
  RawLink,
  RawListener,
  TransportDriver,
} from "./lib/transport/mod.ts";

// A network in memory on virtual time, for tests of what uses visors.
export { createSimulation as createNetwork } from "./lib/simulation/mod.ts";
export type {
  MemoryStorage,
  NetworkFaults,
  Simulation as SimulatedNetwork,
  SimulationOptions,
  VirtualTime,
} from "./lib/simulation/mod.ts";

// Keys and formats.
export {
  decodePacket,
  decodeRule,
  encodePacket,
  encodeRule,
  generateSecretKey,
  PACKET_TYPES,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  publicKeyOf,
  sign,
  verify,
} from "./lib/core/mod.ts";
export type {
  ConsumeRule,
  ForwardRule,
  IntermediaryRule,
  NextHop,
  Packet,
  Records,
  Rule,
  RuleBase,
} from "./lib/core/mod.ts";
export {
  formatSignedEntry,
  makeTransportEntry,
  parseSignedEntry,
  signTransportEntry,
  transportId,
  verifyTransportEntry,
} from "./lib/wire/transport_entry.ts";
export type { Edges, SignedEntry, TransportEntry, TransportEntryFaultCode } from "./lib/wire/transport_entry.ts";
export { ENTRY_VERSION, formatEntry, parseEntry, signEntry, verifyEntry } from "./lib/wire/messaging_entry.ts";
export type { ClientPart, Entry, ServerPart } from "./lib/wire/messaging_entry.ts";
export { Fault } from "./lib/wire/fault.ts";
export type { JsonFaultCode } from "./lib/wire/go_json.ts";
export * from "./lib/errors/mod.ts";
export * from "./lib/types/mod.ts";

// The world of all of it.
export { createDenoRuntime, createDenoStorage } from "./lib/runtime/deno/mod.ts";
export type { DenoRuntime, DenoRuntimeOptions } from "./lib/runtime/deno/mod.ts";
export type * from "./lib/runtime/ports.ts";
export type { LogLevel, LogLine, LogSink } from "./lib/runtime/mod.ts";
