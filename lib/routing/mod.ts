/**
 * Routes: dialling and accepting connections over several visors, and measuring them.
 *
 * @module
 */
export { createRouter, type DialOptions, type Router, type RouterDeps } from "./router.ts";
export type { ConnectionLeg, ConnectionMove, RouteConnection, RouteConnectionStats } from "./route_connection.ts";
export type { SessionOptions } from "./session/dial.ts";
export { type ExplainDeps, explainDial } from "./explain.ts";
export { DEFAULT_DIAL_HOPS } from "./rank.ts";
export type { RuleLimits } from "./rule_quota.ts";
export type { RuleSummary } from "./rule_summary.ts";
export type { GroupEnd } from "./group.ts";
export type { GroupCloseReason } from "../core/mod.ts";
export { PING_PORT, type PingDialer, type PingOptions, pingPeer, type PingResult } from "./ping.ts";
