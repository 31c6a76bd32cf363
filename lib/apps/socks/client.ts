/**
 * The SOCKS5 client app: a local address whose exit is another visor. Bytes pass unchanged, so that a program's handshake
 * goes to the server end to end (visor-and-apps.md §2.2), but for a passcode that we are given. It never gives up: while
 * there is no way to the server, programs get a proper SOCKS error within 10 s, and it dials again.
 * Tested in tests/apps/socks/proxy_test.ts.
 */

import type { KeyedNetwork } from "../../overlay/mod.ts";
import type { ByteLink, Runtime } from "../../runtime/mod.ts";
import { withTimeout } from "../../runtime/mod.ts";
import { type PathStep, type PublicKey, shortKey } from "../../types/mod.ts";
import type { App, AppContext } from "../app.ts";
import { ExitSession, type ExitStream } from "./exit_session.ts";
import { LinkReader } from "../../links/link_reader.ts";
import { HandshakeWatch } from "./local_answer.ts";
import { createSocksMetrics, type SocksMetrics } from "./metrics.ts";
import { PasscodeLink } from "./passcode.ts";
import { REPLY } from "./protocol.ts";
import { endLink, relay, type RelayEnd } from "../../links/relay.ts";
import { SOCKS_PORT } from "./server.ts";

/** A new connection waits so long for a stream to the server, ms. */
const SESSION_WAIT_MS = 3_000;
/** When the server has not answered the greeting by then, the session is probed, ms. */
const PROBE_MS = 2_000;
/** When it has not answered by then, we answer in its place, ms: within 10 s in any case. */
const GREETING_MS = 6_000;
/** And for a second server at least this, ms. */
const LEAST_GREETING_MS = 1_000;
/** For the program to go through a handshake that we answer ourselves, ms. */
const LOCAL_ANSWER_MS = 5_000;
/** For the first byte of a program, ms: it speaks first. */
const FIRST_BYTE_MS = 20_000;
/**
 * Local connections at a time. Beyond, the one goes that has waited longest for the answer to its request, or the new one
 * when all are in use: with the answer that its request failed.
 */
const MAX_CONNECTIONS = 512;
/** Refusals being answered at a time; further connections are cut. */
const MAX_ANSWERS = 512;
/** As long as the server lets a session be idle. */
const IDLE_MS = 2 * 60 * 60 * 1000;

/** What the client is made of. */
export interface SocksClientOptions {
  /** Its network has the local address. */
  readonly runtime: Runtime;
  /** The overlay. */
  readonly network: KeyedNetwork;
  /** The visor whose SOCKS server is the exit. */
  readonly remote: PublicKey;
  /** The local address, `host:port`; port 0 takes a free one at each start. */
  readonly listen: string;
  /** The visors to go over, the exit last. */
  readonly path?: readonly PathStep[] | undefined;
  /** What the server wants to hear; programs need not know it then. 1–255 bytes of UTF-8. */
  readonly passcode?: string | undefined;
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
  readonly #passcode: Uint8Array | undefined;
  #address: string | undefined;
  #exit: ExitSession | undefined;
  /** In the order in which they came. */
  readonly #open = new Set<LocalSide>();
  #answers = 0;

  constructor(options: SocksClientOptions) {
    this.name = options.name;
    this.#options = options;
    this.#passcode = options.passcode === undefined ? undefined : new TextEncoder().encode(options.passcode);
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
    const listener = await runtime.network.listen(listen, { canReset: true });
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
      if (this.#open.size >= MAX_CONNECTIONS && !this.#makeRoom()) {
        this.#metrics.denied.add();
        const told = this.#answer(makeLocalSide(link, signal)).catch(() => {}).finally(() => {
          link.close();
          serving.delete(told);
        });
        serving.add(told);
        continue;
      }
      const local = makeLocalSide(link, signal);
      this.#open.add(local);
      const served = this.#serve(local, exit).finally(() => {
        serving.delete(served);
        this.#open.delete(local);
        this.#metrics.connections.set(this.#open.size);
      });
      serving.add(served);
      this.#metrics.requests.add();
      this.#metrics.connections.set(this.#open.size);
    }
    this.#address = undefined;
    await Promise.all([keeping, ...serving]);
    this.#exit = undefined;
  }

  /** @returns false when all connections are in use */
  #makeRoom(): boolean {
    for (const local of this.#open) {
      if (local.watch.isOver) continue;
      this.#metrics.denied.add();
      this.#open.delete(local);
      local.dismiss();
      return true;
    }
    return false;
  }

  /** Serves one local connection to its end, and closes it. */
  async #serve(local: LocalSide, exit: ExitSession): Promise<void> {
    try {
      const answered = await this.#serveUntilAnswered(local, exit).catch((error) => {
        if (!local.signal.aborted) throw error;
        return false;
      });
      if (!answered && !local.stopping.aborted) {
        this.#metrics.refused.add();
        await this.#answer(local);
      }
    } catch {
      // The program spoke no SOCKS5 or went away; closing its connection says all there is to say.
    } finally {
      local.link.close();
    }
  }

  /** @returns false when the program still waits for an answer; throws when it was dismissed before */
  async #serveUntilAnswered(local: LocalSide, exit: ExitSession): Promise<boolean> {
    return !(await this.#begins(local)) || await this.#serveRemotely(local, exit);
  }

  /** Waits for the first bytes: a connection that says nothing takes nothing from the server. */
  async #begins({ reader, signal }: LocalSide): Promise<boolean> {
    const bytes = await withTimeout(() => reader.peek(), {
      timers: this.#options.runtime.timers,
      ms: FIRST_BYTE_MS,
      signal,
      code: "socks/handshake-timeout",
      message: "Wait for a SOCKS greeting",
    });
    return bytes !== null;
  }

  /**
   * Has the server serve the program. When the route breaks before the server said anything, the next one gets the same
   * bytes again, once: nobody notices.
   * @returns false when the program still waits for an answer that no server will give
   */
  async #serveRemotely(local: LocalSide, exit: ExitSession): Promise<boolean> {
    const { clock } = this.#options.runtime;
    const began = clock.monotonic();
    for (const isLast of [false, true]) {
      const opened = await exit.open(SESSION_WAIT_MS, local.signal).catch(() => undefined);
      if (opened === undefined) return false;
      const patienceMs = isLast ? Math.max(LEAST_GREETING_MS, GREETING_MS - (clock.monotonic() - began)) : GREETING_MS;
      const end = await this.#relay(local, { ...opened, exit, patienceMs });
      if (local.watch.isOver || end.broken === "a" || end.broken === "idle") {
        endLink(local.link, end);
        return true;
      }
      // A server that is silent is not asked again: the program has waited long enough.
      const said = isLast || local.watch.isAnswered || end.broken === "aborted" ? undefined : local.watch.rewind();
      if (said === undefined) return false;
      local.reader.putBack(said);
    }
    return false;
  }

  /** Relays until the end, and closes the stream. */
  async #relay(local: LocalSide, way: Way): Promise<RelayEnd> {
    const { clock, timers } = this.#options.runtime;
    const { session, stream, exit } = way;
    const { watch } = local;
    const link = this.#passcode === undefined ? stream : new PasscodeLink(stream, this.#passcode);
    const silent = new AbortController();
    const cancel: (() => void)[] = [];
    const onGreeting = (): void => {
      cancel.push(
        timers.after(PROBE_MS, () => watch.isAnswered || exit.probe(session)),
        timers.after(way.patienceMs, () => watch.isAnswered || silent.abort()),
      );
    };
    const end = await relay(
      {
        link: local.link,
        reader: local.reader,
        onBytes(bytes): void {
          if (cancel.length === 0) onGreeting();
          watch.onClientBytes(bytes);
        },
      },
      { link, onBytes: (bytes) => watch.onServerBytes(bytes) },
      { idle: { clock, timers, ms: IDLE_MS }, signal: AbortSignal.any([local.signal, silent.signal]) },
    );
    for (const stop of cancel) stop();
    if (link instanceof PasscodeLink && link.isRefused) {
      this.#options.runtime.log.warn("socks-passcode-refused", { exit: shortKey(this.#options.remote) });
    }
    endLink(stream, end);
    return end;
  }

  /** Tells the program in the server's place that its request failed. */
  async #answer({ link, reader, watch, stopping }: LocalSide): Promise<void> {
    if (this.#answers >= MAX_ANSWERS) return;
    this.#answers++;
    try {
      await withTimeout(() => watch.answer(link, reader, REPLY.generalFailure), {
        timers: this.#options.runtime.timers,
        ms: LOCAL_ANSWER_MS,
        signal: stopping,
        code: "socks/handshake-timeout",
        message: "Wait for a SOCKS request",
      });
    } finally {
      this.#answers--;
    }
  }
}

/** A program's connection. */
interface LocalSide {
  readonly link: ByteLink;
  readonly reader: LinkReader;
  readonly watch: HandshakeWatch;
  /** Aborts when it is dismissed, or the app stops. */
  readonly signal: AbortSignal;
  /** Aborts when the app stops. */
  readonly stopping: AbortSignal;
  readonly dismiss: () => void;
}

function makeLocalSide(link: ByteLink, stopping: AbortSignal): LocalSide {
  const dismissing = new AbortController();
  return {
    link,
    reader: new LinkReader(link),
    watch: new HandshakeWatch(),
    signal: AbortSignal.any([stopping, dismissing.signal]),
    stopping,
    dismiss: () => dismissing.abort(),
  };
}

/** A way to the server. */
interface Way extends ExitStream {
  readonly exit: ExitSession;
  /** For the server's answer to the greeting, ms. */
  readonly patienceMs: number;
}
