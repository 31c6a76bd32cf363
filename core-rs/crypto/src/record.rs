//! One record of the network, in both directions (dmsg.md §2.6–2.7).
//!
//! ```text
//! frame   u16be L ‖ body (L bytes)                                           L from 24 to 4094
//! body    u64be N ‖ ChaCha20-Poly1305(key, 4 zero bytes ‖ u64le N, no ad, plaintext)
//! ```
//!
//! N begins at 1 and counts up; 0 is never sent. A receiver takes any larger N than the last one, so gaps are allowed.
//! v1.3 moves its «last N» before it authenticates, which lets a forged record block the honest ones after it; here
//! it moves afterwards (no honest peer can tell).

use zeroize::Zeroizing;

use crate::{Fault, aead};

/// A transport key, wiped when dropped.
pub type Key = Zeroizing<[u8; aead::KEY_BYTES]>;

/// The length before each frame, bytes.
pub const PREFIX_BYTES: usize = 2;
const COUNTER_BYTES: usize = 8;
/// What sealing adds to a plaintext without the prefix: counter and tag.
pub const SEAL_OVERHEAD_BYTES: usize = COUNTER_BYTES + aead::TAG_BYTES;
/// What a frame adds to its plaintext.
pub const FRAME_OVERHEAD_BYTES: usize = PREFIX_BYTES + SEAL_OVERHEAD_BYTES;
/// The longest body a v1.3 reader takes: its buffer has 4096 bytes.
pub const MAX_FRAME_BODY_BYTES: usize = 4094;
/// The longest plaintext of one frame.
pub const MAX_FRAME_PLAINTEXT_BYTES: usize = MAX_FRAME_BODY_BYTES - SEAL_OVERHEAD_BYTES;

/// The sending half: a key and the counter of the record sealed last. Never printed.
pub struct Sealer {
    key: Key,
    counter: u64,
}

impl Sealer {
    /// A fresh key, whose first record has the counter 1.
    pub fn new(key: Key) -> Self {
        Sealer { key, counter: 0 }
    }

    /// Seals one frame into `out` and returns its whole length: `plaintext.len() + FRAME_OVERHEAD_BYTES`.
    /// 0, with nothing written, when the plaintext exceeds [`MAX_FRAME_PLAINTEXT_BYTES`], `out` is too short, or all
    /// counters are used up. Allocates nothing.
    pub fn seal_into(&mut self, plaintext: &[u8], out: &mut [u8]) -> usize {
        if plaintext.len() > MAX_FRAME_PLAINTEXT_BYTES {
            return 0;
        }
        self.seal_prefixed(plaintext, out).unwrap_or(0)
    }

    /// As [`Self::seal_into`], for any plaintext whose body length fits the prefix.
    pub(crate) fn seal_prefixed(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        let length = u16::try_from(plaintext.len() + SEAL_OVERHEAD_BYTES).map_err(|_| Fault::PlaintextLength)?;
        let out = out.get_mut(..plaintext.len() + FRAME_OVERHEAD_BYTES).ok_or(Fault::PlaintextLength)?;
        let counter = self.counter.checked_add(1).ok_or(Fault::CounterExhausted)?;
        let (prefix, body) = out.split_at_mut(PREFIX_BYTES);
        let (head, sealed) = body.split_at_mut(COUNTER_BYTES);
        prefix.copy_from_slice(&length.to_be_bytes());
        head.copy_from_slice(&counter.to_be_bytes());
        aead::seal_into(&self.key, &aead::counter_nonce(counter), &[], plaintext, sealed)?;
        self.counter = counter;
        Ok(out.len())
    }
}

/// The receiving half: a key and the counter of the record opened last. Never printed.
pub struct Opener {
    key: Key,
    last: u64,
}

impl Opener {
    /// A fresh key: every counter from 1 on is new.
    pub fn new(key: Key) -> Self {
        Opener { key, last: 0 }
    }

    /// Opens the body of one frame, without its prefix, into `out` and returns the length of the plaintext:
    /// `body.len() − SEAL_OVERHEAD_BYTES`, perhaps 0. A refused body changes nothing, neither here nor in `out`; for
    /// the stream it is the end (dmsg.md §2.7), which is the caller's to keep. Allocates nothing.
    pub fn open_into(&mut self, body: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        if body.len() > MAX_FRAME_BODY_BYTES {
            return Err(Fault::FrameLength);
        }
        let (counter, sealed) = split_counter(body)?;
        if counter <= self.last {
            return Err(Fault::Replay);
        }
        if counter - 1 > self.last {
            return Err(Fault::Gap);
        }
        let length = self.open_any(counter, sealed, out)?;
        self.last = counter;
        Ok(length)
    }

    /// Opens without regard to the order of counters.
    pub(crate) fn open_any(&self, counter: u64, sealed: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        aead::open_into(&self.key, &aead::counter_nonce(counter), &[], sealed, out)
    }
}

/// Splits a body into counter and sealed bytes.
pub(crate) fn split_counter(body: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let (counter, sealed) = body.split_first_chunk::<COUNTER_BYTES>().ok_or(Fault::FrameLength)?;
    if sealed.len() < aead::TAG_BYTES {
        return Err(Fault::FrameLength);
    }
    Ok((u64::from_be_bytes(*counter), sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_whose_counters_are_used_up_seals_nothing_any_more() {
        let mut sealer = Sealer { key: Key::new([1; 32]), counter: u64::MAX - 1 };
        let mut out = [0xee; 5 + FRAME_OVERHEAD_BYTES];
        assert_eq!(sealer.seal_into(b"hello", &mut out), out.len(), "the last one");
        assert_eq!(out[PREFIX_BYTES..PREFIX_BYTES + COUNTER_BYTES], u64::MAX.to_be_bytes());
        let mut after = [0xee; 5 + FRAME_OVERHEAD_BYTES];
        assert_eq!(sealer.seal_prefixed(b"hello", &mut after), Err(Fault::CounterExhausted));
        assert_eq!(sealer.seal_into(b"hello", &mut after), 0);
        assert!(after.iter().all(|&byte| byte == 0xee), "nothing is written");
        let mut opener = Opener { key: Key::new([1; 32]), last: u64::MAX - 1 };
        assert_eq!(opener.open_into(&out[PREFIX_BYTES..], &mut after), Ok(5));
        assert_eq!(opener.open_into(&out[PREFIX_BYTES..], &mut after), Err(Fault::Replay), "nor does it open one");
    }
}
