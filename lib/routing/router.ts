/**
 * The router of a visor: dials routes, accepts them, and lists the rules of those that pass through. It sends no
 * packet itself; it tells the switch which groups there are (design.md §4, §5). Tested in tests/sim/setup_test.ts.
 */

import { publicKeyOf } from "../core/mod.ts";
import { ClosedError, RefusedError } from "../errors/mod.ts";
import type { MessagingClient } from "../messaging/mod.ts";
import { type KeyedDialOptions, type KeyedListener, type KeyedNetwork, PortSpace } from "../overlay/mod.ts";
import { RecentMean, type Runtime } from "../runtime/mod.ts";
import type { RouteConstraints, RouteFinderClient } from "../services/route_finder/mod.ts";
import { createSetupClient } from "./setup/client.ts";
import { createSetupGateway } from "./setup/gateway.ts";
import type { SwitchLoop, TransportTable } from "../transport/mod.ts";
import type { Port, PublicKey, SecretKey, TransportId } from "../types/mod.ts";
import type { Edges } from "../wire/transport_entry.ts";
import { Acceptor } from "./acceptor.ts";
import { ConnectionTable } from "./connection_table.ts";
import { Dialler } from "./dialler.ts";
import { routerMetrics } from "./metrics.ts";
import { PING_PORT, servePings } from "./ping.ts";
import type { RouteConnection } from "./route_connection.ts";
import { createRouteListener, type FillableListener } from "./route_listener.ts";
import { RuleGate } from "./rule_gate.ts";
import type { RuleLimits } from "./rule_quota.ts";
import { dialSession, type SessionOptions } from "./session/dial.ts";
import { SessionTable } from "./session/table.ts";
import { type RuleSummary, summariseRules } from "./rule_summary.ts";

/** What a router is made of. */
export interface RouterDeps {
  /** Its world. */
  readonly runtime: Runtime;
  /** The visor's identity. */
  readonly secret: SecretKey;
  /** Runs the switch; closed after the router. */
  readonly switchLoop: SwitchLoop;
  /** What routes can begin with; closed after the router. */
  readonly transports: Pick<TransportTable, "list">;
  /** How setup nodes are reached; closed after the router. */
  readonly messaging: MessagingClient;
  /** Setup nodes whose rules are accepted, in the order in which they are asked. */
  readonly setupNodes: readonly PublicKey[];
  /** How much each of them may do here, where the defaults do not fit. */
  readonly ruleLimits?: RuleLimits;
  /** Knows the network. */
  readonly routeFinder: Pick<RouteFinderClient, "findRoutes" | "ask">;
  /** Whose a transport of the network is, for paths that name transports. */
  readonly edgesOf?: (id: TransportId, signal: AbortSignal) => Promise<Edges | undefined>;
  /** Opens a transport to a visor; called when a dial finds no route and no path was asked for. */
  readonly ensureTransport?: (remote: PublicKey, signal: AbortSignal) => Promise<void>;
}

/** How to dial: what the routes must satisfy, how the connection is kept on them, and a signal that gives up the dial. */
export interface DialOptions extends RouteConstraints, SessionOptions, KeyedDialOptions {}

/** Dials and accepts connections over routes. */
export interface Router extends KeyedNetwork<RouteConnection>, AsyncDisposable {
  /**
   * Connects to a port of another visor: finds routes, has the first that works set up, shakes hands.
   * @param remote whose visor
   * @param port 1–65535
   * @throws {UnavailableError} `route/not-found`, `route/setup-failed`, `route/handshake-timeout`, `route/dial-timeout`
   * @throws {RefusedError} `route/self-dial`, `route/bad-path`, `route/no-listener` (or later, from the connection)
   * @throws {ClosedError} `route/closed` after the router was closed; the reason of the signal
   */
  dial(remote: PublicKey, port: Port, options?: DialOptions): Promise<RouteConnection>;
  /**
   * Accepts connections to a port.
   * @throws {RefusedError} `route/port-taken`; {ClosedError} `route/closed`
   */
  listen(port: Port): KeyedListener<RouteConnection>;
  /**
   * Subscribes to connections as they come about, dialled ones and accepted ones, those of pings too. The
   * code that dialled or accepted one owns it. @returns unsubscribes
   */
  onConnection(listener: (connection: RouteConnection) => void): () => void;
  /** The connections that have not ended, dialled and accepted ones. */
  connections(): readonly RouteConnection[];
  /** All live routing rules, by route id. */
  rules(): RuleSummary[];
  /** Route ids that setup nodes hold and have not used: of set-ups under way, or given up within the last minute. */
  readonly reservedIds: number;
  /** Closes listeners and connections and ends running dials, within half a second. Harmless when repeated. */
  close(): Promise<void>;
}

/** Starts a router: from here on setup nodes can bring rules, and others can ping this visor. */
export function createRouter(deps: RouterDeps): Router {
  const { runtime, secret, switchLoop, transports, messaging, setupNodes } = deps;
  const { routeFinder, edgesOf, ensureTransport } = deps;
  const { clock, timers } = runtime;
  const localKey = publicKeyOf(secret);
  const metrics = routerMetrics(runtime.metrics);
  const closing = new AbortController();
  const ports = new PortSpace<FillableListener>("route");
  const subscribers = new Set<(connection: RouteConnection) => void>();
  const open = new Set<RouteConnection>();
  const onConnection = (connection: RouteConnection): () => void => {
    open.add(connection);
    metrics.open.set(open.size);
    for (const subscriber of subscribers) subscriber(connection);
    return () => {
      open.delete(connection);
      metrics.open.set(open.size);
    };
  };
  const connections = new ConnectionTable({ loop: switchLoop, clock, timers, onConnection });
  const sessions = new SessionTable({
    loop: switchLoop,
    clock,
    timers,
    connections,
    onConnection,
    refusedLegs: metrics.refusedLegs,
  });
  const gate = new RuleGate({
    core: switchLoop.switch,
    clock,
    localKey,
    isUp: (id) => transports.list().some((transport) => transport.id === id && transport.up),
    limits: deps.ruleLimits,
  });
  const setup = createSetupClient({ runtime, messaging });
  const dialler = new Dialler({
    runtime,
    secret,
    localKey,
    setupNodes,
    setup,
    choice: {
      clock,
      timers,
      localKey,
      transports,
      routeFinder,
      finderTimes: new RecentMean(),
      ...(edgesOf === undefined ? {} : { edgesOf }),
      ...(ensureTransport === undefined ? {} : { ensureTransport }),
    },
    ports,
    gate,
    connections,
    metrics,
  });
  const acceptor = new Acceptor({
    runtime,
    secret,
    gate,
    connections,
    sessions,
    ports,
    metrics,
    signal: closing.signal,
  });
  const gateway = createSetupGateway({
    runtime,
    messaging,
    setupNodes,
    rules: {
      reserveIds: (count, setupNode) => gate.reserve(count, setupNode),
      addIntermediaryRules: (rules, setupNode) => gate.saveIntermediary(rules, setupNode),
      addEdgeRules: (edge, setupNode) => acceptor.accept(edge, setupNode),
      removeRules: (ids) => gate.remove(ids),
    },
  });

  const listen = (port: Port): KeyedListener<RouteConnection> => {
    closing.signal.throwIfAborted();
    const listener = createRouteListener(port, () => ports.unlisten(port, listener));
    ports.listen(port, listener);
    return listener;
  };

  const close = async (): Promise<void> => {
    closing.abort(new ClosedError("route/closed", "Use the router: it was closed"));
    for (const listener of ports.listeners()) listener.close();
    setup[Symbol.dispose]();
    await gateway.close();
    await sessions.closeAll();
    await connections.closeAll();
    await acceptor.settled();
    await pings;
  };

  const pings = servePings(listen(PING_PORT));
  return {
    publicKey: localKey,
    dial: async (remote, port, { signal, standby, routes, pin, resumeMs, ...constraints } = {}) => {
      closing.signal.throwIfAborted();
      if (remote === localKey) {
        throw new RefusedError("route/self-dial", "Dial: the key is this visor's own; routes lead to other visors");
      }
      return await dialSession({
        remote: { publicKey: remote, port },
        constraints,
        options: { standby, routes, pin, resumeMs },
        signal: signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]),
      }, { runtime, sessions, dialler, connections, closing: closing.signal });
    },
    listen,
    onConnection: (listener) => {
      subscribers.add(listener);
      return () => void subscribers.delete(listener);
    },
    connections: () => [...open],
    rules: () => summariseRules(switchLoop.switch, clock.monotonic()),
    get reservedIds(): number {
      return gate.reservedIds;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
