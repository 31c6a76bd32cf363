//! The record layer by handle. The switch takes machines out of [`RECORDS`] when a link or route group gets its keys.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call; the output overlaps no input.

use skywire_crypto::{Fault, Key, Records, aead};

use crate::crypto_faults::length_status;
use crate::handles::Handles;
use crate::layout::FAULT_BAD_HANDLE;
use crate::memory::{slice, slice_mut};

/// All record layers that no switch or group has taken.
pub(crate) static RECORDS: Handles<Records> = Handles::new();

/// Begins a record layer with a sending and a receiving key, 32 bytes each, one after the other; the handle, or 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn records_new(keys: *const u8) -> u32 {
    // SAFETY: the caller's promise.
    let keys = unsafe { slice(keys, 2 * aead::KEY_BYTES) };
    let (mut send, mut receive) = (Key::default(), Key::default());
    send.copy_from_slice(&keys[..aead::KEY_BYTES]);
    receive.copy_from_slice(&keys[aead::KEY_BYTES..]);
    RECORDS.insert(Records::new(send, receive))
}

/// Seals whole frames into `out`; their length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn records_seal(
    handle: u32,
    plaintext: *const u8,
    length: usize,
    out: *mut u8,
    space: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    let (plaintext, out) = unsafe { (slice(plaintext, length), slice_mut(out, space)) };
    with(handle, |records| records.seal_into(plaintext, out))
}

/// Takes received bytes and opens what is complete; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn records_push(handle: u32, bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { slice(bytes, length) };
    with(handle, |records| records.push(bytes).map(|()| 0))
}

/// How many opened bytes can be read.
#[unsafe(no_mangle)]
pub extern "C" fn records_available(handle: u32) -> i32 {
    with(handle, |records| Ok(records.available()))
}

/// Moves opened bytes to `out`; how many.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn records_read(handle: u32, out: *mut u8, space: usize) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, space) };
    with(handle, |records| Ok(records.read(out)))
}

/// Seals a session object, prefix included; its length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn records_seal_object(
    handle: u32,
    plaintext: *const u8,
    length: usize,
    out: *mut u8,
    space: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    let (plaintext, out) = unsafe { (slice(plaintext, length), slice_mut(out, space)) };
    with(handle, |records| records.seal_object_into(plaintext, out))
}

/// Opens a session object, given without its prefix; the length of the plaintext.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn records_open_object(
    handle: u32,
    sealed: *const u8,
    length: usize,
    out: *mut u8,
    space: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    let (sealed, out) = unsafe { (slice(sealed, length), slice_mut(out, space)) };
    with(handle, |records| records.open_object_into(sealed, out))
}

/// Wipes and forgets.
#[unsafe(no_mangle)]
pub extern "C" fn records_drop(handle: u32) -> i32 {
    RECORDS.remove(handle).map_or(FAULT_BAD_HANDLE, |_| 0)
}

fn with(handle: u32, call: impl FnOnce(&mut Records) -> Result<usize, Fault>) -> i32 {
    RECORDS.get(handle).map_or(FAULT_BAD_HANDLE, |records| length_status(call(records)))
}
