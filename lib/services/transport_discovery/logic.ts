/**
 * The rules of the transport discovery. Stricter than v1.3, which checks nothing, so that strangers can list transports
 * that do not exist (W6): the id must follow from edges and type, the edges must be in order, both must have signed, and
 * one of them must be asking. Registering again is no error. Entries do not expire: v1.3 visors register once (W16).
 */

import { ProtocolError, RefusedError } from "../../errors/mod.ts";
import { NULL_PUBLIC_KEY, NULL_SIGNATURE, type PublicKey, type TransportId } from "../../types/mod.ts";
import {
  edgeIndexOf,
  isConsistentEntry,
  type SignedEntry,
  type TransportEntry,
  verifyTransportEntry,
} from "../../wire/transport_entry.ts";
import { createSerial } from "../http/mod.ts";
import type { LocalFeed } from "./feed.ts";
import type { TransportStore } from "./store.ts";

/** The longest name of a type; all known ones have less than 8 characters. */
const TYPE = /^[\x21-\x7e]{1,32}$/;

/** The longest label, which nobody signs. */
const MAX_LABEL_CHARACTERS = 256;

/** See {@link createTransportLogic}. Refusals have the codes of `api.ts`. */
export interface TransportLogic {
  /** Stores all or none. */
  register(signed: readonly SignedEntry[], caller: PublicKey): Promise<void>;
  byId(id: TransportId): Promise<TransportEntry>;
  byEdge(key: PublicKey): Promise<readonly TransportEntry[]>;
  all(): Promise<readonly TransportEntry[]>;
  /** Removes a transport of the caller. */
  deregister(id: TransportId, caller: PublicKey): Promise<void>;
  /** Removes a transport on the word of a monitor. Harmless when it is unknown. */
  strikeOut(id: TransportId): Promise<void>;
}

/** Makes the rules over a store; followers of the feed learn of every change. */
export function createTransportLogic(
  deps: { readonly store: TransportStore; readonly feed: LocalFeed },
): TransportLogic {
  const { store, feed } = deps;
  // Followers must hear of changes in the order in which the store made them.
  const serial = createSerial();

  const remove = (id: TransportId): Promise<void> =>
    serial(async () => {
      if (await store.remove(id)) feed.append([{ removed: id }]);
    });

  const find = async (id: TransportId): Promise<TransportEntry> => {
    const entry = await store.byId(id);
    if (entry === undefined) throw new RefusedError("transport-discovery/not-found", `No transport has the id ${id}`);
    return entry;
  };

  return {
    register: async (signed, caller) => {
      for (const one of signed) checkEntry(one, caller);
      await serial(async () => {
        const changed = await store.add(signed.map(({ entry }) => entry));
        feed.append(changed.map((added) => ({ added })));
      });
    },
    byId: find,
    byEdge: (key) => store.byEdge(key),
    all: () => store.all(),
    deregister: async (id, caller) => {
      if (edgeIndexOf(await find(id), caller) === undefined) {
        throw new RefusedError("transport-discovery/bad-id", `${caller} is no edge of the transport ${id}`);
      }
      await remove(id);
    },
    strikeOut: remove,
  };
}

function checkEntry(signed: SignedEntry, caller: PublicKey): void {
  const { entry, signatures } = signed;
  const [first, second] = entry.edges;
  if (first === NULL_PUBLIC_KEY) throw falseEntry("an edge of the transport is the null key");
  if (!TYPE.test(entry.type)) throw falseEntry("the type of the transport is not 1 to 32 printable characters");
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
