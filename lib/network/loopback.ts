/**
 * Networks that stay on one machine: their tickets name loopback, which means another machine elsewhere.
 */

import { sha256 } from "../core/mod.ts";
import { RefusedError } from "../errors/mod.ts";
import { type Network, type Runtime, sleep } from "../runtime/mod.ts";
import { createMessagingDiscoveryClient } from "../services/messaging_discovery/mod.ts";
import { at } from "../types/at.ts";
import { formatHex, type PublicKey } from "../types/mod.ts";
import type { NetworkConfig } from "./network_config.ts";

const MARK_DIGITS = 8;

/** How long a network that was just started may take until its setup nodes are known, ms. */
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
 * The mark of this machine in tickets of a network: tells whether they are taken here, and says nothing else of it.
 * @param setupNode of the network
 * @returns 8 hex digits; undefined where the machine cannot be told from others
 */
export async function machineMark(
  setupNode: PublicKey,
  network: Pick<Network, "loopbackName">,
): Promise<string | undefined> {
  const name = await network.loopbackName?.();
  if (name === undefined) return undefined;
  return formatHex(sha256(new TextEncoder().encode(`${setupNode} ${name}`))).slice(0, MARK_DIGITS);
}

/**
 * Finds out whether a network on loopback is this machine's. The network need not run: on its own machine a visor waits
 * for it. Setup nodes are what makes a network the one it is, and its messaging discovery knows them.
 * @throws {RefusedError} `config/local-ticket` when another network answers, or the ticket was made on another machine and
 * nobody answers here
 */
export async function checkLoopbackNetwork(
  network: NetworkConfig,
  { http, timers, clock, network: own }: Pick<Runtime, "http" | "timers" | "clock" | "network">,
): Promise<void> {
  const url = network.messagingDiscovery;
  const discovery = createMessagingDiscoveryClient({ http, timers, url });
  const mark = await machineMark(at(network.setupNodes, 0), own);
  const isElsewhere = network.machine !== undefined && mark !== undefined && network.machine !== mark;
  const endMs = clock.monotonic() + ANSWERS_WITHIN_MS;
  while (true) {
    const known = await Promise.all(network.setupNodes.map((key) => discovery.isStored(key))).catch(() => undefined);
    if (known?.includes(true) || (known === undefined && !isElsewhere)) return;
    if (clock.monotonic() >= endMs) {
      const reason = known === undefined ? `nobody answers at ${url}` : `another network answers at ${url}`;
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
