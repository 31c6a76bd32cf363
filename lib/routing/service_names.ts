/**
 * The text of the Error packet that refuses a connection to a port nobody listens on: fixed by v1.3 (routing.md §8.5).
 * Tested in tests/sim/routes_test.ts.
 */

import type { Port } from "../types/mod.ts";

/** Names that v1.3 knows by port. */
const SERVICES: ReadonlyMap<Port, string> = new Map([
  [1, "skychat"],
  [3, "skysocks"],
  [13, "skysocks-client"],
  [43, "vpn-client"],
  [44, "vpn-server"],
]);

/** How every such text begins. */
const NO_LISTENER = "no listener on port ";

/** The text for one port, as in `no listener on port 3, skysocks offline`. */
export function formatNoListener(port: Port): string {
  return `${NO_LISTENER}${port}, ${SERVICES.get(port) ?? "service"} offline`;
}

/** Does an Error packet say that nobody listens? */
export function saysNoListener(text: string): boolean {
  return text.startsWith(NO_LISTENER);
}
