//! What the switch tells its shell.

use skywire_session::Over;

use crate::handles::{GroupHandle, LinkHandle, SessionHandle};

/// Why a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// This side closed it, and the other has answered or had its time.
    Local,
    /// The other side closed it.
    Remote,
    /// A rule of it was idle for too long.
    Expired,
    /// The link that carries it is gone.
    LinkDown,
    /// Nothing came for too long.
    Silence,
    /// The peer broke the protocol, or this side did not read.
    Fault,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A Handshake packet came.
    GroupHandshake { group: GroupHandle, encrypt: bool },
    /// A whole Noise message can be taken.
    GroupFrame { group: GroupHandle },
    /// There is something to read, where there was nothing.
    GroupReadable { group: GroupHandle },
    /// There is room to write, where there was none.
    GroupWritable { group: GroupHandle },
    /// The group ended. `message` is the text of the peer's Error packet, or what was wrong.
    GroupClosed { group: GroupHandle, reason: CloseReason, message: Vec<u8> },
    /// A Ping that was asked for was answered.
    Pong { group: GroupHandle, timestamp: i64 },
    /// The initiator of a leg has proven that it is there.
    LegConfirmed { group: GroupHandle },
    /// A leg answers no pings.
    LegSilent { group: GroupHandle },
    /// A silent leg answers again.
    LegHeard { group: GroupHandle },
    /// There is something to read of a session where there was nothing, or its end.
    SessionReadable { session: SessionHandle },
    /// There is room to write, where there was none, or never will be.
    SessionWritable { session: SessionHandle },
    /// A session is over. What came is still to be read.
    SessionOver { session: SessionHandle, over: Over },
    /// The link can be read from again.
    LinkResumed { link: LinkHandle },
    /// The link broke the protocol or stands still; whoever owns its socket closes it.
    LinkFault { link: LinkHandle, fault: LinkFault },
    /// The peer of a link answered.
    TransportPong { link: LinkHandle, value: u64 },
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFault {
    /// A record does not open: changed on the way, or sealed with another key.
    Record,
    /// A record's length or counter is impossible.
    Framing,
    /// What was written has not left for ten seconds.
    Stalled,
}
