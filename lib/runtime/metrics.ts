/** Figures in memory, rendered as Prometheus text. Used by the real runtime and by the simulated one alike. */

import { at } from "../types/at.ts";
import type { Counter, Gauge, Histogram, MetricLabels, Metrics } from "./ports.ts";

const NAME = /^skywire_[a-z0-9]+(_[a-z0-9]+)*$/;

const LABEL = /^[a-z]+(_[a-z]+)*$/;

/** All figures of one name. */
interface Family {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** By their labels as text, `{a="b"}` or empty. */
  readonly figures: Map<string, SingleFigure | HistogramFigure>;
}

/** One number. */
class SingleFigure {
  value = 0;

  render(name: string, labels: string): string {
    return `${name}${labels} ${this.value}\n`;
  }
}

/** Counts by bucket; those below a bound are added up when they are rendered. */
class HistogramFigure implements Histogram {
  readonly #buckets: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.#counts = new Array<number>(buckets.length + 1).fill(0);
  }

  observe(value: number): void {
    const found = this.#buckets.findIndex((bound) => value <= bound);
    const i = found < 0 ? this.#buckets.length : found;
    this.#counts[i] = at(this.#counts, i) + 1;
    this.#sum += value;
  }

  render(name: string, labels: string): string {
    const inner = labels === "" ? "" : `${labels.slice(1, -1)},`;
    let below = 0;
    const lines = this.#counts.map((count, i) => {
      below += count;
      return `${name}_bucket{${inner}le="${this.#buckets[i] ?? "+Inf"}"} ${below}\n`;
    });
    return `${lines.join("")}${name}_sum${labels} ${this.#sum}\n${name}_count${labels} ${below}\n`;
  }
}

/**
 * Makes an empty set of figures.
 * Its makers throw {RangeError} for a name outside `skywire_<area>_<thing>…` and for a name of another kind.
 */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const familyOf = (kind: Family["kind"], name: string, help: string): Family => {
    if (!NAME.test(name)) throw new RangeError(`No name for a figure: "${name}"`);
    const known = families.get(name);
    if (known !== undefined && known.kind !== kind) throw new RangeError(`"${name}" is a ${known.kind}, not a ${kind}`);
    if (known !== undefined) return known;
    const fresh: Family = { kind, help, figures: new Map() };
    families.set(name, fresh);
    return fresh;
  };
  const figureOf = <T extends SingleFigure | HistogramFigure>(
    family: Family,
    labels: MetricLabels | undefined,
    make: () => T,
  ): T => {
    const text = formatLabels(labels ?? {});
    const known = family.figures.get(text);
    // A family holds figures of one kind only.
    if (known !== undefined) return known as T;
    const fresh = make();
    family.figures.set(text, fresh);
    return fresh;
  };
  return {
    counter(name, help, options = {}): Counter {
      const figure = figureOf(familyOf("counter", name, help), options.labels, () => new SingleFigure());
      return { add: (amount = 1) => void (figure.value += amount) };
    },
    gauge(name, help, options = {}): Gauge {
      const figure = figureOf(familyOf("gauge", name, help), options.labels, () => new SingleFigure());
      return { set: (value) => void (figure.value = value) };
    },
    histogram(name, help, { buckets, labels }): Histogram {
      return figureOf(familyOf("histogram", name, help), labels, () => new HistogramFigure(buckets));
    },
    render: (): string =>
      sorted(families).map(([name, { kind, help, figures }]) =>
        `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${kind}\n${
          sorted(figures).map(([labels, figure]) => figure.render(name, labels)).join("")
        }`
      ).join(""),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

function formatLabels(labels: MetricLabels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "";
  return `{${
    entries.map(([name, value]) => {
      if (!LABEL.test(name)) throw new RangeError(`No name for a label: "${name}"`);
      return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
    }).join()
  }}`;
}
