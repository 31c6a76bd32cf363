/**
 * The round trip of one link, from its latest measurements. The settlement's own is taken until the first ping is
 * answered: it has signatures in it, on both sides.
 */

/** So many measurements count, some 15 s: a load that comes is seen within half of that. */
const KEPT = 5;

/** See the top of the file. */
export class RoundTrips {
  readonly #measured: number[] = [];
  #estimateMs: number | undefined;

  /** ms; undefined until something is known. The median: one slow answer, such as the first one, changes nothing. */
  get ms(): number | undefined {
    const sorted = this.#measured.toSorted((a, b) => a - b);
    return sorted[(sorted.length - 1) >> 1] ?? this.#estimateMs;
  }

  /** A new link: forgets what was measured on the one before. @param estimateMs as the settlement measured it */
  restart(estimateMs: number | undefined): void {
    this.#estimateMs = estimateMs ?? this.ms;
    this.#measured.length = 0;
  }

  /** A ping was answered after so long, ms. */
  measured(ms: number): void {
    this.#measured.push(ms);
    if (this.#measured.length > KEPT) this.#measured.shift();
  }
}
