/**
 * The plain values that every layer speaks of: keys, ids, ports, times. No behaviour beyond making and comparing them.
 *
 * @module
 */
export * from "./brand.ts";
export * from "./keys.ts";
export * from "./ids.ts";
export * from "./time.ts";
export * from "./bytes.ts";
