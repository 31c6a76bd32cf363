/**
 * What a visor can do: a line for each capability, under the name that `Visor` shows it by. They start in the order of
 * their names, each after those that it uses, and end the other way round.
 * Tested in tests/visor/facets_test.ts.
 */

export { apps } from "./apps/mod.ts";
export { events } from "./events/mod.ts";
export { http } from "./http/mod.ts";
export { names } from "./names/mod.ts";
export { proxies } from "./proxies/mod.ts";
export { routes } from "./routes/mod.ts";
export { status } from "./status/mod.ts";
export { transports } from "./transports/mod.ts";
