/** Visors reduced to their transports: a switch loop and a table over one host of a simulation. */

import { publicKeyOf } from "../../lib/core/mod.ts";
import { RefusedError, UnavailableError } from "../../lib/errors/mod.ts";
import type { Runtime } from "../../lib/runtime/mod.ts";
import { createStcpDriver, createSwitchLoop, createTransportTable } from "../../lib/transport/mod.ts";
import type {
  SwitchLoop,
  TransportChange,
  TransportDriver,
  TransportRegistry,
  TransportSummary,
  TransportTable,
} from "../../lib/transport/mod.ts";
import type { PublicKey, SecretKey, TransportId } from "../../lib/types/mod.ts";
import { verifyTransportEntry } from "../../lib/wire/transport_entry.ts";
import type { SignedEntry } from "../../lib/wire/transport_entry.ts";
import type { EdgeStatus } from "../../lib/wire/transport_status.ts";

/** Transport discovery in memory, which refuses what is not signed by both edges. */
export class FakeDiscovery implements TransportRegistry {
  readonly listed = new Map<TransportId, SignedEntry>();
  /** While true, nobody answers. */
  down = false;

  register(signed: SignedEntry[]): Promise<void> {
    if (this.down) return Promise.reject(new UnavailableError("http/unreachable", "Discovery is down"));
    for (const one of signed) {
      if (!one.entry.edges.every((edge) => verifyTransportEntry(one, edge))) {
        return Promise.reject(new RefusedError("discovery/signature", "Not signed by both edges"));
      }
      this.listed.set(one.entry.id, one);
    }
    return Promise.resolve();
  }

  deregister(id: TransportId): Promise<void> {
    if (this.down) return Promise.reject(new UnavailableError("http/unreachable", "Discovery is down"));
    if (this.listed.delete(id)) return Promise.resolve();
    return Promise.reject(new RefusedError("discovery/not-found", "transport not found"));
  }

  byEdge(key: PublicKey): Promise<SignedEntry["entry"][]> {
    if (this.down) return Promise.reject(new UnavailableError("http/unreachable", "Discovery is down"));
    return Promise.resolve(
      [...this.listed.values()].map(({ entry }) => entry).filter(({ edges }) => edges.includes(key)),
    );
  }
}

/** The same, which also takes reports. */
export class ReportingDiscovery extends FakeDiscovery {
  /** What was said last of each transport, by whom is all the same. */
  readonly reported = new Map<TransportId, EdgeStatus>();

  report(statuses: readonly EdgeStatus[]): Promise<readonly TransportId[]> {
    if (this.down) return Promise.reject(new UnavailableError("http/unreachable", "Discovery is down"));
    for (const status of statuses) this.reported.set(status.id, status);
    return Promise.resolve(statuses.map(({ id }) => id).filter((id) => !this.listed.has(id)));
  }
}

/** A visor's transports. */
export interface TestVisor extends AsyncDisposable {
  readonly key: PublicKey;
  readonly table: TransportTable;
  readonly loop: SwitchLoop;
  /** Everything that {@link TransportTable.onChange} told, in order. */
  readonly changes: TransportChange["type"][];
  /** The only transport; throws when there is not exactly one. */
  only(): TransportSummary;
}

/** What {@link makeVisor} may be told. */
export interface TestVisorOptions {
  readonly runtime: Runtime;
  readonly secret: SecretKey;
  readonly discovery: TransportRegistry;
  /** Default: stcp over the runtime's network. */
  readonly drivers?: readonly TransportDriver[];
  readonly addressOf?: (kind: string, key: PublicKey) => string | undefined;
}

/** Makes one; it listens nowhere yet. */
export function makeVisor(options: TestVisorOptions): TestVisor {
  const { runtime, secret, discovery, addressOf = () => undefined } = options;
  const { drivers = [createStcpDriver({ network: runtime.network })] } = options;
  const key = publicKeyOf(secret);
  const loop = createSwitchLoop({ runtime, localKey: key });
  const table = createTransportTable({ runtime, secret, loop, drivers, discovery, addressOf });
  const changes: TransportChange["type"][] = [];
  table.onChange(({ type }) => changes.push(type));
  return {
    key,
    table,
    loop,
    changes,
    only(): TransportSummary {
      const [first, ...others] = table.list();
      if (first === undefined || others.length > 0) throw new Error(`There are ${table.list().length} transports`);
      return first;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await table[Symbol.asyncDispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}
