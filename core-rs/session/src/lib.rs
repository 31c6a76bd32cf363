//! A session: two streams of bytes between two visors, one each way, that outlive the routes which carry them
//! (sessions.md §2–5). Pure: frames in, frames out. A **leg** is one route; within it frames stay in order and none is lost
//! until the leg dies, so there is nothing here of the timers and gaps of a transport over datagrams.
//!
//! ```text
//! write → outgoing (chunks, kept until the peer has them) → next(leg) → a record of that leg
//! a record of a leg → take(leg) → incoming (in order, runs that came too early) → read
//! ```

#![forbid(unsafe_code)]

mod budget;
mod fault;
mod frame;
mod inbox;
mod incoming;
mod leg;
mod outgoing;
mod session;

pub use budget::{Budget, FLOOR_BYTES};
pub use fault::Fault;
pub use frame::{Ack, Fin, Frame, MAX_CONTROL_BYTES, MAX_DATA_BYTES};
pub use inbox::Inbox;
pub use leg::{LegId, LegStart};
pub use outgoing::CHUNK_BYTES;
pub use session::{Over, RESET_ABORTED, RESET_FAULT, Session, SessionFigures, WriteFault};
