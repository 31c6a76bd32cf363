//! Noise handshakes by handle.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call; the output overlaps no input.

use skywire_crypto::{
    Fault, Handshake, MAX_MESSAGE_BYTES, PUBLIC_KEY_BYTES, Pattern, PublicKey, Role, SECRET_KEY_BYTES, SecretKey,
};

use crate::crypto_faults::{fault_code, length_status};
use crate::handles::Handles;
use crate::layout::{
    FAULT_BAD_ARGUMENT, FAULT_BAD_HANDLE, FAULT_MESSAGE_ORDER, NOISE_PATTERN_KK, NOISE_PATTERN_XK,
    NOISE_ROLE_INITIATOR, NOISE_ROLE_RESPONDER,
};
use crate::memory::{slice, slice_mut};
use crate::records::RECORDS;

static HANDSHAKES: Handles<Handshake> = Handles::new();

/// Begins a handshake. `secrets` is the static secret key and the ephemeral one, 32 bytes each; `remote` the peer's 33
/// bytes, `remote_length` 0 when they are not known yet. Writes the handle, u32 little-endian, to `out`; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn noise_new(
    pattern: u32,
    role: u32,
    secrets: *const u8,
    remote: *const u8,
    remote_length: usize,
    out: *mut u8,
) -> i32 {
    // SAFETY: the caller's promise.
    let (secrets, remote, out) = unsafe {
        (slice(secrets, 2 * SECRET_KEY_BYTES), slice(remote, remote_length), slice_mut(out, size_of::<u32>()))
    };
    let pattern = match pattern {
        NOISE_PATTERN_XK => Pattern::Xk,
        NOISE_PATTERN_KK => Pattern::Kk,
        _ => return FAULT_BAD_ARGUMENT,
    };
    let role = match role {
        NOISE_ROLE_INITIATOR => Role::Initiator,
        NOISE_ROLE_RESPONDER => Role::Responder,
        _ => return FAULT_BAD_ARGUMENT,
    };
    match begin(pattern, role, secrets, remote) {
        Ok(handshake) => {
            out.copy_from_slice(&HANDSHAKES.insert(handshake).to_le_bytes());
            0
        }
        Err(fault) => fault_code(fault),
    }
}

fn begin(pattern: Pattern, role: Role, secrets: &[u8], remote: &[u8]) -> Result<Handshake, Fault> {
    let (local, ephemeral) = secrets.split_at(SECRET_KEY_BYTES);
    let remote = if remote.is_empty() { None } else { Some(PublicKey::parse(remote)?) };
    Handshake::new(pattern, role, SecretKey::parse(local)?, SecretKey::parse(ephemeral)?, remote)
}

/// Writes the message that is due, with the payload, to `out`, which has 4094 bytes; its length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn noise_write(handle: u32, payload: *const u8, length: usize, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let (payload, out) = unsafe { (slice(payload, length), slice_mut(out, MAX_MESSAGE_BYTES)) };
    let out = out.try_into().expect("a slice of that length is such an array");
    HANDSHAKES.get(handle).map_or(FAULT_BAD_HANDLE, |handshake| length_status(handshake.write_message(payload, out)))
}

/// Reads the message that is due and writes its payload to `out`, which has `length` bytes; the payload's length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn noise_read(handle: u32, message: *const u8, length: usize, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let (message, out) = unsafe { (slice(message, length), slice_mut(out, length)) };
    let Some(handshake) = HANDSHAKES.get(handle) else { return FAULT_BAD_HANDLE };
    let read = handshake.read_message(message).map(|payload| {
        out[..payload.len()].copy_from_slice(&payload);
        payload.len()
    });
    length_status(read)
}

/// 1 when all messages were exchanged, else 0.
#[unsafe(no_mangle)]
pub extern "C" fn noise_is_complete(handle: u32) -> i32 {
    HANDSHAKES.get(handle).map_or(FAULT_BAD_HANDLE, |handshake| handshake.is_complete().into())
}

/// Writes the peer's static key; 0, or [`FAULT_MESSAGE_ORDER`] while it is not known.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn noise_remote(handle: u32, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, PUBLIC_KEY_BYTES) };
    let Some(handshake) = HANDSHAKES.get(handle) else { return FAULT_BAD_HANDLE };
    let Some(remote) = handshake.remote() else { return FAULT_MESSAGE_ORDER };
    out.copy_from_slice(remote.as_bytes());
    0
}

/// Writes the hash over all that was said so far, 32 bytes; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn noise_hash(handle: u32, out: *mut u8) -> i32 {
    let Some(handshake) = HANDSHAKES.get(handle) else { return FAULT_BAD_HANDLE };
    // SAFETY: the caller's promise.
    unsafe { slice_mut(out, handshake.hash().len()) }.copy_from_slice(handshake.hash());
    0
}

/// Turns a complete handshake into a record layer; the handle of that, or 0 when it is not complete.
#[unsafe(no_mangle)]
pub extern "C" fn noise_into_records(handle: u32) -> u32 {
    if !HANDSHAKES.get(handle).is_some_and(|handshake| handshake.is_complete()) {
        return 0;
    }
    let records = HANDSHAKES.remove(handle).and_then(|handshake| handshake.into_records().ok());
    records.map_or(0, |records| RECORDS.insert(records))
}

/// Wipes and forgets.
#[unsafe(no_mangle)]
pub extern "C" fn noise_drop(handle: u32) -> i32 {
    HANDSHAKES.remove(handle).map_or(FAULT_BAD_HANDLE, |_| 0)
}
