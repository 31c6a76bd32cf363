/**
 * From where a machine is reached by the name or address that others are told. Tested in
 * tests/visor/public_visors_test.ts.
 */

import { type Runtime, withTimeout } from "../runtime/mod.ts";
import { isPrivateIPv4, isPublicIPv4 } from "../services/address_resolver/mod.ts";
import { isLoopbackHost } from "./loopback.ts";
import { isKeyUrl, type NetworkConfig } from "./network_config.ts";

/** A start does not wait longer for a name to be resolved, ms. */
const RESOLVE_WITHIN_MS = 2_000;

/**
 * `machine`: from itself only; `network`: from its private network; `internet`: by a public IPv4 address; `unresolved`: by a
 * name that cannot be resolved at the moment; `other`: by what is no IPv4 address.
 */
export type Reach = "machine" | "network" | "internet" | "unresolved" | "other";

/** Finds out from where a name or address is reached. */
export async function reachOf(host: string, { network, timers }: Pick<Runtime, "network" | "timers">): Promise<Reach> {
  if (isLoopbackHost(host)) return "machine";
  const addresses = await withTimeout((signal) => network.resolve(host, { signal }), {
    timers,
    ms: RESOLVE_WITHIN_MS,
    code: "network/resolve-failed",
    message: `Resolve "${host}"`,
  }).catch(() => undefined);
  if (addresses === undefined) return "unresolved";
  if (addresses.some(isPublicIPv4)) return "internet";
  if (addresses.some(isPrivateIPv4)) return "network";
  return addresses.every(isLoopbackHost) ? "machine" : "other";
}

/**
 * From where the address resolver of a network is reached. One that is named by its key is where the network's other
 * services are, or its messaging servers.
 */
export async function resolverReach(
  { addressResolver, messagingDiscovery, messagingServers = [] }: NetworkConfig,
  runtime: Pick<Runtime, "network" | "timers">,
): Promise<Reach> {
  const servers = messagingServers.map(({ address }) => `http://${address}`);
  const place = [addressResolver, messagingDiscovery, ...servers].find((url) => url !== undefined && !isKeyUrl(url));
  const { hostname } = new URL(place ?? "http://0.0.0.0");
  return await reachOf(hostname.replace(/^\[|\]$/g, ""), runtime);
}
