/**
 * A stream between two clients after its handshake: records under the end-to-end keys (Noise KK) on a mux stream that a
 * server relays. The server sees lengths and timing, never content.
 *
 * A clean end is one FIN of the mux, and the server can forge it (dmsg.md §4.11): applications need lengths of their own.
 * Tested in tests/messaging/client_test.ts.
 */

import { MAX_RECORD_PLAINTEXT_BYTES } from "../core/mod.ts";
import type { Records } from "../core/mod.ts";
import { ClosedError } from "../errors/mod.ts";
import type { DetachableStream, DetachedStream } from "../overlay/mod.ts";
import type { ByteLink } from "../runtime/mod.ts";
import type { MuxStream } from "../links/mux_session.ts";
import type { Port, PublicKey } from "../types/mod.ts";
import { ReadBuffer } from "../links/read_buffer.ts";

/** Sealed and written at once: 16 whole records are just below 64 KiB on the wire. */
const WRITE_CHUNK_BYTES: number = 16 * MAX_RECORD_PLAINTEXT_BYTES;

/** A byte stream to another client, authenticated and encrypted end to end (dmsg.md §4). `detach` throws {ClosedError} `messaging/closed`. */
export type MessagingStream = DetachableStream;

/** What a stream is made of. */
export interface MessagingStreamParts {
  readonly mux: MuxStream;
  readonly records: Records;
  readonly remoteKey: PublicKey;
  readonly remotePort: Port;
  readonly localPort: Port;
  /** Called once when the stream, or the link detached from it, is closed. */
  onClose(): void;
}

/** Puts a stream together; it owns its parts. */
export function createMessagingStream(parts: MessagingStreamParts): MessagingStream {
  const { mux, records, remoteKey, remotePort, localPort } = parts;
  const remoteAddress = `${remoteKey}:${remotePort}`;
  let state: "open" | "closed" | "detached" = "open";
  const buffer = new ReadBuffer();
  let fault: unknown;
  /** The plaintext that is there goes first; an end or a fault shows when it is used up. */
  let ended = false;

  const checkOpen = (doing: string): void => {
    if (state !== "open") {
      throw new ClosedError("messaging/closed", `${doing} the stream with ${remoteAddress}: it is ${state}`);
    }
  };
  const fail = (error: unknown): void => {
    fault = error;
    mux.reset();
  };

  return {
    remoteKey,
    remotePort,
    localPort,
    remoteAddress,

    async read(into: Uint8Array): Promise<number | null> {
      while (state === "open") {
        if (records.available > 0) return records.read(into);
        if (fault !== undefined) throw fault;
        if (ended) return null;
        let count: number | null;
        try {
          count = await mux.read(buffer.space);
        } catch (error) {
          fault = error;
          continue;
        }
        if (state !== "open") break;
        if (count === null) {
          ended = true;
          continue;
        }
        try {
          records.push(buffer.taken(count));
        } catch (error) {
          fail(error);
        }
      }
      return null;
    },

    async write(bytes: Uint8Array): Promise<void> {
      checkOpen("Write to");
      for (let at = 0; at < bytes.length; at += WRITE_CHUNK_BYTES) {
        await mux.write(records.seal(bytes.subarray(at, at + WRITE_CHUNK_BYTES)));
        if (at + WRITE_CHUNK_BYTES < bytes.length) checkOpen("Write to");
      }
    },

    close(): void {
      if (state !== "open") return;
      state = "closed";
      mux.close();
      records[Symbol.dispose]();
      parts.onClose();
    },

    detach(): DetachedStream {
      checkOpen("Detach");
      state = "detached";
      let closed = false;
      const link: ByteLink = {
        remoteAddress,
        read: (into) => mux.read(into),
        write: (bytes) => mux.write(bytes),
        close(): void {
          if (closed) return;
          closed = true;
          mux.close();
          parts.onClose();
        },
      };
      return { link, records };
    },
  };
}
