/**
 * The overlay node: all parts put together, its control API, and what it keeps in its data folder.
 *
 * @module
 */
export * from "./create.ts";
export * from "./views.ts";
export { parseSecretKeyFile } from "./data_folder.ts";
export type { ProxyClientSettings, ProxyServerSettings, ProxySettings } from "./proxy_settings.ts";
export { startVisor, type Visor, type VisorOptions } from "./visor.ts";
export { VERSION } from "../types/version.ts";
