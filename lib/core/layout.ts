/** Numbers that both sides of the boundary agree on. Made of `core-rs/abi/layout.json` by `deno task core:build`: change that. */

// The boundary itself

/** Raised whenever an exported function changes its meaning. */
export const ABI_VERSION: number = 3;

/** The scratch area for small arguments and results, bytes. One routing packet of the largest size fits twice. */
export const SCRATCH_BYTES: number = 196_608;

/** The handle names nothing (used after dispose). */
export const FAULT_BAD_HANDLE: number = -1;

/** An argument is out of its range; a bug of the caller. */
export const FAULT_BAD_ARGUMENT: number = -2;

/** The result does not fit into the space given for it. */
export const FAULT_NO_SPACE: number = -3;

// Cryptography: −100 to −199

/** No compressed point on the curve. */
export const FAULT_PUBLIC_KEY: number = -100;

/** No scalar from 1 to n − 1. */
export const FAULT_SECRET_KEY: number = -101;

/** No key can be recovered from the signature. */
export const FAULT_SIGNATURE: number = -102;

/** The digest of 32 zero bytes is never signed. */
export const FAULT_NULL_DIGEST: number = -103;

/** The AEAD tag does not match. */
export const FAULT_AUTHENTICATION: number = -110;

/** A counter was used before, or is 0. */
export const FAULT_REPLAY: number = -111;

/** A frame is longer or shorter than any record. */
export const FAULT_FRAME_LENGTH: number = -112;

/** A plaintext exceeds its limit, or the space for the result is too small. */
export const FAULT_PLAINTEXT_LENGTH: number = -113;

/** The sender's counter is used up. */
export const FAULT_COUNTER_EXHAUSTED: number = -114;

/** A record before this one is missing. */
export const FAULT_GAP: number = -115;

/** A handshake message is shorter than its fields. */
export const FAULT_MESSAGE_LENGTH: number = -120;

/** A handshake message is not due now. */
export const FAULT_MESSAGE_ORDER: number = -121;

/** Patterns of a handshake. By number. */
export const NOISE_PATTERNS = [
  "XK",
  "KK",
] as const;

/** Roles in a handshake. By number. */
export const NOISE_ROLES = [
  "initiator",
  "responder",
] as const;

// Packets, rules and the switch: −200 to −399

/** The bytes end before the packet does. */
export const FAULT_PACKET_INCOMPLETE: number = -200;

/** The payload does not fit the size field. */
export const FAULT_PACKET_TOO_LONG: number = -201;

/** The rule is shorter than its type needs. */
export const FAULT_RULE_LENGTH: number = -210;

/** The rule is of no known type. */
export const FAULT_RULE_TYPE: number = -211;

/** The group has ended, has no keys yet, or never was. */
export const FAULT_GROUP_NOT_OPEN: number = -230;

/** Nothing can be written to the session any more, or it never was. */
export const FAULT_SESSION_CLOSED: number = -231;

/** State of a session: all that the other end wrote was read. */
export const SESSION_READ_OUT: number = 1;

/** State of a session: the other end reads no more. */
export const SESSION_STOPPED: number = 2;

/** State of a session: both directions are done. */
export const SESSION_DONE: number = 4;

/** Of a leg: this side says which legs are used. */
export const LEG_LEADS: number = 1;

/** Of a leg: it carries data. */
export const LEG_IN_USE: number = 2;

/** Of a leg: the other end has proven that it is there. */
export const LEG_CONFIRMED: number = 4;

/** The area of a switch for arguments and results: 64 whole records and more. */
export const SWITCH_IO_BYTES: number = 262_144;

/** Kinds of events. By number. */
export const EVENTS = [
  undefined,
  "group-handshake",
  "group-frame",
  "group-readable",
  "group-writable",
  "group-closed",
  "pong",
  "link-resumed",
  "link-fault",
  "transport-pong",
  "leg-confirmed",
  "leg-silent",
  "leg-heard",
  "session-readable",
  "session-writable",
  "session-over",
] as const;

/** Why a group ended. By number. */
export const CLOSE_REASONS = [
  "local",
  "remote",
  "expired",
  "link-down",
  "silence",
  "fault",
] as const;

/** What is wrong with a link. By number. */
export const LINK_FAULTS = [
  "record",
  "framing",
  "stalled",
] as const;

/** Where each counter of a switch stands among all. By number. */
export const COUNTERS = [
  "forwarded",
  "delivered",
  "unknownType",
  "shortPayload",
  "unknownRoute",
  "expiredRoute",
  "wrongLink",
  "noTransport",
  "noGroup",
] as const;

/** How a session ended. By number. */
export const SESSION_ENDS = [
  "done",
  "reset-here",
  "reset",
  "fault",
] as const;

/** Where each figure of a session stands among all. By number. */
export const SESSION_FIGURES = [
  "writtenBytes",
  "acknowledgedBytes",
  "readThereBytes",
  "receivedBytes",
  "readBytes",
  "repeatedBytes",
  "window",
] as const;

/** Where each figure of a link stands among all. By number. */
export const LINK_FIGURES = [
  "sentBytes",
  "receivedBytes",
  "sentPackets",
  "receivedPackets",
] as const;

// Streams: −400 to −499

/** The session is closed. */
export const FAULT_MUX_SESSION: number = -400;

/** No such stream, or no longer. */
export const FAULT_MUX_UNKNOWN: number = -401;

/** The local side has ended its direction. */
export const FAULT_MUX_FINISHED: number = -402;

/** The peer reset the stream. */
export const FAULT_MUX_RESET: number = -403;

/** The peer did not acknowledge the stream in time. */
export const FAULT_MUX_OPEN_TIMEOUT: number = -404;

/** Not now; an event tells when to try again. */
export const FAULT_MUX_WOULD_BLOCK: number = -405;

/** The peer takes no new streams any more. */
export const FAULT_MUX_GOING_AWAY: number = -406;

/** All stream ids have been used. */
export const FAULT_MUX_IDS_EXHAUSTED: number = -407;

/** No byte comes any more: the peer has finished. */
export const FAULT_MUX_END: number = -408;

/** No byte comes any more: the session is over. */
export const FAULT_MUX_CUT: number = -409;

/** A switch of a session: send pings, and end the session when the peer is silent. */
export const MUX_KEEP_ALIVE: number = 1;

/** A switch of a session: acknowledge streams as they arrive. */
export const MUX_ACKNOWLEDGE_ON_ARRIVAL: number = 2;

/** Roles in a session. By number. */
export const MUX_ROLES = [
  "client",
  "server",
] as const;

/** Kinds of events of a session. By number. */
export const MUX_EVENTS = [
  undefined,
  "changed",
  "incoming",
  "openable",
  "pong",
  "ping-timed-out",
  "closed",
] as const;

/** Why a session is closed; 0 while it is open. By number. */
export const MUX_FAULTS = [
  undefined,
  "version",
  "frame-type",
  "window-overrun",
  "stream-id",
  "second-fin",
  "go-away",
  "keep-alive",
  "output-overflow",
  "closed",
] as const;
