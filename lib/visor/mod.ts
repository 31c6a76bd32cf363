/**
 * The overlay node: all parts put together, its control API, and what it keeps in its data folder.
 *
 * @module
 */
export { createVisor, type CreateVisorOptions } from "./create.ts";
export { parseSecretKeyFile } from "./data_folder.ts";
export type { ProxyClientSettings, ProxyServerSettings, ProxySettings } from "./proxies/settings.ts";
export type { AddTransportOptions } from "./transports/part.ts";
export { CONTROL_FILE, type ControlFile, controlFileSchema, STATUS_HEADER } from "./views.ts";
export type {
  AppView,
  NetworkTransport,
  ProxyView,
  RouteCandidateView,
  RouteView,
  StatusCheck,
  TransportView,
  VisorStatus,
} from "./views.ts";
export type { ListenerView } from "../network/mod.ts";
export type { RouteEventView, VisorEvent } from "./events/part.ts";
export { startVisor } from "./start.ts";
export type { FindOptions, Visor, VisorBenchOptions, VisorOptions, VisorSettings } from "./visor.ts";
export { VERSION } from "../types/version.ts";
