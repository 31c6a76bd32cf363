/**
 * Entries looked up lately, so that dialling a known peer costs no HTTP round trip. Entries change when a peer changes its
 * servers; a user that finds one wrong expires it.
 */

import { UnavailableError } from "../errors/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import { monotonicMs } from "../types/mod.ts";
import type { MonotonicMs, PublicKey } from "../types/mod.ts";
import type { Entry } from "../wire/messaging_entry.ts";
import type { MessagingDirectory } from "./directory.ts";

/**
 * How long an entry is used without asking, ms. A wrong one costs one failed attempt, which a server of ours answers at
 * once and a v1.3 server with silence.
 */
const FRESH_MS = 10_000;

/** Entries kept; the oldest go first. One is some 300 bytes. */
const MAX_ENTRIES = 1_024;

/** A discovery that does not answer within it counts as away. */
const REQUEST_LIMIT_MS = 5_000;

const NEVER: MonotonicMs = monotonicMs(-Infinity);

interface Known {
  readonly entry: Entry;
  readonly at: MonotonicMs;
}

/** What {@link EntryCache.lookUp} gives. */
export interface LookedUp {
  /** Undefined when the discovery has none. */
  readonly entry: Entry | undefined;
  /** It was not asked for just now. */
  readonly remembered: boolean;
}

/** What a cache is made of. */
export interface EntryCacheDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers">;
  readonly discovery: Pick<MessagingDirectory, "entry">;
}

/** Looks entries up, through a memory of {@link MAX_ENTRIES}. */
export class EntryCache {
  readonly #deps: EntryCacheDeps;
  readonly #known = new Map<PublicKey, Known>();
  readonly #asking = new Map<PublicKey, Promise<Entry | undefined>>();

  constructor(deps: EntryCacheDeps) {
    this.#deps = deps;
  }

  /**
   * The entry of a key. Simultaneous questions for one key are asked once. When the discovery is away, what it said
   * last is used, however old.
   * @throws {UnavailableError} `messaging/discovery-unreachable` when it cannot be asked and nothing is known
   */
  async lookUp(key: PublicKey): Promise<LookedUp> {
    const known = this.#known.get(key);
    if (known !== undefined && this.#deps.runtime.clock.monotonic() - known.at < FRESH_MS) {
      return { entry: known.entry, remembered: true };
    }
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    try {
      return { entry: await asking, remembered: false };
    } catch (cause) {
      if (known !== undefined) return { entry: known.entry, remembered: true };
      throw new UnavailableError("messaging/discovery-unreachable", "Look a key up in the messaging discovery", {
        details: { key },
        cause,
      });
    }
  }

  /** Remembers an entry that came some other way, such as in the list of servers. */
  add(entry: Entry): void {
    this.#known.delete(entry.static);
    this.#known.set(entry.static, { entry, at: this.#deps.runtime.clock.monotonic() });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_ENTRIES) break;
      this.#known.delete(oldest);
    }
  }

  /** The entry turned out wrong: ask next time. It stays as what is known while the discovery is away. */
  expire(key: PublicKey): void {
    const known = this.#known.get(key);
    if (known !== undefined) this.#known.set(key, { entry: known.entry, at: NEVER });
  }

  async #ask(key: PublicKey): Promise<Entry | undefined> {
    const entry = await withTimeout(() => this.#deps.discovery.entry(key), {
      timers: this.#deps.runtime.timers,
      ms: REQUEST_LIMIT_MS,
      code: "messaging/discovery-timeout",
      message: "Ask the messaging discovery",
    });
    if (entry === undefined) this.#known.delete(key);
    else this.add(entry);
    return entry;
  }
}
