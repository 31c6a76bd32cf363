//! ChaCha20 (RFC 8439 §2.3–2.4), four blocks at a time: vector i holds word i of all four, so that no word changes its
//! place during the rounds, and the blocks are put together at the end.

use zeroize::Zeroize;

use super::lanes::Words;

const BLOCK_BYTES: usize = 64;
/// What one pass gives: four blocks.
pub const PASS_BYTES: usize = 4 * BLOCK_BYTES;
/// «expand 32-byte k» as little-endian words.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Key and nonce, laid out as the cipher's state with block counter 0.
pub struct ChaCha20 {
    state: [u32; 16],
}

impl ChaCha20 {
    pub fn new(key: &[u8; 32], nonce: &[u8; 12]) -> Self {
        let mut state = [0; 16];
        state[..4].copy_from_slice(&CONSTANTS);
        let input = key.chunks_exact(4).zip(4..).chain(nonce.chunks_exact(4).zip(13..));
        for (bytes, word) in input {
            state[word] = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        ChaCha20 { state }
    }

    /// The key stream of the blocks `first` to `first + 3`.
    pub fn pass(&self, first: u32) -> [u8; PASS_BYTES] {
        let mut stream = [0; PASS_BYTES];
        for (bytes, words) in stream.as_chunks_mut::<16>().0.iter_mut().zip(self.blocks(first)) {
            words.store(bytes);
        }
        stream
    }

    /// Writes input ⊕ key stream from block `first` on. Both ranges have the same length.
    pub fn xor(&self, mut first: u32, input: &[u8], output: &mut [u8]) {
        let (passes, rest) = input.as_chunks::<PASS_BYTES>();
        let (out_passes, out_rest) = output.as_chunks_mut::<PASS_BYTES>();
        for (input, output) in passes.iter().zip(out_passes) {
            let stream = self.blocks(first);
            let chunks = input.as_chunks::<16>().0.iter().zip(output.as_chunks_mut::<16>().0);
            for ((input, output), words) in chunks.zip(stream) {
                Words::load(input).xor(words).store(output);
            }
            first = first.wrapping_add(4);
        }
        if !rest.is_empty() {
            let mut stream = self.pass(first);
            xor_bytes(rest, &stream, out_rest);
            stream.zeroize();
        }
    }

    /// Sixteen bytes of key stream in each vector, in order.
    #[inline(always)]
    fn blocks(&self, first: u32) -> [Words; 16] {
        let mut start = self.state.map(Words::splat);
        start[12] = Words::splat(first).add(Words::new(0, 1, 2, 3));
        let mut x = start;
        for _ in 0..10 {
            quarter_round::<0, 4, 8, 12>(&mut x);
            quarter_round::<1, 5, 9, 13>(&mut x);
            quarter_round::<2, 6, 10, 14>(&mut x);
            quarter_round::<3, 7, 11, 15>(&mut x);
            quarter_round::<0, 5, 10, 15>(&mut x);
            quarter_round::<1, 6, 11, 12>(&mut x);
            quarter_round::<2, 7, 8, 13>(&mut x);
            quarter_round::<3, 4, 9, 14>(&mut x);
        }
        let mut blocks = [Words::splat(0); 16];
        for row in 0..4 {
            let word = |i: usize| x[4 * row + i].add(start[4 * row + i]);
            let (a, b, c, d) = (word(0), word(1), word(2), word(3));
            let (ab_low, ab_high, cd_low, cd_high) = (a.zip_low(b), a.zip_high(b), c.zip_low(d), c.zip_high(d));
            blocks[row] = ab_low.join_low(cd_low);
            blocks[4 + row] = ab_low.join_high(cd_low);
            blocks[8 + row] = ab_high.join_low(cd_high);
            blocks[12 + row] = ab_high.join_high(cd_high);
        }
        blocks
    }
}

impl Drop for ChaCha20 {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

/// output = input ⊕ stream, over the length of the input.
pub fn xor_bytes(input: &[u8], stream: &[u8], output: &mut [u8]) {
    for ((out, byte), key) in output.iter_mut().zip(input).zip(stream) {
        *out = byte ^ key;
    }
}

#[inline(always)]
fn quarter_round<const A: usize, const B: usize, const C: usize, const D: usize>(x: &mut [Words; 16]) {
    x[A] = x[A].add(x[B]);
    x[D] = x[D].xor(x[A]).rotate::<16>();
    x[C] = x[C].add(x[D]);
    x[B] = x[B].xor(x[C]).rotate::<12>();
    x[A] = x[A].add(x[B]);
    x[D] = x[D].xor(x[A]).rotate::<8>();
    x[C] = x[C].add(x[D]);
    x[B] = x[B].xor(x[C]).rotate::<7>();
}
