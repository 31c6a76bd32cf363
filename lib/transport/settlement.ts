/**
 * Settlement: both edges sign the entry of the transport that they are about to share (transports.md §3). The initiator
 * sends the entry with its signature, the responder answers with one byte. After `01` packets flow.
 *
 * Two visors of ours find each other out on the way: an initiator says in S1 that it answers transport pings, and a
 * responder that does, too, answers `01 a5`. To v1.3, which warns in its log of every ping that it gets, nothing is said
 * but a member that it ignores; and its own first packet never begins with `a5`.
 *
 * Registration at transport discovery is the responder's business and happens afterwards, in the background: a slow
 * discovery must not hold up the link (transports.md W4).
 */

import { ProtocolError, RefusedError } from "../errors/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { Clock, Timers } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import { takeJsonLine } from "../wire/stcp_frames.ts";
import {
  encodeSignedEntryLine,
  isOfferingPings,
  makeTransportEntry,
  MAX_SIGNED_ENTRY_BYTES,
  parseSignedEntry,
  signTransportEntry,
  verifyTransportEntry,
} from "../wire/transport_entry.ts";
import type { SignedEntry } from "../wire/transport_entry.ts";
import { readSecure, writeSecure } from "../links/secure_link.ts";
import type { SecureLink } from "../links/secure_link.ts";

/** How long settlement may take on each side, ms (transports.md §3). */
export const SETTLEMENT_TIMEOUT_MS = 20_000;

/** The label that is written on the wire whatever the local one is (transports.md §3, Q1). */
export const WIRE_LABEL = "user";

/** The answers S2. */
export const SETTLEMENT_ANSWER = {
  /** Not now, for instance because such a transport exists. Upstream knows it, and never sends it. */
  rejected: 0x00,
  accepted: 0x01,
  signatureError: 0x02,
  invalidEntry: 0x03,
} as const;

/** Follows `accepted` between two that answer pings. No packet type (routing.md §1.2). */
const PINGS_MARK = 0xa5;

/** What both roles need. */
export interface SettlementOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly local: { readonly publicKey: PublicKey; readonly secret: SecretKey };
  /** The transport kind, part of the entry. */
  readonly kind: string;
  /** Do we answer transport pings, and want the peer to know if it does so, too? Default false, as v1.3. */
  readonly offersPings?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What comes of it. */
export interface Settlement {
  /** With the initiator's signature; at the responder with both. */
  readonly signed: SignedEntry;
  /** Packets that came together with the last message. */
  readonly early: Uint8Array;
  /** Is the peer known to answer transport pings? */
  readonly answersPings: boolean;
  /** From request to answer, ms; at the initiator only. */
  readonly roundTripMs?: number;
}

/** Who wants to settle, for whoever decides about it. */
export interface SettlingPeer {
  /** Is the peer known to answer transport pings, and so one of ours? */
  readonly answersPings: boolean;
  /** With both signatures. It is the same for each link between the two. */
  readonly signed: SignedEntry;
}

/**
 * Settles as initiator. Nothing is closed here.
 * @throws {RefusedError} `transport/settlement-refused` with `details.answer`; {UnavailableError}
 * `transport/settlement-timeout`, `transport/peer-left`; {ProtocolError} of the records; the reason of `signal`
 */
export function initiateSettlement(secure: SecureLink, options: SettlementOptions): Promise<Settlement> {
  return inTime(options, async () => {
    const { clock, local, kind, offersPings = false } = options;
    const entry = makeTransportEntry(local.publicKey, secure.remoteKey, { type: kind, label: WIRE_LABEL });
    const signed = signTransportEntry(entry, local);
    const sentAt = clock.monotonic();
    await writeSecure(secure, encodeSignedEntryLine(signed, { offersPings }));
    const received = await readSecure(secure);
    const answer = received[0] as number;
    if (answer === SETTLEMENT_ANSWER.accepted) {
      const answersPings = offersPings && received[1] === PINGS_MARK;
      const early = received.slice(answersPings ? 2 : 1);
      return { signed, early, answersPings, roundTripMs: clock.monotonic() - sentAt };
    }
    throw new RefusedError("transport/settlement-refused", `Settle a transport: the peer answered ${answer}`, {
      details: { answer },
    });
  });
}

/**
 * Settles as responder. Nothing is closed here.
 * @param options `admit` decides, once the entry is found good, whether the transport is wanted; no: answer `00`
 * @throws {ProtocolError} `transport/settlement-invalid` after answering `03`; {RefusedError}
 * `transport/settlement-unwanted` after answering `00`; otherwise as {@link initiateSettlement}
 */
export function acceptSettlement(
  secure: SecureLink,
  options: SettlementOptions & { readonly admit?: (peer: SettlingPeer) => boolean | Promise<boolean> },
): Promise<Settlement> {
  return inTime(options, async () => {
    const { local, kind, admit, offersPings = false } = options;
    const answer = (...bytes: number[]): Promise<void> => writeSecure(secure, new Uint8Array(bytes));
    const request = await readRequest(secure);
    if (request instanceof Fault) {
      await answer(SETTLEMENT_ANSWER.invalidEntry);
      throw new ProtocolError("transport/settlement-invalid", `Settle a transport: ${request.message}`);
    }
    const { received, early } = request;
    const answersPings = offersPings && request.offersPings;
    const problem = problemOf(received, { local: local.publicKey, remote: secure.remoteKey, kind });
    if (problem !== undefined) {
      await answer(SETTLEMENT_ANSWER.invalidEntry);
      throw new ProtocolError("transport/settlement-invalid", `Settle a transport: ${problem}`);
    }
    const signed = signTransportEntry(received, local);
    if (admit !== undefined && !await admit({ answersPings, signed })) {
      await answer(SETTLEMENT_ANSWER.rejected);
      throw new RefusedError("transport/settlement-unwanted", "Settle a transport: there is one with this peer");
    }
    await answer(SETTLEMENT_ANSWER.accepted, ...(answersPings ? [PINGS_MARK] : []));
    return { signed, early, answersPings };
  });
}

interface SettlementRequest {
  readonly received: SignedEntry;
  readonly early: Uint8Array;
  readonly offersPings: boolean;
}

/** Reads S1. A stream that ends early is an invalid entry, too, as upstream has it. */
async function readRequest(secure: SecureLink): Promise<Fault | SettlementRequest> {
  for (let plaintext: Uint8Array = new Uint8Array();;) {
    const line = takeJsonLine(plaintext, MAX_SIGNED_ENTRY_BYTES);
    if (line instanceof Fault) return line;
    if (line !== undefined) {
      const received = parseSignedEntry(line.text);
      if (received instanceof Fault) return received;
      return { received, early: plaintext.slice(line.used), offersPings: isOfferingPings(line.text) };
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
  received: SignedEntry,
  own: { readonly local: PublicKey; readonly remote: PublicKey; readonly kind: string },
): string | undefined {
  const expected = makeTransportEntry(own.local, own.remote, { type: own.kind, label: received.entry.label });
  const { entry } = received;
  if (entry.id !== expected.id) return "the entry has another id";
  if (entry.edges[0] !== expected.edges[0] || entry.edges[1] !== expected.edges[1]) return "the entry has other edges";
  if (entry.type !== expected.type) return "the entry is of another kind";
  return verifyTransportEntry(received, own.remote) ? undefined : "the initiator did not sign the entry";
}

function inTime<T>({ timers, signal }: SettlementOptions, work: () => Promise<T>): Promise<T> {
  return withTimeout(work, {
    timers,
    ms: SETTLEMENT_TIMEOUT_MS,
    signal,
    code: "transport/settlement-timeout",
    message: "Settle a transport with the peer",
  });
}
