//! Vectors of 128 bits: on WASM the simd128 instructions, elsewhere arrays, so that the kernels built on them are the
//! same code everywhere and `cargo test` tests what the core runs.

pub use imp::{Pairs, Words};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use core::arch::wasm32::*;

    /// Four numbers of 32 bits.
    #[derive(Clone, Copy)]
    pub struct Words(v128);

    impl Words {
        #[inline(always)]
        pub fn new(a: u32, b: u32, c: u32, d: u32) -> Self {
            Words(u32x4(a, b, c, d))
        }

        #[inline(always)]
        pub fn splat(word: u32) -> Self {
            Words(u32x4_splat(word))
        }

        /// The words of 16 bytes, little-endian.
        #[inline(always)]
        pub fn load(bytes: &[u8; 16]) -> Self {
            let half = |at: usize| u64::from_le_bytes(core::array::from_fn(|i| bytes[at + i]));
            Words(u64x2(half(0), half(8)))
        }

        #[inline(always)]
        pub fn store(self, bytes: &mut [u8; 16]) {
            bytes[..8].copy_from_slice(&u64x2_extract_lane::<0>(self.0).to_le_bytes());
            bytes[8..].copy_from_slice(&u64x2_extract_lane::<1>(self.0).to_le_bytes());
        }

        /// Modulo 2³².
        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            Words(u32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn xor(self, other: Self) -> Self {
            Words(v128_xor(self.0, other.0))
        }

        #[inline(always)]
        pub fn rotate<const BITS: u32>(self) -> Self {
            match BITS {
                16 => Words(i8x16_shuffle::<2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13>(self.0, self.0)),
                8 => Words(i8x16_shuffle::<3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14>(self.0, self.0)),
                _ => Words(v128_or(u32x4_shl(self.0, BITS), u32x4_shr(self.0, 32 - BITS))),
            }
        }

        /// `self[0], other[0], self[1], other[1]`
        #[inline(always)]
        pub fn zip_low(self, other: Self) -> Self {
            Words(u32x4_shuffle::<0, 4, 1, 5>(self.0, other.0))
        }

        /// `self[2], other[2], self[3], other[3]`
        #[inline(always)]
        pub fn zip_high(self, other: Self) -> Self {
            Words(u32x4_shuffle::<2, 6, 3, 7>(self.0, other.0))
        }

        /// `self[0], self[1], other[0], other[1]`
        #[inline(always)]
        pub fn join_low(self, other: Self) -> Self {
            Words(u64x2_shuffle::<0, 2>(self.0, other.0))
        }

        /// `self[2], self[3], other[2], other[3]`
        #[inline(always)]
        pub fn join_high(self, other: Self) -> Self {
            Words(u64x2_shuffle::<1, 3>(self.0, other.0))
        }

        /// The products of the first two words.
        #[inline(always)]
        pub fn multiply_low(self, other: Self) -> Pairs {
            Pairs(u64x2_extmul_low_u32x4(self.0, other.0))
        }

        /// The products of the last two words.
        #[inline(always)]
        pub fn multiply_high(self, other: Self) -> Pairs {
            Pairs(u64x2_extmul_high_u32x4(self.0, other.0))
        }
    }

    /// Two numbers of 64 bits.
    #[derive(Clone, Copy)]
    pub struct Pairs(v128);

    impl Pairs {
        #[inline(always)]
        pub fn new(a: u64, b: u64) -> Self {
            Pairs(u64x2(a, b))
        }

        #[inline(always)]
        pub fn splat(number: u64) -> Self {
            Pairs(u64x2_splat(number))
        }

        /// Modulo 2⁶⁴.
        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            Pairs(u64x2_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn and(self, other: Self) -> Self {
            Pairs(v128_and(self.0, other.0))
        }

        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Pairs(v128_or(self.0, other.0))
        }

        #[inline(always)]
        pub fn shl<const BITS: u32>(self) -> Self {
            Pairs(u64x2_shl(self.0, BITS))
        }

        #[inline(always)]
        pub fn shr<const BITS: u32>(self) -> Self {
            Pairs(u64x2_shr(self.0, BITS))
        }

        /// The lower 32 bits: two of `self`, then two of `other`.
        #[inline(always)]
        pub fn narrow(self, other: Self) -> Words {
            Words(u32x4_shuffle::<0, 2, 4, 6>(self.0, other.0))
        }

        #[inline(always)]
        pub fn to_array(self) -> [u64; 2] {
            [u64x2_extract_lane::<0>(self.0), u64x2_extract_lane::<1>(self.0)]
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod imp {
    use core::array::from_fn;

    /// Four numbers of 32 bits.
    #[derive(Clone, Copy)]
    pub struct Words([u32; 4]);

    impl Words {
        pub fn new(a: u32, b: u32, c: u32, d: u32) -> Self {
            Words([a, b, c, d])
        }

        pub fn splat(word: u32) -> Self {
            Words([word; 4])
        }

        /// The words of 16 bytes, little-endian.
        pub fn load(bytes: &[u8; 16]) -> Self {
            Words(from_fn(|word| u32::from_le_bytes(from_fn(|byte| bytes[4 * word + byte]))))
        }

        pub fn store(self, bytes: &mut [u8; 16]) {
            for (bytes, word) in bytes.chunks_exact_mut(4).zip(self.0) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
        }

        /// Modulo 2³².
        pub fn add(self, other: Self) -> Self {
            Words(from_fn(|i| self.0[i].wrapping_add(other.0[i])))
        }

        pub fn xor(self, other: Self) -> Self {
            Words(from_fn(|i| self.0[i] ^ other.0[i]))
        }

        pub fn rotate<const BITS: u32>(self) -> Self {
            Words(self.0.map(|word| word.rotate_left(BITS)))
        }

        /// `self[0], other[0], self[1], other[1]`
        pub fn zip_low(self, other: Self) -> Self {
            Words([self.0[0], other.0[0], self.0[1], other.0[1]])
        }

        /// `self[2], other[2], self[3], other[3]`
        pub fn zip_high(self, other: Self) -> Self {
            Words([self.0[2], other.0[2], self.0[3], other.0[3]])
        }

        /// `self[0], self[1], other[0], other[1]`
        pub fn join_low(self, other: Self) -> Self {
            Words([self.0[0], self.0[1], other.0[0], other.0[1]])
        }

        /// `self[2], self[3], other[2], other[3]`
        pub fn join_high(self, other: Self) -> Self {
            Words([self.0[2], self.0[3], other.0[2], other.0[3]])
        }

        /// The products of the first two words.
        pub fn multiply_low(self, other: Self) -> Pairs {
            Pairs(from_fn(|i| u64::from(self.0[i]) * u64::from(other.0[i])))
        }

        /// The products of the last two words.
        pub fn multiply_high(self, other: Self) -> Pairs {
            Pairs(from_fn(|i| u64::from(self.0[i + 2]) * u64::from(other.0[i + 2])))
        }
    }

    /// Two numbers of 64 bits.
    #[derive(Clone, Copy)]
    pub struct Pairs([u64; 2]);

    impl Pairs {
        pub fn new(a: u64, b: u64) -> Self {
            Pairs([a, b])
        }

        pub fn splat(number: u64) -> Self {
            Pairs([number; 2])
        }

        /// Modulo 2⁶⁴.
        pub fn add(self, other: Self) -> Self {
            Pairs(from_fn(|i| self.0[i].wrapping_add(other.0[i])))
        }

        pub fn and(self, other: Self) -> Self {
            Pairs(from_fn(|i| self.0[i] & other.0[i]))
        }

        pub fn or(self, other: Self) -> Self {
            Pairs(from_fn(|i| self.0[i] | other.0[i]))
        }

        pub fn shl<const BITS: u32>(self) -> Self {
            Pairs(self.0.map(|number| number << BITS))
        }

        pub fn shr<const BITS: u32>(self) -> Self {
            Pairs(self.0.map(|number| number >> BITS))
        }

        /// The lower 32 bits: two of `self`, then two of `other`.
        pub fn narrow(self, other: Self) -> Words {
            Words([self.0[0] as u32, self.0[1] as u32, other.0[0] as u32, other.0[1] as u32])
        }

        pub fn to_array(self) -> [u64; 2] {
            self.0
        }
    }
}
