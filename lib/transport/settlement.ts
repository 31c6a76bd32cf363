/**
 * Settlement: both edges sign the entry of the transport that they are about to share (transports.md §3), and agree on
 * what they can do beyond v1.3 (extensions.md §1.1).
 *
 * ```
 *   initiator                     responder
 *   │ S1: entry, signature  ───►  │  read    receiveSettlement()
 *   │                             │  decide  the caller
 *   │  ◄───  S2: one byte         │  answer  accept() or reject()
 * ```
 *
 * Registration at transport discovery is the responder's business. It happens before the answer, and holds the answer up
 * for 1 s at most: a slow discovery must not hold up the link (transports.md W4).
 */

import { ClosedError, ProtocolError, RefusedError, UnavailableError } from "../errors/mod.ts";
import { readSecure, writeSecure } from "../links/secure_link.ts";
import type { SecureLink } from "../links/secure_link.ts";
import { untilAborted, withTimeout } from "../runtime/mod.ts";
import type { Clock, Timers } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import {
  commonFeatures,
  encodeFeatureMarks,
  NO_FEATURES,
  parseFeatureMembers,
  takeFeatureMarks,
} from "../wire/peer_features.ts";
import type { PeerFeatures } from "../wire/peer_features.ts";
import { takeJsonLine } from "../wire/stcp_frames.ts";
import {
  encodeSignedEntryLine,
  makeTransportEntry,
  MAX_SIGNED_ENTRY_BYTES,
  parseSignedEntry,
  signTransportEntry,
  verifyTransportEntry,
} from "../wire/transport_entry.ts";
import type { SignedEntry } from "../wire/transport_entry.ts";

/** How long settlement may take on each side, ms (transports.md §3). */
export const SETTLEMENT_TIMEOUT_MS = 20_000;

/** The label that is written on the wire whatever the local one is (transports.md §3, Q1). */
export const WIRE_LABEL = "user";

/** The answers S2. */
export const SETTLEMENT_ANSWER = {
  /** Not now, for instance because such a transport exists. v1.3 knows it, and never sends it. */
  rejected: 0x00,
  accepted: 0x01,
  signatureError: 0x02,
  invalidEntry: 0x03,
} as const;

const TIMEOUT_CODE = "transport/settlement-timeout";
const WHAT = "Settle a transport with the peer";

/** What both roles need. */
export interface SettlementOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly local: { readonly publicKey: PublicKey; readonly secret: SecretKey };
  /** The transport kind, part of the entry. */
  readonly kind: string;
  /** What we can do beyond v1.3. Default: nothing. */
  readonly features?: PeerFeatures;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What comes of it.
 *
 * **From here on a link may change how it protects packets**, if both agreed on a feature that says so. The initiator is
 * here when it has read S2, the responder when it has written S2. Two rules make the point the same on both sides. The
 * initiator sends nothing between S1 and its first packet in the new way. The responder sends nothing between S2 and the
 * first bytes that reach it in the new way. So a side that changes opens no byte in the wrong way, in whatever pieces bytes
 * arrive. `early` holds what an initiator that agreed on no such feature has sent behind S1, or a responder behind S2; it
 * is empty between two that change.
 */
export interface Settlement {
  /** With the initiator's signature; at the responder with both. */
  readonly signed: SignedEntry;
  /** Plaintext of packets that came together with the last message. */
  readonly early: Uint8Array;
  /** What both can do beyond v1.3. */
  readonly features: PeerFeatures;
  /** From request to answer, ms; at the initiator only. */
  readonly roundTripMs?: number;
}

/** A request to settle that was found good, and waits for the decision. Call one of the two methods, then dispose. */
export interface SettlementRequest extends Disposable {
  /** With both signatures. It is the same for each link between the two. */
  readonly signed: SignedEntry;
  /** What both can do beyond v1.3. */
  readonly features: PeerFeatures;
  /** Aborts when the time for settlement is over, the caller's signal aborts, or the request is disposed. */
  readonly signal: AbortSignal;
  /** Answers `01`. @throws the reason of {@link SettlementRequest.signal}; what the link throws */
  accept(): Promise<Settlement>;
  /** Answers `00`. @throws {RefusedError} `transport/settlement-unwanted`, always; otherwise as {@link accept} */
  reject(): Promise<never>;
}

/**
 * Settles as initiator. Nothing is closed here.
 * @throws {RefusedError} `transport/settlement-refused` with `details.answer`; {UnavailableError}
 * `transport/settlement-timeout`, `transport/peer-left`; {ProtocolError} of the records; the reason of `signal`
 */
export function initiateSettlement(secure: SecureLink, options: SettlementOptions): Promise<Settlement> {
  const { clock, timers, local, kind, features = NO_FEATURES, signal } = options;
  const settle = async (): Promise<Settlement> => {
    const entry = makeTransportEntry(local.publicKey, secure.remoteKey, { kind, label: WIRE_LABEL });
    const signed = signTransportEntry(entry, local);
    const sentAt = clock.monotonic();
    await writeSecure(secure, encodeSignedEntryLine(signed, features));
    const received = await readSecure(secure);
    const answer = received[0];
    if (answer === SETTLEMENT_ANSWER.accepted) {
      const { agreed, used } = takeFeatureMarks(received.subarray(1), features);
      return { signed, early: received.slice(1 + used), features: agreed, roundTripMs: clock.monotonic() - sentAt };
    }
    throw new RefusedError("transport/settlement-refused", `Settle a transport: the peer answered ${answer}`, {
      details: { answer },
    });
  };
  return withTimeout(settle, { timers, ms: SETTLEMENT_TIMEOUT_MS, signal, code: TIMEOUT_CODE, message: WHAT });
}

/**
 * Reads a request to settle, as responder, and checks it. Nothing is closed here.
 * @returns what to decide about
 * @throws {ProtocolError} `transport/settlement-invalid` after answering `03`; otherwise as {@link initiateSettlement}
 */
export async function receiveSettlement(secure: SecureLink, options: SettlementOptions): Promise<SettlementRequest> {
  const { local, features: ours = NO_FEATURES } = options;
  const limit = limitTime(options);
  const answer = async (...bytes: number[]): Promise<void> => {
    limit.signal.throwIfAborted();
    await untilAborted(writeSecure(secure, new Uint8Array(bytes)), limit.signal);
  };
  try {
    const request = await untilAborted(readRequest(secure), limit.signal);
    const problem = problemOf(request, { local: local.publicKey, remote: secure.remoteKey, kind: options.kind });
    if (request instanceof Fault || problem !== undefined) {
      await answer(SETTLEMENT_ANSWER.invalidEntry);
      throw new ProtocolError("transport/settlement-invalid", `Settle a transport: ${problem}`);
    }
    const signed = signTransportEntry(request.received, local);
    const features = commonFeatures(ours, request.offered);
    return {
      signed,
      features,
      signal: limit.signal,
      async accept(): Promise<Settlement> {
        await answer(SETTLEMENT_ANSWER.accepted, ...encodeFeatureMarks(features));
        return { signed, early: request.early, features };
      },
      async reject(): Promise<never> {
        await answer(SETTLEMENT_ANSWER.rejected);
        throw new RefusedError("transport/settlement-unwanted", "Settle a transport: it is not wanted now");
      },
      [Symbol.dispose]: limit.end,
    };
  } catch (error) {
    limit.end();
    throw error;
  }
}

interface ReceivedRequest {
  readonly received: SignedEntry;
  readonly early: Uint8Array;
  readonly offered: PeerFeatures;
}

/** Reads S1. A stream that ends early is an invalid entry, too, as v1.3 has it. */
async function readRequest(secure: SecureLink): Promise<Fault | ReceivedRequest> {
  for (let plaintext: Uint8Array = new Uint8Array();;) {
    const line = takeJsonLine(plaintext, MAX_SIGNED_ENTRY_BYTES);
    if (line instanceof Fault) return line;
    if (line !== undefined) {
      const received = parseSignedEntry(line.text);
      if (received instanceof Fault) return received;
      return { received, early: plaintext.slice(line.used), offered: parseFeatureMembers(line.text) };
    }
    try {
      plaintext = concatBytes(plaintext, await readSecure(secure));
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      return new Fault("transport/settlement-short", "The request ended early");
    }
  }
}

/** What is wrong with a request; the expected entry is computed here, from our own key. */
function problemOf(
  request: Fault | ReceivedRequest,
  own: { readonly local: PublicKey; readonly remote: PublicKey; readonly kind: string },
): string | undefined {
  if (request instanceof Fault) return request.message;
  const { entry } = request.received;
  const expected = makeTransportEntry(own.local, own.remote, { kind: own.kind, label: entry.label });
  if (entry.id !== expected.id) return "the entry has another id";
  if (entry.edges[0] !== expected.edges[0] || entry.edges[1] !== expected.edges[1]) return "the entry has other edges";
  if (entry.kind !== expected.kind) return "the entry is of another kind";
  return verifyTransportEntry(request.received, own.remote) ? undefined : "the initiator did not sign the entry";
}

/** The time for settlement as a signal, which `end` aborts, too. */
function limitTime({ timers, signal }: SettlementOptions): { readonly signal: AbortSignal; readonly end: () => void } {
  const over = new AbortController();
  const cancel = timers.after(SETTLEMENT_TIMEOUT_MS, () => {
    over.abort(new UnavailableError(TIMEOUT_CODE, `${WHAT}: no end within ${SETTLEMENT_TIMEOUT_MS} ms`));
  });
  return {
    signal: signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]),
    end(): void {
      cancel();
      over.abort(new ClosedError("transport/settlement-ended", `${WHAT}: it has ended`));
    },
  };
}
