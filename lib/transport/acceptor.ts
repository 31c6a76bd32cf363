/**
 * Accepts links and sets them up side by side: a silent peer costs its own place for a while and stops nobody, unlike
 * v1.3, where it stalls a whole kind (transports.md §10, W3, W5).
 */

import { describeError } from "../errors/mod.ts";
import { parseAddress } from "../runtime/mod.ts";
import type { Log } from "../runtime/mod.ts";
import { discardRawLink } from "./driver.ts";
import type { RawLink, RawListener } from "./driver.ts";
import type { TransportMetrics } from "./metrics.ts";

/** Links being set up at once. Each costs some KB and, after F2, half a millisecond of processor. */
const MOST_AT_ONCE = 256;

/** Of these, from one host: leaves room for others, and is enough for visors behind one NAT that start together. */
const MOST_PER_HOST = 64;

/** What an acceptor needs. */
export interface AcceptorDeps {
  readonly listener: RawListener;
  /** Sets a link up; closes it itself when it fails. */
  readonly accept: (link: RawLink) => Promise<void>;
  readonly log: Log;
  readonly metrics: Pick<TransportMetrics, "acceptsFailed" | "acceptsShed">;
}

/** Accepts until the listener is closed. @returns when it is, and all set-ups have ended */
export async function runAcceptor(deps: AcceptorDeps): Promise<void> {
  const { listener, accept, log, metrics } = deps;
  const running = new Set<Promise<void>>();
  const perHost = new Map<string, number>();
  const serve = async (link: RawLink, host: string): Promise<void> => {
    perHost.set(host, (perHost.get(host) ?? 0) + 1);
    try {
      await accept(link);
    } catch (error) {
      metrics.acceptsFailed.add();
      log.debug("transport-accept-failed", { from: link.remoteAddress, error: describeError(error) });
    } finally {
      const left = (perHost.get(host) ?? 1) - 1;
      if (left === 0) perHost.delete(host);
      else perHost.set(host, left);
    }
  };
  for await (const link of listener) {
    const host = parseAddress(link.remoteAddress)?.host ?? link.remoteAddress;
    if (running.size >= MOST_AT_ONCE || (perHost.get(host) ?? 0) >= MOST_PER_HOST) {
      metrics.acceptsShed.add();
      discardRawLink(link);
      continue;
    }
    const served = serve(link, host).finally(() => running.delete(served));
    running.add(served);
  }
  await Promise.all(running);
}
