/**
 * Setting up routes: the setup node, the visor's client that asks it, and the visor's gateway that takes rules from it.
 *
 * @module
 */

export type { SetupNodeLimits } from "./requester_quota.ts";
export {
  checkRouteAsV13,
  checkRouteStrictly,
  countRouteIds,
  makeRouteRules,
  type RouteRules,
  type StrictCheck,
} from "./rules.ts";
export { createSetupNode, type SetupNode, type SetupNodeDeps } from "./setup_node.ts";
