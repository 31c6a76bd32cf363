/**
 * Configuration: text in, validated values out. Knows no files and no network.
 *
 * @module
 */
export * from "./go_visor_config.ts";
export * from "./network_config.ts";
export * from "./problems.ts";
export * from "./ticket.ts";
export * from "./visor_config.ts";
