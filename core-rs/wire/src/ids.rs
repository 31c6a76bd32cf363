//! What names a route at a visor, and a transport in the network.

/// Names the rule for a packet, in the table of the visor that receives it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct RouteId(pub u32);

impl RouteId {
    /// The id of packets between two neighbours; no rule has it.
    pub const HOP_LOCAL: RouteId = RouteId(0);
}

/// Names a transport.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct TransportId(pub [u8; TRANSPORT_ID_BYTES]);

/// A UUID.
pub const TRANSPORT_ID_BYTES: usize = 16;

/// Where packets go on to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextHop {
    /// The id that they get: the next visor's.
    pub route_id: RouteId,
    /// The transport to that visor.
    pub transport: TransportId,
}
