/**
 * The stream multiplexer: yamux as its v1.3 user speaks it (dmsg.md §3.2). Many byte streams over one link.
 *
 *     version u8 = 0 ‖ type u8 ‖ flags u16be ‖ stream id u32be ‖ length u32be ‖ body of a data frame
 *
 * A pure machine; `lib/links/mux_session.ts` joins it to a link. Use: after each call, send what
 * {@linkcode Mux.takeOutput} gives, poll events until there are none, and call {@linkcode Mux.handleDeadline} at
 * {@linkcode Mux.pollDeadline}.
 *
 * The machine has no clock and remembers no time. Each call that depends on the time takes it as its last argument, `now`:
 * ms, monotonic.
 */

import { BugError, UnavailableError } from "../errors/mod.ts";
import type { MonotonicMs } from "../types/mod.ts";
import { core } from "./instance.ts";
import * as layout from "./layout.ts";
import { checkStatus, copyAt, intoScratch, SCRATCH, viewAt } from "./memory.ts";

/** The window of a stream when it opens, bytes a direction: part of the protocol. */
export const MUX_DEFAULT_WINDOW_BYTES = 262_144;

/** What a {@link Mux} is set up with. */
export interface MuxOptions {
  /** The side that opened the link is the client; its streams have odd ids. */
  readonly role: (typeof layout.MUX_ROLES)[number];
  /** Send a ping every 30 s, and end the session when the peer is silent for 10 s. */
  readonly keepAlive: boolean;
  /**
   * When a stream of the peer is acknowledged. `arrival` (the default) never makes the peer give up on a slow
   * application; `accept` is what v1.3 does.
   */
  readonly acknowledge?: "arrival" | "accept";
  /** What the peer may send on one stream before it is read, bytes; 262144 (the default) to 2^31. */
  readonly receiveWindow?: number;
  /** Streams of the peer that may wait to be accepted; more are reset. Default 256. */
  readonly backlog?: number;
  /** Streams at a time, of both sides together. Default 4096. */
  readonly maxStreams?: number;
}

/** What to look at. */
export type MuxEvent =
  /** Something about the stream changed: try the read or write that waited. */
  | { readonly type: "changed"; readonly stream: number }
  /** {@linkcode Mux.accept} gives streams; call it until there are none. */
  | { readonly type: "incoming" }
  /** {@linkcode Mux.open} may succeed again, or fail for good. */
  | { readonly type: "openable" }
  /** A ping was answered; `ping` is what {@linkcode Mux.ping} gave. */
  | { readonly type: "pong"; readonly ping: number; readonly roundTripMs: number }
  /** A ping was not answered within 10 s. */
  | { readonly type: "ping-timed-out"; readonly ping: number }
  /** The session is over ({@linkcode Mux.fault} tells why): close the link. */
  | { readonly type: "closed" };

/** Why a session is over. All but `closed`, `keep-alive` and `go-away` say that the peer broke the protocol. */
export type MuxFault = Exclude<(typeof layout.MUX_FAULTS)[number], undefined>;

/**
 * Why a call on a stream gave nothing.
 * - `end`: the peer has finished, and everything was read; `cut`: the session is over instead
 * - `reset`: the peer reset the stream; `open-timeout`: the peer did not acknowledge it within 75 s
 * - `finished`: our direction has ended; `session`: the session is over; `unknown`: there is no such stream
 * - `would-block`: not now; `going-away`: the peer takes no new streams; `ids-exhausted`: a new session is due
 */
export type MuxStreamFault =
  | "end"
  | "cut"
  | "reset"
  | "open-timeout"
  | "finished"
  | "session"
  | "unknown"
  | "would-block"
  | "going-away"
  | "ids-exhausted";

const STREAM_FAULTS: ReadonlyMap<number, MuxStreamFault> = new Map([
  [layout.FAULT_MUX_END, "end"],
  [layout.FAULT_MUX_CUT, "cut"],
  [layout.FAULT_MUX_RESET, "reset"],
  [layout.FAULT_MUX_OPEN_TIMEOUT, "open-timeout"],
  [layout.FAULT_MUX_FINISHED, "finished"],
  [layout.FAULT_MUX_SESSION, "session"],
  [layout.FAULT_MUX_UNKNOWN, "unknown"],
  [layout.FAULT_MUX_WOULD_BLOCK, "would-block"],
  [layout.FAULT_MUX_GOING_AWAY, "going-away"],
  [layout.FAULT_MUX_IDS_EXHAUSTED, "ids-exhausted"],
]);

/** What is taken at once, at most: whole records (records.ts), so that a link that seals makes no short ones between. */
const OUTPUT_BYTES = 48 * 4_070;

/** An event of the core: value u32 at 0, round trip f64 at 8. */
const EVENT_BYTES = 16;

/** Both directions of a session. Disposing forgets its streams and what is unread in them. */
export class Mux implements Disposable {
  #handle: number;

  /**
   * Begins a session on a fresh link.
   * @throws {RangeError} when the window is out of its range
   * @throws {UnavailableError} `mux/too-many` when the core holds 65536 sessions already
   */
  constructor(options: MuxOptions, now: MonotonicMs) {
    const window = options.receiveWindow ?? MUX_DEFAULT_WINDOW_BYTES;
    if (!Number.isInteger(window) || window < MUX_DEFAULT_WINDOW_BYTES || window > 2 ** 31) {
      throw new RangeError(`A receive window has 262144 to 2^31 bytes, not ${window}`);
    }
    const switches = (options.keepAlive ? layout.MUX_KEEP_ALIVE : 0) |
      (options.acknowledge === "accept" ? 0 : layout.MUX_ACKNOWLEDGE_ON_ARRIVAL);
    const role = layout.MUX_ROLES.indexOf(options.role);
    const { backlog = 256, maxStreams = 4096 } = options;
    this.#handle = core.mux_new(role, switches, window, backlog, maxStreams, now) >>> 0;
    if (this.#handle === 0) throw new UnavailableError("mux/too-many", "Begin a mux session: there are too many");
  }

  /** Takes received bytes, cut anywhere. Windows bound what they leave in memory. */
  push(bytes: Uint8Array, now: MonotonicMs): void {
    for (let from = 0; from < bytes.length; from += layout.SCRATCH_BYTES) {
      const chunk = bytes.subarray(from, from + layout.SCRATCH_BYTES);
      const [at] = intoScratch(chunk) as [number];
      this.#status(core.mux_push(this.#handle, at, chunk.length, now));
    }
  }

  /**
   * Takes bytes to send. Writes that waited for space go on when they are taken, so take them when the link is ready.
   * @returns a copy, at most 195360 bytes; empty when there are none
   */
  takeOutput(): Uint8Array<ArrayBuffer> {
    return copyAt(SCRATCH, this.#status(core.mux_take_output(this.#handle, SCRATCH, OUTPUT_BYTES)));
  }

  /**
   * Opens a stream; data may be written at once. `would-block` while 256 streams wait for the peer's acknowledgement or
   * there are too many: the event `openable` tells when to try again.
   * @returns its id, or `would-block`, `going-away`, `ids-exhausted`, `session`
   */
  open(now: MonotonicMs): number | MuxStreamFault {
    return faultOf(core.mux_open(this.#handle, now, SCRATCH)) ?? readNumber();
  }

  /** Takes the stream of the peer that waits longest. @returns its id, or undefined when there is none */
  accept(): number | undefined {
    return this.#status(core.mux_accept(this.#handle, SCRATCH)) === 0 ? undefined : readNumber();
  }

  /**
   * Moves received bytes to the beginning of `into`. The end shows after all bytes before it, a reset at once.
   * @returns how many; 0 when there are none now; or `end`, `cut`, `reset`, `open-timeout`, `unknown`
   */
  read(stream: number, into: Uint8Array): number | MuxStreamFault {
    let fault: MuxStreamFault | undefined;
    const count = moveOut(into, (space) => {
      const status = core.mux_read(this.#handle, stream, SCRATCH, space);
      fault = faultOf(status);
      return fault === undefined ? status : 0;
    });
    // What came before the end is given first; the end shows again.
    return count > 0 ? count : fault ?? 0;
  }

  /**
   * Takes bytes to send.
   * @returns how many: fewer than given when the peer's window or the output is full, and then the event `changed` tells
   *   when to go on; or `finished`, `reset`, `open-timeout`, `session`, `unknown`
   */
  write(stream: number, bytes: Uint8Array): number | MuxStreamFault {
    let done = 0;
    do {
      const chunk = bytes.subarray(done, done + layout.SCRATCH_BYTES);
      const [at] = intoScratch(chunk) as [number];
      const status = core.mux_write(this.#handle, stream, at, chunk.length);
      const fault = faultOf(status);
      if (fault !== undefined) return fault;
      done += status;
      if (status < chunk.length) break;
    } while (done < bytes.length);
    return done;
  }

  /** Ends our direction with one FIN; reading goes on. Harmless when repeated. */
  closeWrite(stream: number): void {
    faultOf(core.mux_close_write(this.#handle, stream));
  }

  /**
   * Ends both directions: FIN, and what still comes is dropped; a peer that goes on sending is told by a reset. The
   * stream is unknown from here on.
   */
  close(stream: number, now: MonotonicMs): void {
    faultOf(core.mux_close(this.#handle, stream, now));
  }

  /** Ends both directions at once and tells the peer so. The stream is unknown from here on. */
  reset(stream: number): void {
    faultOf(core.mux_reset(this.#handle, stream));
  }

  /** Tells the peer to open no more streams, and resets those that it opens anyway. */
  goAway(): void {
    this.#status(core.mux_go_away(this.#handle));
  }

  /**
   * Asks the peer for a sign of life.
   * @returns what the event `pong` or `ping-timed-out` will name; or `would-block` when 64 pings wait, or `session`
   */
  ping(now: MonotonicMs): number | MuxStreamFault {
    return faultOf(core.mux_ping(this.#handle, now, SCRATCH)) ?? readNumber();
  }

  /** Ends the session; nothing is sent. What is unread stays readable. */
  closeSession(): void {
    this.#status(core.mux_close_session(this.#handle));
  }

  /** Why the session is over; undefined while it is not. */
  get fault(): MuxFault | undefined {
    return layout.MUX_FAULTS[this.#status(core.mux_fault(this.#handle))];
  }

  /** The next event; every call but this one may add some. */
  pollEvent(): MuxEvent | undefined {
    const type = layout.MUX_EVENTS[this.#status(core.mux_poll_event(this.#handle, SCRATCH))];
    switch (type) {
      case undefined:
        return undefined;
      case "changed":
        return { type, stream: readNumber() };
      case "pong":
        return { type, ping: readNumber(), roundTripMs: readEvent().getFloat64(8, true) };
      case "ping-timed-out":
        return { type, ping: readNumber() };
      default:
        return { type };
    }
  }

  /** When {@linkcode handleDeadline} is due; every call may change it. */
  pollDeadline(): MonotonicMs | undefined {
    const at = core.mux_poll_deadline(this.#handle);
    return at === Infinity ? undefined : at as MonotonicMs;
  }

  /** Does what is due: keep-alive, and the end of streams that the peer does not acknowledge or finish. */
  handleDeadline(now: MonotonicMs): void {
    this.#status(core.mux_handle_deadline(this.#handle, now));
  }

  /** Forgets everything. */
  [Symbol.dispose](): void {
    if (this.#handle !== 0) core.mux_drop(this.#handle);
    this.#handle = 0;
  }

  #status(status: number): number {
    if (status < 0) checkStatus(status);
    return status;
  }
}

/** What a status says about a stream; general faults are bugs. */
function faultOf(status: number): MuxStreamFault | undefined {
  if (status >= 0) return undefined;
  const fault = STREAM_FAULTS.get(status);
  if (fault !== undefined) return fault;
  checkStatus(status);
  throw new BugError("core/fault", `Use a mux stream: the core answered ${status}`);
}

/** Fills `into` through the scratch area, as far as `move` gives bytes. */
function moveOut(into: Uint8Array, move: (space: number) => number): number {
  let done = 0;
  while (done < into.length) {
    const space = Math.min(into.length - done, layout.SCRATCH_BYTES);
    const count = move(space);
    into.set(viewAt(SCRATCH, count), done);
    done += count;
    if (count < space) break;
  }
  return done;
}

function readEvent(): DataView {
  const view = viewAt(SCRATCH, EVENT_BYTES);
  return new DataView(view.buffer, view.byteOffset, EVENT_BYTES);
}

function readNumber(): number {
  return readEvent().getUint32(0, true);
}
