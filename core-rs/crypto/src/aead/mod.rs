//! ChaCha20-Poly1305 (RFC 8439), out of place: the result is written straight to where it belongs.
//!
//! ```text
//! out = ChaCha20(key, nonce, counter from 1) ⊕ plaintext ‖ tag
//! tag = Poly1305(first 32 bytes of block 0, ad ‖ pad16 ‖ ciphertext ‖ pad16 ‖ u64le |ad| ‖ u64le |ciphertext|)
//! ```

mod chacha;
mod lanes;
mod poly1305;

use zeroize::Zeroize;

use crate::Fault;
use chacha::{ChaCha20, PASS_BYTES, xor_bytes};
use poly1305::Poly1305;

pub const KEY_BYTES: usize = 32;
pub const NONCE_BYTES: usize = 12;
pub const TAG_BYTES: usize = 16;

/// The nonce of Noise: four zero bytes, then the counter in little-endian order.
pub fn counter_nonce(counter: u64) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    nonce
}

/// Seals `plaintext` into the first `plaintext.len() + 16` bytes of `out` and returns that length.
/// A record of the network has at most 64 KiB; the block counter would last for 256 GiB.
pub fn seal_into(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    ad: &[u8],
    plaintext: &[u8],
    out: &mut [u8],
) -> Result<usize, Fault> {
    let length = plaintext.len() + TAG_BYTES;
    let out = out.get_mut(..length).ok_or(Fault::PlaintextLength)?;
    let (ciphertext, tag) = out.split_at_mut(plaintext.len());
    let cipher = Cipher::new(key, nonce);
    cipher.xor(plaintext, ciphertext);
    tag.copy_from_slice(&cipher.tag(ad, ciphertext));
    Ok(length)
}

/// Opens `sealed` into the first `sealed.len() − 16` bytes of `out` and returns that length. Nothing is written unless
/// the tag matches.
pub fn open_into(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    ad: &[u8],
    sealed: &[u8],
    out: &mut [u8],
) -> Result<usize, Fault> {
    let length = sealed.len().checked_sub(TAG_BYTES).ok_or(Fault::Authentication)?;
    let out = out.get_mut(..length).ok_or(Fault::PlaintextLength)?;
    let (ciphertext, tag) = sealed.split_at(length);
    let cipher = Cipher::new(key, nonce);
    if !equal_tags(&cipher.tag(ad, ciphertext), tag) {
        return Err(Fault::Authentication);
    }
    cipher.xor(ciphertext, out);
    Ok(length)
}

/// Key and nonce, and the key stream of the first pass: block 0, which keys Poly1305, and the first three for the text.
struct Cipher {
    chacha: ChaCha20,
    first: [u8; PASS_BYTES],
}

/// Block 0 is not for the text.
const KEY_BLOCK_BYTES: usize = 64;
const FIRST_TEXT_BYTES: usize = PASS_BYTES - KEY_BLOCK_BYTES;

impl Cipher {
    fn new(key: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES]) -> Self {
        let chacha = ChaCha20::new(key, nonce);
        let first = chacha.pass(0);
        Cipher { chacha, first }
    }

    fn xor(&self, input: &[u8], output: &mut [u8]) {
        let at = input.len().min(FIRST_TEXT_BYTES);
        let (head, tail) = output.split_at_mut(at);
        xor_bytes(&input[..at], &self.first[KEY_BLOCK_BYTES..], head);
        self.chacha.xor(4, &input[at..], tail);
    }

    fn tag(&self, ad: &[u8], ciphertext: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = Poly1305::new(&self.first);
        mac.update_padded(ad);
        mac.update_padded(ciphertext);
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&(ad.len() as u64).to_le_bytes());
        lengths[8..].copy_from_slice(&(ciphertext.len() as u64).to_le_bytes());
        mac.update_padded(&lengths);
        mac.finish()
    }
}

impl Drop for Cipher {
    fn drop(&mut self) {
        self.first.zeroize();
    }
}

/// Compares without a branch that depends on the bytes.
fn equal_tags(ours: &[u8; TAG_BYTES], theirs: &[u8]) -> bool {
    let difference = ours.iter().zip(theirs).fold(0, |all, (a, b)| all | (a ^ b));
    core::hint::black_box(difference) == 0
}
