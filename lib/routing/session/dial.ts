/**
 * Dials a connection that outlives its routes: draws a session id, and says it in the handshake of the first leg. A visor of
 * v1.3 says nothing of sessions, and gives a connection on one route. Tested in tests/sim/session_test.ts.
 */

import { UnavailableError } from "../../errors/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { RouteConstraints } from "../../services/route_finder/mod.ts";
import { type OverlayAddress, sessionIdOf, shortKey } from "../../types/mod.ts";
import { encodeSessionPayload, parseSessionPayload, type SessionPayload } from "../../wire/session_payload.ts";
import type { ConnectionTable } from "../connection_table.ts";
import type { DialledRoute, Dialler } from "../dialler.ts";
import { errorOfEnd } from "../group.ts";
import type { RouteConnection } from "../route_connection.ts";
import { SessionConnection } from "./connection.ts";
import { SessionKeeper } from "./keeper.ts";
import type { Session } from "./session.ts";
import { FEATURES, type SessionTable } from "./table.ts";

/** How long to look for another route unless told, ms. */
const RESUME_MS = 60_000;

const SESSION_ID_BYTES = 16;

/** How a connection is to be kept. With `path` there is one route, that path, which is tried again when it fails. */
export interface SessionOptions {
  /** Routes over other visors that are kept set up until one in use fails, 0 (default) to 3. */
  readonly standby?: number | undefined;
  /** Routes that carry bytes at a time, 1 (default) to 4. */
  readonly routes?: number | undefined;
  /** Stays on its route while that works, however much better another one is. Default false. */
  readonly pin?: boolean | undefined;
  /**
   * How long to look for another route when all have failed, ms; default 60,000. 0: the connection is one route, and ends
   * with it, as with a visor of v1.3.
   */
  readonly resumeMs?: number | undefined;
}

/** What dialling needs. */
export interface SessionDialDeps {
  readonly runtime: Runtime;
  readonly sessions: SessionTable;
  readonly dialler: Dialler;
  readonly connections: ConnectionTable;
  /** The visor stops. */
  readonly closing: AbortSignal;
}

/** What to dial. */
export interface SessionDialRequest {
  readonly remote: OverlayAddress;
  readonly constraints: RouteConstraints;
  readonly options: SessionOptions;
  /** Gives up the dial. */
  readonly signal: AbortSignal;
}

/** Dials. @throws as `Router.dial` */
export async function dialSession(request: SessionDialRequest, deps: SessionDialDeps): Promise<RouteConnection> {
  const { remote, constraints, signal } = request;
  const id = sessionIdOf(deps.runtime.random.bytes(SESSION_ID_BYTES));
  const session = request.options.resumeMs === 0
    ? undefined
    : deps.sessions.begin({ id, remoteKey: remote.publicKey, leads: true });
  try {
    const dialled = await deps.dialler.dial({
      remote,
      constraints,
      signal,
      ...(session && {
        makePayload: () => encodeSessionPayload({ features: FEATURES, session: id, leg: 0, ...session.position }),
      }),
    });
    const answer = parseSessionPayload(dialled.answer);
    const connection = session === undefined || answer === undefined || answer.refusal === "not-willing"
      ? onOneRoute(dialled, deps, session)
      : onSession(session, answer, dialled, { request, deps });
    deps.runtime.log.info("route-up", {
      remote: shortKey(remote.publicKey),
      hops: dialled.route.length,
      setupMs: Math.round(dialled.setupMs),
    });
    return connection;
  } catch (error) {
    session?.remove();
    throw error;
  }
}

function onOneRoute(
  { opening, route, setupMs }: DialledRoute,
  { connections }: SessionDialDeps,
  session: Session | undefined,
): RouteConnection {
  session?.remove();
  const connection = connections.adopt(opening, { route, setupMs });
  // A refusal comes right behind the handshake, often in the same read.
  const refusal = opening.group.end === undefined ? undefined : errorOfEnd(opening.group.end);
  if (refusal === undefined) return connection;
  connection.close();
  throw refusal;
}

function onSession(
  session: Session,
  answer: SessionPayload,
  { opening, route, setupMs }: DialledRoute,
  { request, deps }: { readonly request: SessionDialRequest; readonly deps: SessionDialDeps },
): RouteConnection {
  try {
    if (answer.refusal !== undefined) {
      throw new UnavailableError("session/refused", `Begin a session: the other end refuses it (${answer.refusal})`);
    }
    session.addLeg(opening, { number: 0, route, inUse: true, resume: answer.resume, window: answer.window });
  } catch (error) {
    void deps.connections.abandon(opening);
    throw error;
  }
  const { localPort, remotePort } = portsOf(opening);
  const connection = new SessionConnection(session, {
    localPort,
    remotePort,
    setupMs,
    timers: deps.runtime.timers,
  });
  deps.sessions.hold(session, connection);
  const { standby = 0, routes = 1, pin = false, resumeMs = RESUME_MS } = request.options;
  const keeper = new SessionKeeper(session, {
    remote: request.remote,
    constraints: request.constraints,
    routes: answer.features.has("several-legs") ? routes : 1,
    standby,
    pin,
    resumeMs,
  }, {
    runtime: deps.runtime,
    dialler: deps.dialler,
    connections: deps.connections,
    onMoved: (move) => connection.moved(move),
    signal: deps.closing,
  });
  void keeper.keep();
  return connection;
}

function portsOf({ rules }: DialledRoute["opening"]): { readonly localPort: number; readonly remotePort: number } {
  const { source, destination } = rules.forward.descriptor;
  return { localPort: source.port, remotePort: destination.port };
}
