//! Pings: those of the application, and those that keep the session alive.

use skywire_time::Millis;

use crate::config::{KEEP_ALIVE, PING_TIMEOUT};

/// Unanswered pings at a time.
const MAX_PENDING: usize = 64;

struct Pending {
    opaque: u32,
    sent_at: Millis,
    /// Its loss ends the session.
    keeps_alive: bool,
}

/// What became due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send a keep-alive ping with this value.
    Send(u32),
    /// Nobody answered this ping.
    TimedOut(u32),
    /// Nobody answered a keep-alive ping, and nothing else came either.
    Silence,
}

pub(crate) struct Pings {
    pending: Vec<Pending>,
    next_opaque: u32,
    /// When the next keep-alive ping goes out; `None`: never, or one is pending.
    keep_alive_at: Option<Millis>,
    keep_alive: bool,
    heard_at: Millis,
}

impl Pings {
    pub fn new(keep_alive: bool, now: Millis) -> Pings {
        Pings {
            pending: Vec::new(),
            next_opaque: 0,
            keep_alive_at: keep_alive.then_some(now + KEEP_ALIVE),
            keep_alive,
            heard_at: now,
        }
    }

    /// Something came from the peer: it lives, even if the answer to a ping is still behind other data.
    pub fn heard(&mut self, now: Millis) {
        self.heard_at = now;
    }

    /// Begins a ping; its value, or nothing when too many wait for their answer.
    pub fn begin(&mut self, now: Millis) -> Option<u32> {
        (self.pending.len() < MAX_PENDING).then(|| self.start(false, now))
    }

    fn start(&mut self, keeps_alive: bool, now: Millis) -> u32 {
        let opaque = self.next_opaque;
        self.next_opaque = opaque.wrapping_add(1);
        self.pending.push(Pending { opaque, sent_at: now, keeps_alive });
        opaque
    }

    /// An answer came; the round trip, when an application asked for it.
    pub fn answered(&mut self, opaque: u32, now: Millis) -> Option<Millis> {
        let index = self.pending.iter().position(|ping| ping.opaque == opaque)?;
        let ping = self.pending.remove(index);
        if ping.keeps_alive {
            self.keep_alive_at = Some(now + KEEP_ALIVE);
            return None;
        }
        Some(now - ping.sent_at)
    }

    fn times_out_at(&self, ping: &Pending) -> Millis {
        let heard = ping.keeps_alive && self.heard_at > ping.sent_at;
        let from = if heard { self.heard_at } else { ping.sent_at };
        from + PING_TIMEOUT
    }

    /// The next thing that is due at `now`; call until there is none.
    pub fn due(&mut self, now: Millis) -> Option<Due> {
        if let Some(index) = self.pending.iter().position(|ping| self.times_out_at(ping) <= now) {
            let ping = self.pending.remove(index);
            return Some(if ping.keeps_alive { Due::Silence } else { Due::TimedOut(ping.opaque) });
        }
        if self.keep_alive && self.keep_alive_at.is_some_and(|at| at <= now) {
            self.keep_alive_at = None;
            return Some(Due::Send(self.start(true, now)));
        }
        None
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.pending.iter().map(|ping| self.times_out_at(ping)).chain(self.keep_alive_at).reduce(Millis::earlier)
    }
}
