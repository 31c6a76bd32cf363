/** Two visors with one connection after the other between them, on virtual time. What the tests of the bench share. */

import type { KeyedListener, KeyedStream } from "../../../lib/overlay/mod.ts";
import type { BenchConnection } from "../../../lib/apps/bench/mod.ts";
import { type ByteLink, createQueue, sleep } from "../../../lib/runtime/mod.ts";
import type { Hop, PublicKey, TransportId } from "../../../lib/types/mod.ts";
import type { Simulation } from "../../fakes/mod.ts";
import { ALICE, BOB } from "../support.ts";

/** A visor between the two. */
export const RELAY = `02${"c".repeat(64)}` as PublicKey;

const TRANSPORTS = ["1", "2"].map((digit) => `00000000-0000-0000-0000-00000000000${digit}` as TransportId);
const ROUTE: readonly Hop[] = [
  { transportId: TRANSPORTS[0] as TransportId, from: ALICE, to: RELAY },
  { transportId: TRANSPORTS[1] as TransportId, from: RELAY, to: BOB },
];

/** Round trips that connections report, ms. */
export const PING_MS = 7;

/** See the top of the file. */
export interface BenchWay extends Disposable {
  /** Opens a connection as Alice. */
  dial(): Promise<BenchConnection>;
  /** What reaches Bob. */
  readonly accepted: KeyedListener;
}

/** Makes the way. */
export async function createWay(sim: Simulation): Promise<BenchWay> {
  const sockets = await sim.runtimeFor("bob").network.listen("bob:1");
  const accepting = sockets[Symbol.asyncIterator]();
  const { network, timers } = sim.runtimeFor("alice");
  const accepted = createQueue<KeyedStream>(16);
  return {
    accepted: {
      port: 1,
      close: () => accepted.close(),
      [Symbol.asyncIterator]: () => accepted[Symbol.asyncIterator](),
    },
    async dial(): Promise<BenchConnection> {
      const [near, far] = await Promise.all([network.dial("bob:1"), accepting.next()]);
      accepted.push(connectionOf(far.value as ByteLink, ALICE));
      const ping = async (signal?: AbortSignal): Promise<number> => {
        await sleep(timers, PING_MS, signal);
        return PING_MS;
      };
      return { ...connectionOf(near, BOB), route: ROUTE, ping };
    },
    [Symbol.dispose](): void {
      accepted.close();
      sockets.close();
    },
  };
}

function connectionOf(link: ByteLink, remoteKey: PublicKey): KeyedStream {
  return {
    remoteKey,
    remotePort: 1,
    localPort: 1,
    remoteAddress: link.remoteAddress,
    read: (into) => link.read(into),
    write: (bytes) => link.write(bytes),
    close: () => link.close(),
  };
}
