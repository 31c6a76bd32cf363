/**
 * What all listeners share: how an address is read, and what an error of the platform means. Tested in
 * tests/runtime/deno/network_test.ts.
 */

import { UnavailableError } from "../../errors/mod.ts";
import { type HostPort, parseAddress } from "../address.ts";

/**
 * Reads an address that is to be listened on; no host means all interfaces.
 * @throws {UnavailableError} `network/listen-failed` when it is no address
 */
export function parseListenAddress(address: string): HostPort {
  const parsed = parseAddress(address);
  if (parsed === undefined) {
    throw new UnavailableError("network/listen-failed", `Listen on "${address}": wanted host:port`);
  }
  return { host: parsed.host === "" ? "0.0.0.0" : parsed.host, port: parsed.port };
}

const IN_USE = "the address is in use by another program; name another port, or 0 for a free one";

/** Turns what `Deno.listen` or a socket of Node threw into the errors that {@link Network.listen} promises. */
export function listenError(address: string, cause: unknown): UnavailableError {
  const inUse = cause instanceof Deno.errors.AddrInUse || (cause as { code?: unknown }).code === "EADDRINUSE";
  return new UnavailableError(
    inUse ? "network/address-in-use" : "network/listen-failed",
    `Listen on "${address}": ${inUse ? IN_USE : "cannot"}`,
    { details: { address }, ...(inUse ? {} : { cause }) },
  );
}
