/**
 * Server-sent events (HTML standard §9.2): a long answer of events with ids, after which a client that was cut off asks
 * again with the last id it saw.
 *
 * ```
 * id: <id>\n  event: <name>\n  data: <one line of JSON>\n  \n        lines that begin with a colon are comments
 * ```
 */

import { ProtocolError } from "../../errors/mod.ts";

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
