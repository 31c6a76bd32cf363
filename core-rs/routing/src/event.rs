//! What the switch tells its shell.

/// Why a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseReason {
    /// This side closed it, and the other has answered or had its time.
    Local = 0,
    /// The other side closed it.
    Remote = 1,
    /// A rule of it was idle for too long.
    Expired = 2,
    /// The link that carries it is gone.
    LinkDown = 3,
    /// Nothing came for too long.
    Silence = 4,
    /// The peer broke the protocol, or this side did not read.
    Fault = 5,
}

/// One thing that happened. Handles are those that the switch gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A Handshake packet came.
    GroupHandshake { group: u32, encrypt: bool },
    /// A whole Noise message can be taken.
    GroupFrame { group: u32 },
    /// There is something to read, where there was nothing.
    GroupReadable { group: u32 },
    /// There is room to write, where there was none.
    GroupWritable { group: u32 },
    /// The group ended. `message` is the text of the peer's Error packet, or what was wrong.
    GroupClosed { group: u32, reason: CloseReason, message: Vec<u8> },
    /// A Ping that was asked for was answered.
    Pong { group: u32, timestamp: i64 },
    /// The link can be read from again.
    LinkResumed { link: u32 },
    /// The link broke the protocol or stands still; whoever owns its socket closes it.
    LinkFault { link: u32, fault: LinkFault },
    /// The peer of a link answered.
    TransportPong { link: u32, value: u64 },
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkFault {
    /// A record does not open: changed on the way, or sealed with another key.
    Record = 0,
    /// A record's length or counter is impossible.
    Framing = 1,
    /// What was written has not left for ten seconds.
    Stalled = 2,
}
