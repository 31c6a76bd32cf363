//! How much a group may have under way. The wire has no windows and no acknowledgements for routes, so a sender could fill
//! every queue on the path: seconds of delay for everybody there. But packets stay in order, and a Ping is answered at once
//! (routing.md §4.7): its Pong says that all which was sent before it has arrived. So a Ping now and then is a
//! measure of what is under way, with any peer of v1.3.
//!
//! The window follows the delay, as LEDBAT does (RFC 6817): it grows while the round trip is little longer than the
//! shortest one seen, and shrinks when it is longer, since then the bytes only wait in queues. A sender of bulk
//! beside chat of other routes holds back more, since it is not only its own bytes that wait then.

use std::collections::VecDeque;

use skywire_time::Millis;

/// Enough to keep a short path busy.
const FIRST_WINDOW: u64 = 512 * 1024;
const MIN_WINDOW: u64 = 256 * 1024;
/// 100 MB/s over 160 ms. A receiver of ours takes that much without stopping anybody else.
pub const MAX_WINDOW: u64 = 16 * 1024 * 1024;
/// The window beside chat of other routes on the same link, when the path is short. There the processors of the visors are the
/// bottleneck: what is under way waits in the sockets between them, where nothing overtakes it, and more of it hardly makes
/// bulk faster. Over 4 hops on loopback with [`MIN_WINDOW`], small packets of other routes took 9 times their idle round
/// trip, with this 3 times. 64 KiB are no better, and cost more processor time for each byte, since every write is smaller.
const WINDOW_BESIDE_CHAT: u64 = 96 * 1024;
/// A path is short when its shortest round trip is less: on one that was never seen empty, some [`TARGET_DELAY`] of it
/// may be our own bytes.
const SHORT: Millis = Millis(5.0);
/// A Ping is sent after this part of the window, and after [`MIN_MARK_BYTES`] at the soonest: each costs some 60 bytes, and a
/// turn of every visor on the way back.
const MARKS_PER_WINDOW: u64 = 8;
const MIN_MARK_BYTES: u64 = 32 * 1024;
/// Waiting in queues that is taken for a sign of a full path; on long paths a quarter of the round trip.
const TARGET_DELAY: Millis = Millis(4.0);
/// The shortest round trip may be longer now than it was: it is taken to grow by this part in a second. Little, since a path
/// that is busy for minutes does not show it.
const RTT_DRIFT_PER_SECOND: f64 = 0.003;

/// Marks whose Pong has not come. Beyond it the oldest goes, since a later one says more.
const MAX_MARKS: usize = 64;

struct Mark {
    timestamp: i64,
    at: Millis,
    /// Was it sent because of [`Flow::wants_mark`]? Others say nothing about a busy path.
    wanted: bool,
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
    shortest: Option<Millis>,
    measured_at: Millis,
    /// Doubling until the path was full for the first time.
    starting: bool,
    /// No change before what was sent under the present window has arrived.
    changed_at: u64,
    /// Do other routes send chat over the same link?
    beside_chat: bool,
}

impl Flow {
    pub fn new() -> Flow {
        Flow {
            window: FIRST_WINDOW,
            sent: 0,
            arrived: 0,
            marked: 0,
            marks: VecDeque::new(),
            shortest: None,
            measured_at: Millis::ZERO,
            starting: true,
            changed_at: 0,
            beside_chat: false,
        }
    }

    /// May more be sent? Always when no mark is under way, since nothing else tells of room: the window may have become
    /// smaller than what was sent since the last one.
    pub fn has_room(&self) -> bool {
        self.sent - self.arrived < self.limit() || self.marks.is_empty()
    }

    /// Do other routes send chat over the link that this one leaves over?
    pub fn set_beside_chat(&mut self, beside_chat: bool) {
        self.beside_chat = beside_chat;
    }

    /// `bytes` were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Is a Ping due?
    pub fn wants_mark(&self) -> bool {
        let unmarked = self.sent - self.marked;
        // The first one comes early: the path is still empty and shows its shortest round trip.
        let enough = if self.marked == 0 { 0 } else { self.limit() / MARKS_PER_WINDOW };
        unmarked >= enough.max(MIN_MARK_BYTES)
    }

    /// A Ping was sent because of [`Self::wants_mark`].
    pub fn mark(&mut self, timestamp: i64, now: Millis) {
        self.push(timestamp, now, true);
    }

    /// A Ping was sent for another reason. It tells of room, too: the Pong of the last mark may have been dropped on a full
    /// path, and then nothing else ever would. And on an idle path it shows the shortest round trip.
    pub fn also_mark(&mut self, timestamp: i64, now: Millis) {
        self.push(timestamp, now, false);
    }

    /// A Pong came. What was marked before has arrived, too.
    pub fn arrived(&mut self, timestamp: i64, now: Millis) {
        let Some(index) = self.marks.iter().position(|mark| mark.timestamp == timestamp) else { return };
        let Some(mark) = self.marks.drain(..=index).next_back() else { return };
        let was_full = self.sent - self.arrived >= self.limit() / 2;
        self.arrived = mark.sent;
        let waited = self.note_round_trip(now - mark.at, now);
        if mark.wanted {
            self.adapt(waited, was_full);
        }
    }

    fn limit(&self) -> u64 {
        if self.is_held_back() { WINDOW_BESIDE_CHAT } else { self.window }
    }

    fn is_held_back(&self) -> bool {
        self.beside_chat && self.shortest.is_none_or(|shortest| shortest < SHORT)
    }

    fn push(&mut self, timestamp: i64, at: Millis, wanted: bool) {
        self.marked = self.sent;
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { timestamp, at, wanted, sent: self.sent });
    }

    /// How much longer than the shortest round trip this one took.
    fn note_round_trip(&mut self, rtt: Millis, now: Millis) -> Millis {
        let shortest = self.shortest.map_or(rtt, |shortest| {
            let seconds = (now - self.measured_at).0 / 1000.0;
            rtt.earlier(Millis(shortest.0 * (1.0 + RTT_DRIFT_PER_SECOND * seconds)))
        });
        self.shortest = Some(shortest);
        self.measured_at = now;
        rtt - shortest
    }

    fn adapt(&mut self, waited: Millis, was_full: bool) {
        // What the window should be without the chat is not to be seen now.
        if self.arrived < self.changed_at || self.is_held_back() {
            return;
        }
        self.changed_at = self.sent;
        let quarter = Millis(self.shortest.unwrap_or_default().0 / 4.0);
        let window = if waited > TARGET_DELAY && waited > quarter {
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
                    flow.mark(timestamp, Millis(now));
                    under_way.push_back((free_at + delay, timestamp));
                }
            }
            let (at, pong) = under_way.pop_front().expect("a full window has a mark under way");
            now = at;
            flow.arrived(pong, Millis(now));
        }
        (total as f64 / now, flow.window)
    }

    /// Sends as much as may be under way, and lets it arrive; how many bytes.
    fn fill(flow: &mut Flow) -> u64 {
        let before = flow.sent;
        while flow.has_room() {
            flow.sent(4070);
            if flow.wants_mark() {
                flow.mark(flow.sent as i64, Millis::ZERO);
            }
        }
        (flow.arrived, flow.marked) = (flow.sent, flow.sent);
        flow.marks.clear();
        flow.sent - before
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
    fn a_sender_holds_back_beside_chat_if_the_path_is_short() {
        for (rtt_ms, short) in [(0.7, true), (20.0, false)] {
            let mut flow = Flow::new();
            flow.sent(40_000);
            assert!(flow.wants_mark(), "the first mark comes early");
            flow.mark(1, Millis::ZERO);
            flow.arrived(1, Millis(rtt_ms));
            assert!(fill(&mut flow) >= FIRST_WINDOW);
            flow.set_beside_chat(true);
            assert_eq!(fill(&mut flow) < FIRST_WINDOW / 4, short, "{rtt_ms} ms");
            flow.set_beside_chat(false);
            assert!(flow.limit() >= FIRST_WINDOW);
        }
    }

    #[test]
    fn a_window_that_shrinks_below_what_has_no_mark_does_not_stop_the_sender() {
        let mut flow = Flow::new();
        flow.window = MAX_WINDOW;
        flow.sent(40_000);
        flow.mark(1, Millis::ZERO);
        // Not enough for the next mark of so large a window.
        flow.sent(1_000_000);
        assert!(!flow.wants_mark());
        flow.set_beside_chat(true);
        assert!(!flow.has_room());
        flow.arrived(1, Millis(0.5));
        assert!(flow.has_room());
        flow.sent(4_070);
        assert!(flow.wants_mark());
    }

    #[test]
    fn of_marks_without_an_answer_the_latest_64_are_kept() {
        let mut flow = Flow::new();
        for n in 0..100 {
            flow.sent(100);
            flow.also_mark(n, Millis(n as f64));
        }
        assert_eq!(flow.marks.len(), MAX_MARKS);
        flow.arrived(35, Millis(100.0));
        assert_eq!(flow.arrived, 0, "the 36th is forgotten");
        flow.arrived(36, Millis(100.0));
        assert_eq!(flow.arrived, 3_700, "the 37th is not");
    }

    #[test]
    fn a_writer_that_sends_little_never_waits() {
        let mut flow = Flow::new();
        for n in 0..1_000_000 {
            assert!(flow.has_room());
            flow.sent(100);
            if flow.wants_mark() {
                flow.mark(n, Millis(n as f64));
                flow.arrived(n, Millis(n as f64 + 1.0));
            }
        }
    }
}
