/**
 * Dialling: one route after the other, each through one setup node after the other, until a connection stands.
 *
 * ```
 * route → local port → setup node installs the rules → own rules → group → handshake → connection
 * ```
 *
 * Tested in tests/sim/setup_test.ts.
 */

import { describeError, hasCode, UnavailableError } from "../errors/mod.ts";
import { type Runtime, Semaphore, withTimeout } from "../runtime/mod.ts";
import type { SetupClient } from "./setup/client.ts";
import {
  invertDescriptor,
  type OverlayAddress,
  type Port,
  type PublicKey,
  type RoutePair,
  type SecretKey,
  shortKey,
} from "../types/mod.ts";
import type { EdgeRules } from "../wire/setup_messages.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { errorOfEnd } from "./group.ts";
import { initiateHandshake } from "./group_handshake.ts";
import type { RouterMetrics } from "./metrics.ts";
import type { PortSpace } from "../overlay/mod.ts";
import type { RouteConstraints } from "../services/route_finder/mod.ts";
import { chooseRoutes, type RouteChoiceDeps } from "./route_choice.ts";
import type { RouteConnection } from "./route_connection.ts";
import type { RuleGate, SavedEdgeRules } from "./rule_gate.ts";
import { SetupOrder } from "./setup_order.ts";

/** The idle time that v1.3's dialler asks for (routing.md §9). */
const KEEP_ALIVE_NS = 30_000_000_000n;

/** How long a setup node gets, its messaging dial included, ms. When the one in use has died, a dial takes 10 s at most. */
const SETUP_LIMIT_MS = {
  /** While there is another one to ask. */
  first: 6_000,
  /** The last one. */
  last: 10_000,
} as const;

/** Set-ups at a time; the others wait. A setup node serves 8 requests of one visor at once, v1.3 asks for one at a time. */
const SETUPS_AT_ONCE = 4;

/** How long a whole dial may take, ms: three routes with two or three setup nodes each. */
const DIAL_LIMIT_MS = 60_000;

/** What dialling needs. */
export interface DiallerDeps {
  /** Its world. */
  readonly runtime: Runtime;
  /** The visor's identity. */
  readonly secret: SecretKey;
  /** Its public half. */
  readonly localKey: PublicKey;
  /** Asked in this order while nothing speaks against it. */
  readonly setupNodes: readonly PublicKey[];
  /** Asks them. */
  readonly setup: SetupClient;
  /** What finding routes needs. */
  readonly choice: RouteChoiceDeps;
  /** Where local ports come from. */
  readonly ports: Pick<PortSpace<unknown>, "acquire" | "release">;
  /** Checks and saves our own rules. */
  readonly gate: RuleGate;
  /** Where groups are made. */
  readonly connections: ConnectionTable;
  /** Figures. */
  readonly metrics: RouterMetrics;
}

/** What to dial and how. */
export interface DialRequest {
  /** Whose port. */
  readonly remote: OverlayAddress;
  /** What is asked of the route. */
  readonly constraints: RouteConstraints;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** Rules that stand along the whole route, and the local port they name. */
interface InstalledRoute {
  readonly rules: SavedEdgeRules;
  readonly localPort: Port;
}

/** Dials for one visor; dials run side by side. */
export class Dialler {
  readonly #deps: DiallerDeps;
  readonly #setups = new Semaphore(SETUPS_AT_ONCE);
  readonly #order: SetupOrder;

  /** Dials nothing by itself. */
  constructor(deps: DiallerDeps) {
    this.#deps = deps;
    this.#order = new SetupOrder(deps.setupNodes, deps.runtime.clock);
  }

  /** Dials. @throws as `Router.dial` */
  async dial({ remote, constraints, signal }: DialRequest): Promise<RouteConnection> {
    const { metrics, runtime } = this.#deps;
    metrics.dials.add();
    try {
      return await withTimeout((ended) => this.#tryRoutes({ remote, constraints, signal: ended }), {
        timers: runtime.timers,
        ms: DIAL_LIMIT_MS,
        code: "route/dial-timeout",
        message: `Dial ${shortKey(remote.publicKey)}:${remote.port}`,
        signal,
        discard: (late) => late.close(),
      });
    } catch (error) {
      metrics.failedDials.add();
      throw error;
    }
  }

  async #tryRoutes(request: DialRequest): Promise<RouteConnection> {
    const { runtime, choice, metrics } = this.#deps;
    const startedAt = runtime.clock.monotonic();
    const failures: unknown[] = [];
    for await (const route of chooseRoutes(request.remote.publicKey, { ...request, deps: choice })) {
      try {
        const installed = await this.#setups.run(() => this.#install(route, request), request.signal);
        return await this.#connect(installed, { route, startedAt, signal: request.signal });
      } catch (failure) {
        request.signal.throwIfAborted();
        if (hasCode(failure, "route/no-listener")) throw failure; // No other route changes that.
        metrics.failedAttempts.add();
        failures.push(failure);
      }
    }
    throw failures.length === 1 ? failures[0] : allFailed(request.remote.publicKey, failures);
  }

  /**
   * Has the rules of a route installed by the first setup node that can. Those that could not, although another one can,
   * are asked last for a while; when nobody can, that may be due to the route.
   */
  async #install(route: RoutePair, request: DialRequest): Promise<InstalledRoute> {
    const failures = new Map<PublicKey, unknown>();
    for (let node = this.#next(failures); node !== undefined; node = this.#next(failures)) {
      // Each try has its own port: where an earlier try left half a route, v1.3 keeps its descriptor taken
      // (routing.md Q7).
      const localPort = this.#deps.ports.acquire();
      const isLast = failures.size + 1 === this.#deps.setupNodes.length;
      const limitMs = isLast ? SETUP_LIMIT_MS.last : SETUP_LIMIT_MS.first;
      const startedAt = this.#deps.runtime.clock.monotonic();
      try {
        const rules = await this.#ask(node, { route, localPort, request, limitMs });
        this.#order.succeeded(node, this.#deps.runtime.clock.monotonic() - startedAt);
        for (const other of failures.keys()) this.#order.failed(other);
        return { rules, localPort };
      } catch (failure) {
        this.#deps.ports.release(localPort);
        request.signal.throwIfAborted();
        failures.set(node, failure);
      }
    }
    if (failures.size === 0) {
      throw new UnavailableError(
        "route/setup-failed",
        "Set up a route: no setup node is configured; join a network that has one",
      );
    }
    const all = [...failures.values()];
    throw all.length === 1 ? all[0] : allFailed(request.remote.publicKey, all);
  }

  #next(failures: ReadonlyMap<PublicKey, unknown>): PublicKey | undefined {
    return this.#order.next(new Set(failures.keys()));
  }

  async #ask(
    setupNode: PublicKey,
    { route, localPort, request, limitMs }: {
      route: RoutePair;
      localPort: Port;
      request: DialRequest;
      limitMs: number;
    },
  ): Promise<SavedEdgeRules> {
    const { setup, gate, runtime, localKey } = this.#deps;
    const descriptor = { source: { publicKey: localKey, port: localPort }, destination: request.remote };
    try {
      const askSetupNode = (signal: AbortSignal): Promise<EdgeRules> =>
        setup.dialRouteGroup(setupNode, { descriptor, keepAliveNs: KEEP_ALIVE_NS, ...route }, { signal });
      const limit = {
        timers: runtime.timers,
        ms: limitMs,
        code: "route/setup-timeout",
        message: "Wait for the setup node",
        signal: request.signal,
      };
      const edge = await withTimeout(askSetupNode, limit);
      return gate.saveEdge(edge, { setupNode, descriptor: invertDescriptor(descriptor) });
    } catch (cause) {
      request.signal.throwIfAborted();
      const visors = route.forward.map((hop) => shortKey(hop.to)).join(", ");
      throw new UnavailableError(
        "route/setup-failed",
        `Set up the route over ${visors} by setup node ${shortKey(setupNode)}`,
        { cause, details: { setupNode, visors: route.forward.map((hop) => hop.to) } },
      );
    }
  }

  async #connect(
    { rules, localPort }: InstalledRoute,
    { route, startedAt, signal }: { route: RoutePair; startedAt: number; signal: AbortSignal },
  ): Promise<RouteConnection> {
    const { connections, ports, runtime, secret } = this.#deps;
    const remoteKey = rules.forward.descriptor.destination.publicKey;
    const onGone = (): void => ports.release(localPort);
    const opening = connections.open(rules, { onGone });
    try {
      await initiateHandshake(opening.group, { runtime, secret, remoteKey, signal });
    } catch (error) {
      connections.abandon(opening);
      throw error;
    }
    const setupMs = runtime.clock.monotonic() - startedAt;
    const connection = connections.adopt(opening, { route: route.forward, setupMs });
    // A refusal comes right behind the handshake, often in the same read.
    const refusal = opening.group.end === undefined ? undefined : errorOfEnd(opening.group.end);
    if (refusal !== undefined) {
      connection.close();
      throw refusal;
    }
    runtime.log.info("route-up", {
      remote: shortKey(remoteKey),
      hops: route.forward.length,
      setupMs: Math.round(setupMs),
    });
    return connection;
  }
}

function allFailed(remote: PublicKey, failures: readonly unknown[]): UnavailableError {
  return new UnavailableError(
    "route/setup-failed",
    `Set up a route to ${shortKey(remote)}: all ${failures.length} tries failed, the last one so`,
    { cause: failures.at(-1), details: { remote, failures: failures.map(describeError) } },
  );
}
