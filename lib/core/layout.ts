/** Numbers that both sides of the boundary agree on. Twin of `core-rs/abi/src/layout.rs`: change both together. */

/** Raised whenever an exported function changes its meaning. */
export const ABI_VERSION = 1;

/** The scratch area for small arguments and results, bytes. */
export const SCRATCH_BYTES: number = 192 * 1024;

/** The handle names nothing (used after dispose). */
export const FAULT_BAD_HANDLE: number = -1;
/** An argument is out of its range; a bug of the caller. */
export const FAULT_BAD_ARGUMENT: number = -2;
/** The result does not fit into the space given for it. */
export const FAULT_NO_SPACE: number = -3;
