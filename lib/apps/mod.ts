/**
 * Apps: programs that use the overlay as their network. Here are what an app is, the launcher that keeps apps running, and
 * the SOCKS5 proxy as two apps.
 *
 * @module
 */
export * from "./app.ts";
export * from "./launcher.ts";
export { createSocksClient, type SocksClient, type SocksClientOptions } from "./socks/client.ts";
export { createSocksServer, SOCKS_PORT, type SocksServerOptions } from "./socks/server.ts";
export type { RefusalReason, SocksRefusal } from "./socks/refusals.ts";
export { makeDestinationRule, PUBLIC_DESTINATIONS } from "./socks/destinations.ts";
export type { DestinationRule } from "./socks/destinations.ts";
export * from "./bench/mod.ts";
