/**
 * With which configuration a visor starts: what its data folder holds, changed by what this start asks for.
 * Tested in tests/visor/public_visors_test.ts.
 */

import { makeVisorConfig, type VisorConfig } from "./visor_config.ts";
import { parseTicket } from "../../network/mod.ts";
import type { DataFolder } from "../data_folder.ts";
import type { VisorSettings } from "../settings.ts";

/**
 * Loads the configuration.
 * @throws {RefusedError} `config/bad-ticket`, `config/invalid`
 */
export async function loadConfig(folder: DataFolder, options: VisorSettings): Promise<VisorConfig> {
  const { join, host, autoTransport, autoconnect, routeFinder } = options;
  const kept = await folder.config() ?? makeVisorConfig({});
  return {
    ...kept,
    network: join === undefined ? kept.network : parseTicket(join),
    host: host ?? kept.host,
    autoTransport: autoTransport ?? kept.autoTransport,
    public: options.public ?? kept.public,
    autoconnect: autoconnect ?? kept.autoconnect,
    routeFinder: routeFinder === undefined ? kept.routeFinder : routeFinder === "local" ? "local" : undefined,
  };
}
