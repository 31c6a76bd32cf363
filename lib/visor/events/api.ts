/** Events over the control API, as a stream that can be resumed. Tested in tests/visor/events/stream_test.ts. */

import { UnavailableError } from "../../errors/mod.ts";
import type { Timers } from "../../runtime/mod.ts";
import { formatEvent, streamEvents } from "../../services/http/mod.ts";
import { answer, type ContentOperation, type ControlRoute } from "../control/operation.ts";
import type { EventJournal, NumberedEvent } from "./journal.ts";
import { eventSchema } from "./view.ts";

/** The most clients at a time. Each holds a connection. */
const MOST_CLIENTS = 64;

/** How often a quiet stream sends a comment, ms: clients take a silent one for dead. */
const KEEP_ALIVE_MS = 15_000;

/** The stream. */
export const FOLLOW_EVENTS: ContentOperation = {
  method: "GET",
  path: "/v1/events",
  summary: "What happens, as server-sent events; the data of each is as described",
  headers: {
    "Last-Event-ID":
      "The id of the last event seen: the stream goes on after it, and begins with an event `missed` when " +
      "what followed is not known any more. Absent: it begins now",
  },
  content: "text/event-stream",
  each: eventSchema,
};

/** The route of the stream. @param deps the events with ids, and time */
export function eventRoutes(
  { journal, timers }: { readonly journal: EventJournal; readonly timers: Timers },
): ControlRoute[] {
  let clients = 0;
  return [
    answer(FOLLOW_EVENTS, ({ request, closing }) => {
      if (clients >= MOST_CLIENTS) {
        throw new UnavailableError("visor/too-many-followers", `Serve more than ${MOST_CLIENTS} followers of events`);
      }
      clients++;
      const after = request.headers.get("last-event-id") ?? undefined;
      return streamEvents((signal) => formatted(journal.follow(after, signal)), {
        timers,
        keepAliveMs: KEEP_ALIVE_MS,
        closing,
        onEnd: () => clients--,
      });
    }),
  ];
}

async function* formatted(events: AsyncIterable<NumberedEvent>): AsyncGenerator<string> {
  for await (const { id, event } of events) {
    yield formatEvent({ id, event: event.type, data: JSON.stringify(event) });
  }
}
