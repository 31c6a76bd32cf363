/**
 * Transports: identified links between two visors, and the loop that runs the packet switch over them.
 *
 * @module
 */
export * from "./conformance.ts";
export * from "./driver.ts";
export * from "./drivers/messaging.ts";
export * from "./drivers/stcp.ts";
export * from "./drivers/stcpr.ts";
export { createWsDriver, type WsDriverDeps } from "./drivers/ws.ts";
export * from "../links/mux_session.ts";
export type { LinkEnd } from "./link_pump.ts";
export type { TransportSummary } from "./live_transport.ts";
export type { TransportRegistry } from "./registration.ts";
export type { SignedEntry, TransportEntry } from "../wire/transport_entry.ts";
export type { SecureLink } from "../links/secure_link.ts";
export * from "./switch_loop.ts";
export * from "./transport_table.ts";
