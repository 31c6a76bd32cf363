/**
 * URLs that name a public key in place of a host (dmsg.md §7.2):
 *
 * ```
 * dmsg://<66 hex digits>[:port]/path        as in v1.3 and in configurations
 * http://<66 hex digits>.sky[:port]/path    as people type it
 * ```
 *
 * Tested in tests/network/ticket_test.ts.
 */

/** What follows a key where a URL must look like one of the web. */
const KEY_DOMAIN = ".sky";

/**
 * What stands in a URL where the key must be.
 * @returns unchecked text; undefined for a URL that names a host
 */
export function keyTextOf(url: URL): string | undefined {
  const isInDomain = url.hostname.endsWith(KEY_DOMAIN);
  if (url.protocol !== "dmsg:" && !(url.protocol === "http:" && isInDomain)) return undefined;
  return isInDomain ? url.hostname.slice(0, -KEY_DOMAIN.length) : url.hostname;
}
