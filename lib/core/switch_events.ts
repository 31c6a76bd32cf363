/** What the switch tells its shell. Tested in tests/core/switch_test.ts. */

import { BugError } from "../errors/mod.ts";
import type { Branded } from "../types/mod.ts";
import { CLOSE_REASONS, EVENTS, LINK_FAULTS, SESSION_ENDS } from "./layout.ts";
import { at } from "../types/at.ts";

/** Names a link of one switch. */
export type LinkHandle = Branded<number, "LinkHandle">;

/** Names a route group of one switch. */
export type GroupHandle = Branded<number, "GroupHandle">;

/** Names a session of one switch. */
export type SessionHandle = Branded<number, "SessionHandle">;

/** How a session ended. `reset-here`: this side gave up. `reset`: the other side did. `fault`: it broke the protocol. */
export type SessionEnd = "done" | "reset-here" | "reset" | "fault";

/**
 * Why a route group, and the connection on it, ended. `local`: this end closed it. `remote`: the other end closed it. The
 * rest are breaks: a rule was idle for too long (`expired`), the link that carries it is gone (`link-down`), nothing came
 * for too long (`silence`), the other end broke the protocol or this end did not read (`fault`).
 */
export type GroupCloseReason = "local" | "remote" | "expired" | "link-down" | "silence" | "fault";

/** One event. */
export type SwitchEvent =
  /** A Handshake packet came. */
  | { readonly type: "group-handshake"; readonly group: GroupHandle; readonly encrypt: boolean }
  /** A Noise message can be taken. */
  | { readonly type: "group-frame"; readonly group: GroupHandle }
  /** There is something to read, or room to write, where there was none. */
  | { readonly type: "group-readable" | "group-writable"; readonly group: GroupHandle }
  /** The group ended; `message` is the text of the peer's Error packet, or what was wrong. */
  | {
    readonly type: "group-closed";
    readonly group: GroupHandle;
    readonly reason: GroupCloseReason;
    readonly message?: string;
  }
  /** A ping was answered. */
  | { readonly type: "pong"; readonly group: GroupHandle; readonly timestamp: bigint }
  /** The initiator of a leg has proven that it is there; a leg answers no pings, or does so again. */
  | { readonly type: "leg-confirmed" | "leg-silent" | "leg-heard"; readonly group: GroupHandle }
  /** There is something to read of a session, or its end; or room to write, or never again. */
  | { readonly type: "session-readable" | "session-writable"; readonly session: SessionHandle }
  /** A session is over; what came is still to be read. `message`: why the other side gave up, or what it did wrong. */
  | {
    readonly type: "session-over";
    readonly session: SessionHandle;
    readonly end: SessionEnd;
    readonly code: number;
    readonly message?: string;
  }
  /** The link can be read from again. */
  | { readonly type: "link-resumed"; readonly link: LinkHandle }
  /** The link broke the protocol or stands still: close its socket, then remove it. */
  | { readonly type: "link-fault"; readonly link: LinkHandle; readonly code: string }
  /** The peer of a link answered. */
  | { readonly type: "transport-pong"; readonly link: LinkHandle; readonly value: bigint };

const MESSAGE_AT = 16;

/** Reads an event from the form in which the core writes it (`core-rs/abi/src/switch.rs`). */
export function decodeEvent(bytes: Uint8Array): SwitchEvent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, MESSAGE_AT);
  const [number, detail, subject] = [view.getUint8(0), view.getUint8(1), view.getUint32(4, true)];
  const type = EVENTS[number];
  const group = subject as GroupHandle, link = subject as LinkHandle, session = subject as SessionHandle;
  switch (type) {
    case "group-handshake":
      return { type, group, encrypt: detail === 1 };
    case "group-frame":
      return { type, group };
    case "group-readable":
      return { type, group };
    case "group-writable":
      return { type, group };
    case "group-closed": {
      return { type, group, reason: at(CLOSE_REASONS, detail), ...messageOf(bytes) };
    }
    case "pong":
      return { type, group, timestamp: view.getBigInt64(8, true) };
    case "leg-confirmed":
    case "leg-silent":
    case "leg-heard":
      return { type, group };
    case "session-readable":
    case "session-writable":
      return { type, session };
    case "session-over":
      return { type, session, end: at(SESSION_ENDS, detail), code: view.getUint32(8, true), ...messageOf(bytes) };
    case "link-resumed":
      return { type, link };
    case "link-fault":
      return { type, link, code: at(LINK_FAULTS, detail) };
    case "transport-pong":
      return { type, link, value: view.getBigUint64(8, true) };
    case undefined:
      throw new BugError("core/event", `The core told an event of kind ${number}`);
  }
}

/** The text at the end of an event, when there is one. */
function messageOf(bytes: Uint8Array): { readonly message?: string } {
  return bytes.length === MESSAGE_AT ? {} : { message: new TextDecoder().decode(bytes.subarray(MESSAGE_AT)) };
}
