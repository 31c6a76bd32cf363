//! The packet switch of a visor (design.md §4): links, the rule table and the ends of connections. Bytes of a link go in,
//! bytes for other links, bytes for local readers and events come out; a forwarded packet never leaves this folder.
//!
//! What cannot go on waits in bounded places: a packet for a full link or inbox stops the reading of the link that brought
//! it, local writers are told how much was taken.

mod deadlines;
mod groups;
mod links;
mod packets;
mod rules;
mod sessions;
mod state;

pub use groups::GroupStats;
pub use sessions::{LegSpec, SessionState};
pub use state::{Counters, Switch, WriteFault};
