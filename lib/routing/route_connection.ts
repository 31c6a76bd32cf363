/**
 * A connection over routes: bytes in both directions, encrypted end to end. With a visor of ours it outlives its routes
 * (`session/`), with one of v1.3 it is one route group (`group_connection.ts`). It keeps the write boundaries that app
 * protocols of v1.3 rely on (visor-and-apps.md §1.5): a write of at most 4069 bytes arrives as one message, and the
 * `readable` face gives one chunk for each message.
 */

import type { KeyedStream } from "../overlay/mod.ts";
import type { Hop } from "../types/mod.ts";
import type { GroupEnd } from "./group.ts";

/** A connection to a port of another visor. */
export interface RouteConnection extends KeyedStream, AsyncDisposable {
  /**
   * The path that what we send takes now, from here to the remote visor; the last one while there is none. Empty when the
   * peer dialled: it alone knows the path.
   */
  readonly route: readonly Hop[];
  /** The routes that carry it, or could: one with a visor of v1.3; none while another one is looked for. */
  readonly legs: readonly ConnectionLeg[];
  /** How long finding the first route, its set-up and the handshake took, ms. Only when we dialled. */
  readonly setupMs?: number;
  /**
   * One chunk for each message that came. It ends when the peer ends its direction, and fails when the connection breaks.
   * Use either this or {@link KeyedStream.read}, not both at the same time.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * Takes chunks of any size. Closing it is {@link RouteConnection.closeWrite}; aborting it breaks the connection at the
   * other end, which is not told the reason. Use either this or {@link KeyedStream.write} at a time.
   */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * Ends the direction from here: the other side reads everything that was written, then the end, and may still answer.
   * A visor of v1.3 cannot be told so. It sees nothing until it closes by itself, or nothing has come from it for 30 s;
   * then the connection is closed as a whole.
   */
  closeWrite(): void;
  /** Closes both directions. @param error sent to the other end, whose reads fail with it */
  close(error?: string): void;
  /** Ends both directions with a break: bytes under way may get lost, and reads and writes of the other side fail. */
  reset(): void;
  /**
   * Measures the round trip over the whole route in use, there and back.
   * @returns ms
   * @throws {UnavailableError} `route/broken`; {ClosedError} `route/closed`; the signal's reason
   */
  ping(signal?: AbortSignal): Promise<number>;
  /** Payload bytes so far, and the round-trip time of the latest ping, ms. The switch pings by itself every 3 s. */
  stats(): RouteConnectionStats;
  /** Subscribes to changes of the route. With v1.3 there are none. @returns unsubscribes */
  onMoved(listener: (move: ConnectionMove) => void): () => void;
  /** Resolves when the connection has ended, whatever the reason. */
  readonly closed: Promise<GroupEnd>;
}

/** One route of a connection. */
export interface ConnectionLeg {
  /** From here to the remote visor; empty when the peer dialled. */
  readonly route: readonly Hop[];
  /** `in-use`: it carries bytes. `standby`: it waits until another fails. `silent`: it brings nothing at the moment. */
  readonly state: "in-use" | "standby" | "silent";
  /** There and back, ms; undefined before the first answer. */
  readonly latencyMs: number | undefined;
}

/** A connection goes over another route now. */
export interface ConnectionMove {
  /** The route before. */
  readonly from: readonly Hop[];
  /** The route now. */
  readonly to: readonly Hop[];
  /** `failed`: the route before ended or was silent; `better`: this one is much better. */
  readonly cause: "failed" | "better";
  /** For how long no route was known to work, ms; 0 for a better one. */
  readonly lostMs: number;
}

/** Figures of one connection. */
export interface RouteConnectionStats {
  /** What we sent, records included, over all its routes. */
  readonly sentBytes: number;
  /** What came, records included. */
  readonly receivedBytes: number;
  /** There and back, ms; undefined before the first answer. */
  readonly latencyMs: number | undefined;
}
