//! The rule table and the packet switch (routing.md §2–4, design.md §4). Pure: bytes and time in, bytes and events out.
//! Time is in ms on a clock that only goes forward.

#![forbid(unsafe_code)]

mod event;
mod flow;
mod group;
mod inbox;
mod lanes;
mod link;
mod slots;
mod switch;
mod table;

pub use event::{CloseReason, Event, LinkFault};
pub use slots::Slots;
pub use switch::{Counters, GroupStats, LinkStats, Switch, WriteFault};
pub use table::{RuleTable, TableFault};
