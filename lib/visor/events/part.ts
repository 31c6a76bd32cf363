/**
 * The events of a visor. Transports and routes report their changes. The checks of the status report run every few
 * seconds while somebody listens; a change counts when two runs in a row found it.
 */

import { createQueue, type Queue, type Runtime, sleep, type Timers } from "../../runtime/mod.ts";
import type { RouteConnection, Router } from "../../routing/mod.ts";
import type { TransportTable } from "../../transport/mod.ts";
import { visorsOf } from "../../types/mod.ts";
import type { ProxiesPart } from "../proxies/part.ts";
import type { StatusCheck, VisorStatus } from "../status/view.ts";
import { viewOf } from "../transports/view.ts";
import { EventJournal } from "./journal.ts";
import type { VisorEvent } from "./view.ts";

/** How often the status is looked at, ms. */
const CHECK_EVERY_MS = 5_000;

/** Events that wait for one listener. */
const MOST_WAITING = 1_024;

type News = VisorEvent extends infer Event ? Event extends VisorEvent ? Omit<Event, "at"> : never : never;

/** What events come from. */
export interface EventsDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random">;
  readonly table: Pick<TransportTable, "onChange">;
  readonly router: Pick<Router, "onConnection">;
  readonly proxies: Pick<ProxiesPart, "onRefusal">;
  readonly status: () => Promise<VisorStatus>;
}

/** Tells events. Disposing ends all iterations. */
export class EventsPart implements Disposable {
  /** The events with ids. */
  readonly journal: EventJournal;
  readonly #deps: EventsDeps;
  readonly #closing = new AbortController();

  /** Watches nothing until somebody listens. */
  constructor(deps: EventsDeps) {
    this.#deps = deps;
    this.journal = new EventJournal({ runtime: deps.runtime, watch: (signal) => this.watch(signal) });
  }

  /** Where time comes from. */
  get timers(): Timers {
    return this.#deps.runtime.timers;
  }

  /** All events from the first step of the iteration on, until `signal` aborts or the visor ends. */
  async *watch(signal?: AbortSignal): AsyncGenerator<VisorEvent> {
    const { table, router, proxies } = this.#deps;
    const inbox = new Inbox(this.#deps.runtime);
    const left = new AbortController();
    const over = AbortSignal.any([left.signal, this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    const unsubscribe = [
      table.onChange(({ type, transport, reason }) => {
        inbox.tell({
          type: `transport-${type}`,
          transport: viewOf(transport),
          ...(reason !== undefined && { reason }),
        });
      }),
      router.onConnection((connection) => this.#follow(connection, inbox)),
      proxies.onRefusal((refusal) => inbox.tell({ type: "proxy-refused", refusal })),
    ];
    over.addEventListener("abort", () => inbox.close(), { once: true });
    if (over.aborted) inbox.close();
    this.#check(inbox, over);
    try {
      yield* inbox;
    } finally {
      for (const end of unsubscribe) end();
      left.abort();
    }
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
    this.journal[Symbol.dispose]();
  }

  #follow(connection: RouteConnection, inbox: Inbox): void {
    const { remoteKey, remotePort, localPort, route: hops, setupMs } = connection;
    const path = visorsOf(hops);
    const route = { remote: remoteKey, remotePort, localPort, path };
    inbox.tell({ type: "route-set-up", route, ...(setupMs !== undefined && { setupMs }) });
    connection.onMoved(({ from, to, cause, lostMs }) =>
      inbox.tell({ type: "connection-moved", route, from: visorsOf(from), to: visorsOf(to), cause, lostMs })
    );
    connection.closed.then(({ reason, message }) =>
      inbox.tell({ type: "route-ended", route, reason, ...(message !== undefined && { message }) })
    );
  }

  async #check(inbox: Inbox, over: AbortSignal): Promise<void> {
    const seen = new Map<string, StatusCheck["state"]>(), told = new Map<string, StatusCheck["state"]>();
    while (!over.aborted) {
      const { checks } = await this.#deps.status();
      for (const check of over.aborted ? [] : checks) {
        const { name, state } = check;
        // Two looks in a row must find the state: a dial under way is over by then.
        if (state === seen.get(name) && state !== (told.get(name) ?? "ok")) {
          told.set(name, state);
          inbox.tell({ type: state === "ok" ? "recovered" : "degraded", check });
        }
        seen.set(name, state);
      }
      await sleep(this.#deps.runtime.timers, CHECK_EVERY_MS, over).catch(() => {});
    }
  }
}

/** The events of one listener. */
class Inbox implements AsyncIterable<VisorEvent> {
  readonly #runtime: Pick<Runtime, "clock">;
  readonly #waiting: Queue<VisorEvent> = createQueue(MOST_WAITING);
  #missed = 0;

  constructor(runtime: Pick<Runtime, "clock">) {
    this.#runtime = runtime;
  }

  tell(news: News): void {
    const at = new Date(this.#runtime.clock.wallMs()).toISOString();
    if (this.#missed > 0 && this.#waiting.push({ type: "missed", count: this.#missed, at })) this.#missed = 0;
    if (!this.#waiting.push({ ...news, at } as VisorEvent)) this.#missed++;
  }

  close(): void {
    this.#waiting.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<VisorEvent> {
    return this.#waiting[Symbol.asyncIterator]();
  }
}
