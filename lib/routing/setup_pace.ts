/**
 * The pace at which a visor asks each setup node for routes: one that says it was asked too much gets no request until
 * the time that it named. Then those that waited go on in the order in which they came, at first one by one, so that a
 * crowd does not come at once. Tested in tests/sim/setup_pace_test.ts.
 */

import { RefusedError } from "../errors/mod.ts";
import { type Runtime, Signal, sleep } from "../runtime/mod.ts";
import type { MonotonicMs, PublicKey } from "../types/mod.ts";
import { parseComeBack } from "../wire/setup_refusal.ts";

/** A longer wait is a failure, ms: other setup nodes and routes are tried, and whoever dials hears of it. */
const LONGEST_WAIT_MS = 30_000;

/** What is known of one node. */
interface NodePace {
  /** It gets no request until then. */
  pausedUntil: MonotonicMs;
  /** So many requests it gets at once: one after a refusal, one more for each that succeeds. */
  places: number;
  /** Those under way. */
  running: number;
  /** Those that wait for a place, by their turn. */
  readonly waiting: Set<number>;
  /** A place is free, there is one more, or another one is next. */
  readonly changed: Signal;
}

/** See the top of the file. */
export class SetupPace {
  readonly #runtime: Pick<Runtime, "clock" | "timers">;
  /** Those that refused. */
  readonly #nodes = new Map<PublicKey, NodePace>();
  #lastTurn = 0;

  /** No node has said anything yet. */
  constructor(runtime: Pick<Runtime, "clock" | "timers">) {
    this.#runtime = runtime;
  }

  /**
   * Asks a node when it may be asked, and again when it says that this was too early.
   * @param ask asks once
   * @throws what `ask` throws for any other reason, or when the time to wait is too long; the reason of `signal`
   */
  async run<T>(node: PublicKey, { ask, signal }: {
    readonly ask: () => Promise<T>;
    readonly signal: AbortSignal;
  }): Promise<T> {
    const turn = ++this.#lastTurn;
    for (;;) {
      const pace = this.#nodes.get(node);
      if (pace !== undefined) await this.#place(pace, { turn, signal });
      try {
        const result = await ask();
        if (pace !== undefined) pace.places++;
        return result;
      } catch (failure) {
        signal.throwIfAborted();
        const waitMs = waitMsOf(failure);
        if (waitMs === undefined || waitMs > LONGEST_WAIT_MS) throw failure;
        this.#pause(node, waitMs);
      } finally {
        if (pace !== undefined) {
          pace.running--;
          pace.changed.notify();
        }
      }
    }
  }

  /** Waits until the pause is over, a place is free and nobody came before, and takes the place. */
  async #place(pace: NodePace, { turn, signal }: { turn: number; signal: AbortSignal }): Promise<void> {
    const { clock, timers } = this.#runtime;
    pace.waiting.add(turn);
    try {
      for (;;) {
        const pauseMs = pace.pausedUntil - clock.monotonic();
        if (pauseMs > 0) await sleep(timers, pauseMs, signal);
        else if (pace.running < pace.places && turn === Math.min(...pace.waiting)) break;
        else await pace.changed.next(signal);
      }
      pace.running++;
    } finally {
      pace.waiting.delete(turn);
      pace.changed.notify();
    }
  }

  #pause(node: PublicKey, waitMs: number): void {
    const until = this.#runtime.clock.monotonic() + waitMs as MonotonicMs;
    const known = this.#nodes.get(node);
    if (known === undefined) {
      this.#nodes.set(node, { pausedUntil: until, places: 1, running: 0, waiting: new Set(), changed: new Signal() });
    } else {
      known.pausedUntil = Math.max(until, known.pausedUntil) as MonotonicMs;
      known.places = 1;
    }
  }
}

/** How long to wait when a node says that it was asked too much, ms; undefined for other failures. */
function waitMsOf(failure: unknown): number | undefined {
  const cause = failure instanceof Error ? failure.cause : undefined;
  if (!(cause instanceof RefusedError) || cause.code !== "rpc/refused") return undefined;
  const seconds = parseComeBack(String(cause.details.message));
  return seconds === undefined ? undefined : seconds * 1000;
}
