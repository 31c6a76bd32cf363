/**
 * The UDP side of the address resolver (transports.md §7.4): visors behind NATs keep a KCP session here, so that the
 * resolver sees the address that their NAT gave them, and can tell them who is about to dial.
 *
 *     visor                                resolver
 *       │ F0–F3, as for a transport     ◄─► │      without Noise; both keys of the destination are null
 *       │ {"port":…,"addresses":[…]}    ──► │      bound
 *       │ heartbeat                     ──► │      every 10 s
 *       │ ◄── {"PK":"…","Addr":"ip:port"}   │      this visor dials you: punch a hole
 *       │ delBind                       ──► │      unbound
 *
 * What is bound is in memory only: it is worth as much as the session. One that says nothing for a minute has gone, which
 * v1.3 never notices (transports.md W14, W16).
 */

import { describeError } from "../../errors/mod.ts";
import {
  type ByteLink,
  createQueue,
  type DatagramSocket,
  HostLimit,
  type HostLimits,
  type Runtime,
  withTimeout,
} from "../../runtime/mod.ts";
import { LinkReader } from "../../links/link_reader.ts";
import { checkInitiator } from "../../transport/stcp_handshake.ts";
import { NULL_PUBLIC_KEY, type PublicKey, shortKey } from "../../types/mod.ts";
import { Fault } from "../../wire/fault.ts";
import { decodeKcpSegments, KCP_HEADER_BYTES, KcpSession } from "../../links/kcp.ts";
import { STCP_HANDSHAKE_TIMEOUT_MS } from "../../wire/stcp_frames.ts";
import { parseLocalAddresses, type VisorAddresses } from "./api.ts";

/** Visors say something every 10 s. */
const SILENCE_MS = 60_000;

/** Sessions at a time; more are not begun. Each costs some 5 KB. */
const MAX_SESSIONS = 10_000;

/**
 * Of these, those that have not proven a key yet; they have 10 s for it. Of one host as many as start together behind a
 * NAT; the addresses of datagrams can be forged, so more than that is left to other hosts.
 */
const UNPROVEN: HostLimits = { most: 2_000, perHost: 64 };

/** What a visor says when it ends. */
const UNBIND = "delBind";

/** What the UDP side needs. */
export interface SudphBindingsDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  /** Taken over. */
  readonly socket: DatagramSocket;
  /** How much it takes on, where the defaults do not fit. */
  readonly limits?: { readonly sessions?: number; readonly unproven?: HostLimits };
}

interface Binding {
  readonly session: Session;
  readonly addresses: VisorAddresses;
}

/** Who is bound over UDP. Disposing ends all sessions. */
export class SudphBindings implements AsyncDisposable {
  readonly #deps: SudphBindingsDeps;
  readonly #sessions = new Map<string, Session>();
  readonly #unproven: HostLimit;
  readonly #bindings = new Map<PublicKey, Binding>();
  readonly #running: Promise<void>;

  /** Serves from now on. */
  constructor(deps: SudphBindingsDeps) {
    this.#deps = deps;
    this.#unproven = new HostLimit(deps.limits?.unproven ?? UNPROVEN);
    this.#running = this.#receiveAll();
  }

  /** Where a visor is; undefined when it is not bound. */
  resolve(key: PublicKey): VisorAddresses | undefined {
    return this.#bindings.get(key)?.addresses;
  }

  /** Tells a visor that another one is about to dial it. Nothing happens unless both are bound. */
  announce(target: PublicKey, dialler: PublicKey): void {
    const from = this.#bindings.get(dialler)?.addresses.remoteAddress;
    if (from === undefined) return;
    this.#bindings.get(target)?.session.send(new TextEncoder().encode(`{"PK":"${dialler}","Addr":"${from}"}`));
  }

  /** Forgets a visor. Harmless when it is not bound. */
  unbind(key: PublicKey): void {
    this.#bindings.get(key)?.session.close();
    this.#bindings.delete(key);
  }

  /** All visors that are bound, in the order of their keys. */
  listed(): readonly PublicKey[] {
    return [...this.#bindings.keys()].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deps.socket.close();
    for (const session of this.#sessions.values()) session.close();
    await this.#running;
  }

  async #receiveAll(): Promise<void> {
    for await (const { bytes, from } of this.#deps.socket) {
      // Shorter ones are hole punches.
      if (bytes.length < KCP_HEADER_BYTES) continue;
      this.#sessionOf(from, bytes)?.handleDatagram(bytes);
    }
  }

  /**
   * A datagram that begins another conversation replaces the one before: the visor has started again (transports.md
   * §2.6).
   */
  #sessionOf(from: string, bytes: Uint8Array): Session | undefined {
    const [first] = decodeKcpSegments(bytes);
    const known = this.#sessions.get(from);
    if (first === undefined || known?.conv === first.conv) return known;
    if (
      first.sequence !== 0 ||
      (known === undefined && this.#sessions.size >= (this.#deps.limits?.sessions ?? MAX_SESSIONS))
    ) return undefined;
    const release = this.#unproven.take(from);
    if (release === undefined) return undefined;
    known?.close();
    const session = new Session(first.conv, { ...this.#deps, remoteAddress: from });
    this.#sessions.set(from, session);
    void this.#serve(session, release).catch((error) => {
      this.#deps.runtime.log.debug("sudph-session-ended", { remote: from, error: describeError(error) });
    }).finally(() => {
      release();
      session.close();
      if (this.#sessions.get(from) === session) this.#sessions.delete(from);
    });
    return session;
  }

  /** @param proven called when it is known who the visor is */
  async #serve(session: Session, proven: () => void): Promise<void> {
    const { timers, random, log } = this.#deps.runtime;
    const reader = new LinkReader(session);
    const handshake = { local: { publicKey: NULL_PUBLIC_KEY }, isListening: () => true, runtime: { random } };
    const limit = { timers, code: "address-resolver/silent", message: "Wait for a visor over UDP" };
    const key = await withTimeout(() => checkInitiator(session, reader, handshake), {
      ...limit,
      ms: STCP_HANDSHAKE_TIMEOUT_MS,
    });
    proven();
    const next = async (): Promise<string> => {
      if (reader.unread.length === 0) await withTimeout(() => reader.fill(), { ...limit, ms: SILENCE_MS });
      return new TextDecoder().decode(reader.take(reader.unread.length));
    };
    const local = parseLocalAddresses(await next());
    if (local instanceof Fault) return;
    const { remoteAddress } = session;
    this.#bindings.get(key)?.session.close();
    const binding = { session, addresses: { remoteAddress, isLocal: false, ...local } };
    this.#bindings.set(key, binding);
    log.debug("sudph-bound", { visor: shortKey(key), remote: remoteAddress });
    try {
      while (await next() !== UNBIND);
    } finally {
      if (this.#bindings.get(key) === binding) this.#bindings.delete(key);
    }
  }
}

/** One KCP session as a link: a write is a message, and a read gives one, as long as the buffer is large enough. */
class Session implements ByteLink {
  readonly remoteAddress: string;
  readonly #deps: SudphBindingsDeps;
  readonly #core: KcpSession;
  readonly #messages = createQueue<Uint8Array>(64);
  readonly #incoming = this.#messages[Symbol.asyncIterator]();
  #cancel: () => void = () => {};
  #isClosed = false;

  constructor(conv: number, deps: SudphBindingsDeps & { readonly remoteAddress: string }) {
    this.remoteAddress = deps.remoteAddress;
    this.#deps = deps;
    this.#core = new KcpSession(conv);
  }

  get conv(): number {
    return this.#core.conv;
  }

  handleDatagram(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#core.handleDatagram(bytes);
    for (let message = this.#core.read(); message !== undefined; message = this.#core.read()) {
      // Only an attacker sends so much before we read it.
      if (!this.#messages.push(message)) return this.close();
    }
    this.#flush();
  }

  async read(into: Uint8Array): Promise<number | null> {
    const { done, value } = await this.#incoming.next();
    if (done) return null;
    const part = value.subarray(0, into.length);
    into.set(part);
    return part.length;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.send(bytes);
    return Promise.resolve();
  }

  send(message: Uint8Array): void {
    if (this.#isClosed) return;
    this.#core.send(message.slice());
    this.#flush();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#messages.close();
  }

  #flush(): void {
    const { runtime: { clock, timers }, socket } = this.#deps;
    this.#cancel();
    for (const datagram of this.#core.takeDatagrams(clock.monotonic())) socket.send(datagram, this.remoteAddress);
    if (this.#core.isDead) return this.close();
    const at = this.#core.pollDeadline();
    if (at !== undefined) this.#cancel = timers.after(Math.max(0, at - clock.monotonic()), () => this.#flush());
  }
}
