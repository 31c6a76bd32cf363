/**
 * The SOCKS5 server app: lets others leave the overlay through this visor. On each connection to port 3 runs a mux whose
 * streams are SOCKS5 sessions (visor-and-apps.md §2.2). Tested in tests/apps/socks/proxy_test.ts.
 */

import type { KeyedNetwork, KeyedStream } from "../../overlay/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import { createMuxSession } from "../../links/mux_session.ts";
import type { Port, PublicKey } from "../../types/mod.ts";
import type { App, AppContext } from "../app.ts";
import { makeDestinationRule, PUBLIC_DESTINATIONS } from "./destinations.ts";
import { createSocksMetrics } from "./metrics.ts";
import { Refusals, type SocksRefusal } from "./refusals.ts";
import { refuseSocksStream, serveSocksStream, type SessionDeps } from "./server_session.ts";

/** Where the server listens: fixed by v1.3. */
export const SOCKS_PORT: Port = 3;
/**
 * What a peer may send on one stream before it is read, bytes. v1.3's 256 KiB are a fraction of a second's worth on a
 * long route (visor-and-apps.md §2.2, throughput).
 */
export const SOCKS_WINDOW_BYTES: number = 4 * 1024 * 1024;

/** Connections at a time; each holds a route group anyway. */
const MAX_CONNECTIONS = 256;
/** Sessions at a time: of one connection, and of all. */
const MAX_STREAMS = 512;
const MAX_SESSIONS = 4_096;
/** Beyond, so many of a connection are told at a time that there is no place; others are reset. */
const MAX_REFUSED = 128;
/** Long enough for a shell that somebody left open over lunch. */
const IDLE_MS = 2 * 60 * 60 * 1000;

/** What the server is made of. */
export interface SocksServerOptions {
  /** Its network connects to the destinations. */
  readonly runtime: Runtime;
  /** The overlay. */
  readonly network: KeyedNetwork;
  /** Clients must know it, as user or as password. */
  readonly passcode?: string | undefined;
  /** Who may connect; empty or absent: everybody. */
  readonly allow?: readonly PublicKey[];
  /** Where to: `public` and blocks of addresses; `["public"]` when absent. */
  readonly destinations?: readonly string[];
  /** Ends a session in which nothing moves, ms; two hours when absent. */
  readonly idleMs?: number;
  /** Called with clients that were turned away, a few a minute for each key; the log has the same. */
  readonly onRefused?: (refusal: SocksRefusal) => void;
  /** How the launcher calls it; `socks-server` when absent. */
  readonly name?: string;
}

/** Makes the server app. @throws {RangeError} when a destination is neither `public` nor a block of addresses */
export function createSocksServer(options: SocksServerOptions): App {
  const { runtime, network, passcode, allow = [] } = options;
  const metrics = createSocksMetrics(runtime.metrics, "server");
  const refusals = new Refusals({ runtime, onRefused: options.onRefused });
  const shared: Omit<SessionDeps, "onRefused"> = {
    runtime,
    rule: makeDestinationRule(options.destinations ?? [PUBLIC_DESTINATIONS]),
    passcode: passcode === undefined ? undefined : new TextEncoder().encode(passcode),
    idleMs: options.idleMs ?? IDLE_MS,
    metrics,
  };

  return {
    name: options.name ?? "socks-server",
    port: SOCKS_PORT,
    async run({ signal, ready }: AppContext): Promise<void> {
      const listener = network.listen(SOCKS_PORT);
      signal.addEventListener("abort", () => listener.close(), { once: true });
      const serving = new Set<Promise<void>>();
      let sessions = 0;
      const count = (change: number): void => metrics.connections.set(sessions += change);

      const serveConnection = async (connection: KeyedStream): Promise<void> => {
        const remote = connection.remoteKey;
        const deps: SessionDeps = { ...shared, onRefused: (refusal) => refusals.note({ remote, ...refusal }) };
        await using mux = createMuxSession(connection, {
          role: "server",
          runtime,
          // The route is watched by the switch.
          keepAlive: false,
          receiveWindow: SOCKS_WINDOW_BYTES,
          maxStreams: MAX_STREAMS + MAX_REFUSED,
        });
        const onAbort = (): void => mux.close();
        signal.addEventListener("abort", onAbort, { once: true });
        const streams = new Set<Promise<void>>(), refused = new Set<Promise<void>>();
        for await (const stream of mux.incoming) {
          if (sessions >= MAX_SESSIONS || streams.size >= MAX_STREAMS) {
            metrics.denied.add();
            refusals.note({ remote, why: "full" });
            const told = refuseSocksStream(stream, deps, signal).finally(() => refused.delete(told));
            refused.add(told);
            continue;
          }
          metrics.requests.add();
          count(1);
          const served = serveSocksStream(stream, deps, signal).finally(() => {
            streams.delete(served);
            count(-1);
          });
          streams.add(served);
        }
        await Promise.all([...streams, ...refused]);
        signal.removeEventListener("abort", onAbort);
      };

      ready();
      for await (const connection of listener) {
        const isAllowed = allow.length === 0 || allow.includes(connection.remoteKey);
        if (!isAllowed || serving.size >= MAX_CONNECTIONS) {
          refusals.note({ remote: connection.remoteKey, why: isAllowed ? "full" : "key" });
          metrics.denied.add();
          connection.close();
          continue;
        }
        const served = serveConnection(connection).finally(() => serving.delete(served));
        serving.add(served);
      }
      await Promise.all(serving);
    },
  };
}
