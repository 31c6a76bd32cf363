//! The route descriptor: whose route it is (routing.md §2.1).
//!
//! ```text
//! source key 33 ‖ destination key 33 ‖ source port u16be ‖ destination port u16be
//! ```

/// Two keys and two ports.
pub const DESCRIPTOR_BYTES: usize = 70;
const KEY_BYTES: usize = 33;

/// A plain value, compared byte by byte. Keys are not checked to be on the curve here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Descriptor(pub [u8; DESCRIPTOR_BYTES]);

impl Descriptor {
    /// Reads the first 70 bytes; `None` when there are fewer.
    pub fn decode(bytes: &[u8]) -> Option<Descriptor> {
        bytes.first_chunk().map(|bytes| Descriptor(*bytes))
    }

    /// The opposite direction.
    pub fn invert(&self) -> Descriptor {
        let (keys, ports) = self.0.split_at(2 * KEY_BYTES);
        let mut inverted = [0; DESCRIPTOR_BYTES];
        inverted[..KEY_BYTES].copy_from_slice(&keys[KEY_BYTES..]);
        inverted[KEY_BYTES..2 * KEY_BYTES].copy_from_slice(&keys[..KEY_BYTES]);
        inverted[2 * KEY_BYTES..2 * KEY_BYTES + 2].copy_from_slice(&ports[2..]);
        inverted[2 * KEY_BYTES + 2..].copy_from_slice(&ports[..2]);
        Descriptor(inverted)
    }
}
