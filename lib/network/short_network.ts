/**
 * A network whose services have one host, in few bytes: what a short ticket holds (extensions.md §9).
 * Tested in tests/network/ticket_test.ts.
 */

import { isDeepStrictEqual } from "node:util";
import { concatBytes, publicKeyBytes } from "../types/mod.ts";
import type { NetworkConfig } from "./network_config.ts";

const KEY_BYTES = 33;
const PORT_BYTES = 2;
const MARK_BYTES = 4;

/** Where the network has no mark of its machine. */
const NO_MARK = "00000000";

/** In the order of their ports. */
const SERVICES = ["messagingDiscovery", "transportDiscovery", "routeFinder", "addressResolver"] as const;

/** Writes it; undefined when this form cannot tell the network. */
export function encodeShortNetwork(network: NetworkConfig): Uint8Array<ArrayBuffer> | undefined {
  const { setupNodes } = network;
  const ports = SERVICES.map((service) => Number(URL.parse(network[service] ?? "")?.port ?? 0));
  const bytes = concatBytes(
    Uint8Array.of(setupNodes.length),
    ...setupNodes.map(publicKeyBytes),
    ...ports.map((port) => Uint8Array.of(port >> 8, port & 0xff)),
    Uint8Array.fromHex(network.machine ?? NO_MARK),
    new TextEncoder().encode(new URL(network.messagingDiscovery).hostname),
  );
  // Other members, several hosts, https, keys in place of hosts, more setup nodes than a byte counts.
  const known = Object.entries(network).filter(([, value]) => value !== undefined);
  return isDeepStrictEqual(decodeShortNetwork(bytes), Object.fromEntries(known)) ? bytes : undefined;
}

/** Reads it. The caller checks that it is a network. */
export function decodeShortNetwork(bytes: Uint8Array<ArrayBuffer>): Record<string, unknown> {
  const keysEnd = 1 + KEY_BYTES * (bytes[0] ?? 0);
  const setupNodes: string[] = [];
  for (let begin = 1; begin < keysEnd; begin += KEY_BYTES) {
    setupNodes.push(bytes.subarray(begin, begin + KEY_BYTES).toHex());
  }
  const portsEnd = keysEnd + PORT_BYTES * SERVICES.length;
  const mark = bytes.subarray(portsEnd, portsEnd + MARK_BYTES).toHex();
  const host = new TextDecoder().decode(bytes.subarray(portsEnd + MARK_BYTES));
  const urls = SERVICES.map((service, i) => {
    const begin = keysEnd + PORT_BYTES * i;
    const port = (bytes[begin] ?? 0) << 8 | (bytes[begin + 1] ?? 0);
    return [service, port === 0 ? undefined : `http://${host}:${port}`] as const;
  });
  return {
    ...Object.fromEntries(urls.filter(([, url]) => url !== undefined)),
    setupNodes,
    ...(mark === NO_MARK ? {} : { machine: mark }),
  };
}
