/** Figures in memory, rendered as Prometheus text. Used by the real runtime and by the simulated one alike. */

import type { Counter, Gauge, Metrics } from "./ports.ts";

const NAME = /^skywire_[a-z0-9]+(_[a-z0-9]+)*$/;

interface Figure {
  readonly kind: "counter" | "gauge";
  readonly help: string;
  value: number;
}

/**
 * Makes an empty set of figures.
 * Its makers throw {RangeError} for a name outside `skywire_<area>_<thing>…` and for a name of the other kind.
 */
export function createMetrics(): Metrics {
  const figures = new Map<string, Figure>();
  const figureOf = (kind: Figure["kind"], name: string, help: string): Figure => {
    if (!NAME.test(name)) throw new RangeError(`No name for a figure: "${name}"`);
    const known = figures.get(name);
    if (known !== undefined && known.kind !== kind) throw new RangeError(`"${name}" is a ${known.kind}, not a ${kind}`);
    if (known !== undefined) return known;
    const fresh: Figure = { kind, help, value: 0 };
    figures.set(name, fresh);
    return fresh;
  };
  return {
    counter(name: string, help: string): Counter {
      const figure = figureOf("counter", name, help);
      return { add: (amount = 1) => void (figure.value += amount) };
    },
    gauge(name: string, help: string): Gauge {
      const figure = figureOf("gauge", name, help);
      return { set: (value) => void (figure.value = value) };
    },
    render: (): string =>
      [...figures].sort(([a], [b]) => a < b ? -1 : 1).map(([name, { kind, help, value }]) =>
        `# HELP ${name} ${
          help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
        }\n# TYPE ${name} ${kind}\n${name} ${value}\n`
      ).join(""),
  };
}
