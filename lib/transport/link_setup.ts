/**
 * Makes links that carry packets out of what drivers give:
 *
 * ```
 *   dial    driver.dial → F0–F3, Noise KK (unless the driver proves keys) → settlement
 *   accept  driver's listener → the same as responder → the caller decides → answer
 * ```
 *
 * A link that is not handed over is closed here, whatever goes wrong.
 */

import { BugError } from "../errors/mod.ts";
import { discardSecureLink } from "../links/secure_link.ts";
import type { SecureLink } from "../links/secure_link.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { Port, PublicKey, SecretKey } from "../types/mod.ts";
import type { PeerFeatures } from "../wire/peer_features.ts";
import type { SignedEntry } from "../wire/transport_entry.ts";
import { discardRawLink } from "./driver.ts";
import type { RawLink, TransportDriver } from "./driver.ts";
import { TRANSPORT_PORT } from "./drivers/messaging.ts";
import { initiateSettlement, receiveSettlement } from "./settlement.ts";
import type { Settlement, SettlementOptions, SettlementRequest } from "./settlement.ts";
import { acceptHandshake, dialHandshake } from "./stcp_handshake.ts";

/** How long a driver may take to reach an address, ms. As long as the handshake that follows. */
export const DIAL_TIMEOUT_MS = 10_000;

/** Source ports in F2 count from here to 65535 and begin again (transports.md §2.1). */
const FIRST_SOURCE_PORT: Port = 49_153;

/** A settled link, about to become a transport's. */
export interface SettledLink extends Omit<Settlement, "signed"> {
  readonly secure: SecureLink;
  /** Did we dial it? */
  readonly initiator: boolean;
  /** With both signatures, at the responder: to be registered. */
  readonly signed?: SignedEntry;
}

/** Who is dialled, and how. */
export interface DialLinkOptions {
  readonly address: string;
  readonly remoteKey: PublicKey;
  readonly signal: AbortSignal;
  /** Called before the peer can take the link as opened and wait for settlement. */
  readonly onCommit: () => void;
}

/** A link whose peer asks to settle. Disposing closes it, unless it was accepted. */
export interface IncomingLink extends Disposable, Pick<SettlementRequest, "signed" | "features" | "signal"> {
  /** Whose visor it is, proven. */
  readonly remoteKey: PublicKey;
  /** Takes the link. Errors as {@link SettlementRequest.accept}. */
  accept(): Promise<SettledLink>;
  /** Turns it down. Errors as {@link SettlementRequest.reject}. */
  reject(): Promise<never>;
}

/** What link set-up needs. */
export interface LinkSetupDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random">;
  readonly local: { readonly publicKey: PublicKey; readonly secret: SecretKey };
  /** What we can do beyond v1.3. */
  readonly features: PeerFeatures;
}

/** See the top of the file. */
export class LinkSetup {
  readonly #deps: LinkSetupDeps;
  #sourcePort: Port = FIRST_SOURCE_PORT - 1;

  constructor(deps: LinkSetupDeps) {
    this.#deps = deps;
  }

  /**
   * Opens and settles a link.
   * @throws {UnavailableError} `transport/dial-timeout`; {BugError} `transport/wrong-peer`; what the driver, the handshake
   * and settlement throw; the reason of `signal`
   */
  async dial(driver: TransportDriver, options: DialLinkOptions): Promise<SettledLink> {
    const { address, remoteKey, signal, onCommit } = options;
    if (driver.provesKeys) onCommit();
    const link = await withTimeout((signal) => driver.dial(address, { remoteKey, signal }), {
      timers: this.#deps.runtime.timers,
      ms: DIAL_TIMEOUT_MS,
      signal,
      code: "transport/dial-timeout",
      message: `Dial over "${driver.kind}"`,
      discard: discardRawLink,
    });
    const secure = await this.#secureDialled(link, options);
    try {
      signal.throwIfAborted();
      const { early, features, roundTripMs } = await initiateSettlement(secure, this.#settlement(driver.kind, signal));
      return { secure, early, features, initiator: true, ...(roundTripMs === undefined ? {} : { roundTripMs }) };
    } catch (error) {
      discardSecureLink(secure);
      throw error;
    }
  }

  /**
   * Finds out who has dialled, and reads the request to settle.
   * @throws what the handshake and settlement throw; the reason of `signal`
   */
  async accept(link: RawLink, kind: string, signal: AbortSignal): Promise<IncomingLink> {
    const { runtime, local } = this.#deps;
    const secure = link.proven === undefined
      ? await acceptHandshake(link, { runtime, local, isListening: (port) => port === TRANSPORT_PORT, signal })
      : { link, ...link.proven };
    try {
      return incomingLink(secure, await receiveSettlement(secure, this.#settlement(kind, signal)));
    } catch (error) {
      discardSecureLink(secure);
      throw error;
    }
  }

  async #secureDialled(link: RawLink, options: DialLinkOptions): Promise<SecureLink> {
    const { remoteKey, signal, onCommit } = options;
    if (link.proven !== undefined) {
      if (link.proven.remoteKey === remoteKey) return { link, ...link.proven };
      discardRawLink(link);
      throw new BugError("transport/wrong-peer", "Dial: the driver reached another visor than the one asked for");
    }
    this.#sourcePort = this.#sourcePort === 0xffff ? FIRST_SOURCE_PORT : this.#sourcePort + 1;
    const { runtime, local } = this.#deps;
    const remote = { publicKey: remoteKey, port: TRANSPORT_PORT };
    return await dialHandshake(link, { runtime, local, sourcePort: this.#sourcePort, remote, signal, onCommit });
  }

  #settlement(kind: string, signal: AbortSignal): SettlementOptions {
    const { runtime: { clock, timers }, local, features } = this.#deps;
    return { clock, timers, local, kind, features, signal };
  }
}

function incomingLink(secure: SecureLink, request: SettlementRequest): IncomingLink {
  const { signed, features, signal } = request;
  let isAccepted = false;
  return {
    remoteKey: secure.remoteKey,
    signed,
    features,
    signal,
    async accept(): Promise<SettledLink> {
      const settlement = await request.accept();
      isAccepted = true;
      return { ...settlement, secure, initiator: false };
    },
    reject: () => request.reject(),
    [Symbol.dispose](): void {
      request[Symbol.dispose]();
      if (!isAccepted) discardSecureLink(secure);
    },
  };
}
