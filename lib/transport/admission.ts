/**
 * Decides which links a transport takes when both sides open them.
 *
 * An incoming link may take over when ours has been up for a while: a peer that dials has lost it, even if we have not
 * noticed. While both dial at once, exactly one link must win (transports.md §4.4, W17): the one dialled by the smaller
 * key. So the smaller key lets its own dial end first. The larger one gives its own dial up, as long as the peer has not
 * taken it as opened: a v1.3 peer waits for settlement from its last byte of Noise on, and one that does not come stops it
 * from accepting (transports.md W3, W17).
 *
 * Of a v1.3 visor, the link that was accepted first wins, on either side. Once it has accepted ours, it
 * would put its own into its table instead, and take that out again when the accepted one ends. Then it knows of none,
 * and the transport is dead with both sides connected (transports.md §4.4).
 *
 * Tested in tests/transport/transport_table_test.ts.
 */

import { UnavailableError } from "../errors/mod.ts";
import { Semaphore, sleep } from "../runtime/mod.ts";
import type { Timers } from "../runtime/mod.ts";
import { isV13 } from "../wire/peer_features.ts";
import type { PeerFeatures } from "../wire/peer_features.ts";
import { STCP_HANDSHAKE_TIMEOUT_MS } from "../wire/stcp_frames.ts";
import type { LinkSlot } from "./link_slot.ts";
import type { Dial, Redial } from "./redial.ts";
import { SETTLEMENT_TIMEOUT_MS } from "./settlement.ts";
import { NOISE_TIMEOUT_MS } from "./stcp_handshake.ts";

/** How long our own dial, once committed, may keep an incoming link waiting when the peer's key is the smaller one, ms. */
const OWN_SETTLEMENT_MS = 1_000;

/** The longest set-up of a link, ms: within it, an incoming link may have been dialled before the peer knew of ours. */
const LONGEST_SETUP_MS = STCP_HANDSHAKE_TIMEOUT_MS + NOISE_TIMEOUT_MS + SETTLEMENT_TIMEOUT_MS;

/** What a decision depends on. */
export interface AdmissionDeps {
  readonly timers: Timers;
  /** Is our key the smaller one? */
  readonly isSmaller: boolean;
  readonly slot: LinkSlot;
  readonly redial: Redial;
}

/** See the top of the file. */
export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #turns = new Semaphore(1);

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /**
   * Waits for the turn: one incoming link at a time is decided upon and installed.
   * @returns ends the turn
   * @throws the reason of `signal`
   */
  turn(signal: AbortSignal): Promise<() => void> {
    return this.#turns.acquire(signal);
  }

  /** May an incoming link take over? @param features agreed with the peer. @throws the reason of `signal` */
  async admits(features: PeerFeatures, signal: AbortSignal): Promise<boolean> {
    const { isSmaller, slot, redial } = this.#deps;
    const waits = isSmaller || isV13(features);
    const { dial } = redial;
    if (dial !== undefined && !dial.isCommitted && !(isSmaller && !isV13(features))) {
      dial.abort.abort(new UnavailableError("transport/superseded", "Dial: the peer's own link came first"));
    } else if (dial !== undefined) {
      const limitMs = waits ? LONGEST_SETUP_MS : OWN_SETTLEMENT_MS;
      if (await this.#succeedsWithin(dial, limitMs, signal)) return false;
    }
    signal.throwIfAborted();
    if (slot.isStopped) return false;
    return !(slot.up && slot.initiator && waits && slot.linkAgeMs < LONGEST_SETUP_MS);
  }

  async #succeedsWithin(dial: Dial, ms: number, signal: AbortSignal): Promise<boolean> {
    const waiting = new AbortController();
    const limit = sleep(this.#deps.timers, ms, AbortSignal.any([waiting.signal, signal])).then(
      () => false,
      () => false,
    );
    try {
      return await Promise.race([dial.outcome, limit]);
    } finally {
      waiting.abort();
    }
  }
}
