/**
 * The packet switch of a visor (design.md §4): bytes of links go in, bytes for links and local readers come out, and
 * events. A forwarded packet never enters TypeScript.
 *
 * Every call may cause events, output and a new deadline: after it, drain {@link Switch.pollEvent} and
 * {@link Switch.pollDirtyLink}, then look at {@link Switch.pollDeadline}. `lib/transport/switch_loop.ts` does that.
 *
 * The switch has no clock and remembers no time. Each call that depends on the time takes it as its last argument, `now`:
 * ms, monotonic.
 */

import { ClosedError, UnavailableError } from "../errors/mod.ts";
import { type MonotonicMs, type PublicKey, type RouteId, type TransportId, transportIdBytes } from "../types/mod.ts";
import { core } from "./instance.ts";
import { COUNTERS, FAULT_GROUP_NOT_OPEN, LINK_FIGURES, SWITCH_IO_BYTES } from "./layout.ts";
import { checkStatus, copyAt, intoScratch, viewAt } from "./memory.ts";
import { MAX_RECORD_PLAINTEXT_BYTES, type Records } from "./records.ts";
import { checkRule, fieldsOf, LONGEST_RULE_BYTES, type Rule } from "./rule.ts";
import { SwitchSessions } from "./switch_sessions.ts";
import { decodeEvent, type GroupHandle, type LinkHandle, type SwitchEvent } from "./switch_events.ts";

/** What one call takes at most: whole records, so that boundaries stay the writer's. */
const WRITE_BYTES = Math.floor(SWITCH_IO_BYTES / MAX_RECORD_PLAINTEXT_BYTES) * MAX_RECORD_PLAINTEXT_BYTES;

/** Error texts are short; routers cut them anyway. */
const MAX_ERROR_BYTES = 1024;

/** How to make a switch. */
export interface SwitchOptions {
  /** The visor it belongs to. */
  readonly localKey: PublicKey;
  /** The first route id, any u32, 0 counts as 1: best a random one, not so late that they run out (routing.md §10, Q8). */
  readonly firstRouteId: number;
}

/** How to add a link. */
export interface AddLinkOptions {
  /** Of which transport it is the link: rules name it. */
  readonly transportId: TransportId;
  /** Consumed. Without, the link carries packets as they are. */
  readonly records?: Records;
  /** Plaintext that was read before. */
  readonly early?: Uint8Array;
}

/** Figures of a link, since it was added. Bytes are payload of packets, as v1.3 counts them (transports.md §4.3). */
export interface SwitchLinkStats {
  /** Payload of packets sent. */
  readonly sentBytes: number;
  /** Payload of the packets in {@link receivedPackets}. */
  readonly receivedBytes: number;
  /** Packets sent. */
  readonly sentPackets: number;
  /** Packets received, dropped ones and those between the two neighbours excluded. */
  readonly receivedPackets: number;
}

/** Figures of a group. */
export interface SwitchGroupStats {
  /** Sealed bytes sent, as v1.3 counts them. */
  readonly sentBytes: number;
  /** Sealed bytes received. */
  readonly receivedBytes: number;
  /** The latest round trip, ms. */
  readonly latencyMs: number | undefined;
}

/** Packets passed on or delivered, and those dropped, by reason. */
export interface SwitchCounters {
  /** Passed on to the next visor. */
  readonly forwarded: number;
  /** Handed to a group. */
  readonly delivered: number;
  /** Of a type that is not known. */
  readonly unknownType: number;
  /** Too short for their type (routing.md §1.4). */
  readonly shortPayload: number;
  /** No rule has their route id. */
  readonly unknownRoute: number;
  /** Their rule was idle for too long. */
  readonly expiredRoute: number;
  /** They came over another transport than the first one of their route (routing.md §10, W3). */
  readonly wrongLink: number;
  /** No link of the next transport is there. */
  readonly noTransport: number;
  /** For this visor, which has no group for them, and no room to keep them until it has. */
  readonly noGroup: number;
}

/** See the top of the file. Disposing wipes all keys. */
export class Switch implements Disposable {
  /** The visor it belongs to. */
  readonly localKey: PublicKey;
  /** Streams that outlive route groups. */
  readonly sessions: SwitchSessions;
  readonly #io: number;
  #handle: number;

  /** Makes an empty switch. @throws {UnavailableError} `core/too-many` when there are 65536 */
  constructor({ localKey, firstRouteId }: SwitchOptions, now: MonotonicMs) {
    this.localKey = localKey;
    this.#handle = core.switch_new(firstRouteId, now) >>> 0;
    if (this.#handle === 0) throw new UnavailableError("core/too-many", "Make a switch: there are too many");
    this.#io = core.switch_io(this.#handle);
    this.sessions = new SwitchSessions(() => this.#open(), this.#io);
  }

  /** Adds the link of a transport. @throws {UnavailableError} `switch/too-many-links` */
  addLink({ transportId, records, early = new Uint8Array() }: AddLinkOptions, now: MonotonicMs): LinkHandle {
    const [id, rest] = intoScratch(transportIdBytes(transportId), early) as [number, number];
    const link = core.switch_add_link(this.#open(), id, records?.take() ?? 0, rest, early.length, now) >>> 0;
    if (link === 0) throw new UnavailableError("switch/too-many-links", "Add a link: there are too many");
    return link as LinkHandle;
  }

  /**
   * The link is gone. Groups on it end (`link-down`); visors at the far ends of routes that came over it are told by a
   * Close. No read or write of it may be under way.
   */
  removeLink(link: LinkHandle, now: MonotonicMs): void {
    checkStatus(core.switch_remove_link(this.#open(), link, now));
  }

  /**
   * Where the next bytes of a link go: a fresh view, dead after the next call. Empty while the link is not to be read,
   * until the event `link-resumed`.
   */
  readView(link: LinkHandle): Uint8Array<ArrayBuffer> {
    const space = checkStatus(core.switch_read_space(this.#open(), link));
    return viewAt(space === 0 ? this.#io : core.switch_read_area(this.#handle, link), space);
  }

  /** Handles `count` bytes that were put at the beginning of {@link readView}. */
  ingest(link: LinkHandle, count: number, now: MonotonicMs): void {
    checkStatus(core.switch_ingest(this.#open(), link, count, now));
  }

  /** What the socket of a link is to write; empty: nothing. The bytes stay in place until {@link outputWritten}. */
  outputView(link: LinkHandle, now: MonotonicMs): Uint8Array<ArrayBuffer> {
    const length = checkStatus(core.switch_output_length(this.#open(), link, now));
    return viewAt(length === 0 ? this.#io : core.switch_output(this.#handle, link, now), length);
  }

  /** The socket took all of {@link outputView}. */
  outputWritten(link: LinkHandle, now: MonotonicMs): void {
    checkStatus(core.switch_output_written(this.#open(), link, now));
  }

  /** Figures of a link that was not removed. */
  linkStats(link: LinkHandle): SwitchLinkStats {
    return readNumbers(LINK_FIGURES, this.#view(core.switch_link_stats(this.#open(), link)));
  }

  /** Asks the peer of a link for a sign of life: `transport-pong` with the same value. v1.3 drops it unharmed. */
  sendTransportPing(link: LinkHandle, value: bigint): void {
    checkStatus(core.switch_send_transport_ping(this.#open(), link, value));
  }

  /** Hands out route ids, ascending. @throws {UnavailableError} `routing/ids-exhausted` */
  reserveRouteIds(count: number): RouteId[] {
    const first = core.switch_reserve(this.#open(), count) >>> 0;
    if (first === 0 && count > 0) {
      throw new UnavailableError("routing/ids-exhausted", "Reserve route ids: no available routeIDs");
    }
    return Array.from({ length: count }, (_, i) => first + i as RouteId);
  }

  /** Stores a rule from its bytes, replacing the one of the same id. @throws {ProtocolError} `rule/length`, `rule/type` */
  saveRule(rule: Uint8Array, now: MonotonicMs): void {
    // What follows the fields of the longest kind is not looked at.
    const head = rule.subarray(0, LONGEST_RULE_BYTES);
    const [at] = intoScratch(head) as [number];
    checkRule(core.switch_save_rule(this.#open(), at, head.length, now));
  }

  /** Forgets rules; groups on them end. */
  deleteRules(ids: readonly RouteId[], now: MonotonicMs): void {
    for (const id of ids) checkStatus(core.switch_delete_rule(this.#open(), id, now));
  }

  /** All active rules in no order, and how long each has been idle, ms. */
  rules(now: MonotonicMs): { readonly rule: Rule; readonly idleMs: number }[] {
    const length = checkStatus(core.switch_rules(this.#open(), now));
    const bytes = copyAt(core.switch_view(this.#handle), length);
    const view = new DataView(bytes.buffer);
    const rules: { rule: Rule; idleMs: number }[] = [];
    for (let at = 0; at < length;) {
      const end = at + 9 + view.getUint8(at + 8);
      rules.push({ rule: fieldsOf(bytes.subarray(at + 9, end)), idleMs: view.getFloat64(at, true) });
      at = end;
    }
    return rules;
  }

  /**
   * Begins a group on two saved rules; packets that came for it are delivered now.
   * @param rules the ids of its forward and consume rule
   * @throws {UnavailableError} `switch/no-rules` when one is missing or has a group
   */
  addGroup(rules: { readonly forward: RouteId; readonly consume: RouteId }, now: MonotonicMs): GroupHandle {
    const { forward, consume } = rules;
    const group = core.switch_add_group(this.#open(), forward, consume, now) >>> 0;
    if (group === 0) throw new UnavailableError("switch/no-rules", "Begin a route group: its rules are not there");
    return group as GroupHandle;
  }

  /** Sends a Handshake packet that asks for encryption. */
  sendHandshake(group: GroupHandle, now: MonotonicMs): void {
    checkStatus(core.switch_send_handshake(this.#open(), group, now));
  }

  /** The next whole Noise message, before {@link secureGroup}; undefined: none. */
  handshakeFrame(group: GroupHandle): Uint8Array<ArrayBuffer> | undefined {
    const length = checkStatus(core.switch_take_frame(this.#open(), group));
    return length === 0 ? undefined : copyAt(this.#io, length);
  }

  /** Sends a Noise message in one Data packet. */
  sendHandshakeFrame(group: GroupHandle, message: Uint8Array, now: MonotonicMs): void {
    viewAt(this.#io, SWITCH_IO_BYTES).set(message);
    checkStatus(core.switch_send_frame(this.#open(), group, message.length, now));
  }

  /**
   * Gives a group its keys, which are consumed: from here on Data packets carry records, and pings supervise the route.
   * @throws {ClosedError} `switch/group-closed`
   */
  secureGroup(group: GroupHandle, records: Records, now: MonotonicMs): void {
    this.#checkGroup(core.switch_secure_group(this.#open(), group, records.take(), now));
  }

  /**
   * Seals bytes for the other end: each 4070 of them, and the rest, become a record and a packet.
   * @returns how many were taken, whole records; when not all, `group-writable` follows
   * @throws {ClosedError} `switch/group-closed`
   */
  write(group: GroupHandle, bytes: Uint8Array, now: MonotonicMs): number {
    let taken = 0;
    while (taken < bytes.length) {
      const chunk = bytes.subarray(taken, taken + WRITE_BYTES);
      viewAt(this.#io, chunk.length).set(chunk);
      const count = this.#checkGroup(core.switch_write(this.#open(), group, chunk.length, now));
      taken += count;
      if (count < chunk.length) break;
    }
    return taken;
  }

  /** Reads what has come, records one after the other. @returns how many bytes; 0: nothing now */
  read(group: GroupHandle, into: Uint8Array, now: MonotonicMs): number {
    let done = 0;
    while (done < into.length) {
      const space = Math.min(into.length - done, SWITCH_IO_BYTES);
      const count = checkStatus(core.switch_read(this.#open(), group, space, now));
      into.set(viewAt(this.#io, count), done);
      done += count;
      if (count < space) break;
    }
    return done;
  }

  /** Reads exactly one record, as it was written; undefined: nothing now. */
  readMessage(group: GroupHandle, now: MonotonicMs): Uint8Array<ArrayBuffer> | undefined {
    const length = checkStatus(core.switch_message_length(this.#open(), group));
    if (length === 0) return undefined;
    return copyAt(this.#io, checkStatus(core.switch_read(this.#handle, group, length, now)));
  }

  /** Sends a Ping over the route; the answer is the event `pong` with the timestamp returned. */
  ping(group: GroupHandle, now: MonotonicMs): bigint {
    return core.switch_ping(this.#open(), group, now);
  }

  /** Figures of a group that was not removed. */
  groupStats(group: GroupHandle): SwitchGroupStats {
    const view = this.#view(core.switch_group_stats(this.#open(), group));
    const latencyMs = view.getFloat64(16, true);
    return {
      sentBytes: Number(view.getBigUint64(0, true)),
      receivedBytes: Number(view.getBigUint64(8, true)),
      latencyMs: Number.isNaN(latencyMs) ? undefined : latencyMs,
    };
  }

  /**
   * Says goodbye to the other end; `group-closed` follows within 2 s.
   * @param error why, for the other end's user; "" when there is nothing to say; cut to 1024 bytes of UTF-8
   */
  closeGroup(group: GroupHandle, error: string, now: MonotonicMs): void {
    const text = new TextEncoder().encode(error).subarray(0, MAX_ERROR_BYTES);
    viewAt(this.#io, SWITCH_IO_BYTES).set(text);
    checkStatus(core.switch_close_group(this.#open(), group, text.length, now));
  }

  /** Forgets a group and its rules; what was not read is lost. */
  removeGroup(group: GroupHandle, now: MonotonicMs): void {
    checkStatus(core.switch_remove_group(this.#open(), group, now));
  }

  /** The next event. Every other call may cause some. */
  pollEvent(): SwitchEvent | undefined {
    const length = checkStatus(core.switch_poll_event(this.#open()));
    return length === 0 ? undefined : decodeEvent(copyAt(core.switch_view(this.#handle), length));
  }

  /** The next link that has output and no write under way. Every other call may cause some. */
  pollDirtyLink(): LinkHandle | undefined {
    const link = core.switch_poll_dirty(this.#open()) >>> 0;
    return link === 0 ? undefined : link as LinkHandle;
  }

  /** Does what is due. */
  handleDeadline(now: MonotonicMs): void {
    checkStatus(core.switch_handle_deadline(this.#open(), now));
  }

  /** When {@link handleDeadline} is due; undefined: never. Every other call may change it. */
  pollDeadline(): MonotonicMs | undefined {
    const at = core.switch_poll_deadline(this.#open());
    return Number.isNaN(at) ? undefined : at as MonotonicMs;
  }

  /** What was passed on and what was dropped. */
  counters(): SwitchCounters {
    return readNumbers(COUNTERS, this.#view(core.switch_counters(this.#open())));
  }

  /** Wipes and forgets. */
  [Symbol.dispose](): void {
    if (this.#handle !== 0) core.switch_drop(this.#handle);
    this.#handle = 0;
  }

  #open(): number {
    if (this.#handle === 0) throw new ClosedError("switch/closed", "Use of a switch after it was disposed");
    return this.#handle;
  }

  #view(status: number): DataView {
    return new DataView(copyAt(core.switch_view(this.#handle), checkStatus(status)).buffer);
  }

  #checkGroup(status: number): number {
    if (status === FAULT_GROUP_NOT_OPEN) throw new ClosedError("switch/group-closed", "The route group has ended");
    return checkStatus(status);
  }
}

/** Reads numbers that the core shows in the order of their names. */
function readNumbers<Name extends string>(names: readonly Name[], view: DataView): Record<Name, number> {
  const numbers = names.map((name, i) => [name, Number(view.getBigUint64(i * 8, true))] as const);
  return Object.fromEntries(numbers) as Record<Name, number>;
}
