/**
 * Keeps a few transports to public visors up by itself (transports.md §5.5), so that a visor is part of the network
 * before anybody asks for a route.
 * Tested in tests/visor/public_visors_test.ts.
 */

import { describeError } from "../errors/mod.ts";
import { Backoff, randomFraction, type Runtime, sleep, withTimeout } from "../runtime/mod.ts";
import type { TransportTable } from "../transport/mod.ts";
import { type MonotonicMs, type PublicKey, shortKey } from "../types/mod.ts";

/** How many transports it keeps, as v1.3. */
const MOST_TRANSPORTS = 3;

/** How often it looks. v1.3 asks every 10 s; a list that changes every few minutes is worth less. */
const LOOK_EVERY_MS = 30_000;

/** How long one visor may take to be connected to. */
const CONNECT_WITHIN_MS = 15_000;

/** A transport of ours whose link has been gone for this long makes room for another. */
const GIVE_UP_AFTER_MS = 5 * 60_000;

/** How long a visor that could not be reached is left alone. v1.3 never tries it again after the second time. */
const LEAVE_ALONE_MS = { firstMs: 60_000, maxMs: 60 * 60_000 };

/** Visors that are left alone; beyond, the oldest one is forgotten. */
const MOST_REMEMBERED = 1_000;

/** What it needs. */
export interface AutoconnectDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  /** Lists the public visors. */
  readonly listed: () => Promise<readonly PublicKey[]>;
  readonly table: TransportTable;
  readonly localKey: PublicKey;
  /** The kind of transports that it opens. */
  readonly kind: string;
}

interface Avoided {
  readonly backoff: Backoff;
  until: MonotonicMs;
}

/** See the top of the file. Disposing ends it; the transports stay with their table. */
export class Autoconnect implements AsyncDisposable {
  readonly #deps: AutoconnectDeps;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Visors that it connected to. */
  readonly #own = new Set<PublicKey>();
  readonly #avoided = new Map<PublicKey, Avoided>();

  constructor(deps: AutoconnectDeps) {
    this.#deps = deps;
    this.#running = this.#run(this.#closing.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { timers, random, log } = this.#deps.runtime;
    while (!signal.aborted) {
      try {
        await this.#dropDead();
        await this.#fill(signal);
      } catch (error) {
        if (!signal.aborted) log.debug("autoconnect-failed", { error: describeError(error) });
      }
      await sleep(timers, LOOK_EVERY_MS * (0.5 + randomFraction(random)), signal).catch(() => {});
    }
  }

  /** Gives up what has not come back. */
  async #dropDead(): Promise<void> {
    const { runtime: { clock }, table, kind } = this.#deps;
    for (const remote of [...this.#own]) {
      const transport = table.list().find((one) => one.type === kind && one.remote === remote);
      if (transport === undefined) {
        this.#own.delete(remote);
      } else if (!transport.up && clock.wallMs() - transport.since > GIVE_UP_AFTER_MS) {
        this.#own.delete(remote);
        this.#avoid(remote);
        await table.remove(transport.id);
      }
    }
  }

  async #fill(signal: AbortSignal): Promise<void> {
    if (this.#own.size >= MOST_TRANSPORTS) return;
    const candidates = this.#candidates(await this.#deps.listed());
    while (this.#own.size < MOST_TRANSPORTS && candidates.length > 0 && !signal.aborted) {
      const pick = Math.floor(randomFraction(this.#deps.runtime.random) * candidates.length);
      const [remote] = candidates.splice(pick, 1);
      if (remote !== undefined) await this.#connect(remote, signal);
    }
  }

  #candidates(listed: readonly PublicKey[]): PublicKey[] {
    const { runtime: { clock }, table, localKey, kind } = this.#deps;
    const now = clock.monotonic();
    const connected = new Set(table.list().filter(({ type }) => type === kind).map(({ remote }) => remote));
    return listed.filter((key) =>
      key !== localKey && !connected.has(key) && (this.#avoided.get(key)?.until ?? 0) <= now
    );
  }

  async #connect(remote: PublicKey, signal: AbortSignal): Promise<void> {
    const { runtime: { timers, log }, table, kind } = this.#deps;
    try {
      await withTimeout((signal) => table.add({ remoteKey: remote, kind, label: "automatic", signal }), {
        timers,
        ms: CONNECT_WITHIN_MS,
        code: "transport/dial-timeout",
        message: `Connect to the public visor ${shortKey(remote)}`,
        signal,
      });
      this.#own.add(remote);
      this.#avoided.delete(remote);
    } catch (error) {
      if (signal.aborted) return;
      this.#avoid(remote);
      log.debug("autoconnect-dial-failed", { remote: shortKey(remote), error: describeError(error) });
    }
  }

  #avoid(remote: PublicKey): void {
    const { clock, random } = this.#deps.runtime;
    const backoff = this.#avoided.get(remote)?.backoff ?? new Backoff({ random, ...LEAVE_ALONE_MS });
    // Set anew, so that the first one of the map is the oldest.
    this.#avoided.delete(remote);
    this.#avoided.set(remote, { backoff, until: clock.monotonic() + backoff.nextMs() as MonotonicMs });
    const oldest = this.#avoided.keys().next().value;
    if (this.#avoided.size > MOST_REMEMBERED && oldest !== undefined) this.#avoided.delete(oldest);
  }
}
