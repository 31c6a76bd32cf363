//! The stream multiplexer: yamux as its v1.3 user speaks it (dmsg.md §3.2). Many byte streams over one link, each with
//! its own window, so that a slow reader of one stream does not hold up the others.
//!
//! [`Mux`] is pure: received bytes and time go in, bytes to send and events come out. Everything it keeps is bounded: a
//! stream's unread bytes by its window, unsent bytes by [`Config::output_limit`], streams by [`Config::max_streams`].
#![forbid(unsafe_code)]

mod config;
mod fault;
pub mod frame;
mod mux;
mod parser;
mod pings;
mod receive;
mod stream;

pub use config::{Config, DEFAULT_WINDOW, Role};
pub use fault::{Fault, StreamFault};
pub use mux::{Event, Mux, Read};
