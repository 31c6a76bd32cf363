/**
 * The rules of the messaging discovery (dmsg.md §6.4, 6.5): which entry is accepted, which one gives way to another,
 * and how long each lives. Stricter than v1.3 where its users do not notice:
 *
 * - An entry is removed by a newer one of its key, which only the owner can sign. In v1.3 any entry that a key ever signed
 *   removes the newest one, and entries are public (dmsg.md Q9). v1.3 itself shows the stored entry when it stops (dmsg.md §6.6), as
 *   anybody can. What others cannot do is to speak from the owner's host: over TCP an answer has to arrive there, and over
 *   messaging the host is a key that was proven. So the stored entry removes itself when it comes from the host that
 *   published it, unless its owner said then that its removals are newer (`removal=newer`).
 * - Of a removed entry the timestamp is remembered, and nothing as old comes back: v1.3 lets anybody post an old entry
 *   again. A client that comes back begins with sequence 0, as v1.3 clients do, and the time of now.
 *
 * Tested in tests/services/messaging_discovery/vectors_test.ts.
 */

import { ProtocolError, RefusedError } from "../../errors/mod.ts";
import { type Clock, type Random, randomFraction } from "../../runtime/mod.ts";
import type { PublicKey } from "../../types/mod.ts";
import {
  type Entry,
  type EntryCause,
  formatEntry,
  validateEntry,
  validateIteration,
  validateServerAddress,
  verifyEntry,
} from "../../wire/messaging_entry.ts";
import { codeOfCause, ERRORS, MAX_AVAILABLE_SERVERS } from "./api.ts";
import type { EntryStore, StoredEntry } from "./store.ts";

/** How long the entry of a server lives, ms; servers publish every minute (dmsg.md §6.5). */
export const SERVER_LIFETIME_MS = 120_000;

/** How long the entry of a client lives that asked to expire, ms. */
export const CLIENT_LIFETIME_MS = 180_000;

/** How long it is remembered that an entry was removed, ms. Longer, and keys that never come back fill the store. */
export const REMOVED_LIFETIME_MS = 7 * 24 * 3_600_000;

/** Expired entries are taken out at most this often, ms, with a write: nothing runs when nothing happens. */
const PRUNE_EVERY_MS = 60_000;

/** The client type that has a list of its own. */
const VISOR_TYPE = "visor";

/** What the rules depend on. */
export interface DiscoveryLogicDeps {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Servers may advertise loopback addresses: for networks on one machine. */
  readonly allowLoopback: boolean;
  /** What a server writes as its type to be called official; empty, as in v1.3: then servers without a type are official. */
  readonly passphrase: string;
  /** Servers that are official whatever they write. */
  readonly officialServers: ReadonlySet<PublicKey>;
}

/** How an entry is published. */
export interface PublishOptions {
  /** The entry of a client expires unless it is published again. */
  readonly expires: boolean;
  /** Who publishes: an IP address, or a key over messaging; empty inside the process. */
  readonly host: string;
  /** Nothing but a newer entry may remove it. */
  readonly removedByNewer: boolean;
}

/** See {@link createDiscoveryLogic}. Refusals are {RefusedError} and {ProtocolError} with the codes of `api.ts`. */
export interface DiscoveryLogic {
  /** The entry of a key, as text. */
  entry(key: PublicKey): Promise<string>;
  /** @returns whether it is the first entry of the key */
  publish(entry: Entry, options: PublishOptions): Promise<boolean>;
  /** @param host who asks, as in {@link PublishOptions} */
  remove(entry: Entry, host: string): Promise<void>;
  clients(): Promise<readonly PublicKey[]>;
  visors(): Promise<readonly PublicKey[]>;
  /** Entries as text, those with most free sessions first. */
  servers(options: { readonly onlyAvailable: boolean }): Promise<readonly string[]>;
  /** Strikes out a key on the word of a monitor. */
  strikeOut(key: PublicKey): Promise<void>;
}

/** Makes the rules over a store. */
export function createDiscoveryLogic(deps: DiscoveryLogicDeps): DiscoveryLogic {
  const { store, clock, random } = deps;
  let prunedMs = clock.wallMs();

  const check = (entry: Entry): void => {
    refuseFor(validateEntry(entry, entry.client === undefined ? clock.wallNanos() : undefined));
    if (!verifyEntry(entry)) throw makeError("discovery/bad-signature");
  };

  const prune = async (nowMs: number): Promise<void> => {
    if (nowMs - prunedMs < PRUNE_EVERY_MS && nowMs >= prunedMs) return;
    prunedMs = nowMs;
    await store.prune(nowMs);
  };

  return {
    entry: async (key) => {
      const text = await store.text(key, clock.wallMs());
      if (text === undefined) throw makeError("discovery/not-found");
      return text;
    },

    publish: async (entry, options) => {
      if (entry.server !== undefined && !deps.allowLoopback) refuseFor(validateServerAddress(entry.server.address));
      check(entry);
      const nowMs = clock.wallMs();
      const stored = toStore(withServerType(entry, deps), { ...options, nowMs });
      while (true) {
        const current = await store.version(entry.static, nowMs);
        if (current?.isRemoved === true) {
          if (entry.timestamp <= current.timestamp) throw makeError("discovery/old-timestamp");
        } else if (current !== undefined) {
          refuseFor(validateIteration(current, entry));
        }
        // Another request for the same key may come in between; then the rules are asked again.
        if (!await store.replace(stored, { replaces: current, nowMs })) continue;
        await prune(nowMs);
        return current === undefined || current.isRemoved;
      }
    },

    remove: async (entry, host) => {
      check(entry);
      const nowMs = clock.wallMs();
      while (true) {
        const current = await store.version(entry.static, nowMs);
        if (current === undefined || current.isRemoved) return;
        if (entry.sequence < current.sequence) throw makeError("discovery/wrong-sequence");
        if (entry.timestamp < current.timestamp) throw makeError("discovery/old-timestamp");
        const isNewer = entry.sequence > current.sequence || entry.timestamp > current.timestamp;
        if (!isNewer && host !== current.removableBy && host !== entry.static) {
          throw makeError("discovery/old-timestamp");
        }
        if (await store.replace(removalOf(entry, nowMs), { replaces: current, nowMs })) return;
      }
    },

    clients: () => store.clients(clock.wallMs()),
    visors: () => store.visors(clock.wallMs()),

    servers: async ({ onlyAvailable }) => {
      const texts = await store.servers({ nowMs: clock.wallMs(), onlyAvailable });
      if (texts.length === 0) throw makeError("discovery/no-servers");
      return onlyAvailable ? sample(texts, { size: MAX_AVAILABLE_SERVERS, random }) : texts;
    },

    strikeOut: (key) => store.forget(key),
  };
}

/** The error of a code; its text is that of the API. */
export function makeError(code: string): ProtocolError | RefusedError {
  const { status, message } = ERRORS[code] as { status: number; message: string };
  return status === 404 || status === 422 ? new RefusedError(code, message) : new ProtocolError(code, message);
}

function refuseFor(cause: EntryCause | undefined): void {
  if (cause !== undefined) throw makeError(codeOfCause(cause));
}

/** As v1.3 does after it has checked the signature, which then may not fit any more (dmsg.md Q10). */
function withServerType(entry: Entry, deps: DiscoveryLogicDeps): Entry {
  if (entry.server === undefined) return entry;
  const isOfficial = (entry.server.serverType ?? "") === deps.passphrase || deps.officialServers.has(entry.static);
  return { ...entry, server: { ...entry.server, serverType: isOfficial ? "official" : "community" } };
}

function toStore(entry: Entry, options: PublishOptions & { readonly nowMs: number }): StoredEntry {
  const { nowMs, expires, host, removedByNewer } = options;
  const isServer = entry.server !== undefined;
  const lifetimeMs = isServer ? SERVER_LIFETIME_MS : expires ? CLIENT_LIFETIME_MS : undefined;
  return {
    key: entry.static,
    sequence: entry.sequence,
    timestamp: entry.timestamp,
    text: formatEntry(entry),
    isServer,
    isClient: entry.client !== undefined,
    isVisor: entry.clientType === VISOR_TYPE,
    availableSessions: entry.server?.availableSessions ?? 0,
    ...(removedByNewer ? {} : { removableBy: host }),
    ...(lifetimeMs === undefined ? {} : { expiresMs: nowMs + lifetimeMs }),
  };
}

function removalOf(entry: Entry, nowMs: number): StoredEntry {
  return {
    key: entry.static,
    sequence: entry.sequence,
    timestamp: entry.timestamp,
    text: "",
    isServer: false,
    isClient: false,
    isVisor: false,
    availableSessions: 0,
    expiresMs: nowMs + REMOVED_LIFETIME_MS,
  };
}

/** A random choice that keeps the order. */
function sample<T>(items: readonly T[], options: { readonly size: number; readonly random: Random }): readonly T[] {
  const { size, random } = options;
  let wanted = Math.min(size, items.length);
  if (wanted === items.length) return items;
  return items.filter((_item, i) => {
    const taken = randomFraction(random) * (items.length - i) < wanted;
    if (taken) wanted--;
    return taken;
  });
}
