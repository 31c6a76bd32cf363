/**
 * The feed over HTTP: as a stream of events on one side, and read again on the other. Tested in
 * tests/services/transport_discovery/discovery_test.ts.
 */

import { describeError, ProtocolError, UnavailableError } from "../../errors/mod.ts";
import { type Log, Signal, sleep, type Timers, untilAborted, withTimeout } from "../../runtime/mod.ts";
import { parseTransportId } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { isJsonObject, type Json, parseJson } from "../../wire/go_json.ts";
import { decodeTransportEntry, formatTransportEntry, type TransportEntry } from "../../wire/transport_entry.ts";
import { decodeFigures } from "../../wire/transport_status.ts";
import {
  createServiceClient,
  type DocumentedRoute,
  formatEvent,
  JSON_TYPE,
  parseEvents,
  REQUEST_WITHIN_MS,
  type ServerEvent,
  type ServiceClientDeps,
  streamEvents,
  TextResponse,
  trimUrl,
} from "../http/mod.ts";
import { FEED_EVENTS, isTransportState, KEEP_ALIVE_MS, PATHS } from "./api.ts";
import { DOCS } from "./docs.ts";
import type { MapTransport } from "../../wire/map_transport.ts";
import type { FeedEvent, LocalFeed, TransportChange, TransportFeed } from "./feed.ts";
import { FollowerPlaces } from "./follower_places.ts";

/** A stream that says nothing for so long is dead, ms: three comments were lost. */
const SILENCE_MS = 3 * KEEP_ALIVE_MS;

/** The longest event that is read, characters: several times what is written at once. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024;

/** How often a v1.3 discovery, which has no feed, is asked for everything, ms. */
const POLL_MS = 10_000;

/** The shortest pause between two such polls, however many want to know more, ms. */
const MIN_POLL_PAUSE_MS = 500;

/** What {@link feedRoute} needs. */
export interface FeedRouteDeps {
  readonly feed: TransportFeed;
  readonly timers: Timers;
  readonly log: Pick<Log, "warn">;
  /** Ends all streams. */
  readonly closing: AbortSignal;
}

/** The route that tells how far the map is. */
export function positionRoute({ feed }: { readonly feed: LocalFeed }): DocumentedRoute {
  return {
    method: "GET",
    path: PATHS.position,
    doc: DOCS.position,
    handle: () => new TextResponse(`${JSON.stringify({ position: feed.position })}\n`, { headers: JSON_TYPE }),
  };
}

/** The route of the stream. */
export function feedRoute(deps: FeedRouteDeps): DocumentedRoute {
  const { feed, timers, log, closing } = deps;
  const places = new FollowerPlaces();
  return {
    method: "GET",
    path: PATHS.changes,
    doc: DOCS.changes,
    handle: (call) => {
      const giveBack = places.take(call.remote);
      const after = call.request.headers.get("last-event-id") ?? call.query("since");
      return streamEvents((signal) => formatted(feed.follow({ after, signal })), {
        timers,
        keepAliveMs: KEEP_ALIVE_MS,
        closing,
        onEnd: (error) => {
          giveBack();
          if (error !== undefined) log.warn("feed-broke", { error: describeError(error) });
        },
      });
    },
  };
}

async function* formatted(events: AsyncIterable<FeedEvent>): AsyncGenerator<string> {
  for await (const event of events) yield formatFeedEvent(event);
}

/**
 * Makes a feed that follows a discovery elsewhere. A discovery of v1.3 has no feed: it is asked for all transports every
 * now and then, and each change gives a snapshot.
 *
 * ```ts
 * import { createDenoRuntime } from "../../runtime/deno/mod.ts";
 * import { createTransportDiscovery, createTransportFeedClient } from "./mod.ts";
 *
 * using runtime = createDenoRuntime();
 * const http = await createTransportDiscovery({ runtime });
 * const feed = createTransportFeedClient({ ...runtime, http, url: "http://discovery" });
 * const stop = new AbortController();
 * for await (const event of feed.follow({ signal: stop.signal })) {
 *   if (event.type === "snapshot" && event.isLast) break;
 * }
 * await http.close();
 * ```
 *
 * @returns the feed; it connects when somebody follows
 */
export function createTransportFeedClient(deps: ServiceClientDeps): TransportFeed {
  const { http, timers } = deps;
  const base = trimUrl(deps.url);
  const send = createServiceClient(deps);
  /** Who waits for the next poll, while a discovery of v1.3 is followed. */
  let polling: PollWaiters | undefined;

  async function* follow(
    { after, signal, onTaken }: Parameters<TransportFeed["follow"]>[0],
  ): AsyncGenerator<FeedEvent> {
    const connection = new AbortController();
    const both = AbortSignal.any([signal, connection.signal]);
    const within = <T>(ms: number, work: Promise<T>): Promise<T> =>
      withTimeout(() => work, {
        timers,
        ms,
        code: "transport-discovery/feed-silent",
        message: "Follow the transport discovery",
        signal,
      });
    try {
      const headers: Record<string, string> = after === undefined ? {} : { "last-event-id": after };
      const request = new Request(base + PATHS.changes, { headers, signal: both });
      const response = await within(REQUEST_WITHIN_MS, http.fetch(request));
      if (response.status === 404) {
        await response.body?.cancel();
        yield* poll(signal);
      }
      if (response.status !== 200 || response.body === null) {
        await response.body?.cancel();
        throw new UnavailableError(
          "transport-discovery/no-feed",
          `Follow the transport discovery: it answered ${response.status}`,
        );
      }
      onTaken?.();
      const events = parseEvents(response.body, {
        maxCharacters: MAX_EVENT_CHARACTERS,
        read: (work) => within(SILENCE_MS, work),
      });
      for await (const event of events) {
        const decoded = decodeFeedEvent(event);
        if (decoded instanceof Fault) throw new ProtocolError("transport-discovery/bad-event", decoded.message);
        if (decoded !== undefined) yield decoded;
      }
      signal.throwIfAborted();
      throw new UnavailableError("transport-discovery/feed-ended", "Follow the transport discovery: the stream ended");
    } finally {
      connection.abort();
    }
  }

  async function* poll(signal: AbortSignal): AsyncGenerator<FeedEvent, never> {
    let known: string | undefined;
    const waiters = polling = new PollWaiters();
    try {
      while (true) {
        const asked = waiters.take();
        const { status, text } = await send({ method: "GET", path: PATHS.all, isList: true, signal });
        const entries = status === 200 ? decodeEntries(parseJson(text)) : undefined;
        if (entries === undefined) {
          throw new UnavailableError("transport-discovery/no-feed", `Ask for all transports: the answer was ${status}`);
        }
        if (text !== known) yield { type: "snapshot", isFirst: true, isLast: true, entries };
        known = text;
        // Callers that asked before the request was sent now know all that existed then.
        for (const resolve of asked) resolve();
        await sleep(timers, MIN_POLL_PAUSE_MS, signal);
        await waiters.wanted({ timers, ms: POLL_MS - MIN_POLL_PAUSE_MS, signal });
      }
    } finally {
      polling = undefined;
    }
  }

  const refresh = async ({ signal }: { readonly signal: AbortSignal }): Promise<string | undefined> => {
    if (polling !== undefined) return await untilAborted(polling.next(), signal);
    const { status, text } = await send({ method: "GET", path: PATHS.position, signal });
    const json = status === 200 ? parseJson(text) : new Fault("transport-discovery/no-position", `${status}`);
    const position = json instanceof Fault || !isJsonObject(json) ? undefined : json["position"];
    if (typeof position === "string") return position;
    throw new UnavailableError("transport-discovery/no-position", `Ask for the position: the answer was ${status}`);
  };

  return { follow, refresh };
}

/** Callers that want a v1.3 discovery to be polled early. */
class PollWaiters {
  #waiting: (() => void)[] = [];
  readonly #added = new Signal();

  /** Resolves when a poll that begins from now on has been told to followers. */
  next(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(undefined));
      this.#added.notify();
    });
  }

  /** Takes the waiting callers; a poll for them begins now. */
  take(): readonly (() => void)[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** Waits until somebody wants a poll, or for a time. */
  async wanted({ timers, ms, signal }: { timers: Timers; ms: number; signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.length === 0) await this.#added.nextWithin(timers, ms, signal);
  }
}

/** The text of an event, see {@link FEED_EVENTS}. */
export function formatFeedEvent(event: FeedEvent): string {
  const id = event.position === undefined ? {} : { id: event.position };
  if (event.type === "changes") {
    const changes = event.changes.map((change) =>
      "added" in change ? `{"added":${formatFeedTransport(change.added)}}` : `{"removed":"${change.removed}"}`
    );
    return formatEvent({ ...id, event: FEED_EVENTS.changes, data: `[${changes.join()}]` });
  }
  const { isFirst, isLast, entries } = event;
  const data = `{"first":${isFirst},"last":${isLast},"transports":[${entries.map(formatFeedTransport).join()}]}`;
  return formatEvent({ ...id, event: FEED_EVENTS.snapshot, data });
}

/** Reads an event; undefined for one that a later version may send. */
export function decodeFeedEvent(event: ServerEvent): FeedEvent | undefined | Fault {
  const json = parseJson(event.data);
  if (json instanceof Fault) return json;
  const bad = new Fault("transport-discovery/bad-event", `Not an event "${event.event}"`);
  switch (event.event) {
    case FEED_EVENTS.snapshot: {
      if (!isJsonObject(json)) return bad;
      const { first, last, transports } = json;
      const entries = decodeList(transports ?? null, decodeFeedTransport);
      if (typeof first !== "boolean" || typeof last !== "boolean" || entries === undefined) return bad;
      const position = event.id === undefined ? {} : { position: event.id };
      return { type: "snapshot", isFirst: first, isLast: last, entries, ...position };
    }
    case FEED_EVENTS.changes: {
      if (!Array.isArray(json) || event.id === undefined) return bad;
      const changes = json.map(decodeChange);
      if (!changes.every((change) => change !== undefined)) return bad;
      return { type: "changes", changes, position: event.id };
    }
    default:
      return undefined;
  }
}

function decodeChange(json: Json): TransportChange | undefined {
  if (!isJsonObject(json)) return undefined;
  if (typeof json["removed"] === "string") {
    const removed = parseTransportId(json["removed"]);
    return removed === undefined ? undefined : { removed };
  }
  const added = decodeFeedTransport(json["added"] ?? null);
  return added instanceof Fault ? undefined : { added };
}

/** An entry as v1.3 writes it, and the optional members behind it. */
function formatFeedTransport(transport: MapTransport): string {
  const { status, latencyMs, throughputMBps, resetsPerHour } = transport;
  const optional = JSON.stringify({ status, latencyMs, throughputMBps, resetsPerHour });
  const entry = formatTransportEntry(transport);
  return optional === "{}" ? entry : `${entry.slice(0, -1)},${optional.slice(1)}`;
}

function decodeFeedTransport(json: Json): MapTransport | Fault {
  const entry = decodeTransportEntry(json);
  if (entry instanceof Fault || !isJsonObject(json)) return entry;
  const { status } = json;
  const figures = decodeFigures(json);
  if (figures === undefined || (status ?? null) !== null && !isTransportState(status)) {
    return new Fault("transport-discovery/bad-event", "A transport has a status or figure that is none");
  }
  return { ...entry, ...(isTransportState(status) ? { status } : {}), ...figures };
}

/** The entries of a list; `null` is the empty list. Undefined when it is none, or one of them is none. */
export function decodeEntries(json: Json | Fault): readonly TransportEntry[] | undefined {
  return decodeList(json, decodeTransportEntry);
}

function decodeList<T>(json: Json | Fault, decode: (item: Json) => T | Fault): readonly T[] | undefined {
  if (json === null) return [];
  if (!Array.isArray(json)) return undefined;
  const items = json.map(decode);
  return items.every((item) => !(item instanceof Fault)) ? items as T[] : undefined;
}
