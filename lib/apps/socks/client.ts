/**
 * The SOCKS5 client app: a local address whose exit is another visor. Bytes pass unchanged, so that a program's handshake
 * goes to the server end to end (visor-and-apps.md §2.2). It never gives up: while there is no way to the server, programs
 * get a proper SOCKS error within 10 s, and it dials again.
 */

import type { ByteLink, Runtime } from "../../runtime/mod.ts";
import { withTimeout } from "../../runtime/mod.ts";
import type { MuxSession, MuxStream } from "../../transport/mux_session.ts";
import type { PublicKey } from "../../types/mod.ts";
import type { App, AppContext, AppNetwork } from "../app.ts";
import { ExitSession } from "./exit_session.ts";
import { LinkReader } from "./link_reader.ts";
import { HandshakeWatch } from "./local_answer.ts";
import { createSocksMetrics, type SocksMetrics } from "./metrics.ts";
import { REPLY } from "./protocol.ts";
import { relay } from "./relay.ts";
import { SOCKS_PORT } from "./server.ts";

/** A new connection waits so long for a session, ms. */
const SESSION_WAIT_MS = 3_000;
/** When the server has not answered the greeting by then, the session is probed, ms. */
const PROBE_MS = 2_000;
/** When it has not answered by then, we answer in its place, ms: within 10 s in any case. */
const GREETING_MS = 6_000;
/** For the program to go through a handshake that we answer ourselves, ms. */
const LOCAL_ANSWER_MS = 5_000;
/** Local connections at a time. */
const MAX_CONNECTIONS = 512;
/** As long as the server lets a session be idle. */
const IDLE_MS = 2 * 60 * 60 * 1000;

/** What the client is made of. */
export interface SocksClientOptions {
  /** `network` of it has the local address. */
  readonly runtime: Runtime;
  /** The overlay. */
  readonly network: AppNetwork;
  /** The visor whose SOCKS server is the exit. */
  readonly remote: PublicKey;
  /** The local address, `host:port`; port 0 takes a free one at each start. */
  readonly listen: string;
  /** The visors to go over, the exit last. */
  readonly path?: readonly PublicKey[] | undefined;
  /** How the launcher calls it; unique among its apps. */
  readonly name: string;
}

/** The client app. */
export interface SocksClient extends App {
  /** Where it listens, `host:port`; undefined while it does not run. */
  readonly address: string | undefined;
  /** Is there a way to the server at the moment? */
  readonly connected: boolean;
}

/**
 * Makes the client app. It is ready when it listens, whether or not the server can be reached; its `run` throws the
 * errors of `Network.listen`.
 */
export function createSocksClient(options: SocksClientOptions): SocksClient {
  return new Client(options);
}

class Client implements SocksClient {
  readonly name: string;
  readonly port = SOCKS_PORT;
  readonly #options: SocksClientOptions;
  readonly #metrics: SocksMetrics;
  #address: string | undefined;
  #exit: ExitSession | undefined;

  constructor(options: SocksClientOptions) {
    this.name = options.name;
    this.#options = options;
    this.#metrics = createSocksMetrics(options.runtime.metrics, "client");
  }

  get address(): string | undefined {
    return this.#address;
  }

  get connected(): boolean {
    return this.#exit?.isUp ?? false;
  }

  async run({ signal, ready }: AppContext): Promise<void> {
    const { runtime, listen } = this.#options;
    const listener = await runtime.network.listen(listen);
    const onAbort = (): void => listener.close();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const exit = new ExitSession(this.#options);
    this.#exit = exit;
    this.#address = listener.address;
    const keeping = exit.keep(signal);
    const serving = new Set<Promise<void>>();
    ready();
    for await (const link of listener) {
      if (serving.size >= MAX_CONNECTIONS) {
        this.#metrics.denied.add();
        link.close();
        continue;
      }
      const served = this.#serve(link, exit, signal).finally(() => {
        serving.delete(served);
        this.#metrics.connections.set(serving.size);
      });
      serving.add(served);
      this.#metrics.requests.add();
      this.#metrics.connections.set(serving.size);
    }
    this.#address = undefined;
    await Promise.all([keeping, ...serving]);
    this.#exit = undefined;
  }

  /** Serves one local connection to its end, and closes it. */
  async #serve(link: ByteLink, exit: ExitSession, signal: AbortSignal): Promise<void> {
    const local: LocalSide = { link, reader: new LinkReader(link), watch: new HandshakeWatch() };
    try {
      const opened = await this.#open(exit, signal);
      const done = opened !== undefined && await this.#relay(local, { ...opened, exit }, signal);
      if (!done && !signal.aborted) {
        this.#metrics.refused.add();
        await this.#answer(local, signal);
      }
    } catch {
      // The program spoke no SOCKS5 or went away; closing its connection says all there is to say.
    } finally {
      link.close();
    }
  }

  /** Opens a stream to the server. @returns undefined when there is no way to it in time */
  async #open(exit: ExitSession, signal: AbortSignal): Promise<OpenedStream | undefined> {
    try {
      const session = await exit.get(SESSION_WAIT_MS, signal);
      const stream = await withTimeout(() => session.open(), {
        timers: this.#options.runtime.timers,
        ms: SESSION_WAIT_MS,
        signal,
        code: "socks/open-timeout",
        message: "Open a stream to the SOCKS server",
        discard: (late) => late.reset(),
      });
      return { session, stream };
    } catch {
      return undefined;
    }
  }

  /** Relays until the end. @returns false when the program still waits for an answer that the server will not give */
  async #relay(local: LocalSide, opened: OpenedStream & { exit: ExitSession }, signal: AbortSignal): Promise<boolean> {
    const { clock, timers } = this.#options.runtime;
    const { session, stream, exit } = opened;
    const { watch } = local;
    const silent = new AbortController();
    const cancel: (() => void)[] = [];
    const onGreeting = (): void => {
      cancel.push(
        timers.after(PROBE_MS, () => watch.isAnswered || exit.probe(session)),
        timers.after(GREETING_MS, () => watch.isAnswered || silent.abort()),
      );
    };
    const { broken } = await relay(
      {
        link: local.link,
        reader: local.reader,
        onBytes(bytes): void {
          if (cancel.length === 0) onGreeting();
          watch.onClientBytes(bytes);
        },
      },
      { link: stream, reader: new LinkReader(stream), onBytes: (bytes) => watch.onServerBytes(bytes) },
      { clock, timers, idleMs: IDLE_MS, signal: AbortSignal.any([signal, silent.signal]) },
    );
    for (const stop of cancel) stop();
    if (broken === undefined) stream.close();
    else stream.reset();
    return watch.isOver || broken === "a" || broken === "idle";
  }

  /** Tells the program in the server's place that its request failed. */
  async #answer({ link, reader, watch }: LocalSide, signal: AbortSignal): Promise<void> {
    await withTimeout(() => watch.answer(link, reader, REPLY.generalFailure), {
      timers: this.#options.runtime.timers,
      ms: LOCAL_ANSWER_MS,
      signal,
      code: "socks/handshake-timeout",
      message: "Wait for a SOCKS request",
    });
  }
}

/** A program's connection. */
interface LocalSide {
  readonly link: ByteLink;
  readonly reader: LinkReader;
  readonly watch: HandshakeWatch;
}

interface OpenedStream {
  readonly session: MuxSession;
  readonly stream: MuxStream;
}
