//! The packet, which travels back to back on a link's byte stream (routing.md §1).
//!
//! ```text
//! type u8 ‖ route id u32be ‖ payload size u16be ‖ payload
//! ```
//!
//! The route id names a rule in the table of whoever receives the packet. A short payload makes v1.3's router crash
//! (routing.md §1.4), so [`Kind::min_payload`] is checked on receipt, and nothing shorter is ever sent.

use crate::ids::RouteId;

/// Type, route id and size.
pub const HEADER_BYTES: usize = 7;
/// The size field is a u16.
pub const MAX_PAYLOAD_BYTES: usize = u16::MAX as usize;

/// What a packet is. The last two are later additions to the network (routing.md App. D): v1.3 drops them unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Data = 0,
    Close = 1,
    KeepAlive = 2,
    Handshake = 3,
    Ping = 4,
    Pong = 5,
    Error = 6,
    TransportPing = 8,
    TransportPong = 9,
}

impl Kind {
    /// The kind of a type byte; `None` for one that we do not know.
    pub fn of(byte: u8) -> Option<Kind> {
        Some(match byte {
            0 => Kind::Data,
            1 => Kind::Close,
            2 => Kind::KeepAlive,
            3 => Kind::Handshake,
            4 => Kind::Ping,
            5 => Kind::Pong,
            6 => Kind::Error,
            8 => Kind::TransportPing,
            9 => Kind::TransportPong,
            _ => return None,
        })
    }

    /// The shortest payload that means anything; a longer one is fine, what is beyond is ignored.
    pub fn min_payload(self) -> usize {
        match self {
            Kind::Data | Kind::KeepAlive | Kind::Error => 0,
            Kind::Close | Kind::Handshake => 1,
            Kind::Ping => 16,
            Kind::Pong | Kind::TransportPing | Kind::TransportPong => 8,
        }
    }
}

/// Why bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketFault {
    /// The bytes end before the header or the payload does.
    Incomplete,
    /// The payload does not fit the size field.
    TooLong,
}

/// The fixed part. The type stays a byte: a packet of an unknown type still has a size, and is skipped whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u8,
    pub route_id: RouteId,
    pub size: u16,
}

impl Header {
    /// Reads the first seven bytes; `None` when there are fewer.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let [kind, a, b, c, d, e, f] = *bytes.first_chunk::<HEADER_BYTES>()?;
        Some(Header { kind, route_id: RouteId(u32::from_be_bytes([a, b, c, d])), size: u16::from_be_bytes([e, f]) })
    }

    /// The seven bytes.
    #[inline]
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        let ([a, b, c, d], [e, f]) = (self.route_id.0.to_be_bytes(), self.size.to_be_bytes());
        [self.kind, a, b, c, d, e, f]
    }

    /// The length of the whole packet.
    #[inline]
    pub fn packet_length(self) -> usize {
        HEADER_BYTES + usize::from(self.size)
    }
}

/// One packet within a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub kind: u8,
    pub route_id: RouteId,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the packet at the beginning of `bytes`; how long it is, `encoded_length` tells.
    pub fn decode(bytes: &'a [u8]) -> Result<Packet<'a>, PacketFault> {
        let header = Header::decode(bytes).ok_or(PacketFault::Incomplete)?;
        let payload = bytes.get(HEADER_BYTES..header.packet_length()).ok_or(PacketFault::Incomplete)?;
        Ok(Packet { kind: header.kind, route_id: header.route_id, payload })
    }

    /// The bytes of the packet.
    pub fn encode(&self) -> Result<Vec<u8>, PacketFault> {
        let size = u16::try_from(self.payload.len()).map_err(|_| PacketFault::TooLong)?;
        let header = Header { kind: self.kind, route_id: self.route_id, size };
        Ok([&header.encode(), self.payload].concat())
    }

    /// Header and payload.
    pub fn encoded_length(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }
}
