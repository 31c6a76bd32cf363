/**
 * The sessions of a visor, those that it dialled and those of others: whether a leg is taken that another visor brings, and
 * when a session that is over is forgotten (sessions.md §1.4–1.6, §5). Tested in tests/sim/session_test.ts.
 */

import { UnavailableError } from "../../errors/mod.ts";
import { type Counter, sleep, type Timers, withTimeout } from "../../runtime/mod.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import {
  encodeSessionPayload,
  parseSessionPayload,
  type SessionFeature,
  type SessionPayload,
  type SessionRefusal,
} from "../../wire/session_payload.ts";
import type { Opening } from "../connection_table.ts";
import type { RouteConnection } from "../route_connection.ts";
import { SessionConnection } from "./connection.ts";
import { Session, type SessionDeps, type SessionName } from "./session.ts";
import { UsedLegs } from "./used_legs.ts";

/** What this visor can do. */
export const FEATURES: ReadonlySet<SessionFeature> = new Set(["several-legs"]);

/** The legs of a session at a time; an initiator of ours has at most 5. */
const MAX_LEGS = 8;

/** The initiator's first record has to come within so long, ms. */
const CONFIRM_MS = 5_000;

/** A session whose legs have all gone waits so long for a new one, ms, as an initiator tries so long unless told. */
const RESUME_MS = 60_000;

/** At shutdown the other ends get this long, ms: the visor must be gone within 2 s. */
const GOODBYE_MS = 500;

/** A session that is over still answers for so long, ms, for an initiator that missed the last word. */
const LINGER_MS = 15_000;

/** What the table is made of. */
export interface SessionTableDeps extends SessionDeps {
  /** For limits. */
  readonly timers: Timers;
  /** Called with each connection that comes about. */
  readonly onConnection: (connection: RouteConnection) => () => void;
  /** Legs that were refused. */
  readonly refusedLegs: Pick<Counter, "add">;
}

/** What becomes of a route that another visor brings. */
export type LegDecision =
  /** A plain route group, as with v1.3. */
  | { readonly kind: "plain"; readonly answer: Uint8Array }
  /** Not taken. */
  | { readonly kind: "refused"; readonly answer: Uint8Array }
  /** The first leg of a session, or a further one. */
  | {
    readonly kind: "first" | "further";
    readonly answer: Uint8Array;
    readonly session: Session;
    readonly said: SessionPayload & { readonly leg: number };
  };

interface Held {
  readonly session: Session;
  readonly connection: SessionConnection;
}

interface Accepted extends Held {
  readonly used: UsedLegs;
}

/** See the top of the file. */
export class SessionTable {
  readonly #deps: SessionTableDeps;
  /** Those of others, by initiator and id. */
  readonly #accepted = new Map<string, Accepted>();
  /** All that are not forgotten. */
  readonly #held = new Set<Held>();
  readonly #closing = new AbortController();

  constructor(deps: SessionTableDeps) {
    this.#deps = deps;
  }

  /** Begins a session without legs. @returns undefined when all memory for sessions is in use */
  begin(name: SessionName): Session | undefined {
    return Session.begin(name, this.#deps);
  }

  /** Looks after a session until it is over and forgotten. */
  hold(session: Session, connection: SessionConnection): void {
    const onGone = this.#deps.onConnection(connection);
    const held = { session, connection };
    this.#held.add(held);
    void connection.closed.then(onGone);
    void this.#untilForgotten(held).finally(() => this.#held.delete(held));
  }

  /**
   * Decides about a route that another visor brings, and what to answer.
   * @param remoteKey the initiator @param payload what it said @param hasListener somebody listens where it wants to go
   */
  decide(remoteKey: PublicKey, payload: Uint8Array, hasListener: boolean): LegDecision {
    const said = parseSessionPayload(payload);
    if (said?.session === undefined || said.leg === undefined) return PLAIN;
    const { session: id, leg } = said;
    const held = this.#accepted.get(nameOf(remoteKey, id));
    if (leg === 0) {
      if (held !== undefined) return this.#refuse("session-in-use");
      // Without a listener the initiator is told as v1.3 is.
      const session = hasListener ? this.begin({ id, remoteKey, leads: false }) : undefined;
      if (session === undefined) return hasListener ? this.#refuse("not-willing", "plain") : PLAIN;
      return { kind: "first", session, said: { ...said, leg }, answer: this.#answer(session) };
    }
    if (held === undefined) return this.#refuse("unknown-session");
    if (held.used.has(leg)) return this.#refuse("leg-used");
    if (held.session.legs.length >= MAX_LEGS) return this.#refuse("not-willing");
    return { kind: "further", session: held.session, said: { ...said, leg }, answer: this.#answer(held.session) };
  }

  /**
   * Adds a leg after the handshake, and waits until its initiator has proven to be there.
   * @returns the connection, of a first leg
   * @throws {UnavailableError} `route/handshake-timeout`, and when the leg is gone or its number was used meanwhile
   */
  async admit(
    opening: Opening,
    { kind, session, said }: Extract<LegDecision, { readonly session: Session }>,
    { ports, signal }: {
      readonly ports: { readonly local: Port; readonly remote: Port };
      readonly signal: AbortSignal;
    },
  ): Promise<SessionConnection | undefined> {
    const leg = session.addLeg(opening, {
      number: said.leg,
      route: [],
      inUse: false,
      resume: said.resume,
      window: said.window,
    });
    const name = nameOf(session.remoteKey, session.id);
    try {
      await this.#untilConfirmed(opening, signal);
      if (kind === "first") {
        if (this.#accepted.has(name)) throw alreadyThere();
        const connection = new SessionConnection(session, {
          localPort: ports.local,
          remotePort: ports.remote,
          timers: this.#deps.timers,
        });
        const used = new UsedLegs();
        used.add(said.leg);
        this.#accepted.set(name, { session, connection, used });
        this.hold(session, connection);
        return connection;
      }
      const held = this.#accepted.get(name);
      if (held?.session !== session || !held.used.add(said.leg)) throw alreadyThere();
      return undefined;
    } catch (error) {
      if (kind === "first") session.remove();
      else session.dropLeg(leg);
      throw error;
    }
  }

  /** Ends all sessions: says so, and waits half a second for the other ends. */
  async closeAll(): Promise<void> {
    const held = [...this.#held];
    for (const { connection } of held) connection.close();
    const waiting = new AbortController();
    const patience = sleep(this.#deps.timers, GOODBYE_MS, waiting.signal).catch(() => {});
    await Promise.race([Promise.all(held.map(({ connection }) => connection.closed)), patience]);
    waiting.abort();
    this.#closing.abort();
    for (const { session } of held) {
      if (session.end === undefined) session.reset("the visor stops", { reason: "local" });
      session.remove();
    }
  }

  async #untilConfirmed({ group }: Opening, signal: AbortSignal): Promise<void> {
    await withTimeout(async (ended) => {
      while (!group.confirmed) {
        if (group.end !== undefined) throw new UnavailableError("route/broken", "Take a leg: its route has ended");
        await group.changed(ended);
      }
    }, {
      timers: this.#deps.timers,
      ms: CONFIRM_MS,
      code: "route/handshake-timeout",
      message: "Wait for the first record of a leg",
      signal,
    });
  }

  async #untilForgotten({ session, connection }: Held): Promise<void> {
    if (!session.leads) await this.#untilOverOrLost(session);
    await connection.closed;
    if (session.leads) { for (const leg of session.legs) session.dropLeg(leg); }
    else await sleep(this.#deps.timers, LINGER_MS, this.#closing.signal).catch(() => {});
    while (!connection.isReleased && !session.removed) await session.changed();
    const name = nameOf(session.remoteKey, session.id);
    if (this.#accepted.get(name)?.session === session) this.#accepted.delete(name);
    session.remove();
  }

  /** Gives a session of another visor up when no leg has come for too long. */
  async #untilOverOrLost(session: Session): Promise<void> {
    const { clock } = this.#deps;
    while (session.end === undefined) {
      const { lostSince } = session;
      if (lostSince === undefined || session.legs.length > 0) {
        await session.changed();
        continue;
      }
      const leftMs = lostSince + RESUME_MS - clock.monotonic();
      if (leftMs > 0) await session.changedWithin(leftMs);
      else session.reset("", { reason: "silence", message: `no route came back for ${RESUME_MS / 1000} s` });
    }
  }

  #answer(session: Session): Uint8Array {
    return encodeSessionPayload({ features: FEATURES, ...session.position });
  }

  #refuse(refusal: SessionRefusal, kind: "refused" | "plain" = "refused"): LegDecision {
    this.#deps.refusedLegs.add();
    return { kind, answer: encodeSessionPayload({ features: FEATURES, refusal }) };
  }
}

const PLAIN: LegDecision = { kind: "plain", answer: new Uint8Array() };

function nameOf(initiator: PublicKey, id: string): string {
  return `${initiator}:${id}`;
}

function alreadyThere(): UnavailableError {
  return new UnavailableError("session/repeated", "Take a leg: another one with its number came first");
}
