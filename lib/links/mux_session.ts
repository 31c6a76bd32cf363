/**
 * Many streams over one link: the shell around the mux machine of the core. One loop reads the link and feeds the machine,
 * one writes what the machine gives; streams wait for the machine's events. Memory is bounded by the machine: unread bytes
 * by the windows, unsent ones by its output limit.
 */

import { Mux } from "../core/mod.ts";
import type { MuxStreamFault } from "../core/mod.ts";
import { ClosedError, describeError, UnavailableError } from "../errors/mod.ts";
import type { SkywireError } from "../errors/mod.ts";
import { Signal } from "../runtime/mod.ts";
import type { ByteLink, Runtime } from "../runtime/mod.ts";
import { concatBytes } from "../types/mod.ts";
import type { MonotonicMs } from "../types/mod.ts";
import { BUSY_LINK_BYTES, ReadBuffer } from "./read_buffer.ts";

/** What an idle session reads into. */
const SMALL_BUFFER_BYTES = 8 * 1024;

/** A stream of a session. {@link ByteLink.close} ends both directions with one FIN. */
export interface MuxStream extends ByteLink {
  /** Ends the local direction only: the peer reads the end, and may still answer. Harmless when repeated. */
  closeWrite(): void;
  /** Ends both directions at once; the peer's reads and writes fail. Harmless after the end. */
  reset(): void;
}

/** A session; it owns its link. */
export interface MuxSession extends AsyncDisposable {
  /**
   * Opens a stream. Waits while 256 streams wait for the peer's acknowledgement.
   * @throws {UnavailableError} `mux/broken` when the session broke, `mux/going-away` when the peer takes no more streams
   * @throws {ClosedError} `mux/closed` after {@link MuxSession.close}
   */
  open(): Promise<MuxStream>;
  /** Streams that the peer opens, until the session ends; for one consumer. Those that nobody takes wait; more than the backlog are reset. */
  readonly incoming: AsyncIterable<MuxStream>;
  /** Asks for a sign of life. @returns the round trip, ms. @throws {UnavailableError} when there is none within 10 s */
  ping(): Promise<number>;
  /** Resolves when the session has ended, whatever the reason. */
  readonly closed: Promise<void>;
  /** Ends the session, its streams and its link, at once. Harmless when repeated. */
  close(): void;
}

/** How a session begins. */
export interface MuxSessionOptions {
  /** The side that opened the link is the client. */
  readonly role: "client" | "server";
  readonly runtime: Pick<Runtime, "clock" | "timers">;
  /** Ping every 30 s, and end the session when the peer is silent. */
  readonly keepAlive: boolean;
  /** What the peer may send on one stream before it is read, bytes; 256 KiB unless given. */
  readonly receiveWindow?: number;
  /** Streams of the peer that may wait to be taken; 256 unless given. With 0, the peer can open none. */
  readonly backlog?: number;
  /** Streams at a time, of both sides together; 4096 unless given. */
  readonly maxStreams?: number;
}

/**
 * Begins a session on a fresh link.
 * @param link the session closes it when it ends
 * @param options side, runtime, keep-alive, window
 */
export function createMuxSession(link: ByteLink, options: MuxSessionOptions): MuxSession {
  return new Session(link, options);
}

/** How a session ended: what reads give that are not at the end, and what everything else throws. */
interface SessionEnd {
  /** Closed here: reads give the end of the stream; otherwise they throw `error`, once they gave what came before. */
  readonly quiet: boolean;
  readonly error: SkywireError;
}

class Session implements MuxSession {
  readonly closed: Promise<void>;
  readonly remoteAddress: string;
  readonly #link: ByteLink;
  readonly #runtime: Pick<Runtime, "clock" | "timers">;
  readonly #core: Mux;
  readonly #streams = new Map<number, Stream>();
  readonly #pings = new Map<number, PromiseWithResolvers<number>>();
  readonly #openable = new Signal();
  readonly #arrived = new Signal();
  readonly #ended = Promise.withResolvers<void>();
  readonly #reading: Promise<void>;
  #writing: Promise<void> | undefined;
  #end: SessionEnd | undefined;
  #timer: { readonly at: MonotonicMs; readonly cancel: () => void } | undefined;

  constructor(link: ByteLink, { runtime, ...options }: MuxSessionOptions) {
    this.#link = link;
    this.#runtime = runtime;
    this.remoteAddress = link.remoteAddress;
    this.closed = this.#ended.promise;
    this.#core = new Mux(options, runtime.clock.monotonic());
    this.#settle();
    this.#reading = this.#readAll();
  }

  async open(): Promise<MuxStream> {
    while (true) {
      const id = this.use((core, now) => core.open(now));
      if (typeof id === "number") return this.#adopt(id);
      if (id !== "would-block") throw new UnavailableError(`mux/${id}`, "Open a mux stream: the session takes no more");
      await this.#openable.next();
    }
  }

  get incoming(): AsyncIterable<MuxStream> {
    return { [Symbol.asyncIterator]: () => this.#accept() };
  }

  async *#accept(): AsyncGenerator<MuxStream> {
    while (this.#end === undefined) {
      const id = this.use((core) => core.accept());
      if (id === undefined) await this.#arrived.next();
      else yield this.#adopt(id);
    }
  }

  async ping(): Promise<number> {
    const ping = this.use((core, now) => core.ping(now));
    if (typeof ping !== "number") throw new UnavailableError("mux/busy", "Ping a mux session: too many wait for it");
    const pong = Promise.withResolvers<number>();
    this.#pings.set(ping, pong);
    return await pong.promise;
  }

  close(): void {
    this.#finish({ quiet: true, error: new ClosedError("mux/closed", "Use of a mux session after its end") });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.all([this.#reading, this.#writing]);
  }

  /** How the session ended, if it has. */
  get end(): SessionEnd | undefined {
    return this.#end;
  }

  /** Calls the machine, and does what follows from it. @throws how the session ended, if it has */
  use<T>(call: (core: Mux, now: MonotonicMs) => T): T {
    if (this.#end !== undefined) throw this.#end.error;
    try {
      return call(this.#core, this.#runtime.clock.monotonic());
    } finally {
      this.#settle();
    }
  }

  /** A stream is given up: `call` tells the machine. */
  release(stream: Stream, call: (core: Mux, now: MonotonicMs) => void): void {
    this.#streams.delete(stream.id);
    this.use(call);
  }

  #adopt(id: number): Stream {
    const stream = new Stream(this, id);
    this.#streams.set(id, stream);
    return stream;
  }

  async #readAll(): Promise<void> {
    const buffer = new ReadBuffer({ smallBytes: SMALL_BUFFER_BYTES, largeBytes: BUSY_LINK_BYTES });
    try {
      while (this.#end === undefined) {
        const count = await this.#link.read(buffer.space);
        // A v1.3 reader takes this for the end of every stream. But no FIN came: what was read may be a part.
        if (count === null) return this.#finish({ quiet: false, error: broken("the link ended") });
        // Closed while the read was under way: nobody wants the bytes any more.
        if (this.#end !== undefined) return;
        this.use((core, now) => core.push(buffer.taken(count), now));
      }
    } catch (error) {
      this.#finish({ quiet: false, error: broken(describeError(error), error) });
    }
  }

  async #writeAll(): Promise<void> {
    try {
      // Begins after the assignment of `#writing`, even if there is nothing to write.
      await Promise.resolve();
      while (this.#end === undefined) {
        const output = this.#core.takeOutput();
        if (output.length === 0) break;
        // Taking output may let streams go on.
        this.#dispatch();
        await this.#link.write(output);
      }
    } catch (error) {
      this.#finish({ quiet: false, error: broken(describeError(error), error) });
    } finally {
      this.#writing = undefined;
    }
  }

  #settle(): void {
    this.#dispatch();
    if (this.#end !== undefined) return;
    this.#writing ??= this.#writeAll();
    this.#arm();
  }

  #dispatch(): void {
    while (this.#end === undefined) {
      const event = this.#core.pollEvent();
      switch (event?.type) {
        case undefined:
          return;
        case "changed":
          this.#streams.get(event.stream)?.changed.notify();
          break;
        case "incoming":
          this.#arrived.notify();
          break;
        case "openable":
          this.#openable.notify();
          break;
        case "pong":
          this.#pings.get(event.ping)?.resolve(event.roundTripMs);
          this.#pings.delete(event.ping);
          break;
        case "ping-timed-out":
          this.#pings.get(event.ping)?.reject(new UnavailableError("mux/no-pong", "Ping a mux session: no answer"));
          this.#pings.delete(event.ping);
          break;
        case "closed": {
          const { fault } = this.#core;
          this.#finish({ quiet: false, error: broken(fault ?? "unknown reason") });
        }
      }
    }
  }

  /** A deadline that has moved back is found out when the timer fires: cheaper than a new timer for every frame. */
  #arm(): void {
    const at = this.#core.pollDeadline();
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const { clock, timers } = this.#runtime;
    const cancel = timers.after(Math.max(0, Math.ceil(at - clock.monotonic())), () => {
      this.#timer = undefined;
      this.use((core, now) => core.handleDeadline(now));
    });
    this.#timer = { at, cancel };
  }

  #finish(end: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#timer?.cancel();
    this.#link.close();
    this.#core.closeSession();
    for (const stream of this.#streams.values()) stream.keepUnread(this.#core, end);
    this.#streams.clear();
    this.#core[Symbol.dispose]();
    for (const pong of this.#pings.values()) pong.reject(end.error);
    this.#pings.clear();
    this.#openable.notify();
    this.#arrived.notify();
    this.#ended.resolve();
  }
}

class Stream implements MuxStream {
  readonly id: number;
  readonly changed = new Signal();
  readonly remoteAddress: string;
  readonly #session: Session;
  #isClosed = false;
  #isFinished = false;
  /** What was unread when the session ended. */
  #unread = new Uint8Array();
  /** What reads throw after that. Without it they give the end. */
  #broken: SkywireError | undefined;

  constructor(session: Session, id: number) {
    this.#session = session;
    this.id = id;
    this.remoteAddress = session.remoteAddress;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (!this.#isClosed) {
      if (this.#isOver()) return this.#readKept(into);
      const count = this.#session.use((core) => core.read(this.id, into));
      if (count === "end") return null;
      if (typeof count !== "number") this.#break(count);
      else if (count > 0) return count;
      else await this.changed.next();
    }
    return null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#isClosed || this.#isFinished) {
        throw new ClosedError("mux/stream-closed", "Write to a mux stream after its end");
      }
      if (this.#broken !== undefined) throw this.#broken;
      const count = this.#session.use((core) => core.write(this.id, done === 0 ? bytes : bytes.subarray(done)));
      if (typeof count !== "number") this.#break(count);
      else if (count > 0) done += count;
      else await this.changed.next();
    }
  }

  closeWrite(): void {
    if (this.#isClosed || this.#isFinished || this.#isOver()) return;
    this.#isFinished = true;
    this.#session.use((core) => core.closeWrite(this.id));
    this.changed.notify();
  }

  close(): void {
    this.#giveUp((core, now) => core.close(this.id, now));
  }

  reset(): void {
    this.#giveUp((core) => core.reset(this.id));
  }

  /** The session ends: takes over what the machine holds for this stream. */
  keepUnread(core: Mux, end: SessionEnd): void {
    const parts: Uint8Array[] = [];
    while (true) {
      const part = new Uint8Array(SMALL_BUFFER_BYTES);
      const count = core.read(this.id, part);
      if (typeof count === "number" && count > 0) {
        parts.push(part.subarray(0, count));
        continue;
      }
      if (count === "cut" ? !end.quiet : count !== "end") this.#broken = end.error;
      break;
    }
    this.#unread = concatBytes(...parts);
    this.changed.notify();
  }

  #readKept(into: Uint8Array): number | null {
    const part = this.#unread.subarray(0, into.length);
    if (part.length > 0) {
      into.set(part);
      this.#unread = this.#unread.subarray(part.length);
      return part.length;
    }
    if (this.#broken !== undefined) throw this.#broken;
    return null;
  }

  /** The machine calls it broken: so it is for good, and the machine may forget it. */
  #break(fault: MuxStreamFault): void {
    this.#broken = new UnavailableError("mux/broken", `Use of a mux stream that broke: ${fault}`);
    this.#session.release(this, (core) => core.reset(this.id));
    this.changed.notify();
  }

  /** Has the machine nothing to say about it any more? */
  #isOver(): boolean {
    return this.#broken !== undefined || this.#session.end !== undefined;
  }

  #giveUp(call: (core: Mux, now: MonotonicMs) => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unread = new Uint8Array();
    if (!this.#isOver()) this.#session.release(this, call);
    this.changed.notify();
  }
}

function broken(why: string, cause?: unknown): UnavailableError {
  return new UnavailableError("mux/broken", `Use of a mux session that broke: ${why}`, { cause });
}
