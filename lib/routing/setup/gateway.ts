/**
 * Takes rules from trusted setup nodes: the visor's side of messaging port 136 (routing.md §5.3, 5.7). Who may call and
 * how much is decided here; what a rule must look like, and whose route ids it may use, by the router's rule gate behind
 * {@link RuleHandlers}. Tested in tests/services/setup_node/setup_node_test.ts.
 */

import { describeError, hasCode, RefusedError, SkywireError } from "../../errors/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import { type PublicKey, type RouteId, shortKey } from "../../types/mod.ts";
import { type RpcHandler, rpcHandler } from "../../overlay/rpc/mod.ts";
import {
  ADD_EDGE_RULES,
  ADD_INTERMEDIARY_RULES,
  type EdgeRules,
  REMOVE_RULES,
  RESERVE_IDS,
  RULE_GATEWAY_PORT,
} from "../../wire/setup_messages.ts";
import type { KeyedNetwork, KeyedStream } from "../../overlay/mod.ts";
import { StreamAcceptor } from "../../overlay/rpc/stream_acceptor.ts";

/** Route set-ups of one setup node that may run at once. */
const MAX_STREAMS_PER_SETUP_NODE = 128;

/** Route set-ups in all. */
const MAX_STREAMS = 512;

/** Codes of failures in their wire text (routing.md §5.4). */
const FAILURE = { addRules: 1, reserveRouteIds: 4 } as const;

/** What calls lead to. `from` is the setup node. What they throw is answered as a failure. */
export interface RuleHandlers {
  /** Hands out fresh route ids. @param count 0–255 */
  reserveIds(count: number, from: PublicKey): readonly RouteId[] | Promise<readonly RouteId[]>;
  /** All rules or none. When it returns, they hold. */
  addIntermediaryRules(rules: readonly Uint8Array[], from: PublicKey): void | Promise<void>;
  /** When it returns, the rules hold and packets are accepted (routing.md Q2). */
  addEdgeRules(edge: EdgeRules, from: PublicKey): void | Promise<void>;
  /**
   * Forgets ids that this setup node reserved for the last request on its stream, and their rules. Without it, rules live
   * until they expire.
   */
  removeRules?(ids: readonly RouteId[], from: PublicKey): void | Promise<void>;
}

/** What a gateway needs. */
export interface SetupGatewayDeps {
  /** Its world. */
  readonly runtime: Pick<Runtime, "timers" | "log">;
  /** Where setup nodes come in; not owned. */
  readonly messaging: Pick<KeyedNetwork, "listen">;
  /** Who may call. Streams of others are closed unread. */
  readonly setupNodes: readonly PublicKey[];
  /** What calls lead to. */
  readonly rules: RuleHandlers;
}

/** A running gateway. */
export interface SetupGateway extends AsyncDisposable {
  /** Stops listening and closes all streams. Harmless when repeated. */
  close(): Promise<void>;
}

/** Starts a gateway. @throws {RefusedError} `messaging/port-taken` */
export function createSetupGateway(deps: SetupGatewayDeps): SetupGateway {
  const { runtime, messaging, rules } = deps;
  const trusted = new Set(deps.setupNodes);
  const acceptor = new StreamAcceptor(messaging.listen(RULE_GATEWAY_PORT), {
    timers: runtime.timers,
    maxStreams: MAX_STREAMS,
    maxStreamsPerRemote: MAX_STREAMS_PER_SETUP_NODE,
    admit(remote): boolean {
      if (!trusted.has(remote)) runtime.log.debug("setup-stranger", { remote: shortKey(remote) });
      return trusted.has(remote);
    },
    handlers: (stream) => handlersOf(stream, { rules, runtime }),
  });
  const close = (): Promise<void> => acceptor[Symbol.asyncDispose]();
  return { close, [Symbol.asyncDispose]: close };
}

function handlersOf(
  stream: KeyedStream,
  deps: { readonly rules: RuleHandlers; readonly runtime: Pick<Runtime, "log"> },
): RpcHandler[] {
  const { rules, runtime: { log } } = deps;
  const from = stream.remoteKey;
  // A stream carries one request after the other, and each begins with its reservation: ids of earlier ones are in use.
  let reserved: ReadonlySet<RouteId> = new Set();
  const attempt = async <T>(code: number, work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      log.info("setup-refused", { setupNode: shortKey(from), error: describeError(error) });
      throw failure(code, error);
    }
  };
  const handlers = [
    rpcHandler(RESERVE_IDS, (count) =>
      attempt(FAILURE.reserveRouteIds, async () => {
        const ids = await rules.reserveIds(count, from);
        reserved = new Set(ids);
        return ids;
      })),
    rpcHandler(ADD_INTERMEDIARY_RULES, (encoded) =>
      attempt(FAILURE.addRules, async () => {
        await rules.addIntermediaryRules(encoded, from);
        return true;
      })),
    rpcHandler(ADD_EDGE_RULES, (edge) =>
      attempt(FAILURE.addRules, async () => {
        await rules.addEdgeRules(edge, from);
        return true;
      })),
  ];
  if (rules.removeRules === undefined) return handlers;
  const removal = rpcHandler(REMOVE_RULES, (ids) =>
    attempt(FAILURE.addRules, async () => {
      if (!ids.every((id) => reserved.has(id))) {
        throw new RefusedError(
          "setup/not-reserved",
          "Remove rules: an id was not reserved by the last request of this stream",
        );
      }
      await rules.removeRules?.(ids, from);
      return true;
    }));
  return [...handlers, removal];
}

/** `failure code N (message)`, with v1.3's words where it has some. Bugs of ours do not show their cause. */
function failure(code: number, error: unknown): RefusedError {
  const words = hasCode(error, "routing/ids-exhausted")
    ? "no available routeIDs"
    : error instanceof SkywireError
    ? describeError(error)
    : "internal error";
  return new RefusedError("setup/failure", `failure code ${code} (${words})`, { cause: error });
}
