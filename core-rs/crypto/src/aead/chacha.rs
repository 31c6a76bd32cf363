//! ChaCha20 (RFC 8439 §2.3–2.4): the portable version, one block at a time.

use zeroize::Zeroize;

const BLOCK_BYTES: usize = 64;
/// «expand 32-byte k» as four little-endian words.
pub(super) const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Key and nonce, laid out as the cipher's state with block counter 0.
pub struct ChaCha20 {
    state: [u32; 16],
}

impl ChaCha20 {
    pub fn new(key: &[u8; 32], nonce: &[u8; 12]) -> Self {
        let mut state = [0; 16];
        state[..4].copy_from_slice(&CONSTANTS);
        for (word, bytes) in state[4..12].iter_mut().zip(key.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for (word, bytes) in state[13..].iter_mut().zip(nonce.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        ChaCha20 { state }
    }

    /// The block with counter 0: its first half is the one-time key of Poly1305.
    pub fn first_block(&self) -> [u8; BLOCK_BYTES] {
        self.block(0)
    }

    /// Writes input ⊕ key stream, beginning with block 1. Both ranges have the same length.
    pub fn xor(&self, input: &[u8], output: &mut [u8]) {
        self.xor_from(1, input, output);
    }

    pub(super) fn xor_from(&self, first: u32, input: &[u8], output: &mut [u8]) {
        let chunks = input.chunks(BLOCK_BYTES).zip(output.chunks_mut(BLOCK_BYTES));
        for (index, (input, output)) in chunks.enumerate() {
            let mut stream = self.block(first.wrapping_add(index as u32));
            for ((out, byte), key) in output.iter_mut().zip(input).zip(stream) {
                *out = byte ^ key;
            }
            stream.zeroize();
        }
    }

    fn block(&self, counter: u32) -> [u8; BLOCK_BYTES] {
        let mut initial = self.state;
        initial[12] = counter;
        let mut x = initial;
        for _ in 0..10 {
            quarter_round(&mut x, 0, 4, 8, 12);
            quarter_round(&mut x, 1, 5, 9, 13);
            quarter_round(&mut x, 2, 6, 10, 14);
            quarter_round(&mut x, 3, 7, 11, 15);
            quarter_round(&mut x, 0, 5, 10, 15);
            quarter_round(&mut x, 1, 6, 11, 12);
            quarter_round(&mut x, 2, 7, 8, 13);
            quarter_round(&mut x, 3, 4, 9, 14);
        }
        let mut bytes = [0; BLOCK_BYTES];
        for ((out, word), start) in bytes.chunks_exact_mut(4).zip(x).zip(initial) {
            out.copy_from_slice(&word.wrapping_add(start).to_le_bytes());
        }
        bytes
    }
}

impl Drop for ChaCha20 {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

fn quarter_round(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(16);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(12);
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(8);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(7);
}
