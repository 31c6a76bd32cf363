//! Poly1305 (RFC 8439 §2.5). Numbers modulo 2¹³⁰ − 5 are five limbs of 26 bits, so that a product of two limbs times
//! five, summed five times, fits into 64 bits.
//!
//! Two blocks are taken at once: one lane sums up the even ones, the other the odd ones, both with the multiplier r².
//! For m₀ … m₃ that is ((m₀ r² + m₂) r²) + ((m₁ r² + m₃) r), the same as (((m₀ r + m₁) r + m₂) r + m₃) r.

use zeroize::Zeroize;

use super::chacha::PASS_BYTES;
use super::lanes::{Pairs, Words};

const BLOCK_BYTES: usize = 16;
const PAIR_BYTES: usize = 2 * BLOCK_BYTES;
/// From here on, two lanes win what preparing them costs. Measured.
const MIN_LANES_BYTES: usize = 8 * BLOCK_BYTES;
const LIMB: u32 = (1 << 26) - 1;
/// The bit above a whole block, in the limb that begins at bit 104.
const BEYOND: u32 = 1 << 24;

/// The running sum h, the multiplier r, and the number added at the end.
pub struct Poly1305 {
    r: [u32; 5],
    h: [u32; 5],
    pad: [u32; 4],
}

impl Poly1305 {
    /// Takes the first 32 bytes of the key stream.
    pub fn new(key: &[u8; PASS_BYTES]) -> Self {
        let word = |at: usize| u32::from_le_bytes([key[at], key[at + 1], key[at + 2], key[at + 3]]);
        // The clamp of RFC 8439 §2.5.1, applied to the limbs.
        let r = [
            word(0) & 0x3ff_ffff,
            (word(3) >> 2) & 0x3ff_ff03,
            (word(6) >> 4) & 0x3ff_c0ff,
            (word(9) >> 6) & 0x3f0_3fff,
            (word(12) >> 8) & 0x00f_ffff,
        ];
        Poly1305 { r, h: [0; 5], pad: [word(16), word(20), word(24), word(28)] }
    }

    /// Takes whole blocks of 16 bytes; a last shorter one is filled up with zeros.
    pub fn update_padded(&mut self, mut bytes: &[u8]) {
        if bytes.len() >= MIN_LANES_BYTES {
            let (pairs, rest) = bytes.as_chunks::<PAIR_BYTES>();
            self.pairs(pairs);
            bytes = rest;
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            self.block(block);
        }
        if !rest.is_empty() {
            let mut last = [0; BLOCK_BYTES];
            last[..rest.len()].copy_from_slice(rest);
            self.block(&last);
        }
    }

    /// h ← (h + block + 2¹²⁸) · r
    fn block(&mut self, block: &[u8; BLOCK_BYTES]) {
        let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        self.h[0] += word(0) & LIMB;
        self.h[1] += (word(3) >> 2) & LIMB;
        self.h[2] += (word(6) >> 4) & LIMB;
        self.h[3] += (word(9) >> 6) & LIMB;
        self.h[4] += (word(12) >> 8) | BEYOND;
        self.h = multiply(&self.h, &self.r);
    }

    /// As [`Self::block`] for each block, in two lanes. There is at least one pair.
    fn pairs(&mut self, pairs: &[[u8; PAIR_BYTES]]) {
        let Some((last, pairs)) = pairs.split_last() else { return };
        let square = multiply(&self.r, &self.r);
        let multiplier = Multiplier::new(&square, &square);
        let mut lanes = self.h.map(|limb| Pairs::new(limb.into(), 0));
        for pair in pairs {
            lanes = multiplier.multiply(add_pair(lanes, pair));
        }
        lanes = Multiplier::new(&square, &self.r).multiply(add_pair(lanes, last));
        let mut carry = 0;
        for (limb, lanes) in self.h.iter_mut().zip(lanes) {
            let [even, odd] = lanes.to_array();
            let sum = even + odd + carry;
            *limb = sum as u32 & LIMB;
            carry = sum >> 26;
        }
        self.h[0] += carry as u32 * 5;
    }

    /// The tag: (h mod 2¹³⁰ − 5) + pad modulo 2¹²⁸.
    pub fn finish(mut self) -> [u8; 16] {
        let mut h = self.h;
        // The second round settles what the first one carried round from the top.
        for _ in 0..2 {
            let mut carry = 0;
            for limb in &mut h {
                *limb += carry;
                carry = *limb >> 26;
                *limb &= LIMB;
            }
            h[0] += carry * 5;
        }

        // g = h + 5 − 2¹³⁰; taken instead of h when it is not negative, chosen by mask.
        let mut g = [0u32; 5];
        let mut carry = 5;
        for (out, limb) in g.iter_mut().zip(h) {
            *out = limb + carry;
            carry = *out >> 26;
            *out &= LIMB;
        }
        let take = 0u32.wrapping_sub(carry);
        for (limb, reduced) in h.iter_mut().zip(g) {
            *limb = (*limb & !take) | (reduced & take);
        }

        let words = [h[0] | h[1] << 26, h[1] >> 6 | h[2] << 20, h[2] >> 12 | h[3] << 14, h[3] >> 18 | h[4] << 8];
        let mut tag = [0; 16];
        let mut carry = 0;
        for ((out, word), pad) in tag.chunks_exact_mut(4).zip(words).zip(self.pad) {
            let sum = u64::from(word) + u64::from(pad) + carry;
            out.copy_from_slice(&(sum as u32).to_le_bytes());
            carry = sum >> 32;
        }
        self.h.zeroize();
        tag
    }
}

impl Drop for Poly1305 {
    fn drop(&mut self) {
        self.r.zeroize();
        self.h.zeroize();
        self.pad.zeroize();
    }
}

/// Adds one block to each lane.
#[inline(always)]
fn add_pair(lanes: [Pairs; 5], pair: &[u8; PAIR_BYTES]) -> [Pairs; 5] {
    let half = |at: usize| u64::from_le_bytes(core::array::from_fn(|i| pair[at + i]));
    let (low, high) = (Pairs::new(half(0), half(16)), Pairs::new(half(8), half(24)));
    let mask = Pairs::splat(LIMB.into());
    [
        lanes[0].add(low.and(mask)),
        lanes[1].add(low.shr::<26>().and(mask)),
        lanes[2].add(low.shr::<52>().or(high.shl::<12>()).and(mask)),
        lanes[3].add(high.shr::<14>().and(mask)),
        lanes[4].add(high.shr::<40>().or(Pairs::splat(BEYOND.into()))),
    ]
}

/// A number for each lane: its limbs b and 5 b, each repeated so that both halves of a vector of `a` meet them.
struct Multiplier {
    b: [Words; 5],
    b5: [Words; 5],
}

impl Multiplier {
    fn new(even: &[u32; 5], odd: &[u32; 5]) -> Self {
        let limb = |i: usize, factor: u32| {
            let (even, odd) = (even[i] * factor, odd[i] * factor);
            Words::new(even, odd, even, odd)
        };
        Multiplier { b: core::array::from_fn(|i| limb(i, 1)), b5: core::array::from_fn(|i| limb(i, 5)) }
    }

    /// As the function [`multiply`] in both lanes; the second and the last limb of the result may have one bit more.
    #[inline(always)]
    fn multiply(&self, a: [Pairs; 5]) -> [Pairs; 5] {
        // Opaque, so that the compiler does not widen the limbs once before the loop: it would then use a product of 64
        // bits, which takes three times the instructions of one of 32.
        let Multiplier { b, b5 } = core::hint::black_box(self);
        let (a01, a23) = (a[0].narrow(a[1]), a[2].narrow(a[3]));
        // Opaque for the same reason.
        let a34 = core::hint::black_box(a[3].narrow(a[4]));
        let sum = |b0: Words, b1: Words, b2: Words, b3: Words, b4: Words| {
            let first = a01.multiply_low(b0).add(a01.multiply_high(b1));
            let second = a23.multiply_low(b2).add(a23.multiply_high(b3));
            first.add(second).add(a34.multiply_high(b4))
        };
        let mut d = [
            sum(b[0], b5[4], b5[3], b5[2], b5[1]),
            sum(b[1], b[0], b5[4], b5[3], b5[2]),
            sum(b[2], b[1], b[0], b5[4], b5[3]),
            sum(b[3], b[2], b[1], b[0], b5[4]),
            sum(b[4], b[3], b[2], b[1], b[0]),
        ];
        // Two chains of carries side by side: 0 1 2 3 4 and 3 4 0 1.
        let mask = Pairs::splat(LIMB.into());
        let mut carry = |from: usize, to: usize| {
            let over = d[from].shr::<26>();
            d[from] = d[from].and(mask);
            d[to] = d[to].add(if to == 0 { over.add(over.shl::<2>()) } else { over });
        };
        for (from, to) in [(0, 1), (3, 4), (1, 2), (4, 0), (2, 3), (0, 1), (3, 4)] {
            carry(from, to);
        }
        d
    }
}

/// a · b modulo 2¹³⁰ − 5, partly reduced: limbs of 26 bits, the second perhaps one more. `a` may have limbs of up to 28
/// bits, `b` of 26.
fn multiply(a: &[u32; 5], b: &[u32; 5]) -> [u32; 5] {
    let a = a.map(u64::from);
    let b = b.map(u64::from);
    let b5 = b.map(|limb| limb * 5);
    let mut d = [
        a[0] * b[0] + a[1] * b5[4] + a[2] * b5[3] + a[3] * b5[2] + a[4] * b5[1],
        a[0] * b[1] + a[1] * b[0] + a[2] * b5[4] + a[3] * b5[3] + a[4] * b5[2],
        a[0] * b[2] + a[1] * b[1] + a[2] * b[0] + a[3] * b5[4] + a[4] * b5[3],
        a[0] * b[3] + a[1] * b[2] + a[2] * b[1] + a[3] * b[0] + a[4] * b5[4],
        a[0] * b[4] + a[1] * b[3] + a[2] * b[2] + a[3] * b[1] + a[4] * b[0],
    ];
    let mut carry = 0;
    for limb in &mut d {
        *limb += carry;
        carry = *limb >> 26;
        *limb &= u64::from(LIMB);
    }
    d[0] += carry * 5;
    d[1] += d[0] >> 26;
    d[0] &= u64::from(LIMB);
    d.map(|limb| limb as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(r: [u8; 16], s: [u8; 16]) -> Poly1305 {
        let mut key = [0; PASS_BYTES];
        key[..16].copy_from_slice(&r);
        key[16..32].copy_from_slice(&s);
        Poly1305::new(&key)
    }

    fn tag(r: [u8; 16], s: [u8; 16], message: &[u8]) -> [u8; 16] {
        let mut mac = mac(r, s);
        mac.update_padded(message);
        mac.finish()
    }

    fn number(low: u64, high: u64) -> [u8; 16] {
        (u128::from(low) | u128::from(high) << 64).to_le_bytes()
    }

    /// RFC 8439 appendix A.3, cases 7 to 11: sums that reach or pass 2¹²⁸ and 2¹³⁰ − 5.
    #[test]
    fn reduction_is_complete() {
        let ones = [0xff; 16];
        assert_eq!(tag(number(2, 0), number(0, 0), &ones), number(3, 0));
        assert_eq!(tag(number(2, 0), ones, &number(2, 0)), number(3, 0));
        let mut below = ones;
        below[0] = 0xf0;
        assert_eq!(tag(number(1, 0), number(0, 0), &[ones, below, number(0x11, 0)].concat()), number(5, 0));
        let (mut fb, one) = ([0xfe; 16], [1; 16]);
        fb[0] = 0xfb;
        assert_eq!(tag(number(1, 0), number(0, 0), &[ones, fb, one].concat()), number(0, 0));
        let mut fd = ones;
        fd[0] = 0xfd;
        assert_eq!(tag(number(2, 0), number(0, 0), &fd), number(u64::MAX - 5, u64::MAX));
        let blocks = [number(0xb943_5e50_d794_35e3, 0), number(0xcd79_435e_50d7_9433, 1), number(0, 0), number(1, 0)];
        assert_eq!(tag(number(1, 4), number(0, 0), &blocks.concat()), number(0x14, 0x55));
        assert_eq!(tag(number(1, 4), number(0, 0), &blocks[..3].concat()), number(0x13, 0));
    }

    #[test]
    fn two_lanes_give_what_one_block_after_the_other_gives() {
        for r in [[0xff; 16], [0; 16], number(1, 0), number(0x0fff_fffc_0fff_ffff, 0x0fff_fffc_0fff_fffc)] {
            for byte in [0xff, 0xfb, 0x00, 0x5a] {
                for pairs in 1..20 {
                    let message = vec![byte; pairs * PAIR_BYTES];
                    let (mut lanes, mut blocks) = (mac(r, [7; 16]), mac(r, [7; 16]));
                    for _ in 0..3 {
                        lanes.pairs(message.as_chunks().0);
                        message.as_chunks().0.iter().for_each(|block| blocks.block(block));
                    }
                    assert_eq!(lanes.finish(), blocks.finish(), "{pairs} pairs of {byte:02x}");
                }
            }
        }
    }
}
