/** Who a request came from, where a proxy stands in front of the service (transports.md §6.1). */

import { formatAddress, parseAddress } from "../../runtime/mod.ts";

/** Headers in which proxies name the client, the first that is there counts. */
const PROXY_HEADERS = ["True-Client-IP", "X-Real-IP", "X-Forwarded-For"];

/**
 * The client whom the proxy names. The proxy must set the header itself: what it only passes on, the client may have made up.
 * @param headers of the request
 * @param remote `host:port` of the connection; `<key>:port` over messaging, which no proxy stands in front of
 * @returns `host:port` of the client, with port 0; `remote` when nobody is named
 */
export function clientBehindProxy(headers: Headers, remote: string): string {
  const connected = parseAddress(remote)?.host ?? "";
  if (!isIp(connected)) return remote;
  const named = PROXY_HEADERS.map((name) => headers.get(name)).find((text) => text !== null);
  const first = named?.split(",")[0]?.trim() ?? "";
  return isIp(first) ? formatAddress(first, 0) : remote;
}

/** Does the text look like an IPv4 or IPv6 address? */
function isIp(text: string): boolean {
  if (text.includes(":")) return /^[0-9a-f:.]+$/i.test(text);
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}
