//! What a group knows as a leg of a session: whether its initiator has proven to be there, and whether it still lives
//! (sessions.md §3).

use skywire_session::LegStart;
use skywire_time::Millis;

use crate::handles::SessionHandle;

/// A leg that should bring something is silent after so long at the soonest.
const LEAST_BUSY: Millis = Millis(250.0);
/// One that waits for the answer to a ping only: so that a visor which is busy for a moment is not taken for dead.
const LEAST_IDLE: Millis = Millis(1_000.0);
/// Before the first round trip was measured.
const UNMEASURED: Millis = Millis(2_000.0);
/// In round trips.
const LIMIT_IN_ROUND_TRIPS: f64 = 4.0;
/// After data came, more is expected for so long.
const EXPECTED: Millis = Millis(2_000.0);
/// Legs that should bring something are looked at at this pace.
pub const LEG_TICK: Millis = Millis(50.0);

/// See the top of the file.
pub struct GroupLeg {
    pub session: SessionHandle,
    /// How it begins, until its initiator's first record has come.
    pub start: Option<LegStart>,
    pub is_silent: bool,
    /// When data came last.
    pub data_at: Millis,
    /// When a ping was sent because nothing came.
    probed_at: Option<Millis>,
    /// It was late at the last look: one look is not enough, since this visor may have been the one that stood still.
    was_late: bool,
}

/// What is to be done about a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LegDue {
    Probe,
    Silent,
}

impl GroupLeg {
    pub fn new(session: SessionHandle, start: Option<LegStart>, now: Millis) -> GroupLeg {
        GroupLeg { session, start, is_silent: false, data_at: now - EXPECTED, probed_at: None, was_late: false }
    }

    /// Should something come soon? `busy`: the other end has to answer what was sent.
    pub fn is_expectant(&self, busy: bool, now: Millis) -> bool {
        busy || now - self.data_at < EXPECTED
    }

    /// Something came.
    pub fn heard(&mut self) {
        (self.probed_at, self.was_late) = (None, false);
    }

    /// What is due when nothing has come for `quiet`.
    pub fn due(&mut self, quiet: Millis, rtt: Option<Millis>, busy: bool, now: Millis) -> Option<LegDue> {
        if self.is_silent {
            return None;
        }
        let expectant = self.is_expectant(busy, now);
        let least = if expectant { LEAST_BUSY } else { LEAST_IDLE };
        let measured = rtt.map_or(UNMEASURED, |rtt| Millis(rtt.0 * LIMIT_IN_ROUND_TRIPS));
        let limit = least.later(measured);
        let Some(probed_at) = self.probed_at else {
            if !expectant || quiet.0 < limit.0 / 2.0 {
                return None;
            }
            self.probed_at = Some(now);
            return Some(LegDue::Probe);
        };
        // A probe is sent when half of the limit has passed, other pings at any time.
        let patience = if expectant { Millis(limit.0 / 2.0) } else { limit };
        let late = quiet >= limit && now - probed_at >= patience;
        let was_late = core::mem::replace(&mut self.was_late, late);
        if !(late && was_late) {
            return None;
        }
        self.is_silent = true;
        Some(LegDue::Silent)
    }

    /// A ping was sent for another reason: its answer is awaited as well.
    pub fn pinged(&mut self, now: Millis) {
        self.probed_at.get_or_insert(now);
    }
}
