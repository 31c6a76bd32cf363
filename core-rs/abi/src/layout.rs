//! Numbers that both sides of the boundary agree on. Made of `core-rs/abi/layout.json` by `deno task core:build`: change that.

// The boundary itself

/// Raised whenever an exported function changes its meaning.
pub const ABI_VERSION: u32 = 3;

/// The scratch area for small arguments and results, bytes. One routing packet of the largest size fits twice.
pub const SCRATCH_BYTES: usize = 196_608;

/// The handle names nothing (used after dispose).
pub const FAULT_BAD_HANDLE: i32 = -1;

/// An argument is out of its range; a bug of the caller.
pub const FAULT_BAD_ARGUMENT: i32 = -2;

/// The result does not fit into the space given for it.
pub const FAULT_NO_SPACE: i32 = -3;

// Cryptography: −100 to −199

/// No compressed point on the curve.
pub const FAULT_PUBLIC_KEY: i32 = -100;

/// No scalar from 1 to n − 1.
pub const FAULT_SECRET_KEY: i32 = -101;

/// No key can be recovered from the signature.
pub const FAULT_SIGNATURE: i32 = -102;

/// The digest of 32 zero bytes is never signed.
pub const FAULT_NULL_DIGEST: i32 = -103;

/// The AEAD tag does not match.
pub const FAULT_AUTHENTICATION: i32 = -110;

/// A counter was used before, or is 0.
pub const FAULT_REPLAY: i32 = -111;

/// A frame is longer or shorter than any record.
pub const FAULT_FRAME_LENGTH: i32 = -112;

/// A plaintext exceeds its limit, or the space for the result is too small.
pub const FAULT_PLAINTEXT_LENGTH: i32 = -113;

/// The sender's counter is used up.
pub const FAULT_COUNTER_EXHAUSTED: i32 = -114;

/// A record before this one is missing.
pub const FAULT_GAP: i32 = -115;

/// A handshake message is shorter than its fields.
pub const FAULT_MESSAGE_LENGTH: i32 = -120;

/// A handshake message is not due now.
pub const FAULT_MESSAGE_ORDER: i32 = -121;

// Patterns of a handshake.
pub const NOISE_PATTERN_XK: u32 = 0;
pub const NOISE_PATTERN_KK: u32 = 1;

// Roles in a handshake.
pub const NOISE_ROLE_INITIATOR: u32 = 0;
pub const NOISE_ROLE_RESPONDER: u32 = 1;

// Packets, rules and the switch: −200 to −399

/// The bytes end before the packet does.
pub const FAULT_PACKET_INCOMPLETE: i32 = -200;

/// The payload does not fit the size field.
pub const FAULT_PACKET_TOO_LONG: i32 = -201;

/// The rule is shorter than its type needs.
pub const FAULT_RULE_LENGTH: i32 = -210;

/// The rule is of no known type.
pub const FAULT_RULE_TYPE: i32 = -211;

/// The group has ended, has no keys yet, or never was.
pub const FAULT_GROUP_NOT_OPEN: i32 = -230;

/// Nothing can be written to the session any more, or it never was.
pub const FAULT_SESSION_CLOSED: i32 = -231;

/// State of a session: all that the other end wrote was read.
pub const SESSION_READ_OUT: u32 = 1;

/// State of a session: the other end reads no more.
pub const SESSION_STOPPED: u32 = 2;

/// State of a session: both directions are done.
pub const SESSION_DONE: u32 = 4;

/// Of a leg: this side says which legs are used.
pub const LEG_LEADS: u32 = 1;

/// Of a leg: it carries data.
pub const LEG_IN_USE: u32 = 2;

/// Of a leg: the other end has proven that it is there.
pub const LEG_CONFIRMED: u32 = 4;

/// The area of a switch for arguments and results: 64 whole records and more.
pub const SWITCH_IO_BYTES: usize = 262_144;

// Kinds of events.
pub const EVENT_GROUP_HANDSHAKE: u8 = 1;
pub const EVENT_GROUP_FRAME: u8 = 2;
pub const EVENT_GROUP_READABLE: u8 = 3;
pub const EVENT_GROUP_WRITABLE: u8 = 4;
pub const EVENT_GROUP_CLOSED: u8 = 5;
pub const EVENT_PONG: u8 = 6;
pub const EVENT_LINK_RESUMED: u8 = 7;
pub const EVENT_LINK_FAULT: u8 = 8;
pub const EVENT_TRANSPORT_PONG: u8 = 9;
pub const EVENT_LEG_CONFIRMED: u8 = 10;
pub const EVENT_LEG_SILENT: u8 = 11;
pub const EVENT_LEG_HEARD: u8 = 12;
pub const EVENT_SESSION_READABLE: u8 = 13;
pub const EVENT_SESSION_WRITABLE: u8 = 14;
pub const EVENT_SESSION_OVER: u8 = 15;

// Why a group ended.
pub const CLOSE_REASON_LOCAL: u8 = 0;
pub const CLOSE_REASON_REMOTE: u8 = 1;
pub const CLOSE_REASON_EXPIRED: u8 = 2;
pub const CLOSE_REASON_LINK_DOWN: u8 = 3;
pub const CLOSE_REASON_SILENCE: u8 = 4;
pub const CLOSE_REASON_FAULT: u8 = 5;

// What is wrong with a link.
pub const LINK_FAULT_RECORD: u8 = 0;
pub const LINK_FAULT_FRAMING: u8 = 1;
pub const LINK_FAULT_STALLED: u8 = 2;

// Where each counter of a switch stands among all.
pub const COUNTER_FORWARDED: usize = 0;
pub const COUNTER_DELIVERED: usize = 1;
pub const COUNTER_UNKNOWN_TYPE: usize = 2;
pub const COUNTER_SHORT_PAYLOAD: usize = 3;
pub const COUNTER_UNKNOWN_ROUTE: usize = 4;
pub const COUNTER_EXPIRED_ROUTE: usize = 5;
pub const COUNTER_WRONG_LINK: usize = 6;
pub const COUNTER_NO_TRANSPORT: usize = 7;
pub const COUNTER_NO_GROUP: usize = 8;
pub const COUNTER_COUNT: usize = 9;

// How a session ended.
pub const SESSION_END_DONE: u8 = 0;
pub const SESSION_END_RESET_HERE: u8 = 1;
pub const SESSION_END_RESET: u8 = 2;
pub const SESSION_END_FAULT: u8 = 3;

// Where each figure of a session stands among all.
pub const SESSION_FIGURE_WRITTEN_BYTES: usize = 0;
pub const SESSION_FIGURE_ACKNOWLEDGED_BYTES: usize = 1;
pub const SESSION_FIGURE_READ_THERE_BYTES: usize = 2;
pub const SESSION_FIGURE_RECEIVED_BYTES: usize = 3;
pub const SESSION_FIGURE_READ_BYTES: usize = 4;
pub const SESSION_FIGURE_REPEATED_BYTES: usize = 5;
pub const SESSION_FIGURE_WINDOW: usize = 6;
pub const SESSION_FIGURE_COUNT: usize = 7;

// Where each figure of a link stands among all.
pub const LINK_FIGURE_SENT_BYTES: usize = 0;
pub const LINK_FIGURE_RECEIVED_BYTES: usize = 1;
pub const LINK_FIGURE_SENT_PACKETS: usize = 2;
pub const LINK_FIGURE_RECEIVED_PACKETS: usize = 3;
pub const LINK_FIGURE_COUNT: usize = 4;

// Streams: −400 to −499

/// The session is closed.
pub const FAULT_MUX_SESSION: i32 = -400;

/// No such stream, or no longer.
pub const FAULT_MUX_UNKNOWN: i32 = -401;

/// The local side has ended its direction.
pub const FAULT_MUX_FINISHED: i32 = -402;

/// The peer reset the stream.
pub const FAULT_MUX_RESET: i32 = -403;

/// The peer did not acknowledge the stream in time.
pub const FAULT_MUX_OPEN_TIMEOUT: i32 = -404;

/// Not now; an event tells when to try again.
pub const FAULT_MUX_WOULD_BLOCK: i32 = -405;

/// The peer takes no new streams any more.
pub const FAULT_MUX_GOING_AWAY: i32 = -406;

/// All stream ids have been used.
pub const FAULT_MUX_IDS_EXHAUSTED: i32 = -407;

/// No byte comes any more: the peer has finished.
pub const FAULT_MUX_END: i32 = -408;

/// No byte comes any more: the session is over.
pub const FAULT_MUX_CUT: i32 = -409;

/// A switch of a session: send pings, and end the session when the peer is silent.
pub const MUX_KEEP_ALIVE: u32 = 1;

/// A switch of a session: acknowledge streams as they arrive.
pub const MUX_ACKNOWLEDGE_ON_ARRIVAL: u32 = 2;

// Roles in a session.
pub const MUX_ROLE_CLIENT: u32 = 0;
pub const MUX_ROLE_SERVER: u32 = 1;

// Kinds of events of a session.
pub const MUX_EVENT_CHANGED: i32 = 1;
pub const MUX_EVENT_INCOMING: i32 = 2;
pub const MUX_EVENT_OPENABLE: i32 = 3;
pub const MUX_EVENT_PONG: i32 = 4;
pub const MUX_EVENT_PING_TIMED_OUT: i32 = 5;
pub const MUX_EVENT_CLOSED: i32 = 6;

// Why a session is closed; 0 while it is open.
pub const MUX_FAULT_VERSION: i32 = 1;
pub const MUX_FAULT_FRAME_TYPE: i32 = 2;
pub const MUX_FAULT_WINDOW_OVERRUN: i32 = 3;
pub const MUX_FAULT_STREAM_ID: i32 = 4;
pub const MUX_FAULT_SECOND_FIN: i32 = 5;
pub const MUX_FAULT_GO_AWAY: i32 = 6;
pub const MUX_FAULT_KEEP_ALIVE: i32 = 7;
pub const MUX_FAULT_OUTPUT_OVERFLOW: i32 = 8;
pub const MUX_FAULT_CLOSED: i32 = 9;
