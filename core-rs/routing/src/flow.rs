//! How much a group may have under way. The wire has no windows and no acknowledgements for routes, so a sender could fill
//! every queue on the path: seconds of delay for everybody there. But packets stay in order, and a Ping is answered at once
//! (routing.md §4.7): its Pong says that all which was sent before it has arrived. So a Ping now and then is a
//! measure of what is under way, with any peer of v1.3.
//!
//! The window follows the delay, as LEDBAT does (RFC 6817): it grows while the round trip is little longer than the
//! shortest one seen, and shrinks when it is longer, since then the bytes only wait in queues.

use std::collections::VecDeque;

/// Enough to keep a short path busy.
const FIRST_WINDOW: u64 = 512 * 1024;
const MIN_WINDOW: u64 = 256 * 1024;
/// 100 MB/s over 160 ms. A receiver of ours takes that much without stopping anybody else.
pub const MAX_WINDOW: u64 = 16 * 1024 * 1024;
/// A Ping is sent after this part of the window: some 30 bytes for 32 KiB at the least.
const MARKS_PER_WINDOW: u64 = 8;
/// Waiting in queues that is taken for a sign of a full path, ms; on long paths a quarter of the round trip.
const TARGET_DELAY_MS: f64 = 4.0;
/// The shortest round trip may be longer now than it was: it is taken to grow by this part in a second.
const RTT_DRIFT_PER_SECOND: f64 = 0.01;

/// Marks whose Pong has not come. Beyond it the oldest goes, since a later one says more.
const MAX_MARKS: usize = 64;

struct Mark {
    timestamp: i64,
    /// When it was sent; not of Pings that go now and then anyway, which say nothing about a busy path.
    at: Option<f64>,
    /// Everything sent before it.
    sent: u64,
}

/// The window of one group.
pub struct Flow {
    window: u64,
    sent: u64,
    arrived: u64,
    marked: u64,
    marks: VecDeque<Mark>,
    shortest_ms: Option<f64>,
    measured_at: f64,
    /// Doubling until the path was full for the first time.
    starting: bool,
    /// No change before what was sent under the present window has arrived.
    changed_at: u64,
}

impl Flow {
    pub fn new() -> Flow {
        Flow {
            window: FIRST_WINDOW,
            sent: 0,
            arrived: 0,
            marked: 0,
            marks: VecDeque::new(),
            shortest_ms: None,
            measured_at: 0.0,
            starting: true,
            changed_at: 0,
        }
    }

    /// May more be sent?
    pub fn has_room(&self) -> bool {
        self.sent - self.arrived < self.window
    }

    /// `bytes` were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Is a Ping due? Also when the window is full and nothing under way would tell of room.
    pub fn wants_mark(&self) -> bool {
        let unmarked = self.sent - self.marked;
        unmarked >= self.window / MARKS_PER_WINDOW || (unmarked > 0 && !self.has_room() && self.marks.is_empty())
    }

    /// A Ping was sent because of [`Self::wants_mark`].
    pub fn mark(&mut self, timestamp: i64, now: f64) {
        self.push(timestamp, Some(now));
    }

    /// A Ping was sent for another reason. It tells of room, too: the Pong of the last mark may have been dropped on a full
    /// path, and then nothing else ever would.
    pub fn also_mark(&mut self, timestamp: i64) {
        if self.sent > self.arrived {
            self.push(timestamp, None);
        }
    }

    /// A Pong came. What was marked before has arrived, too.
    pub fn arrived(&mut self, timestamp: i64, now: f64) {
        let Some(index) = self.marks.iter().position(|mark| mark.timestamp == timestamp) else { return };
        let Some(mark) = self.marks.drain(..=index).next_back() else { return };
        let was_full = self.sent - self.arrived >= self.window / 2;
        self.arrived = mark.sent;
        if let Some(at) = mark.at {
            self.adapt(now - at, was_full, now);
        }
    }

    fn push(&mut self, timestamp: i64, at: Option<f64>) {
        self.marked = self.sent;
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { timestamp, at, sent: self.sent });
    }

    fn adapt(&mut self, rtt_ms: f64, was_full: bool, now: f64) {
        // No `f64::min`: with it the module gets an intrinsic that needs an import.
        let shortest = match self.shortest_ms {
            Some(shortest) => {
                let drifted = shortest * (1.0 + RTT_DRIFT_PER_SECOND * (now - self.measured_at) / 1000.0);
                if rtt_ms < drifted { rtt_ms } else { drifted }
            }
            None => rtt_ms,
        };
        self.shortest_ms = Some(shortest);
        self.measured_at = now;
        if self.arrived < self.changed_at {
            return;
        }
        self.changed_at = self.sent;
        let target = if shortest / 4.0 > TARGET_DELAY_MS { shortest / 4.0 } else { TARGET_DELAY_MS };
        let window = if rtt_ms - shortest > target {
            self.starting = false;
            self.window - self.window / 8
        } else if !was_full {
            // The writer, not the path, sets the pace.
            self.window
        } else if self.starting {
            self.window * 2
        } else {
            self.window + self.window / 8
        };
        self.window = window.clamp(MIN_WINDOW, MAX_WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path that takes `rate` bytes a ms and `delay` ms, with a queue before it: the bytes under way at the end.
    fn run(rate: f64, delay: f64) -> (f64, u64) {
        let mut flow = Flow::new();
        let (mut now, mut free_at, mut timestamp, mut total) = (0.0, 0.0, 0, 0u64);
        let mut under_way: VecDeque<(f64, i64)> = VecDeque::new();
        while now < 5_000.0 {
            while flow.has_room() {
                flow.sent(4070);
                total += 4070;
                free_at = (if free_at > now { free_at } else { now }) + 4070.0 / rate;
                if flow.wants_mark() {
                    timestamp += 1;
                    flow.mark(timestamp, now);
                    under_way.push_back((free_at + delay, timestamp));
                }
            }
            let (at, pong) = under_way.pop_front().expect("a full window has a mark under way");
            now = at;
            flow.arrived(pong, now);
        }
        (total as f64 / now, flow.window)
    }

    #[test]
    fn a_short_path_is_kept_busy_with_little_in_its_queues() {
        let (rate, window) = run(100_000.0, 0.3);
        assert!(rate > 95_000.0, "{rate} bytes a ms");
        assert!(window < 1024 * 1024, "{window} bytes");
    }

    #[test]
    fn a_long_path_is_kept_busy() {
        let (rate, window) = run(50_000.0, 100.0);
        assert!(rate > 40_000.0, "{rate} bytes a ms");
        assert!(window > 4 * 1024 * 1024, "{window} bytes");
    }

    #[test]
    fn a_writer_that_sends_little_never_waits() {
        let mut flow = Flow::new();
        for n in 0..1_000_000 {
            assert!(flow.has_room());
            flow.sent(100);
            if flow.wants_mark() {
                flow.mark(n, n as f64);
                flow.arrived(n, n as f64 + 1.0);
            }
        }
    }
}
