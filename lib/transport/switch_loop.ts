/**
 * The loop around the packet switch of a visor: it owns the switch and its timer, moves the bytes of all links, and hands
 * the switch's events to their subscribers. No packet is looked at here (design.md §4).
 *
 * After every call of the switch, {@link SwitchLoop.flush} drains what the call caused: events first, since they may cause
 * output, then links with output, then the deadline.
 */

import { Switch } from "../core/mod.ts";
import type { GroupHandle, LinkHandle, SessionHandle, SwitchEvent } from "../core/mod.ts";
import { describeError } from "../errors/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { MonotonicMs, PublicKey, TransportId } from "../types/mod.ts";
import { LinkPump } from "./link_pump.ts";
import type { LinkEnd } from "./link_pump.ts";
import { BufferPool } from "../links/read_buffer.ts";
import type { SecureLink } from "../links/secure_link.ts";

/** Events that concern one group. */
export type GroupEvent = Extract<SwitchEvent, { readonly group: GroupHandle }>;

/** Events that concern one session. */
export type SessionEvent = Extract<SwitchEvent, { readonly session: SessionHandle }>;

/** A link that the switch forwards over. */
export interface ActiveLink {
  /** Resolves after the link is out of the switch, however it ended. */
  readonly ended: Promise<LinkEnd>;
  /** Figures since the link was attached. */
  stats(): ReturnType<Switch["linkStats"]>;
  /**
   * Asks the peer for a sign of life. A v1.3 visor drops the packet and warns of it in its log, see `settlement.ts`.
   * @param value 64 bits that come back
   */
  ping(value: bigint): void;
  /** Ends the link; {@link ended} resolves soon after. Harmless when repeated. */
  close(): void;
}

/** How to attach a link. */
export interface AttachOptions {
  /** Of which transport it is the link. */
  readonly transportId: TransportId;
  /** Plaintext that came before, beyond the last message of settlement. */
  readonly early?: Uint8Array;
  /** Called when a ping is answered. */
  readonly onPong?: (value: bigint) => void;
}

/** See the top of the file. Disposing closes all links and the switch. */
export interface SwitchLoop extends AsyncDisposable {
  /** The switch itself, for rules and groups. Call {@link flush} after every call that may send or change something. */
  readonly switch: Switch;
  /** Drains events and output, and sets the timer anew. Cheap when there is nothing; may be called from event handlers. */
  flush(): void;
  /**
   * Subscribes to the events of a group. Events of a group without a subscriber are dropped, so subscribe in the same turn
   * in which the group was added.
   * @returns unsubscribes
   */
  onGroupEvent(group: GroupHandle, handler: (event: GroupEvent) => void): () => void;
  /** As {@link onGroupEvent}, for the events of a session. */
  onSessionEvent(session: SessionHandle, handler: (event: SessionEvent) => void): () => void;
  /**
   * Hands a link over to the switch, which takes its records.
   * @param secure a link that nobody else reads or writes any more
   * @throws {SkywireError} when the switch refuses; the link is then as before
   */
  attach(secure: SecureLink, options: AttachOptions): ActiveLink;
}

/** What a loop is made of. */
export interface SwitchLoopDeps {
  /** The world. */
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  /** The visor's own key. */
  readonly localKey: PublicKey;
}

/** Makes a loop with an empty switch. */
export function createSwitchLoop(deps: SwitchLoopDeps): SwitchLoop {
  return new Loop(deps);
}

interface Attached {
  readonly pump: LinkPump;
  readonly ended: Promise<LinkEnd>;
  readonly onPong: ((value: bigint) => void) | undefined;
}

class Loop implements SwitchLoop {
  readonly switch: Switch;
  readonly #runtime: SwitchLoopDeps["runtime"];
  readonly #links = new Map<LinkHandle, Attached>();
  readonly #handlers = new Map<GroupHandle, (event: GroupEvent) => void>();
  readonly #sessionHandlers = new Map<SessionHandle, (event: SessionEvent) => void>();
  readonly #pool = new BufferPool();
  #flushing = false;
  #flushAgain = false;
  #disposed = false;
  #timerAt: MonotonicMs | undefined;
  #cancelTimer: () => void = () => {};

  constructor({ runtime, localKey }: SwitchLoopDeps) {
    this.#runtime = runtime;
    this.switch = new Switch({ localKey, firstRouteId: randomRouteId(runtime) }, runtime.clock.monotonic());
    this.#arm();
  }

  attach(secure: SecureLink, options: AttachOptions): ActiveLink {
    const { link, records } = secure;
    const { transportId, early, onPong } = options;
    const core = this.switch;
    const { clock } = this.#runtime;
    const handle = core.addLink(
      { transportId, records, ...(early === undefined || early.length === 0 ? {} : { early }) },
      clock.monotonic(),
    );
    const pump = new LinkPump({ core, handle, link, clock, pool: this.#pool, flush: () => this.flush() });
    let lastStats = core.linkStats(handle);
    const ended = pump.ended.then((end) => {
      lastStats = core.linkStats(handle);
      this.#links.delete(handle);
      core.removeLink(handle, clock.monotonic());
      this.flush();
      return end;
    });
    this.#links.set(handle, { pump, ended, onPong });
    this.flush();
    return {
      ended,
      stats: () => this.#links.has(handle) ? core.linkStats(handle) : lastStats,
      ping: (value) => {
        if (!this.#links.has(handle)) return;
        core.sendTransportPing(handle, value);
        this.flush();
      },
      close: () => pump.stop({ reason: "local", message: "Closed here" }),
    };
  }

  onGroupEvent(group: GroupHandle, handler: (event: GroupEvent) => void): () => void {
    this.#handlers.set(group, handler);
    return () => {
      if (this.#handlers.get(group) === handler) this.#handlers.delete(group);
    };
  }

  onSessionEvent(session: SessionHandle, handler: (event: SessionEvent) => void): () => void {
    this.#sessionHandlers.set(session, handler);
    return () => {
      if (this.#sessionHandlers.get(session) === handler) this.#sessionHandlers.delete(session);
    };
  }

  flush(): void {
    if (this.#flushing || this.#disposed) {
      this.#flushAgain = true;
      return;
    }
    this.#flushing = true;
    try {
      do {
        this.#flushAgain = false;
        for (let event = this.switch.pollEvent(); event !== undefined; event = this.switch.pollEvent()) {
          this.#dispatch(event);
        }
        for (let link = this.switch.pollDirtyLink(); link !== undefined; link = this.switch.pollDirtyLink()) {
          this.#links.get(link)?.pump.wake();
        }
      } while (this.#flushAgain);
    } finally {
      this.#flushing = false;
    }
    this.#arm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    for (const { pump } of this.#links.values()) pump.stop({ reason: "local", message: "The visor stops" });
    await Promise.all([...this.#links.values()].map(({ ended }) => ended));
    this.#disposed = true;
    this.#cancelTimer();
    this.switch[Symbol.dispose]();
  }

  #dispatch(event: SwitchEvent): void {
    try {
      if ("group" in event) return this.#handlers.get(event.group)?.(event);
      if ("session" in event) return this.#sessionHandlers.get(event.session)?.(event);
      const attached = this.#links.get(event.link);
      switch (event.type) {
        case "link-resumed":
          return attached?.pump.resume();
        case "link-fault":
          return attached?.pump.stop({ reason: "fault", message: `The peer broke the protocol: ${event.code}` });
        case "transport-pong":
          return attached?.onPong?.(event.value);
      }
    } catch (error) {
      // One subscriber's mistake must not stop the packets of all others.
      this.#runtime.log.error("switch-subscriber-failed", { event: event.type, error: describeError(error) });
    }
  }

  /** Sets the timer unless one is set that fires early enough; it then finds out itself that nothing is due. */
  #arm(): void {
    const at = this.switch.pollDeadline();
    if (at === undefined || (this.#timerAt !== undefined && this.#timerAt <= at)) return;
    this.#cancelTimer();
    this.#timerAt = at;
    this.#cancelTimer = this.#runtime.timers.after(at - this.#runtime.clock.monotonic(), () => {
      this.#timerAt = undefined;
      this.switch.handleDeadline(this.#runtime.clock.monotonic());
      this.flush();
    });
  }
}

/**
 * Where the route ids of this run begin: guessing one must not be easier than guessing any (routing.md §2.6). In the lower
 * half of their range, so that they last.
 */
function randomRouteId({ random }: Pick<Runtime, "random">): number {
  return new DataView(random.bytes(4).buffer).getUint32(0) >>> 1;
}
