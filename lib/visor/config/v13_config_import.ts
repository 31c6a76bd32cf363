/**
 * Takes over what a v1.3 configuration file says into the data folder, at each start that names one. What the folder has
 * besides stays.
 */

import { parseV13Config, type V13Config } from "./v13_config.ts";
import { makeVisorConfig } from "./visor_config.ts";
import { publicKeyOf } from "../../core/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import type { Log } from "../../runtime/mod.ts";
import { shortKey } from "../../types/mod.ts";
import type { DataFolder } from "../data_folder.ts";
import { keptProxies, type KeptProxy } from "../proxies/kept.ts";
import { wantedTransports } from "../transports/wanted.ts";

/** What to take over, and where to warn. */
export interface V13ConfigSource {
  /** Of the file. */
  readonly text: string;
  /** Gets a warning for every key that has no effect here. */
  readonly log: Log;
}

/**
 * Takes it over.
 * @param folder locked by this visor
 * @throws {RefusedError} `config/invalid`, `config/bad-key`; `config/other-visor` when the folder is another visor's
 */
export async function importV13Config(folder: DataFolder, { text, log }: V13ConfigSource): Promise<void> {
  const file = parseV13Config(text);
  using secret = file.secret;
  using kept = await folder.secretKey("visor", secret);
  const [wanted, there] = [publicKeyOf(secret), publicKeyOf(kept)];
  if (wanted !== there) {
    throw new RefusedError(
      "config/other-visor",
      `Start the visor: the configuration is of ${shortKey(wanted)}, but the data folder "${folder.path}" is of ` +
        `${shortKey(there)}; name another folder with --data`,
    );
  }
  const config = await folder.config() ?? makeVisorConfig({});
  await folder.saveConfig({ ...config, ...file.config, ports: { ...config.ports, ...file.config.ports } });
  await wantedTransports(folder.storage).change((transports) => [
    ...transports,
    ...file.transports.filter(({ remote, type }) =>
      !transports.some((transport) => transport.remote === remote && transport.type === type)
    ),
  ]);
  const proxies = proxiesOf(file);
  await keptProxies(folder.storage).change((kept) => [
    ...kept.filter((old) => !proxies.some((proxy) => takesPlaceOf(proxy, old))),
    ...proxies,
  ]);
  for (const key of file.unsupported) log.warn("config-key-unsupported", { key });
}

function proxiesOf({ server, clients }: V13Config): KeptProxy[] {
  const ifStopped = (stopped: boolean): { stopped?: true } => stopped ? { stopped } : {};
  return [
    ...(server === undefined ? [] : [{
      role: "server" as const,
      ...(server.passcode === undefined ? {} : { passcode: server.passcode }),
      allow: [],
      destinations: ["public"],
      ...ifStopped(server.stopped),
    }]),
    ...clients.map(({ to, listen, stopped }) => ({ role: "client" as const, to, listen, ...ifStopped(stopped) })),
  ];
}

/** There is one server, and one client at an address. */
function takesPlaceOf(proxy: KeptProxy, old: KeptProxy): boolean {
  if (proxy.role === "server" || old.role === "server") return proxy.role === old.role;
  return proxy.listen === old.listen;
}
