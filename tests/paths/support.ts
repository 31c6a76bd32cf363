/** A map that the test changes by hand, and what a route finder says about it. */

import type { FeedEvent, TransportFeed } from "../../lib/services/transport_discovery/mod.ts";
import type { TransportEntry } from "../../lib/wire/transport_entry.ts";

/** A feed that tells these transports, and then nothing more. */
export function feedOf(entries: readonly TransportEntry[]): TransportFeed {
  return {
    async *follow({ signal }): AsyncGenerator<FeedEvent> {
      yield { type: "snapshot", isFirst: true, isLast: true, entries };
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  };
}
