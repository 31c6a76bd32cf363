//! Data-plane codecs: packets, rules and route descriptors. Total functions: any input gives a value or a named fault.
#![forbid(unsafe_code)]
