/** A transport as the network's map has it: its entry, whether it works, and its figures. */

import type { TransportEntry } from "./transport_entry.ts";
import type { TransportFigures } from "./transport_status.ts";

/** Does a transport carry packets? `unknown`: its edges told nothing, or not lately. */
export type TransportState = "working" | "not-working" | "unknown";

/** See the top of the file. */
export interface MapTransport extends TransportEntry, TransportFigures {
  /** What both edges together say; absent: nobody told. */
  readonly status?: TransportState;
  /** Since when, Unix ms by the clock of the discovery; absent when the status is unknown. */
  readonly since?: number;
}
