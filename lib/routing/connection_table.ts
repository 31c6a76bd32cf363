/** All route groups that end at this visor: made of saved rules, adopted as connections, taken down with their rules. */

import type { Switch } from "../core/mod.ts";
import { type Clock, sleep, type Timers } from "../runtime/mod.ts";
import type { SwitchLoop } from "../transport/mod.ts";
import type { Hop } from "../types/mod.ts";
import { RouteGroup } from "./group.ts";
import { GroupConnection } from "./group_connection.ts";
import type { RouteConnection } from "./route_connection.ts";
import type { SavedEdgeRules } from "./rule_gate.ts";

/** At shutdown peers get this long to answer our Close, ms: the visor must be gone within 2 s. */
const GOODBYE_MS = 500;

/** What the table needs. */
export interface ConnectionTableDeps {
  /** Where groups live. */
  readonly loop: SwitchLoop;
  /** The time. */
  readonly clock: Clock;
  /** For the goodbye. */
  readonly timers: Timers;
  /** Called with each connection that comes about. @returns called when it is gone */
  readonly onConnection: (connection: RouteConnection) => () => void;
}

/** A group on its way to a connection. */
export interface Opening {
  /** Made, not yet encrypted. */
  readonly group: RouteGroup;
  /** The rules it stands on. */
  readonly rules: SavedEdgeRules;
  /** Called once nothing of it is left here, whatever became of it. */
  readonly onGone?: () => void;
}

/** The groups and connections of one visor. */
export class ConnectionTable {
  readonly #deps: ConnectionTableDeps;
  readonly #openings = new Set<Opening>();
  readonly #connections = new Map<string, GroupConnection>();

  /** Makes an empty table. */
  constructor(deps: ConnectionTableDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a group of two saved rules; from here on its packets are accepted.
   * @throws {UnavailableError} when the transport of the first hop is gone; the rules are deleted then
   */
  open(rules: SavedEdgeRules, options: { readonly onGone?: () => void } = {}): Opening {
    const { loop, clock } = this.#deps;
    const ids = { forward: rules.forward.routeId, consume: rules.consume.routeId };
    try {
      const handle = this.#core.addGroup(ids, clock.monotonic());
      const opening = { ...options, group: new RouteGroup(handle, { loop, clock }), rules };
      this.#openings.add(opening);
      loop.flush(); // Packets that came before their group are waiting.
      return opening;
    } catch (error) {
      this.#core.deleteRules([ids.forward, ids.consume], clock.monotonic());
      options.onGone?.();
      throw error;
    }
  }

  /**
   * Makes a connection of a group whose handshake succeeded. An older connection between the same ports is closed: the
   * peer has forgotten it, or it would not have used the port again (routing.md §4.2).
   */
  adopt(opening: Opening, parts: { readonly route: readonly Hop[]; readonly setupMs?: number }): GroupConnection {
    const { source: local, destination: remote } = opening.rules.forward.descriptor;
    const name = `${remote.publicKey}:${remote.port}:${local.port}`;
    this.#connections.get(name)?.close();
    let onGone = (): void => {};
    const connection = new GroupConnection(opening.group, {
      ...parts,
      timers: this.#deps.timers,
      remoteKey: remote.publicKey,
      remotePort: remote.port,
      localPort: local.port,
      onGone: () => {
        if (this.#connections.get(name) === connection) this.#connections.delete(name);
        onGone();
        this.#forget(opening);
      },
    });
    this.#connections.set(name, connection);
    onGone = this.#deps.onConnection(connection);
    return connection;
  }

  /** Gives back a group that was a leg of a session and has ended. Harmless when repeated. */
  close(opening: Opening): void {
    opening.group.remove();
    this.#forget(opening);
  }

  /** Takes down a group that came to nothing: says Close, so that the rules along the path go too. Never rejects. */
  async abandon(opening: Opening): Promise<void> {
    opening.group.close();
    await opening.group.ended();
    this.close(opening);
  }

  /** Closes everything; half a second later nothing is left, whether or not the peers answered. */
  async closeAll(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    const openings = [...this.#openings];
    for (const { group } of openings) group.close();
    const waiting = new AbortController();
    const patience = sleep(this.#deps.timers, GOODBYE_MS, waiting.signal).catch(() => {});
    await Promise.race([Promise.all(openings.map(({ group }) => group.ended())), patience]);
    waiting.abort();
    for (const opening of openings) this.close(opening);
  }

  #forget(opening: Opening): void {
    if (!this.#openings.delete(opening)) return;
    const { forward, consume } = opening.rules;
    this.#core.deleteRules([forward.routeId, consume.routeId], this.#deps.clock.monotonic());
    opening.onGone?.();
  }

  get #core(): Switch {
    return this.#deps.loop.switch;
  }
}
