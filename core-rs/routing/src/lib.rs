//! The rule table and the packet switch (routing.md §2–4, design.md §4). Pure: bytes and time in, bytes and events out.

#![forbid(unsafe_code)]

mod event;
mod flow;
mod group;
mod handles;
mod held;
mod lanes;
mod leg;
mod link;
mod path;
mod pings;
mod slots;
mod switch;
mod table;
#[cfg(test)]
mod table_model;

pub use event::{CloseReason, Event, LinkFault};
pub use handles::{GroupHandle, LinkHandle, SessionHandle};
pub use link::LinkStats;
pub use slots::Slots;
pub use switch::{Counters, GroupStats, LegSpec, SessionState, Switch, WriteFault};
