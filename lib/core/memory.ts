/**
 * Copies between JavaScript and the core's memory. No view is kept across a call: growing memory empties it.
 * Tested in tests/core/switch_test.ts.
 */

import { BugError } from "../errors/mod.ts";
import { core } from "./instance.ts";
import { FAULT_BAD_ARGUMENT, FAULT_BAD_HANDLE, FAULT_NO_SPACE, SCRATCH_BYTES } from "./layout.ts";

/** Where the scratch area begins: fixed for the life of the instance. */
export const SCRATCH: number = core.core_scratch();

/** A fresh view of the core's memory; empty again as soon as memory grows. */
export function viewAt(pointer: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(core.memory.buffer as ArrayBuffer, pointer, length);
}

/** A copy of a range of the core's memory. */
export function copyAt(pointer: number, length: number): Uint8Array<ArrayBuffer> {
  return viewAt(pointer, length).slice();
}

/**
 * Puts arguments into the scratch area, one after the other.
 * @returns where each begins
 */
export function intoScratch(...parts: readonly Uint8Array[]): number[] {
  const total = parts.reduce((length, part) => length + part.length, 0);
  if (total > SCRATCH_BYTES) throw new RangeError(`Arguments of ${total} bytes exceed the scratch area`);
  const view = viewAt(SCRATCH, total);
  let offset = 0;
  return parts.map((part) => {
    view.set(part, offset);
    offset += part.length;
    return SCRATCH + offset - part.length;
  });
}

/** Overwrites the first `length` bytes of the scratch area: after every call that took a secret. */
export function wipeScratch(length: number): void {
  viewAt(SCRATCH, length).fill(0);
}

/**
 * Turns the three general faults into errors; passes every other status on.
 * @throws {BugError} for a bad handle or argument, or too little space
 */
export function checkStatus(status: number): number {
  if (status === FAULT_BAD_HANDLE) throw new BugError("core/bad-handle", "Use of a core object after it was disposed");
  if (status === FAULT_BAD_ARGUMENT) throw new BugError("core/bad-argument", "The core refused an argument");
  if (status === FAULT_NO_SPACE) throw new BugError("core/no-space", "A result of the core does not fit");
  return status;
}
