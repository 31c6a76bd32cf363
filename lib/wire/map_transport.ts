/** A transport as the network's map has it: its entry, whether it works, and its figures. */

import type { TransportEntry } from "./transport_entry.ts";
import type { TransportFigures } from "./transport_status.ts";

/** Does a transport carry packets? `unknown`: its edges reported nothing, or not lately. */
export type TransportState = "working" | "not-working" | "unknown";

/** A transport as the map of the network has it: its entry, whether it works, and its figures. */
export interface MapTransport extends TransportEntry, TransportFigures {
  /** What both edges together report; absent when neither did. */
  readonly status?: TransportState;
  /** Since when the status holds, Unix ms by the clock of the discovery; absent when the status is unknown. */
  readonly since?: number;
}
