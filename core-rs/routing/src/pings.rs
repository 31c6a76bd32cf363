//! The Pings of one path whose answers are awaited (routing.md §4.7).

use skywire_time::Millis;

/// The pace of pings (routing.md §4.7).
const PACE: Millis = Millis(3_000.0);
/// Pings whose answer is awaited.
pub const MAX_PINGS: usize = 32;

/// The payload of a Ping.
#[derive(Clone, Copy)]
pub struct Ping {
    /// Never used twice on a path.
    pub timestamp: i64,
    /// Bytes per second received since the Ping before.
    pub throughput: i64,
}

impl Ping {
    /// The sixteen bytes.
    pub fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.throughput.to_be_bytes());
        bytes
    }
}

/// A Ping whose Pong has not come.
pub struct SentPing {
    timestamp: i64,
    pub at: Millis,
    /// Did the shell ask for it?
    pub asked: bool,
}

/// See the top of the file.
pub struct Pings {
    sent: Vec<SentPing>,
    last_timestamp: i64,
    /// When the last one was sent that nobody had asked for, and what had been received then.
    paced_at: Millis,
    received_before: u64,
}

impl Pings {
    pub fn new(now: Millis) -> Pings {
        Pings { sent: Vec::new(), last_timestamp: 0, paced_at: now, received_before: 0 }
    }

    /// The next one is due a whole pace after now.
    pub fn restart(&mut self, now: Millis) {
        self.paced_at = now;
    }

    /// Is one due?
    pub fn is_due(&self, now: Millis) -> bool {
        now - self.paced_at >= PACE
    }

    /// Makes a Ping and waits for its answer; the oldest that is awaited goes when there are too many.
    pub fn make(&mut self, asked: bool, received_bytes: u64, now: Millis) -> Ping {
        let timestamp = (now.0 as i64).max(self.last_timestamp + 1);
        self.last_timestamp = timestamp;
        if self.sent.len() == MAX_PINGS {
            self.sent.remove(0);
        }
        self.sent.push(SentPing { timestamp, at: now, asked });
        let seconds = (now - self.paced_at).0 / 1000.0;
        let received = received_bytes - self.received_before;
        let throughput = if seconds > 0.0 { (received as f64 / seconds) as i64 } else { 0 };
        if !asked {
            self.paced_at = now;
            self.received_before = received_bytes;
        }
        Ping { timestamp, throughput }
    }

    /// The Ping that a Pong answers; it is awaited no more.
    pub fn take(&mut self, timestamp: i64) -> Option<SentPing> {
        let index = self.sent.iter().position(|ping| ping.timestamp == timestamp)?;
        Some(self.sent.swap_remove(index))
    }
}
