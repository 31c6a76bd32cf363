/**
 * The refusals of the core's cryptography as errors. Twin of `core-rs/abi/src/crypto_faults.rs`. Tested in
 * tests/core/noise_test.ts.
 */

import { BugError, ProtocolError } from "../errors/mod.ts";
import * as layout from "./layout.ts";
import { checkStatus } from "./memory.ts";

const FAULTS: ReadonlyMap<number, readonly [what: string, message: string]> = new Map([
  [layout.FAULT_PUBLIC_KEY, ["public-key", "it is no point on the curve"]],
  [layout.FAULT_SIGNATURE, ["signature", "no public key can be recovered from the signature"]],
  [layout.FAULT_AUTHENTICATION, ["authentication", "the authentication tag does not match"]],
  [layout.FAULT_REPLAY, ["replay", "its counter was used before"]],
  [layout.FAULT_GAP, ["gap", "a record before it is missing"]],
  [layout.FAULT_FRAME_LENGTH, ["frame-length", "its length is none of a record"]],
  [layout.FAULT_MESSAGE_LENGTH, ["message-length", "it is too short"]],
  [layout.FAULT_MESSAGE_ORDER, ["message-order", "no such message is due now"]],
]);

const MISUSES: ReadonlyMap<number, string> = new Map([
  [layout.FAULT_SECRET_KEY, "A secret key is a number from 1 to n − 1"],
  [layout.FAULT_NULL_DIGEST, "The null digest is never signed"],
  [layout.FAULT_PLAINTEXT_LENGTH, "The plaintext is longer than its frame may be"],
]);

/**
 * Passes a status of zero or more on, and throws what a fault means.
 * @param status what the core returned
 * @param context the area of the error code and the beginning of the message, such as `Open a record`
 * @throws {ProtocolError} `<area>/<what>` when the peer's bytes are at fault
 * @throws {RangeError} when the caller's arguments are
 * @throws {BugError} when our own assumption broke
 */
export function checkCrypto(status: number, context: { readonly area: string; readonly action: string }): number {
  if (status >= 0) return status;
  const fault = FAULTS.get(status);
  if (fault !== undefined) throw new ProtocolError(`${context.area}/${fault[0]}`, `${context.action}: ${fault[1]}`);
  const misuse = MISUSES.get(status);
  if (misuse !== undefined) throw new RangeError(misuse);
  checkStatus(status);
  throw new BugError("core/fault", `${context.action}: the core answered ${status}`);
}
