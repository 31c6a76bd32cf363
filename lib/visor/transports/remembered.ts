/**
 * The transports that others had opened when the visor ended, in the data folder's `opened-by-others.json`. A visor of v1.3
 * forgets a transport whose link has gone, so after a restart this one dials it for a while.
 * Tested in tests/visor/transports/remembered_test.ts.
 */

import * as v from "valibot";
import { publicKeySchema } from "../../check/mod.ts";
import { describeError } from "../../errors/mod.ts";
import { Backoff, type Runtime, sleep, type Storage } from "../../runtime/mod.ts";
import type { TransportTable } from "../../transport/mod.ts";
import { type PublicKey, shortKey } from "../../types/mod.ts";
import { KeptDocument } from "../kept_document.ts";

/** More are not remembered. */
const MOST_REMEMBERED = 256;

/** Visors that dial again by themselves have so long, ms. */
const GRACE_MS = 3_000;

/** Between the tries, and how long they go on, ms. */
const RETRY = { firstMs: 2_000, maxMs: 15_000 } as const;
const GIVE_UP_MS = 120_000;

/** One transport. */
export interface RememberedTransport {
  readonly remote: PublicKey;
  readonly type: string;
}

/** What it needs. */
export interface RememberedTransportsDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  readonly table: Pick<TransportTable, "list" | "add" | "onChange">;
  readonly storage: Pick<Storage, "read" | "write">;
}

const schema: v.GenericSchema<unknown, readonly RememberedTransport[]> = v.array(v.looseObject({
  remote: publicKeySchema,
  type: v.pipe(v.string(), v.minLength(1)),
}));

/** See the top of the file. Disposing ends the dials; what is remembered stays. */
export class RememberedTransports implements AsyncDisposable {
  readonly #deps: RememberedTransportsDeps;
  readonly #kept: KeptDocument<readonly RememberedTransport[]>;
  readonly #closing = new AbortController();
  #dialling: Promise<unknown> = Promise.resolve();
  #unsubscribe = (): void => {};

  constructor(deps: RememberedTransportsDeps) {
    this.#deps = deps;
    this.#kept = new KeptDocument({ storage: deps.storage, name: "opened-by-others.json", schema, empty: [] });
  }

  /** Dials what was there, and remembers what is there from now on. A file that is damaged is begun anew. */
  async restore(): Promise<void> {
    const { log } = this.#deps.runtime;
    const before = await this.#kept.load().catch((error) => {
      log.warn("remembered-transports-lost", { error: describeError(error) });
      return [];
    });
    this.#dialling = Promise.all(before.map((one) => this.#dial(one)));
    this.#unsubscribe = this.#deps.table.onChange(({ type, transport }) => {
      const { remote, type: kind, initiator } = transport;
      if (type === "down" || (type === "up" && initiator !== false)) return;
      void this.#note({ remote, type: kind }, type === "up");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#closing.abort();
    await this.#dialling;
  }

  /** Remembers a transport that others opened, or forgets one that is gone for good. */
  async #note(one: RememberedTransport, isThere: boolean): Promise<void> {
    const isSame = (other: RememberedTransport): boolean => other.remote === one.remote && other.type === one.type;
    if (isThere === this.#kept.value.some(isSame)) return;
    await this.#kept.change((all) => {
      const others = all.filter((other) => !isSame(other));
      return isThere ? [...others, one].slice(-MOST_REMEMBERED) : others;
    }).catch((error) => {
      this.#deps.runtime.log.warn("transport-not-remembered", { error: describeError(error) });
    });
  }

  /** Dials until the transport is up, whoever opened it. */
  async #dial({ remote, type }: RememberedTransport): Promise<void> {
    const { runtime: { clock, timers, random, log }, table } = this.#deps;
    const { signal } = this.#closing;
    const until = clock.monotonic() + GIVE_UP_MS;
    const backoff = new Backoff({ random, ...RETRY });
    const isUp = (): boolean => table.list().some((one) => one.remote === remote && one.type === type && one.up);
    await sleep(timers, GRACE_MS, signal).catch(() => {});
    while (!signal.aborted && !isUp() && clock.monotonic() < until) {
      try {
        await table.add({ remoteKey: remote, kind: type, label: "automatic", signal });
      } catch (error) {
        if (signal.aborted) return;
        log.debug("transport-not-back", { remote: shortKey(remote), type, error: describeError(error) });
      }
      if (!isUp()) await sleep(timers, backoff.nextMs(), signal).catch(() => {});
    }
  }
}
