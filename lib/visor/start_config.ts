/** With which configuration a visor starts: what its data folder holds, changed by what this start asks for. */

import { makeVisorConfig, parseTicket, type VisorConfig } from "../config/mod.ts";
import { RefusedError } from "../errors/mod.ts";
import type { Http } from "../runtime/mod.ts";
import type { DataFolder } from "./data_folder.ts";

/** What a start may ask for. */
export interface StartOptions {
  readonly http: Http;
  readonly join?: string;
  readonly host?: string;
  readonly autoTransport?: boolean;
}

/**
 * Loads the configuration of a data folder that no other visor uses.
 * @throws {RefusedError} `visor/already-running`, `config/bad-ticket`, `config/invalid`
 */
export async function loadConfig(folder: DataFolder, options: StartOptions): Promise<VisorConfig> {
  await refuseSecond(folder, options.http);
  const { join, host, autoTransport } = options;
  const kept = await folder.config() ?? makeVisorConfig({});
  return {
    ...kept,
    network: join === undefined ? kept.network : parseTicket(join),
    host: host ?? kept.host,
    autoTransport: autoTransport ?? kept.autoTransport,
  };
}

/** Two visors on one folder would both be «the» visor of its key. A file left by one that was killed does no harm. */
async function refuseSecond(folder: DataFolder, http: Http): Promise<void> {
  const control = await folder.control();
  if (control === undefined) return;
  const request = new Request(`${control.url}/v1/apps`, { headers: { authorization: `Bearer ${control.token}` } });
  const response = await http.fetch(request).catch(() => undefined);
  await response?.body?.cancel();
  if (response?.ok) {
    throw new RefusedError(
      "visor/already-running",
      `Start the visor: one runs already on the data folder "${folder.path}"; stop it, or name another with --data`,
    );
  }
}
