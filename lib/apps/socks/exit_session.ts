/**
 * The way to one SOCKS server: a route connection with a mux on it, dialled again whenever it breaks, for as long as the
 * app runs. Its users wait a little and then do without. Tested in tests/apps/socks/broken_route_test.ts.
 */

import { describeError, hasCode, UnavailableError } from "../../errors/mod.ts";
import { Backoff, type Runtime, sleep, untilAborted, withTimeout } from "../../runtime/mod.ts";
import { createMuxSession, type MuxSession, type MuxStream } from "../../links/mux_session.ts";
import { type PathStep, type PublicKey, shortKey } from "../../types/mod.ts";
import type { KeyedNetwork, KeyedStream } from "../../overlay/mod.ts";
import { SOCKS_PORT, SOCKS_WINDOW_BYTES } from "./server.ts";

/**
 * The first and the longest wait before the next dial, ms. The longest is below what a program waits for a session (3 s in
 * `client.ts`): a program that comes when the way is there again always sees a dial.
 */
const REDIAL_FIRST_MS = 250;
const REDIAL_MAX_MS = 2_500;
/** For one dial: route, set-up and handshake, ms. */
const DIAL_MS = 20_000;
/** A session that ended sooner was no success: a server that closes every connection is not dialled without pause. */
const SUCCESS_MS = 2_000;

/** What the way is made of. */
export interface ExitSessionDeps {
  readonly runtime: Runtime;
  readonly network: KeyedNetwork;
  readonly remote: PublicKey;
  readonly path?: readonly PathStep[] | undefined;
}

/** A stream to the server, and whose it is. */
export interface ExitStream {
  readonly session: MuxSession;
  readonly stream: MuxStream;
}

/** Holds the session, as long as {@link ExitSession.keep} runs. */
export class ExitSession {
  readonly #deps: ExitSessionDeps;
  #current: MuxSession | undefined;
  #connection: KeyedStream | undefined;
  #next = Promise.withResolvers<MuxSession>();

  constructor(deps: ExitSessionDeps) {
    this.#deps = deps;
  }

  /** Is there a session now? */
  get isUp(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Opens a stream to the server; waits for a session if there is none.
   * @param ms for so long
   * @throws {UnavailableError} `socks/no-exit` when there is none in time; the signal's reason
   */
  async open(ms: number, signal: AbortSignal): Promise<ExitStream> {
    return await withTimeout((signal) => this.#open(signal), {
      timers: this.#deps.runtime.timers,
      ms,
      signal,
      code: "socks/no-exit",
      message: "Wait for the connection with the SOCKS server",
      discard: ({ stream }) => stream.reset(),
    });
  }

  /**
   * Makes sure that the session works: a ping without answer ends it, and the next one is dialled. A session whose network
   * looks for a way is left to that, with all that is under way on it.
   */
  probe(session: MuxSession): void {
    const connection = this.#connection;
    let hasWaited = connection?.isWaiting ?? false;
    session.ping().catch(() => {
      hasWaited ||= connection?.isWaiting ?? false;
      if (!hasWaited) session.close();
    });
  }

  /** Dials, waits for the end, dials again; until the signal aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    const { runtime: { clock, log, random, timers }, remote } = this.#deps;
    const backoff = new Backoff({ random, firstMs: REDIAL_FIRST_MS, maxMs: REDIAL_MAX_MS });
    while (!signal.aborted) {
      try {
        await using session = await this.#dial(signal);
        const since = clock.monotonic();
        log.info("socks-exit-up", { exit: shortKey(remote) });
        this.#provide(session);
        await untilOver(session, signal);
        this.#withdraw(session);
        if (!signal.aborted) log.warn("socks-exit-lost", { exit: shortKey(remote) });
        if (clock.monotonic() - since >= SUCCESS_MS) backoff.reset();
      } catch (error) {
        if (!signal.aborted) {
          log.warn("socks-exit-unreachable", { exit: shortKey(remote), error: describeError(error) });
        }
        // No later dial can do better: the app goes on refusing its clients until it is ended.
        if (hasCode(error, "route/self-dial")) await untilAborted(new Promise<never>(() => {}), signal).catch(() => {});
      }
      await sleep(timers, backoff.nextMs(), signal).catch(() => {});
    }
    this.#next.promise.catch(() => {});
    this.#next.reject(new UnavailableError("socks/stopped", "Wait for the connection with the SOCKS server: stopped"));
    this.#next = Promise.withResolvers();
  }

  async #open(signal: AbortSignal): Promise<ExitStream> {
    for (;;) {
      const session = this.#current ?? await this.#next.promise;
      signal.throwIfAborted();
      try {
        return { session, stream: await session.open() };
      } catch {
        // It has just ended, or opens no streams any more; either way the next one is due.
        this.#withdraw(session);
        session.close();
      }
    }
  }

  async #dial(signal: AbortSignal): Promise<MuxSession> {
    const { runtime, network, remote, path } = this.#deps;
    const connection = await withTimeout(
      (signal): Promise<KeyedStream> =>
        network.dial(remote, SOCKS_PORT, { signal, ...(path === undefined ? {} : { path }) }),
      {
        timers: runtime.timers,
        ms: DIAL_MS,
        signal,
        code: "socks/dial-timeout",
        message: "Dial the SOCKS server",
        discard: (late) => late.close(),
      },
    );
    this.#connection = connection;
    return createMuxSession(connection, {
      role: "client",
      runtime,
      // The route is watched by the switch.
      keepAlive: false,
      receiveWindow: SOCKS_WINDOW_BYTES,
      // A server opens no streams.
      backlog: 0,
    });
  }

  #provide(session: MuxSession): void {
    this.#current = session;
    this.#next.resolve(session);
  }

  #withdraw(session: MuxSession): void {
    if (this.#current !== session) return;
    this.#current = undefined;
    this.#next = Promise.withResolvers();
  }
}

/** Waits for the end of a session, and ends it when the signal aborts. */
async function untilOver(session: MuxSession, signal: AbortSignal): Promise<void> {
  const onAbort = (): void => session.close();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  await session.closed;
  signal.removeEventListener("abort", onAbort);
}
