//! The cryptography of the network (dmsg.md §1–2): keys, Noise handshakes, and the record layer that protects links,
//! messaging streams and route groups. Pure: randomness is an argument, and no input panics.

#![forbid(unsafe_code)]

pub mod aead;
mod fault;
mod hash;
mod keys;
mod noise;
mod record;
mod records;

pub use fault::Fault;
pub use hash::sha256;
pub use keys::{PUBLIC_KEY_BYTES, PublicKey, SECRET_KEY_BYTES, SIGNATURE_BYTES, SecretKey, recover, verify};
pub use noise::{Handshake, MAX_MESSAGE_BYTES, MAX_PAYLOAD_BYTES, Pattern, Role};
pub use record::{
    FRAME_OVERHEAD_BYTES, Key, MAX_FRAME_BODY_BYTES, MAX_FRAME_PLAINTEXT_BYTES, Opener, PREFIX_BYTES,
    SEAL_OVERHEAD_BYTES, Sealer,
};
pub use records::{MAX_OBJECT_PLAINTEXT_BYTES, Records};
