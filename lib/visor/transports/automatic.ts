/**
 * The transport that a dial opens by itself when it finds no route. It is not kept. TCP and a messaging server are tried
 * side by side, and TCP has a head start: a messaging server reaches every visor, and costs others their bandwidth.
 * Tested in tests/visor/public_visors_test.ts.
 */

import { ClosedError, describeError } from "../../errors/mod.ts";
import { MESSAGING, STCPR } from "../../overlay/mod.ts";
import { headStartOf, RecentMean, type Runtime, sideBySide, withTimeout } from "../../runtime/mod.ts";
import type { TransportSummary, TransportTable } from "../../transport/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";

/** How long TCP is ahead, ms, until such transports were measured: six round trips of 150 ms, which is what one takes. */
const TCP_HEAD_START = { unmeasuredMs: 900 } as const;

/** How long TCP is tried, ms: three lost SYNs, or a slow handshake. */
const TRY_TCP_WITHIN_MS = 4_000;

/** Visors of which it is remembered why there is no TCP; beyond, the oldest is forgotten. */
const MOST_REMEMBERED = 1_000;

/** What opening needs. */
export interface AutomaticTransportsDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "log">;
  readonly table: Pick<TransportTable, "add" | "list">;
  /** Whether visors can be found by address resolver. */
  readonly hasResolver: boolean;
}

/** See the top of the file. Disposing ends what is still tried. */
export class AutomaticTransports implements Disposable {
  readonly #deps: AutomaticTransportsDeps;
  readonly #closing = new AbortController();
  readonly #tcpTimes = new RecentMean();
  readonly #whyNoTcp = new Map<PublicKey, string>();

  constructor(deps: AutomaticTransportsDeps) {
    this.#deps = deps;
  }

  /**
   * Opens a transport.
   * @throws as `TransportTable.add` of the messaging transport
   */
  async open(remoteKey: PublicKey, signal: AbortSignal): Promise<void> {
    const { runtime: { timers }, table, hasResolver } = this.#deps;
    const kinds = hasResolver ? [STCPR.kind, MESSAGING.kind] : [MESSAGING.kind];
    await sideBySide(kinds, {
      timers,
      headStartMs: () => headStartOf(this.#tcpTimes.ms, TCP_HEAD_START),
      attempt: async (kind, signal): Promise<void> => {
        // TCP that comes after the other one is worth having: the next dial takes it.
        if (kind === STCPR.kind) await this.#openTcp(remoteKey);
        else await table.add({ remoteKey, kind, label: "automatic", signal });
      },
      discard: () => {},
      signal,
    });
  }

  /** Why a visor that is reached over a messaging server is not reached over TCP; undefined when nothing is known. */
  whyRelayed(remote: PublicKey): string | undefined {
    const isOverTcp = ({ type, remote: other, up }: TransportSummary): boolean =>
      up && other === remote && type !== MESSAGING.kind;
    return this.#deps.table.list().some(isOverTcp) ? undefined : this.#whyNoTcp.get(remote);
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new ClosedError("transport/closed", "The visor ends"));
  }

  /** A visor that the resolver does not list fails at once. */
  async #openTcp(remoteKey: PublicKey): Promise<void> {
    const { runtime: { clock, timers, log }, table } = this.#deps;
    const startedAt = clock.monotonic();
    try {
      await withTimeout((signal) => table.add({ remoteKey, kind: STCPR.kind, label: "automatic", signal }), {
        timers,
        ms: TRY_TCP_WITHIN_MS,
        code: "transport/dial-timeout",
        message: `Open a TCP transport to ${shortKey(remoteKey)}`,
        signal: this.#closing.signal,
      });
      this.#tcpTimes.add(clock.monotonic() - startedAt);
      this.#whyNoTcp.delete(remoteKey);
    } catch (error) {
      if (this.#closing.signal.aborted) throw error;
      const reason = describeError(error);
      this.#remember(remoteKey, reason);
      log.info("no-tcp-transport", { remote: shortKey(remoteKey), reason });
      throw error;
    }
  }

  #remember(remote: PublicKey, reason: string): void {
    this.#whyNoTcp.delete(remote);
    this.#whyNoTcp.set(remote, reason);
    const oldest = this.#whyNoTcp.keys().next().value;
    if (this.#whyNoTcp.size > MOST_REMEMBERED && oldest !== undefined) this.#whyNoTcp.delete(oldest);
  }
}
