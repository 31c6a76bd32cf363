/** x
 * @module
 */
export * from "./lib/types/mod.ts";
