/** Numbers that both sides of the boundary agree on. Twin of `core-rs/abi/src/layout.rs`: change both together. */

/** Raised whenever an exported function changes its meaning. */
export const ABI_VERSION = 1;

/** The scratch area for small arguments and results, bytes. */
export const SCRATCH_BYTES: number = 192 * 1024;

/** The handle names nothing (used after dispose). */
export const FAULT_BAD_HANDLE: number = -1;
/** An argument is out of its range; a bug of the caller. */
export const FAULT_BAD_ARGUMENT: number = -2;
/** The result does not fit into the space given for it. */
export const FAULT_NO_SPACE: number = -3;

// Cryptography: −100 to −199.

/** No compressed point on the curve. */
export const FAULT_PUBLIC_KEY: number = -100;
/** No scalar from 1 to n − 1. */
export const FAULT_SECRET_KEY: number = -101;
/** No key can be recovered from the signature. */
export const FAULT_SIGNATURE: number = -102;
/** The digest of 32 zero bytes is never signed. */
export const FAULT_NULL_DIGEST: number = -103;
/** No key is derived from the empty seed. */
export const FAULT_EMPTY_SEED: number = -104;
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
/** A handshake message is shorter than its fields. */
export const FAULT_MESSAGE_LENGTH: number = -120;
/** A handshake message is not due now. */
export const FAULT_MESSAGE_ORDER: number = -121;

/** Patterns of a handshake. */
export const NOISE_PATTERN: { readonly XK: number; readonly KK: number } = { XK: 0, KK: 1 };
/** Roles in a handshake. */
export const NOISE_ROLE: { readonly initiator: number; readonly responder: number } = { initiator: 0, responder: 1 };

// Streams: −400 to −499.

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

/** Roles of a mux session. */
export const MUX_ROLE: { readonly client: number; readonly server: number } = { client: 0, server: 1 };
/** Send pings, and end the session when the peer is silent. */
export const MUX_KEEP_ALIVE: number = 1;
/** Acknowledge streams as they arrive. */
export const MUX_ACKNOWLEDGE_ON_ARRIVAL: number = 2;

/** Kinds of mux events, by number. */
export const MUX_EVENTS = [
  undefined,
  "changed",
  "incoming",
  "openable",
  "pong",
  "ping-timed-out",
  "closed",
] as const;

/** Why a mux session is closed, by number. */
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

// Packets, rules and the switch: −200 to −399.

/** The bytes end before the packet does. */
export const FAULT_PACKET_INCOMPLETE: number = -200;
/** The payload does not fit the size field. */
export const FAULT_PACKET_TOO_LONG: number = -201;
/** The rule is shorter than its type needs. */
export const FAULT_RULE_LENGTH: number = -210;
/** The rule is of no known type. */
export const FAULT_RULE_TYPE: number = -211;
/** No rule has the id. */
export const FAULT_ROUTE_UNKNOWN: number = -220;
/** The rule of the id has been idle for too long. */
export const FAULT_ROUTE_EXPIRED: number = -221;
/** The group has ended, has no keys yet, or never was. */
export const FAULT_GROUP_NOT_OPEN: number = -230;

/** The area of a switch for arguments and results: 64 whole records and more. */
export const SWITCH_IO_BYTES: number = 256 * 1024;

/** Kinds of events. */
export const EVENT = {
  GROUP_HANDSHAKE: 1,
  GROUP_FRAME: 2,
  GROUP_READABLE: 3,
  GROUP_WRITABLE: 4,
  GROUP_CLOSED: 5,
  PONG: 6,
  LINK_RESUMED: 7,
  LINK_FAULT: 8,
  TRANSPORT_PONG: 9,
} as const;
