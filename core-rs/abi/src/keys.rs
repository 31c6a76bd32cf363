//! Keys, signatures and digests. All sizes but that of a message are fixed: public key 33 bytes, secret key 32,
//! signature 65, digest 32.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call; output ranges overlap no input.

use skywire_crypto::{
    Fault, PUBLIC_KEY_BYTES, PublicKey, SECRET_KEY_BYTES, SIGNATURE_BYTES, SecretKey, recover, sha256, verify,
};

use crate::crypto_faults::fault_code;
use crate::layout::FAULT_BAD_ARGUMENT;
use crate::memory::{slice, slice_mut};

const DIGEST_BYTES: usize = 32;

/// Writes the SHA-256 of a message.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn digest_sha256(message: *const u8, length: usize, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let (message, out) = unsafe { (slice(message, length), slice_mut(out, DIGEST_BYTES)) };
    write(Ok(sha256(message)), out)
}

/// 1 when the bytes are a compressed point on the curve, else 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn key_public_is_valid(public: *const u8) -> i32 {
    // SAFETY: the caller's promise.
    PublicKey::parse(unsafe { slice(public, PUBLIC_KEY_BYTES) }).is_ok().into()
}

/// 1 when the bytes are a scalar from 1 to n − 1, else 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn key_secret_is_valid(secret: *const u8) -> i32 {
    // SAFETY: the caller's promise.
    SecretKey::parse(unsafe { slice(secret, SECRET_KEY_BYTES) }).is_ok().into()
}

/// Writes the public key of a secret one.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn key_public_of(secret: *const u8, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let (secret, out) = unsafe { (slice(secret, SECRET_KEY_BYTES), slice_mut(out, PUBLIC_KEY_BYTES)) };
    write(SecretKey::parse(secret).map(|secret| *secret.public_key().as_bytes()), out)
}

/// Writes the signature of a digest. `entropy`, which may be empty, is mixed into the nonce.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn key_sign(
    secret: *const u8,
    digest: *const u8,
    entropy: *const u8,
    entropy_length: usize,
    out: *mut u8,
) -> i32 {
    // SAFETY: the caller's promise.
    let (secret, digest, entropy, out) = unsafe {
        (
            slice(secret, SECRET_KEY_BYTES),
            array::<DIGEST_BYTES>(digest),
            slice(entropy, entropy_length),
            slice_mut(out, SIGNATURE_BYTES),
        )
    };
    write(SecretKey::parse(secret).and_then(|secret| secret.sign_digest(digest, entropy)), out)
}

/// 1 when the signature of the digest comes from the key, else 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn key_verify(digest: *const u8, signature: *const u8, public: *const u8) -> i32 {
    // SAFETY: the caller's promise.
    let (digest, signature, public) = unsafe { (array(digest), array(signature), slice(public, PUBLIC_KEY_BYTES)) };
    PublicKey::parse(public).is_ok_and(|public| verify(digest, signature, &public)).into()
}

/// Writes the key that signed the digest.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn key_recover(digest: *const u8, signature: *const u8, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let (digest, signature, out) = unsafe { (array(digest), array(signature), slice_mut(out, PUBLIC_KEY_BYTES)) };
    write(recover(digest, signature).map(|key| *key.as_bytes()), out)
}

/// # Safety
/// As [`slice`], with the length N.
unsafe fn array<'a, const N: usize>(pointer: *const u8) -> &'a [u8; N] {
    // SAFETY: the caller's promise; the slice has exactly the length of the array.
    unsafe { slice(pointer, N) }.try_into().expect("a slice of N bytes is an array of N")
}

fn write<const N: usize>(result: Result<[u8; N], Fault>, out: &mut [u8]) -> i32 {
    match result {
        Ok(bytes) if bytes.len() == out.len() => {
            out.copy_from_slice(&bytes);
            0
        }
        Ok(_) => FAULT_BAD_ARGUMENT,
        Err(fault) => fault_code(fault),
    }
}
