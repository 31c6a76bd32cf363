//! What a session is set up with, and the numbers that the peer's side fixes (dmsg.md §3.2).

use skywire_time::Millis;

/// The window of a stream when it opens, bytes per direction: part of the protocol.
pub const DEFAULT_WINDOW: u32 = 262_144;
/// Streams that a v1.3 peer lets wait for its application, and so the most that may be unacknowledged.
pub(crate) const MAX_UNACKNOWLEDGED: usize = 256;
/// Between two keep-alive pings.
pub(crate) const KEEP_ALIVE: Millis = Millis(30_000.0);
/// For the answer to a ping.
pub(crate) const PING_TIMEOUT: Millis = Millis(10_000.0);
/// For the acknowledgement of a stream.
pub(crate) const OPEN_TIMEOUT: Millis = Millis(75_000.0);
/// From a local close to the peer's FIN.
pub(crate) const CLOSE_TIMEOUT: Millis = Millis(300_000.0);

/// Credit is given back after this many consumed bytes, or half the window if that is less. Two round trips a megabyte
/// are few, and a sender with a large window never waits for it.
pub(crate) const MAX_CREDIT: u32 = 512 * 1024;
/// Answers and credit may wait to be sent beyond the limit of the output: 5,461 frames. An honest peer that reads at all
/// never comes near it.
pub(crate) const CONTROL_ALLOWANCE: usize = 64 * 1024;
/// A stream whose unread bytes are used up keeps this much memory for the next ones.
pub(crate) const KEPT_CAPACITY: usize = 512 * 1024;

/// Which ids a side gives to its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Odd ids: the side that opened the link.
    Client,
    /// Even ids.
    Server,
}

/// How a session behaves. What a v1.3 peer sees stays within the protocol whatever is set here.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub role: Role,
    /// Send a ping every 30 s, and end the session when the peer is silent. Off where the link is supervised anyway.
    pub keep_alive: bool,
    /// Acknowledge streams as they arrive and not when they are accepted: a slow application then never makes the peer
    /// give up (dmsg.md Q6).
    pub acknowledge_on_arrival: bool,
    /// What the peer may send on one stream before it is read, bytes; at least [`DEFAULT_WINDOW`].
    pub receive_window: u32,
    /// What all windows together may exceed the default by, bytes; further streams get the default window.
    pub extra_window_budget: u64,
    /// Streams of the peer that may wait to be accepted; more are reset.
    pub accept_backlog: usize,
    /// Streams at a time, of both sides together; more of the peer's are reset.
    pub max_streams: usize,
    /// Unsent bytes from which on writes wait.
    pub output_limit: usize,
}

impl Config {
    /// As v1.3 sets it up, with the bounds that it lacks.
    pub fn new(role: Role) -> Config {
        Config {
            role,
            keep_alive: true,
            acknowledge_on_arrival: true,
            receive_window: DEFAULT_WINDOW,
            extra_window_budget: 32 * 1024 * 1024,
            accept_backlog: MAX_UNACKNOWLEDGED,
            max_streams: 4096,
            output_limit: 512 * 1024,
        }
    }
}
