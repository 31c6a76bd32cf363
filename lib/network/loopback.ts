/**
 * Networks that stay on one machine: their tickets name loopback, which is another machine wherever they are taken to.
 */

import { RefusedError } from "../errors/mod.ts";
import { type Runtime, sleep } from "../runtime/mod.ts";
import { createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";
import type { NetworkConfig } from "./network_config.ts";

/** How long a network that was just started may take to answer, ms. */
const ANSWERS_WITHIN_MS = 3_000;

/** Between two questions, ms. */
const ASK_EVERY_MS = 250;

/** Does the name lead a machine to itself? */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Is it a network for its own machine only? */
export function isLoopbackNetwork({ messagingDiscovery }: NetworkConfig): boolean {
  const { hostname } = new URL(messagingDiscovery);
  return isLoopbackHost(hostname.replace(/^\[|\]$/g, ""));
}

/**
 * Waits until the network of a ticket that names loopback answers here. Its setup nodes are what makes a network the one
 * it is, and its messaging discovery knows them.
 * @throws {RefusedError} `config/local-ticket` when nobody answers within 3 s, or another network does
 */
export async function checkLoopbackNetwork(
  network: NetworkConfig,
  { http, timers, clock }: Pick<Runtime, "http" | "timers" | "clock">,
): Promise<void> {
  const url = network.messagingDiscovery;
  const discovery = createMessagingDiscoveryClient({ http, timers, url });
  const endMs = clock.monotonic() + ANSWERS_WITHIN_MS;
  while (true) {
    const reason = await Promise.all(network.setupNodes.map((key) => discovery.isStored(key))).then(
      (known) => known.includes(true) ? undefined : `another network answers at ${url}`,
      () => `nobody answers at ${url}`,
    );
    if (reason === undefined) return;
    if (clock.monotonic() >= endMs) {
      throw new RefusedError(
        "config/local-ticket",
        `Join the network: the ticket is for the machine that it was made on, and ${reason} here; for other machines, ` +
          "start the visor that made it with --host and a name or address that they reach it by, and take its new ticket",
        { details: { url } },
      );
    }
    await sleep(timers, ASK_EVERY_MS);
  }
}
