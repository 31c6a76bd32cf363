//! Packets and rules as bytes.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call; the output overlaps no input.

use skywire_wire::{Header, Packet, PacketFault, RouteId, Rule, RuleFault};

use crate::layout::{
    FAULT_NO_SPACE, FAULT_PACKET_INCOMPLETE, FAULT_PACKET_TOO_LONG, FAULT_RULE_LENGTH, FAULT_RULE_TYPE,
};
use crate::memory::{slice, slice_mut};

/// The length of the packet at the beginning of a range.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn packet_decode(bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    match Packet::decode(unsafe { slice(bytes, length) }) {
        Ok(packet) => packet.encoded_length() as i32,
        Err(fault) => packet_status(fault),
    }
}

/// Writes the header of a packet with a payload of `size` bytes to `out`; its length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn packet_header(kind: u32, route_id: u32, size: u32, out: *mut u8, space: usize) -> i32 {
    let (Ok(kind), Ok(size)) = (u8::try_from(kind), u16::try_from(size)) else {
        return packet_status(PacketFault::TooLong);
    };
    // SAFETY: the caller's promise.
    put(&Header { kind, route_id: RouteId(route_id), size }.encode(), unsafe { slice_mut(out, space) })
}

/// Checks a rule and writes it to `out` as v1.3 builds it; its length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rule_normalise(bytes: *const u8, length: usize, out: *mut u8, space: usize) -> i32 {
    // SAFETY: the caller's promise.
    let (bytes, out) = unsafe { (slice(bytes, length), slice_mut(out, space)) };
    match Rule::decode(bytes) {
        Ok(rule) => put(&rule.encode(), out),
        Err(fault) => rule_status(fault),
    }
}

pub(crate) fn rule_status(fault: RuleFault) -> i32 {
    match fault {
        RuleFault::Length => FAULT_RULE_LENGTH,
        RuleFault::Type => FAULT_RULE_TYPE,
    }
}

fn packet_status(fault: PacketFault) -> i32 {
    match fault {
        PacketFault::Incomplete => FAULT_PACKET_INCOMPLETE,
        PacketFault::TooLong => FAULT_PACKET_TOO_LONG,
    }
}

/// Copies a result to where it fits.
fn put(bytes: &[u8], out: &mut [u8]) -> i32 {
    let Some(out) = out.get_mut(..bytes.len()) else { return FAULT_NO_SPACE };
    out.copy_from_slice(bytes);
    bytes.len() as i32
}
