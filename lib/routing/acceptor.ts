/**
 * Accepting: what happens when a setup node brings the edge rules of a route that ends here.
 *
 * ```
 * edge rules → saved, group made (packets are accepted from here on) → RPC answered → handshake → the port's listener
 * ```
 *
 * v1.3 answers first and saves later, one group at a time, and the first failure ends it for all (routing.md Q1, Q2).
 * Tested in tests/sim/setup_test.ts.
 */

import { describeError, UnavailableError } from "../errors/mod.ts";
import type { PortSpace } from "../overlay/mod.ts";
import { type Runtime, withTimeout } from "../runtime/mod.ts";
import { type PublicKey, type SecretKey, shortKey } from "../types/mod.ts";
import type { EdgeRules } from "../wire/setup_messages.ts";
import type { ConnectionTable, Opening } from "./connection_table.ts";
import { answerHandshake } from "./group_handshake.ts";
import type { LegDecision, SessionTable } from "./session/table.ts";
import type { RouterMetrics } from "./metrics.ts";
import type { RouteConnection } from "./route_connection.ts";
import type { FillableListener } from "./route_listener.ts";
import type { RuleGate } from "./rule_gate.ts";
import { formatNoListener } from "./service_names.ts";

/** Handshakes under way; each lasts 5 s at most. A setup node that brings more is told to come later. */
const MAX_HANDSHAKES = 256;

/** How long the initiator of a refused leg has to close it, ms. */
const REFUSED_MS = 5_000;

/** What accepting needs. */
export interface AcceptorDeps {
  /** Its world. */
  readonly runtime: Runtime;
  /** The visor's identity. */
  readonly secret: SecretKey;
  /** Checks and saves rules. */
  readonly gate: RuleGate;
  /** Where groups are made. */
  readonly connections: ConnectionTable;
  /** Takes legs of sessions. */
  readonly sessions: SessionTable;
  /** Knows where connections go. */
  readonly ports: Pick<PortSpace<FillableListener>, "listener">;
  /** Figures. */
  readonly metrics: RouterMetrics;
  /** Ends handshakes, and accepting. */
  readonly signal: AbortSignal;
}

/** Accepts for one visor; handshakes run side by side. */
export class Acceptor {
  readonly #deps: AcceptorDeps;
  readonly #handshakes = new Set<Promise<void>>();

  /** Accepts nothing by itself: the gateway brings routes. */
  constructor(deps: AcceptorDeps) {
    this.#deps = deps;
  }

  /**
   * Takes edge rules. When this returns, packets of the route are accepted; the handshake goes on by itself.
   * @throws {UnavailableError} `route/too-many-handshakes`; and as `RuleGate.saveEdge`
   */
  accept(edge: EdgeRules, setupNode: PublicKey): void {
    const { gate, connections, signal } = this.#deps;
    signal.throwIfAborted();
    if (this.#handshakes.size >= MAX_HANDSHAKES) {
      throw new UnavailableError(
        "route/too-many-handshakes",
        "Accept a route: too many handshakes are under way; try later",
      );
    }
    const opening = connections.open(gate.saveEdge(edge, { setupNode }));
    const handshake = this.#finish(opening).finally(() => this.#handshakes.delete(handshake));
    this.#handshakes.add(handshake);
  }

  /** Waits for the handshakes under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#handshakes);
  }

  /** Shakes hands, then hands the connection to its listener. Never rejects: a failure concerns this group alone. */
  async #finish(opening: Opening): Promise<void> {
    const { runtime, connections, metrics } = this.#deps;
    const { source: local, destination: remote } = opening.rules.forward.descriptor;
    try {
      const connection = await this.#connectionOn(opening);
      if (connection === undefined) return;
      metrics.accepted.add();
      const listener = this.#deps.ports.listener(local.port);
      if (listener === undefined) connection.close(formatNoListener(local.port));
      else if (!listener.offer(connection)) connection.close(`port ${local.port} is busy, try later`);
    } catch (error) {
      metrics.failedAccepts.add();
      runtime.log.debug("route-accept-failed", { remote: shortKey(remote.publicKey), error: describeError(error) });
      connections.abandon(opening);
    }
  }

  /** The connection that a route is for; undefined when it is a further leg of one, or is refused. */
  async #connectionOn(opening: Opening): Promise<RouteConnection | undefined> {
    const { runtime, secret, connections, sessions, ports, signal } = this.#deps;
    const { source: local, destination: remote } = opening.rules.forward.descriptor;
    let decision: LegDecision | undefined;
    try {
      await answerHandshake(opening.group, {
        runtime,
        secret,
        remoteKey: remote.publicKey,
        signal,
        answer: (payload) => {
          decision = sessions.decide(remote.publicKey, payload, ports.listener(local.port) !== undefined);
          return decision.answer;
        },
      });
    } catch (error) {
      if (decision?.kind === "first") decision.session.remove();
      throw error;
    }
    switch (decision?.kind) {
      case "first":
      case "further":
        return await sessions.admit(opening, decision, {
          ports: { local: local.port, remote: remote.port },
          signal,
        });
      case "refused":
        await this.#untilClosed(opening);
        return undefined;
      default:
        return connections.adopt(opening, { route: [] });
    }
  }

  /** The initiator of a refused leg closes the route. */
  async #untilClosed(opening: Opening): Promise<void> {
    const { runtime: { timers }, connections, signal } = this.#deps;
    await withTimeout(() => opening.group.ended(), {
      timers,
      ms: REFUSED_MS,
      code: "route/handshake-timeout",
      message: "Wait for the end of a refused leg",
      signal,
    }).catch(() => {});
    await connections.abandon(opening);
  }
}
