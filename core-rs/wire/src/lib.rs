//! Data-plane codecs: packets, rules and route descriptors (routing.md §1–2). Total functions: any input gives a value or
//! a named fault.

#![forbid(unsafe_code)]

mod descriptor;
mod ids;
mod packet;
mod rule;

pub use descriptor::{DESCRIPTOR_BYTES, Descriptor};
pub use ids::{NextHop, RouteId, TRANSPORT_ID_BYTES, TransportId};
pub use packet::{HEADER_BYTES, Header, Kind, MAX_PAYLOAD_BYTES, Packet, PacketFault};
pub use rule::{Body, Rule, RuleFault, RuleKind};
