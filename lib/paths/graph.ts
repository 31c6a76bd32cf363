/**
 * The map as a graph in memory: visors and transports have small numbers, and what a search reads stands in arrays of
 * numbers. Each change is made in place and takes as long as its two visors have transports.
 *
 * ```
 * #arcs[visor]    [neighbour, transport, neighbour, transport, …]   transports to one neighbour side by side, by id
 * costs(metric)   cost of each transport by its number; Infinity for what is free or does not work
 * ```
 */

import type { PublicKey, TransportId } from "../types/mod.ts";
import type { MapTransport } from "../wire/map_transport.ts";
import { numberAt } from "./read.ts";
import { type Metric, METRICS, packedCost } from "./figures.ts";

/** What a search needs of a graph. */
export interface ReadonlyGraph {
  /** All numbers of visors are below. */
  readonly bound: number;
  /** All numbers of transports are below. */
  readonly transportBound: number;
  /**
   * What begins at a visor: in turns the number of a neighbour and that of a transport to it. Only the first
   * `2 * degree(visor)` elements count.
   */
  arcs(visor: number): Int32Array;
  /** How many transports a visor has to others. */
  degree(visor: number): number;
}

const NO_ARCS = new Int32Array(0), NO_COSTS = new Float64Array(0);

/** Room for the first transports of a visor; doubled whenever it is full. */
const FIRST_ARCS = 8;

/** A graph that changes. */
export class TransportGraph implements ReadonlyGraph {
  readonly #numbers = new Map<PublicKey, number>();
  readonly #keys: (PublicKey | undefined)[] = [];
  readonly #arcs: Int32Array[] = [];
  readonly #degrees: number[] = [];
  readonly #transports: (MapTransport | undefined)[] = [];
  readonly #transportNumbers = new Map<TransportId, number>();
  /** Transports to oneself, which are on no route and have no number. */
  readonly #loops = new Set<TransportId>();
  readonly #costs = new Map<Metric, Float64Array>(METRICS.map((metric) => [metric, new Float64Array(0)]));
  /** Numbers that are free again. */
  readonly #freeVisors: number[] = [];
  readonly #freeTransports: number[] = [];

  /** How many transports there are, those to oneself included. */
  get transportCount(): number {
    return this.#transportNumbers.size + this.#loops.size;
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
  get transportBound(): number {
    return this.#transports.length;
  }

  /** See {@link ReadonlyGraph}. */
  arcs(visor: number): Int32Array {
    return this.#arcs[visor] ?? NO_ARCS;
  }

  /** See {@link ReadonlyGraph}. */
  degree(visor: number): number {
    return this.#degrees[visor] ?? 0;
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

  /** A transport by its number. @throws {RangeError} when none has it */
  transport(number: number): MapTransport {
    const transport = this.#transports[number];
    if (transport === undefined) throw new RangeError(`No transport has the number ${number}`);
    return transport;
  }

  /** The cost of every transport by its number; Infinity for one that does not work. Kept up to date; not to be changed. */
  costs(metric: Metric): Float64Array {
    return this.#costs.get(metric) ?? NO_COSTS;
  }

  /** The same for all transports, also for those that do not work; made anew at each call. */
  costsOfAll(metric: Metric): Float64Array {
    return Float64Array.from(
      this.#transports,
      (transport) => transport === undefined ? Infinity : packedCost(transport, metric),
    );
  }

  /** Adds a transport. One that is there already is replaced. */
  add(transport: MapTransport): void {
    const [first, second] = transport.edges;
    if (first === second) {
      this.#loops.add(transport.id);
      return;
    }
    const known = this.#transportNumbers.get(transport.id);
    if (known !== undefined && this.transport(known).edges.join() !== transport.edges.join()) {
      this.remove(transport.id);
    } else if (known !== undefined) {
      this.#transports[known] = transport;
      this.#price(known, transport);
      return;
    }
    const number = this.#freeTransports.pop() ?? this.#transports.length;
    this.#transports[number] = transport;
    this.#transportNumbers.set(transport.id, number);
    this.#price(number, transport);
    const a = this.#numberFor(first), b = this.#numberFor(second);
    this.#join(a, { neighbour: b, number });
    this.#join(b, { neighbour: a, number });
  }

  /** Removes a transport. Harmless when it is unknown. */
  remove(id: TransportId): void {
    this.#loops.delete(id);
    const number = this.#transportNumbers.get(id);
    if (number === undefined) return;
    const { edges: [first, second] } = this.transport(number);
    this.#transportNumbers.delete(id);
    this.#transports[number] = undefined;
    for (const costs of this.#costs.values()) costs[number] = Infinity;
    this.#freeTransports.push(number);
    for (const key of [first, second]) this.#part(this.#numberFor(key), number);
  }

  #price(number: number, transport: MapTransport): void {
    for (const [metric, costs] of this.#costs) {
      const room = number < costs.length ? costs : grown(costs);
      room[number] = transport.status === "not-working" ? Infinity : packedCost(transport, metric);
      if (room !== costs) this.#costs.set(metric, room);
    }
  }

  #numberFor(key: PublicKey): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#freeVisors.pop() ?? this.#keys.length;
    this.#numbers.set(key, number);
    this.#keys[number] = key;
    this.#arcs[number] = new Int32Array(2 * FIRST_ARCS);
    this.#degrees[number] = 0;
    return number;
  }

  /** Puts an arc behind those to the same neighbour with a smaller id, or at the end. */
  #join(visor: number, { neighbour, number }: { readonly neighbour: number; readonly number: number }): void {
    const degree = this.degree(visor);
    let arcs = this.arcs(visor);
    if (arcs.length === 2 * degree) {
      const larger = new Int32Array(2 * arcs.length);
      larger.set(arcs);
      this.#arcs[visor] = arcs = larger;
    }
    const { id } = this.transport(number);
    let at = 2 * degree;
    for (let i = 0, isBeside = false; i < 2 * degree; i += 2) {
      if (arcs[i] === neighbour) {
        isBeside = true;
        at = i + 2;
        if (this.transport(numberAt(arcs, i + 1)).id < id) continue;
        at = i;
        break;
      }
      if (isBeside) break;
    }
    arcs.copyWithin(at + 2, at, 2 * degree);
    arcs[at] = neighbour;
    arcs[at + 1] = number;
    this.#degrees[visor] = degree + 1;
  }

  #part(visor: number, number: number): void {
    const arcs = this.arcs(visor), end = 2 * this.degree(visor);
    let at = 0;
    while (arcs[at + 1] !== number) at += 2;
    arcs.copyWithin(at, at + 2, end);
    this.#degrees[visor] = end / 2 - 1;
    if (end > 2) return;
    this.#numbers.delete(this.keyOf(visor));
    this.#keys[visor] = undefined;
    this.#arcs[visor] = NO_ARCS;
    this.#freeVisors.push(visor);
  }
}

function grown(costs: Float64Array): Float64Array {
  const larger = new Float64Array(Math.max(64, 2 * costs.length)).fill(Infinity);
  larger.set(costs);
  return larger;
}
