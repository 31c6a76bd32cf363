/**
 * Server-sent events (HTML standard §9.2): a long answer of events with ids, after which a client that was cut off asks
 * again with the last id it saw.
 *
 * ```
 * id: <id>\n  event: <name>\n  data: <one line of JSON>\n  \n        lines that begin with a colon are comments
 * ```
 */

import { ProtocolError } from "../../errors/mod.ts";
import type { Timers } from "../../runtime/mod.ts";

/** Headers of a stream of events. */
export const EVENT_STREAM: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
};

/** One event. */
export interface ServerEvent {
  /** Where to go on from; absent when one cannot go on from here. */
  readonly id?: string;
  /** What kind of event it is. */
  readonly event: string;
  /** One line. */
  readonly data: string;
}

/** A comment: keeps a quiet stream from looking dead. */
export const EVENT_COMMENT = ":\n\n";

/** Writes an event. */
export function formatEvent(event: ServerEvent): string {
  return `${event.id === undefined ? "" : `id: ${event.id}\n`}event: ${event.event}\ndata: ${event.data}\n\n`;
}

/** What {@link streamEvents} needs. */
export interface EventStreamOptions {
  readonly timers: Timers;
  /** A quiet stream says something so often, ms. */
  readonly keepAliveMs: number;
  /** Ends the stream. */
  readonly closing: AbortSignal;
  /**
   * Called once, when the stream has ended.
   * @param error what the events failed with; undefined when they ended, the client left, or `closing` aborted
   */
  readonly onEnd: (error: unknown) => void;
}

/**
 * The answer that follows events. An event is made when the client takes it; one that is slow holds them back.
 * @param follow gives the events as {@link formatEvent} writes them, until the signal aborts
 */
export function streamEvents(
  follow: (signal: AbortSignal) => AsyncIterable<string>,
  { timers, keepAliveMs, closing, onEnd }: EventStreamOptions,
): Response {
  const leaving = new AbortController();
  const text = withComments(follow(AbortSignal.any([leaving.signal, closing])), { timers, ms: keepAliveMs });
  const encoder = new TextEncoder();
  let hasEnded = false;
  const end = (error?: unknown): void => {
    if (!hasEnded) onEnd(leaving.signal.aborted || closing.aborted ? undefined : error);
    hasEnded = true;
  };
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await text.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        end();
      } catch (error) {
        end(error);
      }
      // The client finds the stream at its end and asks again later, from where it was.
      if (!leaving.signal.aborted) controller.close();
    },
    cancel: (reason) => {
      leaving.abort(reason);
      end();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: EVENT_STREAM });
}

/** Puts a comment wherever there was no event for a time. */
async function* withComments(
  events: AsyncIterable<string>,
  options: { readonly timers: Timers; readonly ms: number },
): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]();
  // The headers go out with the first bytes: a client learns at once that it is connected.
  yield EVENT_COMMENT;
  for (let next = iterator.next();;) {
    const result = await orAfter(next, options);
    if (result === undefined) {
      yield EVENT_COMMENT;
      continue;
    }
    if (result.done) return;
    yield result.value;
    next = iterator.next();
  }
}

/** What the work gives, or undefined when it takes longer; the work goes on. */
function orAfter<T>(
  work: Promise<T>,
  options: { readonly timers: Timers; readonly ms: number },
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = options.timers.after(options.ms, () => resolve(undefined));
    work.then(resolve, reject).finally(cancel);
  });
}

/**
 * Reads events. Ends with the body.
 * @param body of the answer; cancelled when the reader stops early
 * @param options the longest event, characters; `read` may put a limit on the wait for the next bytes
 * @throws {ProtocolError} `http/event-too-long`; whatever the body fails with
 */
export async function* parseEvents(
  body: ReadableStream<Uint8Array>,
  options: {
    readonly maxCharacters: number;
    readonly read?: <T>(work: Promise<T>) => Promise<T>;
  },
): AsyncGenerator<ServerEvent> {
  const { maxCharacters, read = (work) => work } = options;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pending = "";
  try {
    while (true) {
      const { done, value } = await read(reader.read());
      if (done) return;
      pending += decoder.decode(value, { stream: true });
      const blocks = pending.split("\n\n");
      pending = blocks.pop() ?? "";
      if (pending.length > maxCharacters) {
        throw new ProtocolError("http/event-too-long", "Read an event: it is too long");
      }
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Undefined for a comment. */
function parseBlock(block: string): ServerEvent | undefined {
  let id: string | undefined, event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, name, value = ""] = /^([a-z]+): ?(.*)$/.exec(line.replace(/\r$/, "")) ?? [];
    if (name === "id") id = value;
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { ...(id === undefined ? {} : { id }), event, data: data.join("\n") };
}
