/**
 * The setup node: installs the rules of a route pair at every visor on it (routing.md §5.4).
 *
 * ```
 * requester ─DialRouteGroup─► check ─► dial all visors, port 136 ─► ReserveIDs ─► make rules
 *           ◄──its rules────        ◄─ AddEdgeRules at the responder ◄─ AddIntermediaryRules
 * ```
 *
 * Intermediaries come before the responder, and the responder before the reply, so that every rule stands when the first
 * packet leaves. What was installed is taken back when a later step fails, where the visor knows how; else it expires.
 * Streams to visors are kept for the next request when all went well, see `client_pool.ts`.
 */

import { describeError, ProtocolError, RefusedError, UnavailableError } from "../../errors/mod.ts";
import { type Runtime, withTimeout } from "../../runtime/mod.ts";
import { type PublicKey, type RouteId, shortKey } from "../../types/mod.ts";
import { rpcHandler } from "../../overlay/rpc/mod.ts";
import {
  ADD_EDGE_RULES,
  ADD_INTERMEDIARY_RULES,
  type BidirectionalRoute,
  DIAL_ROUTE_GROUP,
  type EdgeRules,
  REMOVE_RULES,
  RESERVE_IDS,
  RULE_GATEWAY_PORT,
  SETUP_NODE_PORT,
} from "../../wire/setup_messages.ts";
import { type ClientLease, ClientPool } from "../../overlay/rpc/client_pool.ts";
import { setupNodeMetrics } from "./metrics.ts";
import type { KeyedNetwork, KeyedStream } from "../../overlay/mod.ts";
import { RequesterQuota, type SetupNodeLimits } from "./requester_quota.ts";
import { checkRouteAsV13, checkRouteStrictly, countRouteIds, makeRouteRules, type RouteRules } from "./rules.ts";
import { StreamAcceptor } from "../../overlay/rpc/stream_acceptor.ts";

/** Time limits of a request and its steps, ms. A whole request: as in v1.3. */
export const SETUP_LIMITS_MS = {
  request: 30_000,
  /** Dialling all visors. Messaging itself gives a stream 20 s. */
  dial: 20_000,
  /** One round of calls to all visors. */
  step: 10_000,
  /** Taking rules back after a failure. */
  undo: 2_000,
} as const;

/** A visor that does not answer over a kept stream within this is dialled afresh, ms: reserving ids takes no time. */
const KEPT_VISOR_DOUBT_MS = 2_000;

/** Requests of one visor at once: a visor that dials many others at once asks one by one. */
const MAX_STREAMS_PER_REQUESTER = 8;

/** Requests in all; each may hold a stream to every visor on its paths. */
const MAX_STREAMS = 256;

/** What a setup node needs. */
export interface SetupNodeDeps {
  /** Its world. */
  readonly runtime: Pick<Runtime, "timers" | "clock" | "log" | "metrics">;
  /** Where it listens and reaches visors. The caller closes it. */
  readonly messaging: KeyedNetwork;
  /** How much it does for one visor, in place of the defaults. */
  readonly limits?: SetupNodeLimits;
}

/** A running setup node. Disposing stops it and waits for the requests under way. */
export interface SetupNode extends AsyncDisposable {
  /** How many requesters are connected at this moment. */
  readonly requesters: number;
}

/**
 * Starts a setup node (routing.md §5): it listens on messaging port 36.
 * @throws {RefusedError} `messaging/port-taken` when something else listens there
 * @throws {ClosedError} `messaging/closed` when the messaging client is closed
 */
export function createSetupNode(deps: SetupNodeDeps): SetupNode {
  const { runtime: { timers }, messaging } = deps;
  const visors = new ClientPool({ network: messaging, port: RULE_GATEWAY_PORT, timers });
  const desk = new RequestDesk({ ...deps, visors });
  const acceptor = new StreamAcceptor(messaging.listen(SETUP_NODE_PORT), {
    timers,
    maxStreams: MAX_STREAMS,
    maxStreamsPerRemote: MAX_STREAMS_PER_REQUESTER,
    maxConcurrentCalls: 1,
    admit: () => true,
    handlers: (stream) => [rpcHandler(DIAL_ROUTE_GROUP, (route, signal) => desk.answer(route, { stream, signal }))],
  });
  return {
    get requesters(): number {
      return acceptor.open;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await acceptor[Symbol.asyncDispose]();
      await desk.settled();
      visors[Symbol.dispose]();
    },
  };
}

/** What requests are worked on with. */
interface DeskDeps extends SetupNodeDeps {
  /** Clients of visors' gateways. */
  readonly visors: ClientPool;
}

/** Answers requests, counts and logs them. */
class RequestDesk {
  readonly #deps: DeskDeps;
  readonly #metrics: ReturnType<typeof setupNodeMetrics>;
  readonly #quota: RequesterQuota;
  /** Work that may outlive its request: set-ups that notice their end, and sessions that are undone and closed. */
  readonly #unfinished = new Set<Promise<unknown>>();
  #active = 0;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    const { runtime: { metrics, clock }, limits } = deps;
    this.#metrics = setupNodeMetrics(metrics);
    this.#quota = new RequesterQuota({ clock, limits });
  }

  /** @throws {SkywireError} whose message goes to the requester: in v1.3's words where it has some */
  async answer(
    route: BidirectionalRoute,
    request: { readonly stream: KeyedStream; readonly signal: AbortSignal },
  ): Promise<EdgeRules> {
    const { clock, timers, log } = this.#deps.runtime;
    const requester = request.stream.remoteKey;
    const startedAt = clock.monotonic();
    this.#metrics.active.set(++this.#active);
    try {
      // Before anything else is done for it.
      this.#quota.take(requester);
      const rules = await withTimeout((signal) => this.#track(this.#setUp(route, { requester, signal })), {
        timers,
        ms: SETUP_LIMITS_MS.request,
        code: "setup/timeout",
        message: "Set up a route",
        signal: request.signal,
      });
      this.#metrics.done.add();
      log.debug("route-set-up", { requester: shortKey(requester), hops: route.forward.length });
      return rules;
    } catch (error) {
      this.#metrics.failed(error);
      log.info("route-set-up-failed", { requester: shortKey(requester), error: describeError(error) });
      throw error;
    } finally {
      this.#metrics.active.set(--this.#active);
      this.#metrics.seconds.observe((clock.monotonic() - startedAt) / 1000);
    }
  }

  /** Waits until nothing is being taken back or closed any more. */
  async settled(): Promise<void> {
    while (this.#unfinished.size > 0) await Promise.allSettled(this.#unfinished);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const forget = (): void => void this.#unfinished.delete(work);
    this.#unfinished.add(work);
    work.then(forget, forget);
    return work;
  }

  async #setUp(
    route: BidirectionalRoute,
    options: { readonly requester: PublicKey; readonly signal: AbortSignal },
  ): Promise<EdgeRules> {
    const { requester, signal } = options;
    const objection = checkRouteAsV13(route) ?? checkRouteStrictly(route, { requester });
    if (objection !== undefined) throw new RefusedError("setup/bad-route", objection);
    const session = new VisorSession({ ...this.#deps, signal });
    try {
      await session.dial([...countRouteIds(route).keys()]);
      const rules = makeRouteRules(route, await session.reserve(countRouteIds(route)));
      if (rules === undefined) throw new RefusedError("setup/too-few-ids", "id reservoir has no key");
      await session.install(rules);
      session.keep();
      return rules.initiator;
    } finally {
      // Not awaited: the requester should hear of a failure before everything is taken back.
      void this.#track(session.close());
    }
  }
}

/** The calls of one request to all its visors: each step goes to all at once, and the first failure ends it. */
class VisorSession {
  readonly #deps: DeskDeps & { readonly signal: AbortSignal };
  readonly #leases = new Map<PublicKey, ClientLease>();
  readonly #reserved = new Map<PublicKey, readonly RouteId[]>();
  #keeps = false;

  constructor(deps: DeskDeps & { readonly signal: AbortSignal }) {
    this.#deps = deps;
  }

  /** Sees to a stream to every visor. @throws {UnavailableError} `setup/dial-failed` */
  async dial(visors: readonly PublicKey[]): Promise<void> {
    await this.#step(SETUP_LIMITS_MS.dial, (signal) =>
      visors.map(async (visor) => {
        const lease = await this.#deps.visors.acquire(visor, { signal }).catch((cause) => {
          throw failed("setup/dial-failed", {
            words:
              `failed to instantiate route id reserver: a dial attempt failed with: dial ${visor}@${RULE_GATEWAY_PORT}`,
            cause,
          });
        });
        if (signal.aborted) lease[Symbol.dispose]();
        else this.#leases.set(visor, lease);
      }));
  }

  /** Has every visor reserve its ids. @throws {UnavailableError} `setup/reserve-failed` */
  async reserve(counts: ReadonlyMap<PublicKey, number>): Promise<ReadonlyMap<PublicKey, readonly RouteId[]>> {
    await this.#step(SETUP_LIMITS_MS.step, (signal) =>
      [...counts].map(async ([visor, count]) => {
        const options = { signal, doubtAfterMs: KEPT_VISOR_DOUBT_MS };
        const ids = await this.#lease(visor).call(RESERVE_IDS, count, options).catch((cause) => {
          const words = `failed to reserve route ids: reserve routeID from ${visor} failed`;
          throw failed("setup/reserve-failed", { words, cause });
        });
        if (new Set(ids).size !== ids.length || ids.includes(0 as RouteId)) {
          throw new ProtocolError("setup/bad-ids", `Reserve route ids: ${visor} gave some that cannot be used`);
        }
        this.#reserved.set(visor, ids);
      }));
    return this.#reserved;
  }

  /** Installs the rules of all visors but the requester. @throws {UnavailableError} `setup/install-failed` */
  async install(rules: RouteRules): Promise<void> {
    await this.#step(SETUP_LIMITS_MS.step, (signal) =>
      [...rules.intermediary].map(async ([visor, own]) => {
        const done = await this.#lease(visor).call(ADD_INTERMEDIARY_RULES, own, { signal }).catch((cause) => {
          throw failed("setup/install-failed", { words: "", cause });
        });
        if (!done) throw new UnavailableError("setup/install-failed", `${visor} did not take its rules`);
      }));
    const responder = rules.responder.descriptor.destination.publicKey;
    const words = "failed to broadcast rules to destination router";
    await this.#step(SETUP_LIMITS_MS.step, (signal) => [
      this.#lease(responder).call(ADD_EDGE_RULES, rules.responder, { signal }).then(
        (done) => {
          if (!done) throw new UnavailableError("setup/install-failed", `${words}: the rules were not taken`);
        },
        (cause) => {
          throw failed("setup/install-failed", { words, cause });
        },
      ),
    ]);
  }

  /** All is well: {@link VisorSession.close} leaves the rules where they are, and the streams open. */
  keep(): void {
    this.#keeps = true;
  }

  /** Gives the streams back; or, unless all is well, takes rules and ids back and closes them. Does not reject. */
  async close(): Promise<void> {
    const { runtime: { timers } } = this.#deps;
    if (this.#keeps) {
      for (const lease of this.#leases.values()) lease.keep();
      return;
    }
    if (this.#reserved.size > 0) {
      await withTimeout(
        (signal) =>
          Promise.allSettled(
            [...this.#reserved].map(([visor, ids]) => this.#lease(visor).call(REMOVE_RULES, ids, { signal })),
          ),
        { timers, ms: SETUP_LIMITS_MS.undo, code: "setup/undo-timeout", message: "Take rules back" },
      ).catch(() => {});
    }
    for (const lease of this.#leases.values()) lease[Symbol.dispose]();
  }

  /** Runs calls side by side; the first failure is the result, and ends the others. */
  #step(ms: number, start: (signal: AbortSignal) => readonly Promise<void>[]): Promise<void> {
    const { runtime: { timers }, signal } = this.#deps;
    const others = new AbortController();
    return withTimeout(async (limit) => {
      const ended = AbortSignal.any([limit, others.signal]);
      await Promise.all(start(ended)).catch((error) => {
        others.abort(error);
        throw error;
      });
    }, { timers, ms, code: "setup/step-timeout", message: "Wait for the visors of a route", signal });
  }

  #lease(visor: PublicKey): ClientLease {
    const lease = this.#leases.get(visor);
    if (lease === undefined) throw new UnavailableError("setup/closed", `Call ${visor}: no stream is open`);
    return lease;
  }
}

/** An error whose message is what v1.3 would say: what failed, and the words of who failed. */
function failed(code: string, options: { readonly words: string; readonly cause: unknown }): UnavailableError {
  const { words, cause } = options;
  const said = cause instanceof RefusedError && cause.code === "rpc/refused"
    ? String(cause.details.message)
    : describeError(cause);
  return new UnavailableError(code, words === "" ? said : `${words}: ${said}`, { cause });
}
