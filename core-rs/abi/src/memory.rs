//! Memory that the TypeScript side may write to: one scratch area, and buffers it asks for.

use crate::layout::SCRATCH_BYTES;

/// One area, allocated once: arguments are copied here before a call, small results are read from here after it.
static mut SCRATCH: [u8; SCRATCH_BYTES] = [0; SCRATCH_BYTES];

/// Where the scratch area begins.
#[unsafe(no_mangle)]
pub extern "C" fn core_scratch() -> *mut u8 {
    &raw mut SCRATCH as *mut u8
}

/// Allocates `length` zeroed bytes; the caller gives them back with [`core_free`] and the same length.
#[unsafe(no_mangle)]
pub extern "C" fn core_alloc(length: usize) -> *mut u8 {
    Box::into_raw(vec![0u8; length].into_boxed_slice()) as *mut u8
}

/// Frees what [`core_alloc`] gave.
///
/// # Safety
/// `pointer` and `length` are exactly those of one earlier `core_alloc`, freed once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn core_free(pointer: *mut u8, length: usize) {
    // SAFETY: the caller's promise above.
    drop(unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(pointer, length)) });
}

/// The bytes at `pointer`.
///
/// # Safety
/// The range lies in memory that the caller owns or in the scratch area, and nothing else uses it during the call.
pub unsafe fn slice<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: the caller's promise above.
    unsafe { core::slice::from_raw_parts(pointer, length) }
}

/// The bytes at `pointer`, to write to.
///
/// # Safety
/// As [`slice`], and no other reference to the range exists.
pub unsafe fn slice_mut<'a>(pointer: *mut u8, length: usize) -> &'a mut [u8] {
    // SAFETY: the caller's promise above.
    unsafe { core::slice::from_raw_parts_mut(pointer, length) }
}
