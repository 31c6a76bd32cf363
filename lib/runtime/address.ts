/**
 * `host:port` as text: what `Network` and `Http` take and give. IPv6 hosts stand in brackets, `[::1]:80`. Tested in
 * tests/runtime/wait_test.ts.
 */

/** A host and a port, apart. */
export interface HostPort {
  /** A name or an IP address, without brackets. Empty means «all interfaces» when listening. */
  readonly host: string;
  /** 0–65535; 0 means «any free port» when listening. */
  readonly port: number;
}

/**
 * Reads `host:port`, `[v6]:port` or `:port`.
 * @param text the address
 * @returns both parts, or undefined when it is no address
 */
export function parseAddress(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/@]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  return port > 0xffff ? undefined : { host: match[1] ?? match[2] ?? "", port };
}

/**
 * Writes `host:port`, with brackets around an IPv6 host.
 * @param host without brackets
 * @param port 0–65535
 */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
