//! Numbers that both sides of the boundary agree on. Twin of `lib/core/layout.ts`: change both together.

/// Raised whenever an exported function changes its meaning.
pub const ABI_VERSION: u32 = 1;

/// The scratch area for small arguments and results, bytes. One routing packet of the largest size fits twice.
pub const SCRATCH_BYTES: usize = 192 * 1024;

/// The handle names nothing (used after dispose).
pub const FAULT_BAD_HANDLE: i32 = -1;
/// An argument is out of its range; a bug of the caller.
pub const FAULT_BAD_ARGUMENT: i32 = -2;
/// The result does not fit into the space given for it.
pub const FAULT_NO_SPACE: i32 = -3;
