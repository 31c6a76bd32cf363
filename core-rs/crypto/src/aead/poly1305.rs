//! Poly1305 (RFC 8439 §2.5): the portable version. Numbers modulo 2¹³⁰ − 5 are five limbs of 26 bits, so that a product
//! of two limbs times five, summed five times, fits into 64 bits.

use zeroize::Zeroize;

pub(super) const LIMB: u32 = (1 << 26) - 1;

/// The running sum h, the multiplier r, and the number added at the end.
pub struct Poly1305 {
    pub(super) r: [u32; 5],
    pub(super) h: [u32; 5],
    pad: [u32; 4],
}

impl Poly1305 {
    /// Takes the first 32 bytes of `key`.
    pub fn new(key: &[u8; 64]) -> Self {
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
    pub fn update_padded(&mut self, bytes: &[u8]) {
        let blocks = bytes.chunks_exact(16);
        let rest = blocks.remainder();
        for block in blocks {
            self.block(block);
        }
        if !rest.is_empty() {
            let mut last = [0; 16];
            last[..rest.len()].copy_from_slice(rest);
            self.block(&last);
        }
    }

    /// h ← (h + block + 2¹²⁸) · r
    pub(super) fn block(&mut self, block: &[u8]) {
        let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        self.h[0] += word(0) & LIMB;
        self.h[1] += (word(3) >> 2) & LIMB;
        self.h[2] += (word(6) >> 4) & LIMB;
        self.h[3] += (word(9) >> 6) & LIMB;
        self.h[4] += (word(12) >> 8) | (1 << 24);
        self.h = multiply(&self.h, &self.r);
    }

    /// The tag: (h mod 2¹³⁰ − 5) + pad modulo 2¹²⁸.
    pub fn finish(mut self) -> [u8; 16] {
        let mut h = self.h;
        let mut carry = 0;
        for limb in [1, 2, 3, 4, 0, 1] {
            h[limb] += carry * if limb == 0 { 5 } else { 1 };
            carry = h[limb] >> 26;
            h[limb] &= LIMB;
        }
        h[2] += carry;

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

/// a · b modulo 2¹³⁰ − 5, partly reduced: limbs of 26 bits, the second perhaps one more. `a` may have limbs of up to 28
/// bits, `b` of 26.
pub(super) fn multiply(a: &[u32; 5], b: &[u32; 5]) -> [u32; 5] {
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
