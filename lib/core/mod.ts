/**
 * The facade of the Rust core: what has bytes and timing of its own, behind classes and functions that own their memory.
 *
 * @module
 */
export * from "./keys.ts";
export * from "./mux.ts";
export * from "./noise.ts";
export * from "./records.ts";
export * from "./packet.ts";
export * from "./rule.ts";
export * from "./switch.ts";
export * from "./switch_events.ts";
export * from "./switch_sessions.ts";
