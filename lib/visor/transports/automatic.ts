/**
 * The transport that a dial opens by itself when it finds no route. It is not kept.
 * Tested in tests/visor/public_visors_test.ts.
 */

import { describeError } from "../../errors/mod.ts";
import { MESSAGING, STCPR } from "../../overlay/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import type { TransportTable } from "../../transport/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";

/** How long a dial without a route tries TCP before it takes a messaging server, ms: three lost SYNs, or a slow handshake. */
const TRY_TCP_WITHIN_MS = 4_000;

/** What opening needs. */
export interface AutomaticTransportsDeps {
  readonly runtime: Pick<Runtime, "timers" | "log">;
  readonly table: Pick<TransportTable, "add">;
  /** Whether visors can be found by address resolver. */
  readonly hasResolver: boolean;
}

/**
 * Opens a transport: over TCP when the remote is known to accept it, else through a messaging server, which reaches every visor.
 * @throws as `TransportTable.add`
 */
export async function openAutomatic(
  remoteKey: PublicKey,
  options: AutomaticTransportsDeps & { readonly signal: AbortSignal },
): Promise<void> {
  if (options.hasResolver && await openTcp(remoteKey, options)) return;
  await options.table.add({ remoteKey, kind: MESSAGING.kind, label: "automatic", signal: options.signal });
}

/** A visor that the resolver does not list fails at once. */
async function openTcp(
  remoteKey: PublicKey,
  { runtime, table, signal }: AutomaticTransportsDeps & { readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await withTimeout((signal) => table.add({ remoteKey, kind: STCPR.kind, label: "automatic", signal }), {
      timers: runtime.timers,
      ms: TRY_TCP_WITHIN_MS,
      code: "transport/dial-timeout",
      message: `Open a TCP transport to ${shortKey(remoteKey)}`,
      signal,
    });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    runtime.log.debug("no-tcp-transport", { remote: shortKey(remoteKey), error: describeError(error) });
    return false;
  }
}
