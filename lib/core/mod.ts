/**
 * The facade of the Rust core: what has bytes and timing of its own, behind classes and functions that own their memory.
 *
 * @module
 */
export * from "./keys.ts";
export * from "./mux.ts";
export * from "./noise.ts";
export * from "./records.ts";
