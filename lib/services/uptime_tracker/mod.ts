/**
 * The uptime tracker of v1.3, as its clients see it.
 *
 * @module
 */
export { createUptimeReport, REPORT_EVERY_MS, type UptimeTrackerClientDeps } from "./client.ts";
