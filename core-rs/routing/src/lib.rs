//! The rule table and the packet switch. Pure: time is an argument.
#![forbid(unsafe_code)]
