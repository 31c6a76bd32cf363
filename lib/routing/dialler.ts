/**
 * Dialling: one route after the other until a connection stands. Each is set up by the best setup node, or by another one
 * that is asked beside it when the best is late.
 *
 * ```
 * route → local port → setup node installs the rules → own rules → group → handshake → a connection, or a leg of one
 * ```
 *
 * Tested in tests/sim/setup_test.ts and tests/sim/setup_pace_test.ts.
 */

import { describeError, hasCode, UnavailableError } from "../errors/mod.ts";
import { type Runtime, Semaphore, sideBySide, withTimeout } from "../runtime/mod.ts";
import type { SetupClient } from "./setup/client.ts";
import {
  invertDescriptor,
  type OverlayAddress,
  type Path,
  type Port,
  type PublicKey,
  type RoutePair,
  type SecretKey,
  shortKey,
} from "../types/mod.ts";
import type { ConnectionTable, Opening } from "./connection_table.ts";
import { initiateHandshake } from "./group_handshake.ts";
import type { RouterMetrics } from "./metrics.ts";
import type { PortSpace } from "../overlay/mod.ts";
import type { RouteConstraints } from "../services/route_finder/mod.ts";
import { chooseRoutes, compareRoute, type RouteChoiceDeps } from "./route_choice.ts";
import type { RuleGate, SavedEdgeRules } from "./rule_gate.ts";
import { SetupOrder } from "./setup_order.ts";
import { SetupPace } from "./setup_pace.ts";

/** The idle time that v1.3's dialler asks for (routing.md §9). */
const KEEP_ALIVE_NS = 30_000_000_000n;

/** How long a setup node gets, its messaging dial included, ms. Others are asked beside it long before. */
const SETUP_LIMIT_MS = 10_000;

/** Set-ups at a time; the others wait. A setup node serves 8 requests of one visor at once, v1.3 asks for one at a time. */
const SETUPS_AT_ONCE = 4;

/** How long a whole dial may take, ms: three routes, or the wait for a setup node that was asked too much. */
const DIAL_LIMIT_MS = 60_000;

/** What dialling needs. */
export interface DiallerDeps {
  /** Its world. */
  readonly runtime: Runtime;
  /** The visor's identity. */
  readonly secret: SecretKey;
  /** Its public half. */
  readonly localKey: PublicKey;
  /** Preferred in this order while nothing speaks against it. */
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
  /** May this route be taken? By default any may. */
  readonly allows?: (route: Path) => boolean;
  /** Makes what goes along in the first Noise message, as late as can be; by default nothing does. */
  readonly makePayload?: () => Uint8Array;
  /** How long all of it may take, ms; default 60 s. */
  readonly limitMs?: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** A route whose other end has shaken hands. */
export interface DialledRoute {
  /** The group on it, and its rules. */
  readonly opening: Opening;
  /** From here to there. */
  readonly route: Path;
  /** How long finding it, its set-up and the handshake took, ms. */
  readonly setupMs: number;
  /** The payload of the answer; empty from v1.3. */
  readonly answer: Uint8Array;
}

/** Rules that stand along the whole route, and the local port they name. */
interface InstalledRoute {
  readonly rules: SavedEdgeRules;
  readonly localPort: Port;
}

/** One setup node, asked once. */
interface SetupTry {
  readonly node: PublicKey;
  /** Over no stream that was kept. */
  readonly isFresh: boolean;
}

/** Dials for one visor; dials run side by side. */
export class Dialler {
  readonly #deps: DiallerDeps;
  readonly #setups = new Semaphore(SETUPS_AT_ONCE);
  readonly #order: SetupOrder;
  readonly #pace: SetupPace;

  /** Dials nothing by itself. */
  constructor(deps: DiallerDeps) {
    this.#deps = deps;
    this.#order = new SetupOrder(deps.setupNodes, deps.runtime.clock);
    this.#pace = new SetupPace(deps.runtime);
  }

  /** Dials. @throws as `Router.dial` */
  async dial(request: DialRequest): Promise<DialledRoute> {
    const { metrics, runtime, connections } = this.#deps;
    const { remote, limitMs = DIAL_LIMIT_MS, signal } = request;
    metrics.dials.add();
    try {
      return await withTimeout((ended) => this.#tryRoutes({ ...request, signal: ended }), {
        timers: runtime.timers,
        ms: limitMs,
        code: "route/dial-timeout",
        message: `Dial ${shortKey(remote.publicKey)}:${remote.port}`,
        signal,
        discard: ({ opening }) => void connections.abandon(opening),
      });
    } catch (error) {
      metrics.failedDials.add();
      throw error;
    }
  }

  async #tryRoutes(request: DialRequest): Promise<DialledRoute> {
    const { runtime, choice, metrics } = this.#deps;
    const startedAt = runtime.clock.monotonic();
    const failures: unknown[] = [];
    for await (const route of chooseRoutes(request.remote.publicKey, { ...request, deps: choice })) {
      if (request.allows?.(route.forward) === false) continue;
      try {
        const installed = await this.#setups.run(() => this.#install(route, request), request.signal);
        return await this.#connect(installed, { route, startedAt, request });
      } catch (failure) {
        request.signal.throwIfAborted();
        if (hasCode(failure, "route/no-listener")) throw failure; // No other route changes that.
        metrics.failedAttempts.add();
        failures.push(failure);
      }
    }
    throw failures.length === 1 ? failures[0] : allFailed(request.remote.publicKey, failures);
  }

  /** Compares a route in use with those that a dial could take now, see {@link compareRoute}. */
  compare(
    current: Path,
    request: Pick<DialRequest, "remote" | "constraints" | "signal">,
  ): ReturnType<typeof compareRoute> {
    return compareRoute(current, { ...request, remote: request.remote.publicKey, deps: this.#deps.choice });
  }

  /**
   * Has the rules of a route installed by the first setup node that can. Those that failed or were late, although another
   * one could, are asked last for a while; when nobody can, that may be due to the route.
   */
  async #install(route: RoutePair, request: DialRequest): Promise<InstalledRoute> {
    const { runtime: { timers }, setupNodes } = this.#deps;
    if (setupNodes.length === 0) {
      throw new UnavailableError(
        "route/setup-failed",
        "Set up a route: no setup node is configured; join a network that has one",
      );
    }
    /** In the order in which they were asked. */
    const asked: SetupTry[] = [];
    const failures: unknown[] = [];
    try {
      return await sideBySide(this.#setupTries(), {
        timers,
        headStartMs: ({ node }) => this.#order.headStartMs(node),
        attempt: async (one, signal) => {
          try {
            const installed = await this.#trySetup(one, { route, request, asked, signal });
            const late = asked.slice(0, asked.indexOf(one)).filter(({ node }) => node !== one.node);
            for (const { node } of late) if (!signal.aborted) this.#order.failed(node);
            return installed;
          } catch (failure) {
            failures.push(failure);
            throw failure;
          }
        },
        discard: (late) => void this.#takeBack(late),
        signal: request.signal,
      });
    } catch (failure) {
      request.signal.throwIfAborted();
      throw failures.length === 1 ? failure : allFailed(request.remote.publicKey, failures);
    }
  }

  /** All setup nodes, the best first, and at last those again that were asked over a stream that may lead nowhere. */
  *#setupTries(): Generator<SetupTry> {
    const named = new Set<PublicKey>();
    const doubtful: PublicKey[] = [];
    for (let node = this.#order.next(named); node !== undefined; node = this.#order.next(named)) {
      named.add(node);
      if (this.#deps.setup.keepsStream(node)) doubtful.push(node);
      yield { node, isFresh: false };
    }
    for (const node of doubtful) yield { node, isFresh: true };
  }

  /** Asks one setup node as soon as it may be asked. */
  async #trySetup(
    one: SetupTry,
    { asked, signal, ...options }: {
      readonly route: RoutePair;
      readonly request: DialRequest;
      readonly asked: SetupTry[];
      readonly signal: AbortSignal;
    },
  ): Promise<InstalledRoute> {
    const { ports, runtime: { clock } } = this.#deps;
    return await this.#pace.run(one.node, {
      signal,
      ask: async () => {
        // Each try has its own port: where an earlier try left half a route, v1.3 keeps its descriptor taken
        // (routing.md Q7).
        const localPort = ports.acquire();
        const startedAt = clock.monotonic();
        asked.push(one);
        try {
          const rules = await this.#ask(one, { ...options, localPort, signal });
          this.#order.succeeded(one.node, clock.monotonic() - startedAt);
          return { rules, localPort };
        } catch (failure) {
          ports.release(localPort);
          throw failure;
        }
      },
    });
  }

  async #ask(
    { node, isFresh }: SetupTry,
    { route, localPort, request, signal }: {
      route: RoutePair;
      localPort: Port;
      request: DialRequest;
      signal: AbortSignal;
    },
  ): Promise<SavedEdgeRules> {
    const { setup, gate, runtime, localKey } = this.#deps;
    const descriptor = { source: { publicKey: localKey, port: localPort }, destination: request.remote };
    const question = { descriptor, keepAliveNs: KEEP_ALIVE_NS, ...route };
    try {
      const edge = await withTimeout((ended) => setup.dialRouteGroup(node, question, { signal: ended, isFresh }), {
        timers: runtime.timers,
        ms: SETUP_LIMIT_MS,
        code: "route/setup-timeout",
        message: "Wait for the setup node",
        signal,
      });
      return gate.saveEdge(edge, { setupNode: node, descriptor: invertDescriptor(descriptor) });
    } catch (cause) {
      signal.throwIfAborted();
      const visors = route.forward.map((hop) => shortKey(hop.to)).join(", ");
      throw new UnavailableError(
        "route/setup-failed",
        `Set up the route over ${visors} by setup node ${shortKey(node)}`,
        { cause, details: { setupNode: node, visors: route.forward.map((hop) => hop.to) } },
      );
    }
  }

  /** A route that was installed too late to be of use: takes it down along its path. Never rejects. */
  async #takeBack({ rules, localPort }: InstalledRoute): Promise<void> {
    const { connections, ports } = this.#deps;
    try {
      await connections.abandon(connections.open(rules, { onGone: () => ports.release(localPort) }));
    } catch {
      // Its first transport is gone, and so are its rules here; whoever lost it tells the others.
    }
  }

  async #connect(
    { rules, localPort }: InstalledRoute,
    { route, startedAt, request }: { route: RoutePair; startedAt: number; request: DialRequest },
  ): Promise<DialledRoute> {
    const { connections, ports, runtime, secret } = this.#deps;
    const { remote: { publicKey: remoteKey }, makePayload, signal } = request;
    const opening = connections.open(rules, { onGone: () => ports.release(localPort) });
    try {
      const payload = makePayload?.();
      const answer = await initiateHandshake(opening.group, {
        runtime,
        secret,
        remoteKey,
        signal,
        ...(payload && { payload }),
      });
      return { opening, route: route.forward, setupMs: runtime.clock.monotonic() - startedAt, answer };
    } catch (error) {
      connections.abandon(opening);
      throw error;
    }
  }
}

function allFailed(remote: PublicKey, failures: readonly unknown[]): UnavailableError {
  return new UnavailableError(
    "route/setup-failed",
    `Set up a route to ${shortKey(remote)}: all ${failures.length} tries failed, the last one so`,
    { cause: failures.at(-1), details: { remote, failures: failures.map(describeError) } },
  );
}
