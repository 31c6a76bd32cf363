/**
 * Configuration: text in, validated values out. Knows no files and no network.
 *
 * @module
 */
export * from "../visor/config/go_visor_config.ts";
export * from "../network/network_config.ts";
export * from "../check/problems.ts";
export * from "../network/ticket.ts";
export * from "../visor/config/visor_config.ts";
