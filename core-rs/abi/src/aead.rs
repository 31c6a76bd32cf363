//! The bare AEAD: for tests and benchmarks of the kernel. The network's records go through `records`.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call; the output overlaps no input.

use skywire_crypto::aead;

use crate::crypto_faults::length_status;
use crate::memory::{slice, slice_mut};

/// Seals `length` bytes into `out` (`length` + 16 bytes). `key_nonce` is 32 + 12 bytes.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aead_seal(
    key_nonce: *const u8,
    ad: *const u8,
    ad_length: usize,
    plaintext: *const u8,
    length: usize,
    out: *mut u8,
) -> i32 {
    // SAFETY: the caller's promise.
    let (ad, plaintext, out) =
        unsafe { (slice(ad, ad_length), slice(plaintext, length), slice_mut(out, length + aead::TAG_BYTES)) };
    // SAFETY: the caller's promise.
    let (key, nonce) = unsafe { split(key_nonce) };
    length_status(aead::seal_into(key, nonce, ad, plaintext, out))
}

/// Opens `length` bytes (tag included) into `out` (`length` − 16 bytes).
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aead_open(
    key_nonce: *const u8,
    ad: *const u8,
    ad_length: usize,
    sealed: *const u8,
    length: usize,
    out: *mut u8,
) -> i32 {
    // SAFETY: the caller's promise.
    let (ad, sealed, out) = unsafe {
        (slice(ad, ad_length), slice(sealed, length), slice_mut(out, length.saturating_sub(aead::TAG_BYTES)))
    };
    // SAFETY: the caller's promise.
    let (key, nonce) = unsafe { split(key_nonce) };
    length_status(aead::open_into(key, nonce, ad, sealed, out))
}

/// # Safety
/// The pointer names 44 bytes.
unsafe fn split<'a>(key_nonce: *const u8) -> (&'a [u8; aead::KEY_BYTES], &'a [u8; aead::NONCE_BYTES]) {
    // SAFETY: the caller's promise.
    let bytes = unsafe { slice(key_nonce, aead::KEY_BYTES + aead::NONCE_BYTES) };
    let (key, nonce) = bytes.split_first_chunk().expect("44 bytes begin with 32");
    (key, nonce.try_into().expect("12 of 44 bytes are left"))
}
