/**
 * The rules of the transport discovery. Stricter than v1.3, which checks nothing, so that strangers can list transports
 * that do not exist (transports.md W6): the id must follow from edges and type, the edges must be in order, both must
 * have signed, and one of them must be asking. Registering again is no error.
 *
 * Edges may report the status of their transports; what comes of that, and which transports expire, is in
 * `status_book.ts`. Tested in tests/services/transport_discovery/status_test.ts.
 */

import { describeError, ProtocolError, RefusedError } from "../../errors/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import { NULL_PUBLIC_KEY, NULL_SIGNATURE, type PublicKey, type TransportId } from "../../types/mod.ts";
import {
  edgeIndexOf,
  isConsistentEntry,
  type SignedEntry,
  type TransportEntry,
  verifyTransportEntry,
} from "../../wire/transport_entry.ts";
import type { EdgeStatus } from "../../wire/transport_status.ts";
import { createSerial } from "../http/mod.ts";
import type { MapTransport, TransportState } from "../../wire/map_transport.ts";
import type { LocalFeed } from "./feed.ts";
import { type EdgeView, EXPIRE_MS, type MergedStatus, StatusBook } from "./status_book.ts";
import type { TransportStore } from "./store.ts";

/** The longest name of a type; all known ones have less than 8 characters. */
const TYPE = /^[\x21-\x7e]{1,32}$/;

/** The longest label, which nobody signs. */
const MAX_LABEL_CHARACTERS = 256;

/** How often it is looked whether views have grown old and transports have expired. */
const SWEEP_MS = 5_000;

/** A transport as it is listed. */
export interface ListedTransport extends MapTransport {
  /** What both edges together say. */
  readonly status: TransportState;
  /** Since when, Unix ms; absent when the status is unknown. */
  readonly since?: number;
}

/** What one edge said of a transport, with times as Unix ms. */
export interface ListedView extends EdgeView {
  /** Who said it. */
  readonly edge: PublicKey;
}

/** See {@link createTransportLogic}. Refusals have the codes of `api.ts`. */
export interface TransportLogic {
  /** Stores all or none. */
  register(signed: readonly SignedEntry[], caller: PublicKey): Promise<void>;
  /** One transport. */
  byId(id: TransportId): Promise<ListedTransport>;
  /** The transports of a visor. */
  byEdge(key: PublicKey): Promise<readonly ListedTransport[]>;
  /** All transports. */
  all(): Promise<readonly ListedTransport[]>;
  /** All transports as followers are told them. */
  followed(): Promise<readonly MapTransport[]>;
  /** What each edge of a transport said last. */
  views(entry: TransportEntry): readonly ListedView[];
  /** Removes a transport of the caller. */
  deregister(id: TransportId, caller: PublicKey): Promise<void>;
  /** Removes a transport on the word of a monitor. Harmless when it is unknown. */
  strikeOut(id: TransportId): Promise<void>;
  /**
   * Notes what an edge says of its transports.
   * @returns which of them are not listed as transports of the caller
   */
  report(statuses: readonly EdgeStatus[], caller: PublicKey): Promise<readonly TransportId[]>;
  /** Ends the looking for what has expired. */
  close(): void;
}

/** What {@link createTransportLogic} needs. */
export interface TransportLogicDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "log">;
  readonly store: TransportStore;
  /** Its followers learn of every change. */
  readonly feed: LocalFeed;
  /** When a transport expires that its edges have ceased to report, ms. */
  readonly expireMs?: number | undefined;
}

/** Makes the rules over a store. Transports that were reported in an earlier run may expire from now on. */
export async function createTransportLogic(deps: TransportLogicDeps): Promise<TransportLogic> {
  const { store, feed, expireMs = EXPIRE_MS } = deps;
  const { clock, timers, log } = deps.runtime;
  const book = new StatusBook({ expireMs });
  // Followers must hear of changes in the order in which the store made them.
  const serial = createSerial();
  let isClosed = false;
  let cancelSweep: (() => void) | undefined;

  const find = async (id: TransportId): Promise<TransportEntry> => {
    const entry = await store.byId(id);
    if (entry === undefined) throw new RefusedError("transport-discovery/not-found", `No transport has the id ${id}`);
    return entry;
  };

  const listed = (entry: TransportEntry): ListedTransport => {
    const { since, ...merged }: MergedStatus = book.merged(entry.id, clock.monotonic());
    return { ...entry, ...merged, ...(since === undefined ? {} : { since: wallOf(since) }) };
  };

  /** Durations are measured with the monotonic clock; people read the other one. */
  const wallOf = (at: number): number => Math.round(clock.wallMs() - (clock.monotonic() - at));

  const followed = (entry: TransportEntry): MapTransport => {
    const { since: _, status, ...transport } = listed(entry);
    return book.has(entry.id) ? { ...transport, status } : transport;
  };

  const tell = (entries: readonly TransportEntry[]): void =>
    feed.append(entries.map((entry) => ({ added: followed(entry) })));

  const removeNow = async (id: TransportId): Promise<void> => {
    const wasThere = await store.remove(id);
    book.forget(id);
    if (wasThere) feed.append([{ removed: id }]);
  };

  const sweep = async (): Promise<void> => {
    const { changed, expired } = book.sweep(clock.monotonic());
    for (const id of expired) {
      log.info("transport-expired", { transport: id });
      await removeNow(id);
    }
    for (const id of changed) {
      const entry = await store.byId(id);
      if (entry !== undefined) tell([entry]);
    }
  };

  const sweepLater = (): void => {
    if (isClosed || cancelSweep !== undefined || book.isEmpty) return;
    cancelSweep = timers.after(SWEEP_MS, () => {
      // What could not be stored is tried again with the next look.
      serial(sweep).catch((error) => log.warn("transports-not-swept", { error: describeError(error) })).finally(() => {
        cancelSweep = undefined;
        sweepLater();
      });
    });
  };

  const now = clock.monotonic();
  for (const id of await store.reported()) book.resume(id, now);
  sweepLater();

  return {
    register: async (signed, caller) => {
      for (const one of signed) checkEntry(one, caller);
      await serial(async () => {
        const changed = await store.add(signed.map(({ entry }) => entry));
        for (const { entry } of signed) book.refresh(entry.id, clock.monotonic());
        tell(changed);
      });
    },
    byId: async (id) => listed(await find(id)),
    byEdge: async (key) => (await store.byEdge(key)).map(listed),
    all: async () => (await store.all()).map(listed),
    followed: async () => (await store.all()).map(followed),
    views: ({ id, edges }) =>
      book.views(id).flatMap((view, i) =>
        view === undefined
          ? []
          : [{ ...view, edge: edges[i] as PublicKey, since: wallOf(view.since), toldAt: wallOf(view.toldAt) }]
      ),
    deregister: async (id, caller) => {
      if (edgeIndexOf(await find(id), caller) === undefined) {
        throw new RefusedError("transport-discovery/bad-id", `${caller} is no edge of the transport ${id}`);
      }
      await serial(() => removeNow(id));
    },
    strikeOut: (id) => serial(() => removeNow(id)),
    report: (statuses, caller) =>
      serial(async () => {
        const known: { readonly status: EdgeStatus; readonly entry: TransportEntry; readonly edge: 0 | 1 }[] = [];
        const unlisted: TransportId[] = [];
        for (const status of statuses) {
          const entry = await store.byId(status.id);
          const edge = entry === undefined ? undefined : edgeIndexOf(entry, caller);
          if (entry === undefined || edge === undefined) unlisted.push(status.id);
          else known.push({ status, entry, edge });
        }
        const first = known.filter(({ entry }) => !book.has(entry.id));
        if (first.length > 0) await store.markReported(first.map(({ entry }) => entry.id));
        const now = clock.monotonic();
        const changed = known.filter(({ status, edge }) => book.report(status, { edge, now }));
        tell(changed.map(({ entry }) => entry));
        sweepLater();
        return unlisted;
      }),
    close: () => {
      isClosed = true;
      cancelSweep?.();
    },
  };
}

function checkEntry(signed: SignedEntry, caller: PublicKey): void {
  const { entry, signatures } = signed;
  const [first, second] = entry.edges;
  if (first === NULL_PUBLIC_KEY) throw falseEntry("an edge of the transport is the null key");
  if (!TYPE.test(entry.kind)) throw falseEntry("the type of the transport is not 1 to 32 printable characters");
  if (entry.label.length > MAX_LABEL_CHARACTERS) {
    throw falseEntry(`the label of the transport is longer than ${MAX_LABEL_CHARACTERS} characters`);
  }
  if (!isConsistentEntry(entry)) throw falseEntry("the transport ID does not follow from sorted edges and type");
  if (edgeIndexOf(entry, caller) === undefined) {
    throw new RefusedError("transport-discovery/no-edge", "the caller is not an edge of the transport");
  }
  // A transport to oneself has one signer, in the first slot.
  const isSelf = first === second;
  if (!verifyTransportEntry(signed, first)) throw falseEntry("the signature of the first edge is not valid");
  if (
    isSelf ? signatures[1] !== NULL_SIGNATURE && signatures[1] !== signatures[0] : !verifyTransportEntry(signed, second)
  ) {
    throw falseEntry("the signature of the second edge is not valid");
  }
}

function falseEntry(message: string): ProtocolError {
  return new ProtocolError("transport-discovery/false-entry", message);
}
