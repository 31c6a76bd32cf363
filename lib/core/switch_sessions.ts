/**
 * The sessions of a switch (sessions.md): two streams of bytes between two visors, one each way, that outlive the route
 * groups which carry them. Each such group is a leg. As after every call of the switch, drain its events and output.
 * Tested in tests/core/switch_sessions_test.ts.
 */

import { ClosedError, UnavailableError } from "../errors/mod.ts";
import type { MonotonicMs } from "../types/mod.ts";
import { core } from "./instance.ts";
import {
  FAULT_SESSION_CLOSED,
  LEG_CONFIRMED,
  LEG_IN_USE,
  LEG_LEADS,
  SESSION_DONE,
  SESSION_FIGURES,
  SESSION_READ_OUT,
  SESSION_STOPPED,
  SWITCH_IO_BYTES,
} from "./layout.ts";
import { checkStatus, copyAt, viewAt } from "./memory.ts";
import type { GroupHandle, SessionHandle } from "./switch_events.ts";

/** What one message holds at most, bytes: a record, less what says that it is data. */
export const MAX_SESSION_MESSAGE_BYTES = 4069;

/**
 * What one call takes at most: whole messages, so that boundaries stay the writer's. Less than a writer that is woken has
 * room for, since what does not fit was copied for nothing.
 */
const WRITE_BYTES = 16 * MAX_SESSION_MESSAGE_BYTES;

/** The text of a reset, UTF-8. */
const MAX_RESET_TEXT_BYTES = 256;

/** How a group becomes a leg. */
export interface LegOptions {
  /** Does this side say which legs are used? The one that dialled does. */
  readonly leads: boolean;
  /** Shall it carry data, or wait until no other does? */
  readonly inUse: boolean;
  /** Has the other end proven that it is there? Otherwise nothing counts before its first record. */
  readonly confirmed: boolean;
  /** How many bytes the other end has received, as it said in the handshake. */
  readonly received: bigint;
  /** How many bytes the other end takes in all. */
  readonly limit: bigint;
}

/** How a session is. */
export interface SessionState {
  /** All that the other end wrote was read, and nothing more comes. */
  readonly readOut: boolean;
  /** The other end reads no more. */
  readonly stopped: boolean;
  /** Both directions are done. */
  readonly done: boolean;
}

/** Figures of a session, bytes since it began. */
export interface SessionFigures {
  /** Written here. */
  readonly writtenBytes: number;
  /** Of that, the other end has so much. */
  readonly acknowledgedBytes: number;
  /** Of that, the reader there took so much. */
  readonly readThereBytes: number;
  /** Received in order. */
  readonly receivedBytes: number;
  /** Of that, the reader here took so much. */
  readonly readBytes: number;
  /** Came more than once, after a change of legs. */
  readonly repeatedBytes: number;
  /** So many bytes beyond those received may come. */
  readonly window: number;
}

/** See the top of the file. */
export class SwitchSessions {
  readonly #open: () => number;
  readonly #io: number;

  /** @param open gives the switch, or throws when it was disposed @param io the area of the switch */
  constructor(open: () => number, io: number) {
    this.#open = open;
    this.#io = io;
  }

  /** Begins a session without legs. @returns undefined when all memory for sessions is in use */
  add(): SessionHandle | undefined {
    const session = core.switch_add_session(this.#open()) >>> 0;
    return session === 0 ? undefined : session as SessionHandle;
  }

  /** Makes a group with keys a leg. @throws {UnavailableError} `switch/group-closed` */
  addLeg(session: SessionHandle, group: GroupHandle, options: LegOptions, now: MonotonicMs): void {
    const { leads, inUse, confirmed, received, limit } = options;
    const flags = (leads ? LEG_LEADS : 0) | (inUse ? LEG_IN_USE : 0) | (confirmed ? LEG_CONFIRMED : 0);
    if (core.switch_add_leg(this.#open(), session, group, flags, received, limit, now) < 0) {
      throw new UnavailableError("switch/group-closed", "Add a leg: its route group has ended");
    }
  }

  /** Shall a leg carry data, or wait? */
  useLeg(session: SessionHandle, group: GroupHandle, inUse: boolean, now: MonotonicMs): void {
    checkStatus(core.switch_use_leg(this.#open(), session, group, inUse ? 1 : 0, now));
  }

  /** Does the initiator want a leg to carry data? */
  isLegUsed(session: SessionHandle, group: GroupHandle): boolean {
    return checkStatus(core.switch_is_leg_used(this.#open(), session, group)) === 1;
  }

  /**
   * Keeps bytes until the other end has them: each 4069 of them, and the rest, arrive as one message.
   * @returns how many were taken; when not all, `session-writable` follows
   * @throws {ClosedError} `switch/session-closed` when nothing can be written any more
   */
  write(session: SessionHandle, bytes: Uint8Array, now: MonotonicMs): number {
    let taken = 0;
    while (taken < bytes.length) {
      const chunk = bytes.subarray(taken, taken + WRITE_BYTES);
      viewAt(this.#io, chunk.length).set(chunk);
      const count = core.switch_session_write(this.#open(), session, chunk.length, now);
      if (count === FAULT_SESSION_CLOSED) {
        throw new ClosedError("switch/session-closed", "Write: the session takes nothing any more");
      }
      taken += checkStatus(count);
      if (count < chunk.length) break;
    }
    return taken;
  }

  /** Reads what has come, messages one after the other. @returns how many bytes; 0: nothing now */
  read(session: SessionHandle, into: Uint8Array, now: MonotonicMs): number {
    let done = 0;
    while (done < into.length) {
      const space = Math.min(into.length - done, SWITCH_IO_BYTES);
      const count = checkStatus(core.switch_session_read(this.#open(), session, space, now));
      into.set(viewAt(this.#io, count), done);
      done += count;
      if (count < space) break;
    }
    return done;
  }

  /** Reads exactly one message, as it was written; undefined: nothing now. */
  readMessage(session: SessionHandle, now: MonotonicMs): Uint8Array<ArrayBuffer> | undefined {
    const length = checkStatus(core.switch_session_message_length(this.#open(), session));
    if (length === 0) return undefined;
    return copyAt(this.#io, checkStatus(core.switch_session_read(this.#open(), session, length, now)));
  }

  /** Ends the direction from here. @param stops nothing is read here any more either */
  finish(session: SessionHandle, stops: boolean, now: MonotonicMs): void {
    checkStatus(core.switch_session_finish(this.#open(), session, stops ? 1 : 0, now));
  }

  /** Gives up both directions. @param text why, for the other end; cut to 256 bytes of UTF-8 */
  reset(
    session: SessionHandle,
    { code, text }: { readonly code: number; readonly text: string },
    now: MonotonicMs,
  ): void {
    const bytes = new TextEncoder().encode(text).subarray(0, MAX_RESET_TEXT_BYTES);
    viewAt(this.#io, SWITCH_IO_BYTES).set(bytes);
    checkStatus(core.switch_session_reset(this.#open(), session, code, bytes.length, now));
  }

  /** How a session is that was not removed. */
  state(session: SessionHandle): SessionState {
    const flags = checkStatus(core.switch_session_flags(this.#open(), session));
    return {
      readOut: (flags & SESSION_READ_OUT) !== 0,
      stopped: (flags & SESSION_STOPPED) !== 0,
      done: (flags & SESSION_DONE) !== 0,
    };
  }

  /** Figures of a session that was not removed. */
  figures(session: SessionHandle): SessionFigures {
    const handle = this.#open();
    const length = checkStatus(core.switch_session_figures(handle, session));
    const view = new DataView(copyAt(core.switch_view(handle), length).buffer);
    const figures = SESSION_FIGURES.map((name, i) => [name, Number(view.getBigUint64(i * 8, true))] as const);
    return Object.fromEntries(figures) as unknown as SessionFigures;
  }

  /** Forgets a session; what was not read is lost, and its groups are nobody's legs any more. */
  remove(session: SessionHandle): void {
    checkStatus(core.switch_remove_session(this.#open(), session));
  }
}
