//! What a peer can do wrong.

use core::fmt;

/// Why a session cannot go on with this peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A frame is shorter or longer than its kind, or of no known kind.
    Frame,
    /// Data beyond what was allowed.
    Window,
    /// Data that does not fit to what came before: other borders, or beyond the end.
    Order,
    /// More gaps than a sender that follows the rules makes.
    Gaps,
    /// An acknowledgement of what was never sent.
    Acknowledgement,
    /// A second end that differs from the first.
    End,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Frame => "a frame of the session is malformed",
            Fault::Window => "more was sent than the window allows",
            Fault::Order => "data does not fit to what came before",
            Fault::Gaps => "data has too many gaps",
            Fault::Acknowledgement => "data was acknowledged that was never sent",
            Fault::End => "the end was said twice, and differently",
        })
    }
}
