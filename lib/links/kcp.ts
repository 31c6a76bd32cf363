/**
 * KCP, as v1.3 speaks it over UDP: messages that arrive whole and in order, or not at all (transports.md §2.6). A datagram
 * is one or more segments, all little-endian:
 *
 *     conv u32 ‖ cmd u8 ‖ frg u8 ‖ wnd u16 ‖ ts u32 ‖ sn u32 ‖ una u32 ‖ len u32 ‖ data
 *
 * `conv` names the session, `sn` counts the segments that carry data, `una` is the next one that is awaited, `wnd` how
 * many more are taken, `frg` how many segments of the same message follow, `ts` comes back in the acknowledgement.
 *
 * The machine is for few and small messages, such as a handshake: it acknowledges at once, sends again after a fixed
 * time that doubles, and has no congestion control; a v1.3 peer notices none of this.
 */

import type { MonotonicMs } from "../types/mod.ts";
import { concatBytes } from "../types/mod.ts";

/** Bytes before the data; no datagram of KCP is shorter. */
export const KCP_HEADER_BYTES = 24;
/** The longest message that goes into one segment: 1400 bytes a datagram. */
export const KCP_MESSAGE_BYTES = 1_376;
/** Segments under way in each direction, as v1.3 advertises. */
const WINDOW = 32;
/** What came in and nobody has read is no more than this. */
const MOST_MESSAGE_BYTES = WINDOW * KCP_MESSAGE_BYTES;

const COMMAND = { push: 81, ack: 82, askWindow: 83, tellWindow: 84 } as const;

/** First retransmission, ms; then twice as long each time, up to the longest. */
const RESEND_MS = { first: 200, longest: 3_200 };
/**
 * A segment that was sent so often and not acknowledged: the peer is gone. v1.3 never gives up; but whoever forges the
 * address of a datagram has each answer sent to somebody else so often.
 */
const MOST_SENDINGS = 5;

/** One segment. */
export interface KcpSegment {
  /** Names the session, u32; chosen by the dialling side. */
  readonly conv: number;
  /** 81–84 */
  readonly command: number;
  /** Segments of the same message that follow. */
  readonly fragment: number;
  /** Segments that the sender still takes. */
  readonly window: number;
  /** u32, ms of the sender's clock, or the echo of it. */
  readonly timestamp: number;
  /** u32 */
  readonly sequence: number;
  /** The next segment that the sender awaits, u32. */
  readonly awaited: number;
  /** At most 1376 bytes. */
  readonly data: Uint8Array;
}

/**
 * The longest datagram, bytes; v1.3 sends no longer ones. Each segment in it is acknowledged by a datagram, and one of
 * 64 KB would hold 2,730.
 */
const MOST_DATAGRAM_BYTES = KCP_HEADER_BYTES + KCP_MESSAGE_BYTES;

/** Reads the segments of a datagram; those before a malformed one are given, and none of one that is too long. */
export function decodeKcpSegments(datagram: Uint8Array): KcpSegment[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const segments: KcpSegment[] = [];
  if (datagram.length > MOST_DATAGRAM_BYTES) return segments;
  for (let at = 0; at + KCP_HEADER_BYTES <= datagram.length;) {
    const command = view.getUint8(at + 4), length = view.getUint32(at + 20, true);
    const end = at + KCP_HEADER_BYTES + length;
    if (command < COMMAND.push || command > COMMAND.tellWindow || end > datagram.length) break;
    segments.push({
      conv: view.getUint32(at, true),
      command,
      fragment: view.getUint8(at + 5),
      window: view.getUint16(at + 6, true),
      timestamp: view.getUint32(at + 8, true),
      sequence: view.getUint32(at + 12, true),
      awaited: view.getUint32(at + 16, true),
      data: datagram.slice(at + KCP_HEADER_BYTES, end),
    });
    at = end;
  }
  return segments;
}

/** Writes a segment. */
export function encodeKcpSegment(segment: KcpSegment): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(KCP_HEADER_BYTES + segment.data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, segment.conv, true);
  bytes[4] = segment.command;
  bytes[5] = segment.fragment;
  view.setUint16(6, segment.window, true);
  view.setUint32(8, segment.timestamp, true);
  view.setUint32(12, segment.sequence, true);
  view.setUint32(16, segment.awaited, true);
  view.setUint32(20, segment.data.length, true);
  bytes.set(segment.data, KCP_HEADER_BYTES);
  return bytes;
}

interface Sending {
  readonly sequence: number;
  readonly data: Uint8Array;
  sendings: number;
  dueAt: number;
}

/** One session, either side. Calls with the time; what {@link takeDatagrams} and {@link read} give changes with each. */
export class KcpSession {
  readonly conv: number;
  readonly #received = new Map<number, KcpSegment>();
  readonly #messages: Uint8Array[] = [];
  readonly #answers: Pick<KcpSegment, "command" | "timestamp" | "sequence">[] = [];
  #sending: Sending[] = [];
  #begun: Uint8Array = new Uint8Array();
  #awaited = 0;
  #next = 0;
  #peerWindow = WINDOW;
  #isDead = false;

  /** @param conv u32, of the first datagram, or random */
  constructor(conv: number) {
    this.conv = conv;
  }

  /** Did the peer acknowledge nothing for so long that it must be gone, or break the protocol? */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Takes a datagram of this session; segments of others in it are dropped. */
  handleDatagram(datagram: Uint8Array): void {
    for (const segment of decodeKcpSegments(datagram)) {
      if (segment.conv !== this.conv) continue;
      const { command, sequence, awaited, timestamp } = segment;
      this.#peerWindow = segment.window;
      this.#sending = this.#sending.filter((sent) => sent.sequence >= awaited);
      if (command === COMMAND.ack) this.#sending = this.#sending.filter((sent) => sent.sequence !== sequence);
      if (command === COMMAND.askWindow) this.#answers.push({ command: COMMAND.tellWindow, timestamp, sequence: 0 });
      if (command === COMMAND.push) this.#receive(segment);
    }
  }

  /**
   * Sends a message.
   * @param message 1–1376 bytes
   * @throws {RangeError} when it is longer, or empty
   */
  send(message: Uint8Array): void {
    if (message.length === 0 || message.length > KCP_MESSAGE_BYTES) {
      throw new RangeError(`A KCP message has 1–${KCP_MESSAGE_BYTES} bytes, not ${message.length}`);
    }
    this.#sending.push({ sequence: this.#next++, data: message, sendings: 0, dueAt: 0 });
  }

  /** The next message that came, or undefined. */
  read(): Uint8Array | undefined {
    return this.#messages.shift();
  }

  /** What is to be sent now, a segment each. */
  takeDatagrams(now: MonotonicMs): Uint8Array<ArrayBuffer>[] {
    const common = { conv: this.conv, fragment: 0, window: this.#window, awaited: this.#awaited };
    const datagrams = this.#answers.splice(0).map((answer) =>
      encodeKcpSegment({ ...common, ...answer, data: new Uint8Array() })
    );
    for (const sent of this.#underWay()) {
      if (sent.dueAt > now) continue;
      if (sent.sendings === MOST_SENDINGS) {
        this.#isDead = true;
        break;
      }
      sent.dueAt = now + Math.min(RESEND_MS.first * 2 ** sent.sendings++, RESEND_MS.longest);
      const { sequence, data } = sent;
      const timestamp = Math.floor(now) >>> 0;
      datagrams.push(encodeKcpSegment({ ...common, command: COMMAND.push, timestamp, sequence, data }));
    }
    return datagrams;
  }

  /** When {@link takeDatagrams} has something to send again, unless the peer answers before. */
  pollDeadline(): number | undefined {
    const due = this.#underWay().map(({ dueAt }) => dueAt);
    return due.length === 0 || this.#isDead ? undefined : Math.min(...due);
  }

  get #window(): number {
    return Math.max(0, WINDOW - this.#messages.length);
  }

  #underWay(): Sending[] {
    // With a window of 0 the peer is asked by the data itself, which it may drop.
    return this.#sending.slice(0, Math.max(1, Math.min(this.#peerWindow, WINDOW)));
  }

  #receive(segment: KcpSegment): void {
    const { sequence, timestamp } = segment;
    if (sequence >= this.#awaited + this.#window) return;
    this.#answers.push({ command: COMMAND.ack, timestamp, sequence });
    if (sequence >= this.#awaited) this.#received.set(sequence, segment);
    for (let next = this.#received.get(this.#awaited); next !== undefined; next = this.#received.get(this.#awaited)) {
      this.#received.delete(this.#awaited++);
      this.#begun = concatBytes(this.#begun, next.data);
      if (this.#begun.length > MOST_MESSAGE_BYTES) this.#isDead = true;
      if (next.fragment > 0) continue;
      if (this.#begun.length > 0) this.#messages.push(this.#begun);
      this.#begun = new Uint8Array();
    }
  }
}
