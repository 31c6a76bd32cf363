//! Frames on the wire (dmsg.md §3.2), big-endian:
//!
//! ```text
//! version u8 = 0 ‖ type u8 ‖ flags u16 ‖ stream id u32 ‖ length u32 ‖ body
//! ```
//!
//! Only a data frame has a body. `length` is its size; of a window update, the increment; of a ping, an opaque value; of
//! a go-away, a code.

use crate::fault::Fault;

/// The size of a header.
pub const HEADER_BYTES: usize = 12;
const VERSION: u8 = 0;

/// Opens a stream, or asks for the answer to a ping.
pub const SYN: u16 = 1;
/// Acknowledges a stream, or answers a ping.
pub const ACK: u16 = 2;
/// No more data comes on the stream.
pub const FIN: u16 = 4;
/// The stream is gone, both ways.
pub const RST: u16 = 8;

/// The code of a go-away that only stops new streams.
pub const GO_AWAY_NORMAL: u32 = 0;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Data = 0,
    WindowUpdate = 1,
    Ping = 2,
    GoAway = 3,
}

/// A frame without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    /// Unknown bits are ignored, as v1.3 does.
    pub flags: u16,
    pub stream: u32,
    pub length: u32,
}

impl Header {
    /// Reads a header.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, Fault> {
        let [version, kind, f0, f1, s0, s1, s2, s3, l0, l1, l2, l3] = *bytes;
        if version != VERSION {
            return Err(Fault::Version);
        }
        let kind = match kind {
            0 => Kind::Data,
            1 => Kind::WindowUpdate,
            2 => Kind::Ping,
            3 => Kind::GoAway,
            _ => return Err(Fault::FrameType),
        };
        Ok(Header {
            kind,
            flags: u16::from_be_bytes([f0, f1]),
            stream: u32::from_be_bytes([s0, s1, s2, s3]),
            length: u32::from_be_bytes([l0, l1, l2, l3]),
        })
    }

    /// Writes a header.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = VERSION;
        bytes[1] = self.kind as u8;
        bytes[2..4].copy_from_slice(&self.flags.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.stream.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_round_trip() {
        for kind in [Kind::Data, Kind::WindowUpdate, Kind::Ping, Kind::GoAway] {
            let header = Header { kind, flags: SYN | FIN, stream: 0x0102_0304, length: u32::MAX };
            assert_eq!(Header::decode(&header.encode()), Ok(header));
        }
    }

    #[test]
    fn a_header_of_another_version_or_type_is_refused() {
        assert_eq!(Header::decode(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Fault::Version));
        assert_eq!(Header::decode(&[0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Fault::FrameType));
    }
}
