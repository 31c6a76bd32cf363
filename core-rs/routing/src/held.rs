//! A session of a switch, and what its reader and writer were told.

use skywire_session::Session;
use skywire_time::Millis;

/// See the top of the file.
pub struct Held {
    pub session: Session,
    /// That there is something to read, which has not all been read.
    pub told_readable: bool,
    pub told_end: bool,
    pub told_over: bool,
    /// The writer waits.
    pub wants_room: bool,
    /// When a little that was received was told last.
    pub ticked_at: Millis,
}

impl Held {
    pub fn new(session: Session) -> Held {
        Held {
            session,
            told_readable: false,
            told_end: false,
            told_over: false,
            wants_room: false,
            ticked_at: Millis::ZERO,
        }
    }
}
