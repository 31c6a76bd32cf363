/**
 * The overlay node: all parts put together, its capabilities, its control API, and what it keeps in its data folder.
 *
 * @module
 */
export { createVisor, type CreateVisorOptions } from "./create.ts";
export { startVisor } from "./start.ts";
export type { VisorOptions, VisorSettings } from "./settings.ts";
export type { Visor } from "./visor.ts";
export type { VisorFacets } from "./facets.ts";
export type { VisorApps } from "./apps/mod.ts";
export type { AppView } from "./apps/view.ts";
export type { RouteEventView, VisorEvent } from "./events/view.ts";
export type { VisorHttp } from "./http/mod.ts";
export type { VisorNames } from "./names/mod.ts";
export type { NameView } from "./names/view.ts";
export type { VisorProxies } from "./proxies/mod.ts";
export type { ProxyClientSettings, ProxyRequest, ProxyServerSettings, ProxySettings } from "./proxies/settings.ts";
export type { ProxyView } from "./proxies/view.ts";
export type { VisorRoutes } from "./routes/mod.ts";
export type { FindOptions, VisorBenchOptions } from "./routes/part.ts";
export type { RouteCandidateView, RouteView } from "./routes/view.ts";
export type { StatusCheck, VisorStatus } from "./status/view.ts";
export type { VisorTransports } from "./transports/mod.ts";
export type { AddTransportOptions } from "./transports/part.ts";
export type { NetworkTransport, TransportView } from "./transports/view.ts";
export { parseSecretKeyFile } from "./data_folder.ts";
export { CONTROL_FILE, type ControlFile, controlFileSchema } from "./control/file.ts";
export type { ListenerView } from "../network/mod.ts";
export { VERSION } from "../types/version.ts";
