//! What a group knows as a leg of a session: whether its initiator has proven to be there, and whether it still lives
//! (sessions.md §3). Pings show that: what comes by itself does not show that what is sent arrives.

use skywire_session::LegStart;
use skywire_time::Millis;

use crate::handles::SessionHandle;

/// A leg on which data is under way is silent after so long without an answer at the soonest.
const LEAST_BUSY: Millis = Millis(250.0);
/// When another leg lives, which takes over at once: a mistake costs some bytes that come twice.
const LEAST_BESIDE: Millis = Millis(100.0);
/// An idle one: so that a visor which is busy for a moment is not taken for dead.
const LEAST_IDLE: Millis = Millis(1_000.0);
/// Before the first round trip was measured.
const UNMEASURED: Millis = Millis(2_000.0);
/// In round trips.
const ROUND_TRIPS: f64 = 4.0;
const ROUND_TRIPS_BESIDE: f64 = 3.0;
/// After data came, more is expected for so long.
const EXPECTED: Millis = Millis(2_000.0);
/// Silent legs are asked at this pace whether they live again.
const ASK_AGAIN: Millis = Millis(500.0);
/// Legs on which data is under way are looked at at this pace.
pub const LEG_TICK: Millis = Millis(25.0);

/// See the top of the file.
pub struct GroupLeg {
    pub session: SessionHandle,
    /// How it begins, until its initiator's first record has come.
    pub start: Option<LegStart>,
    pub is_silent: bool,
    /// When data came last.
    pub data_at: Millis,
    /// When a ping was answered last, or the leg was idle.
    answered_at: Millis,
    /// When the first ping was sent that was not answered.
    asked_at: Option<Millis>,
    /// It was late at the last look: one look is not enough, since this visor may have been the one that stood still.
    was_late: bool,
}

/// What is to be done about a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LegDue {
    Ask,
    Silent,
}

impl GroupLeg {
    pub fn new(session: SessionHandle, start: Option<LegStart>, now: Millis) -> GroupLeg {
        GroupLeg {
            session,
            start,
            is_silent: false,
            data_at: now - EXPECTED,
            answered_at: now,
            asked_at: None,
            was_late: false,
        }
    }

    /// Is data under way? `busy`: the other end has to acknowledge what was sent. After data came, more is expected.
    pub fn is_expectant(&self, busy: bool, now: Millis) -> bool {
        busy || now - self.data_at < EXPECTED
    }

    /// A ping was sent.
    pub fn asked(&mut self, now: Millis) {
        self.asked_at.get_or_insert(now);
    }

    /// A ping was answered; `true` when the leg was silent.
    pub fn answered(&mut self, now: Millis) -> bool {
        self.answered_at = now;
        (self.asked_at, self.was_late) = (None, false);
        core::mem::take(&mut self.is_silent)
    }

    /// What is to be done at this time, with the latest round trip. `beside`: another leg lives.
    pub fn due(&mut self, rtt: Option<Millis>, busy: bool, beside: bool, now: Millis) -> Option<LegDue> {
        let expectant = self.is_expectant(busy, now);
        if !expectant && self.asked_at.is_none() {
            self.answered_at = now;
        }
        if self.is_silent {
            return self.asks_again(ASK_AGAIN, now);
        }
        let (least, round_trips) = match expectant {
            true if beside => (LEAST_BESIDE, ROUND_TRIPS_BESIDE),
            true => (LEAST_BUSY, ROUND_TRIPS),
            false => (LEAST_IDLE, ROUND_TRIPS),
        };
        let limit = least.later(rtt.map_or(UNMEASURED, |rtt| Millis(rtt.0 * round_trips)));
        let quiet = now - self.answered_at;
        let Some(asked_at) = self.asked_at else {
            let asks = expectant && quiet >= Millis(limit.0 / 2.0);
            return if asks { self.asks_again(Millis::ZERO, now) } else { None };
        };
        // With data under way, the ping is sent when half of the limit has passed.
        let patience = if expectant { Millis(limit.0 / 2.0) } else { limit };
        let late = quiet >= limit && now - asked_at >= patience;
        let was_late = core::mem::replace(&mut self.was_late, late);
        if !(late && was_late) {
            return None;
        }
        self.is_silent = true;
        Some(LegDue::Silent)
    }

    fn asks_again(&mut self, pace: Millis, now: Millis) -> Option<LegDue> {
        if self.asked_at.is_some_and(|at| now - at < pace) {
            return None;
        }
        self.asked_at = Some(now);
        Some(LegDue::Ask)
    }
}
