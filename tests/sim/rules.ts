/** Following a route through the rule tables of visors. */

import assert from "node:assert/strict";
import type { RouteConnection } from "../../lib/routing/mod.ts";
import type { RouteId } from "../../lib/types/mod.ts";
import type { SimVisor } from "./network.ts";

/**
 * The setup property (routing.md §5.5): from the dialler's forward rule on, next route ids lead over exactly the visors and
 * transports of the path to the responder's consume rule; and back.
 * @param dialled the dialler's connection, the only one of its visor
 * @param visors of the path, the dialler first
 */
export function assertRulesLead(dialled: RouteConnection, visors: readonly SimVisor[]): void {
  const transports = dialled.route.map((hop) => hop.transportId);
  assertLeads(visors, { transports, ends: [dialled.localPort, dialled.remotePort] });
  assertLeads(visors.toReversed(), {
    transports: transports.toReversed(),
    ends: [dialled.remotePort, dialled.localPort],
  });
}

function assertLeads(
  visors: readonly SimVisor[],
  { transports, ends }: { transports: readonly string[]; ends: readonly [number, number] },
): void {
  let next: RouteId | undefined;
  visors.forEach(({ router }, i) => {
    const rule = router.rules().find(({ routeId, type, localPort, remotePort }) =>
      i === 0 ? type === "forward" && localPort === ends[0] && remotePort === ends[1] : routeId === next
    );
    assert.equal(rule?.type, i === 0 ? "forward" : i === visors.length - 1 ? "consume" : "intermediary");
    assert.equal(rule.transport, transports[i]);
    next = rule.nextRouteId;
  });
}
