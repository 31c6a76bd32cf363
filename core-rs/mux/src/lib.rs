//! The stream multiplexer (yamux as Skywire v1.3 speaks it, dmsg.md §3.2). Pure: time is an argument.
#![forbid(unsafe_code)]
