/** What the tests of messaging share: links of given bytes, a directory in memory, and keys. */

import { ClosedError, RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import type { MessagingDirectory } from "../../lib/messaging/directory.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { SecretKey } from "../../lib/types/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";
import { validateIteration, verifyEntry } from "../../lib/wire/messaging_entry.ts";
import type { Entry } from "../../lib/wire/messaging_entry.ts";

/** A secret key of 32 equal bytes. */
export function secretOf(byte: number): SecretKey {
  return new SecretKey(new Uint8Array(32).fill(byte));
}

/** A link that gives these bytes, at most `step` at a time, and then ends. */
export function linkOf(bytes: readonly number[], step = Infinity): ByteLink {
  let at = 0;
  return {
    remoteAddress: "bytes:0",
    read(into): Promise<number | null> {
      const count = Math.min(step, into.length, bytes.length - at);
      if (count === 0) return Promise.resolve(null);
      into.set(bytes.slice(at, at + count));
      at += count;
      return Promise.resolve(count);
    },
    write: () => Promise.reject(new ClosedError("test/closed", "Write")),
    close(): void {},
  };
}

/** A directory with the rules of sequences and times, which can be made to fail, to forget and to be counted. */
export class FakeDirectory implements MessagingDirectory {
  readonly stored = new Map<PublicKey, Entry>();
  readonly calls: string[] = [];
  /** While set, nothing can be asked. */
  isAway = false;
  /** Sequences of removed entries, which later ones must exceed. */
  readonly tombstones = new Map<PublicKey, bigint>();

  entry(key: PublicKey): Promise<Entry | undefined> {
    return this.#answer("entry", () => this.stored.get(key));
  }

  publish(entry: Entry): Promise<void> {
    return this.#answer("publish", () => {
      if (!verifyEntry(entry)) throw new RefusedError("discovery/unauthorized", "Publish");
      const sequence = this.tombstones.get(entry.static);
      const stored = this.stored.get(entry.static) ??
        (sequence === undefined ? undefined : { sequence, timestamp: 0n });
      const cause = stored === undefined ? undefined : validateIteration(stored, entry);
      if (cause !== undefined) {
        throw new RefusedError(
          cause.includes("sequence") ? "discovery/wrong-sequence" : "discovery/old-timestamp",
          cause,
        );
      }
      this.stored.set(entry.static, entry);
    });
  }

  remove(entry: Entry): Promise<void> {
    return this.#answer("remove", () => void this.stored.delete(entry.static));
  }

  availableServers(): Promise<readonly Entry[]> {
    return this.#answer(
      "availableServers",
      () => [...this.stored.values()].filter((entry) => entry.server !== undefined),
    );
  }

  #answer<T>(call: string, answer: () => T): Promise<T> {
    this.calls.push(call);
    if (this.isAway) return Promise.reject(new UnavailableError("discovery/unreachable", "Ask"));
    return new Promise((resolve) => resolve(answer()));
  }
}
