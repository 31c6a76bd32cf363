//! Why a session ended, and why a call on a stream failed.

/// Why a session is closed. It never opens again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A frame of another version.
    Version,
    /// A frame of an unknown type.
    FrameType,
    /// The peer sent more than the window it was given.
    WindowOverrun,
    /// The peer opened a stream with an id in use, or with id 0, which is the session's own.
    StreamId,
    /// The peer ended a stream twice.
    SecondFin,
    /// The peer said go-away with a code other than «normal».
    GoAway,
    /// The peer let a keep-alive ping go without an answer or any other sign of life.
    KeepAlive,
    /// The peer causes answers and does not read them.
    OutputOverflow,
    /// Closed by a local call.
    Closed,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// The session is closed.
    Session,
    /// No such stream, or no longer.
    Unknown,
    /// The local side has ended its direction.
    Finished,
    /// The peer reset the stream.
    Reset,
    /// The peer did not acknowledge the stream in time.
    OpenTimeout,
    /// Not now: an event tells when to try again.
    WouldBlock,
    /// The peer takes no new streams any more.
    GoingAway,
    /// All ids have been used; a new session is due.
    IdsExhausted,
}
