/**
 * The map as a graph in memory: visors are vertices with small numbers, neighbours are joined by an edge however many
 * transports they share. Adding and removing a transport takes constant time.
 */

import type { PublicKey, TransportId } from "../../types/mod.ts";
import type { TransportEntry } from "../../wire/transport_entry.ts";

/** The type of transports that go through a messaging server: taken only where there is no direct one. */
const RELAYED_TYPE = "dmsg";

/** All transports between two visors. */
interface Edge {
  /** In the order of preference: direct ones first, then by id, so that the choice does not depend on history. */
  readonly transports: TransportEntry[];
}

/** What a search needs of a graph. */
export interface ReadonlyGraph {
  /** All numbers of visors are below. */
  readonly bound: number;
  /** The neighbours of a visor; in the order in which they were joined. */
  neighbours(visor: number): Iterable<number>;
}

/** A graph that changes. */
export class TransportGraph implements ReadonlyGraph {
  readonly #numbers = new Map<PublicKey, number>();
  readonly #keys: (PublicKey | undefined)[] = [];
  readonly #edges: Map<number, Edge>[] = [];
  /** Numbers of visors that are gone, to be given to new ones. */
  readonly #free: number[] = [];
  readonly #transports = new Map<TransportId, TransportEntry>();

  /** How many transports there are, those to oneself included. */
  get transportCount(): number {
    return this.#transports.size;
  }

  /** How many visors have a transport to another one. */
  get visorCount(): number {
    return this.#numbers.size;
  }

  /** See {@link ReadonlyGraph}. */
  get bound(): number {
    return this.#keys.length;
  }

  /** See {@link ReadonlyGraph}. */
  neighbours(visor: number): Iterable<number> {
    return this.#edges[visor]?.keys() ?? [];
  }

  /** The number of a visor; undefined when it has no transport to another one. */
  numberOf(key: PublicKey): number | undefined {
    return this.#numbers.get(key);
  }

  /** The key of a visor by its number. @throws {RangeError} when no visor has it */
  keyOf(visor: number): PublicKey {
    const key = this.#keys[visor];
    if (key === undefined) throw new RangeError(`No visor has the number ${visor}`);
    return key;
  }

  /** The preferred transport between two neighbours. @throws {RangeError} when they are none */
  transportBetween(a: number, b: number): TransportId {
    const id = this.#edges[a]?.get(b)?.transports[0]?.id;
    if (id === undefined) throw new RangeError(`The visors ${a} and ${b} are no neighbours`);
    return id;
  }

  /** Adds a transport. One that is there already is replaced. */
  add(entry: TransportEntry): void {
    if (this.#transports.has(entry.id)) this.remove(entry.id);
    this.#transports.set(entry.id, entry);
    const [first, second] = entry.edges;
    // A transport to oneself is on no path without loops.
    if (first === second) return;
    const a = this.#numberFor(first), b = this.#numberFor(second);
    const edge = this.#edges[a]?.get(b) ?? { transports: [] };
    edge.transports.push(entry);
    edge.transports.sort(byPreference);
    this.#edges[a]?.set(b, edge);
    this.#edges[b]?.set(a, edge);
  }

  /** Removes a transport. Harmless when it is unknown. */
  remove(id: TransportId): void {
    const entry = this.#transports.get(id);
    if (entry === undefined) return;
    this.#transports.delete(id);
    const [a, b] = entry.edges.map((key) => this.#numbers.get(key)) as [number | undefined, number | undefined];
    if (a === undefined || b === undefined) return;
    const transports = this.#edges[a]?.get(b)?.transports ?? [];
    const at = transports.findIndex((transport) => transport.id === id);
    if (at >= 0) transports.splice(at, 1);
    if (transports.length > 0) return;
    this.#disconnect(a, b);
    this.#disconnect(b, a);
  }

  #numberFor(key: PublicKey): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#keys.length;
    this.#numbers.set(key, number);
    this.#keys[number] = key;
    this.#edges[number] = new Map();
    return number;
  }

  #disconnect(visor: number, neighbour: number): void {
    const edges = this.#edges[visor] as Map<number, Edge>;
    edges.delete(neighbour);
    if (edges.size > 0) return;
    this.#numbers.delete(this.keyOf(visor));
    this.#keys[visor] = undefined;
    this.#free.push(visor);
  }
}

function byPreference(a: TransportEntry, b: TransportEntry): number {
  const relayed = Number(a.type === RELAYED_TYPE) - Number(b.type === RELAYED_TYPE);
  return relayed || (a.id < b.id ? -1 : 1);
}
