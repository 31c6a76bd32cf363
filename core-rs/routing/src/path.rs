//! One path of a connection, from this end to the other and back: the rules that it stands on, how much may be under way
//! on it, and its pings (routing.md §4). What a connection has once, however many paths it has, is in [`crate::group`].

use skywire_time::Millis;
use skywire_wire::{NextHop, RouteId};

use crate::flow::Flow;
use crate::pings::{Ping, Pings};

/// See the top of the file.
pub struct Path {
    /// The rule for packets that go.
    pub forward: RouteId,
    /// The rule for packets that come.
    pub consume: RouteId,
    /// What the forward rule says.
    pub next: NextHop,
    pub flow: Flow,
    /// The latest round trip.
    pub rtt: Option<Millis>,
    pub pings: Pings,
}

impl Path {
    pub fn new(forward: RouteId, consume: RouteId, next: NextHop, now: Millis) -> Path {
        Path { forward, consume, next, flow: Flow::new(), rtt: None, pings: Pings::new(now) }
    }

    /// A Ping that was due by time, or was asked for. Its Pong tells of room, too.
    pub fn ping(&mut self, asked: bool, received_bytes: u64, now: Millis) -> Ping {
        let ping = self.pings.make(asked, received_bytes, now);
        self.flow.also_mark(ping.timestamp, now);
        ping
    }

    /// The Ping that [`Flow::wants_mark`] asks for.
    pub fn mark(&mut self, received_bytes: u64, now: Millis) -> Ping {
        let ping = self.pings.make(false, received_bytes, now);
        self.flow.mark(ping.timestamp, now);
        ping
    }

    /// A Pong came; `true` when its Ping was asked for by the shell.
    pub fn take_pong(&mut self, timestamp: i64, now: Millis) -> bool {
        self.flow.arrived(timestamp, now);
        let Some(sent) = self.pings.take(timestamp) else { return false };
        self.rtt = Some(now - sent.at);
        sent.asked
    }
}
