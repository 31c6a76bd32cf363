//! The memory that all sessions of a visor may take. Each may use a quarter of what is free, as the dynamic thresholds of a
//! switch with shared memory do (Choudhury and Hahne, 1998): one alone gets much, and for one more there is always some.

/// What every direction of a session has to itself, used or not: as little as carries a stream at all.
pub const FLOOR_BYTES: u64 = 32 * 1024;
/// A session may take this part of what is free.
const SHARE: u64 = 4;
/// And this part before it has shown that it needs more.
const FIRST_SHARE: u64 = 128;

/// See the top of the file. Bytes that were promised to peers count as those that are kept.
pub struct Budget {
    total: u64,
    used: u64,
}

impl Budget {
    pub fn new(total: u64) -> Budget {
        Budget { total, used: 0 }
    }

    /// Bytes in use and promised.
    pub fn used(&self) -> u64 {
        self.used
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// Is there room for one session more?
    pub fn has_room(&self) -> bool {
        self.used + 2 * FLOOR_BYTES <= self.total
    }

    /// How much one direction may have that has `held` bytes now, or its floor.
    pub fn share(&self, held: u64) -> u64 {
        let free = self.total.saturating_sub(self.used);
        held.max(FLOOR_BYTES) + free / SHARE
    }

    /// How much a direction may have at first. Many sessions never need more, and what they were promised stays taken.
    pub fn first_share(&self) -> u64 {
        FLOOR_BYTES + self.total.saturating_sub(self.used) / FIRST_SHARE
    }

    /// What was charged before gives way to this.
    pub fn charge(&mut self, before: u64, after: u64) {
        self.used = self.used + after - before;
    }
}
