/**
 * Tells an uptime tracker of v1.3 that a visor is there (transports.md §8.2). A network's monitor takes visors off that do
 * not. Tested in tests/services/uptime_tracker/client_test.ts.
 */

import { UnavailableError } from "../../errors/mod.ts";
import type { SecretKey } from "../../types/mod.ts";
import { createSignedClient, type ServiceClientDeps } from "../http/mod.ts";

/** How often visors report: an update is good for 6 minutes, and counts as 5. */
export const REPORT_EVERY_MS = 5 * 60_000;

/** What a client needs. `{ ...runtime, url, secret }` fits. */
export interface UptimeTrackerClientDeps extends ServiceClientDeps {
  /** The key of the visor; it signs the requests. The client does not dispose it. */
  readonly secret: SecretKey;
}

/** Makes the report. @throws {UnavailableError} `http/unreachable`, `http/timeout`, `uptime-tracker/failed` */
export function createUptimeReport(deps: UptimeTrackerClientDeps): (version: string) => Promise<void> {
  const signed = createSignedClient(deps);
  return async (version) => {
    const { status } = await signed({ method: "GET", path: `/v4/update?version=${encodeURIComponent(version)}` });
    if (status === 200) return;
    throw new UnavailableError("uptime-tracker/failed", `Report to the uptime tracker: it answered ${status}`);
  };
}
