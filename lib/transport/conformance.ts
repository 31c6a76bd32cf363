/**
 * What every transport driver must do, as cases for any test runner. The author of a driver runs them on it:
 *
 * ```ts ignore
 * for (const { name, run } of driverConformanceCases(makeFixture)) Deno.test(`my driver: ${name}`, run);
 * ```
 *
 * A case that fails throws. No case needs a clock, so they run on virtual time, too.
 * Tested in tests/transport/drivers/stcp_test.ts.
 */

import { SkywireError } from "../errors/mod.ts";
import { concatBytes, equalBytes } from "../types/mod.ts";
import type { PublicKey } from "../types/mod.ts";
import type { RawLink, RawListener, TransportDriver } from "./driver.ts";

/** More than any driver holds back on its way, so that a writer has to wait for the reader. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** Two drivers of one kind, of two visors that can reach each other. Disposing it ends everything that they need. */
export interface DriverFixture extends AsyncDisposable {
  /** The driver that dials. */
  readonly dialler: TransportDriver;
  /** The driver that listens. */
  readonly listener: TransportDriver;
  /** The key of the visor that dials; drivers that bring identity prove it. */
  readonly diallerKey: PublicKey;
  /** The key of the visor that listens. */
  readonly listenerKey: PublicKey;
  /** Where to listen, in the driver's form; port 0 is fine. */
  readonly listenAddress: string;
  /** An address and a key where nobody listens. */
  readonly nowhere: { readonly address: string; readonly remoteKey: PublicKey };
}

/** One thing that a driver must do. */
export interface ConformanceCase {
  /** What the driver must do, as a sentence. */
  readonly name: string;
  /** Makes a fixture, checks the driver, and disposes the fixture. Rejects when the driver does not conform. */
  readonly run: () => Promise<void>;
}

/**
 * Lists all cases that a transport driver must pass.
 *
 * ```ts
 * import { driverConformanceCases } from "./mod.ts";
 * import { createStcpDriver } from "./drivers/stcp.ts";
 * import { createSimulation } from "../simulation/mod.ts";
 * import { publicKeyOf } from "../core/mod.ts";
 * import { SecretKey } from "../types/mod.ts";
 *
 * const sim = createSimulation();
 * const [diallerKey, listenerKey] = [publicKeyOf(new SecretKey(new Uint8Array(32).fill(1))), publicKeyOf(new SecretKey(new Uint8Array(32).fill(2)))];
 * const cases = driverConformanceCases(() =>
 *   Promise.resolve({
 *     dialler: createStcpDriver({ network: sim.runtimeFor("a").network }),
 *     listener: createStcpDriver({ network: sim.runtimeFor("b").network }),
 *     diallerKey,
 *     listenerKey,
 *     listenAddress: "b:0",
 *     nowhere: { address: "b:9", remoteKey: listenerKey },
 *     [Symbol.asyncDispose]: () => Promise.resolve(),
 *   })
 * );
 * for (const { run } of cases) await sim.run(run); // in a test file: Deno.test(name, () => sim.run(run))
 * ```
 *
 * @param make makes a fresh fixture for each case
 */
export function driverConformanceCases(make: () => Promise<DriverFixture>): readonly ConformanceCase[] {
  return CASES.map(([name, check]) => ({
    name,
    run: async (): Promise<void> => {
      await using fixture = await make();
      const raw = await fixture.listener.listen(fixture.listenAddress);
      const bench = new Bench(fixture, raw);
      try {
        await check(bench);
      } finally {
        bench.close();
      }
    },
  }));
}

/** A fixture with a listener, and everything that a case has opened. */
class Bench {
  readonly fixture: DriverFixture;
  readonly raw: RawListener;
  readonly accepted: AsyncIterator<RawLink>;
  readonly #links: RawLink[] = [];

  constructor(fixture: DriverFixture, raw: RawListener) {
    this.fixture = fixture;
    this.raw = raw;
    this.accepted = raw[Symbol.asyncIterator]();
  }

  /** A new link: the dialling end and the accepting end. */
  async connect(): Promise<[RawLink, RawLink]> {
    const accepting = this.accepted.next();
    const dialled = await this.dial();
    const next = await accepting;
    expect(next.done !== true, "the listener ended although it was not closed");
    this.#links.push(next.value);
    return [dialled, next.value];
  }

  async dial(): Promise<RawLink> {
    const link = await this.fixture.dialler.dial(this.raw.address, { remoteKey: this.fixture.listenerKey });
    this.#links.push(link);
    return link;
  }

  close(): void {
    this.raw.close();
    for (const link of this.#links) {
      link.close();
      link.proven?.records[Symbol.dispose]();
    }
  }
}

const CASES: readonly (readonly [name: string, check: (bench: Bench) => Promise<void>])[] = [
  ["both drivers have one kind, a short ASCII word", ({ fixture: { dialler, listener } }) => {
    expect(/^[a-z0-9-]{1,32}$/.test(dialler.kind), `the kind is "${dialler.kind}"`);
    expect(dialler.kind === listener.kind, "the kinds differ");
    return Promise.resolve();
  }],
  ["bytes arrive both ways, in order, and as many as were sent", async (bench) => {
    const [a, b] = await bench.connect();
    await a.write(numbered(1_000));
    await a.write(numbered(10, 1_000));
    expect(equalBytes(await readExactly(b, 1_010), numbered(1_010)), "other bytes arrived");
    await b.write(numbered(5));
    expect(equalBytes(await readExactly(a, 5), numbered(5)), "other bytes came back");
  }],
  ["a large write waits for the reader and arrives whole", async (bench) => {
    const [a, b] = await bench.connect();
    const sent = numbered(LARGE_BYTES);
    const [received] = await Promise.all([readExactly(b, LARGE_BYTES), a.write(sent)]);
    expect(equalBytes(received, sent), "other bytes arrived");
  }],
  ["both directions work at the same time", async (bench) => {
    const [a, b] = await bench.connect();
    const sent = numbered(LARGE_BYTES / 4);
    const [there, back] = await Promise.all([
      readExactly(b, sent.length),
      readExactly(a, sent.length),
      a.write(sent),
      b.write(sent),
    ]);
    expect(equalBytes(there, sent) && equalBytes(back, sent), "other bytes arrived");
  }],
  ["writing nothing is harmless", async (bench) => {
    const [a, b] = await bench.connect();
    await a.write(new Uint8Array());
    await a.write(numbered(1));
    expect((await readExactly(b, 1)).length === 1, "nothing arrived");
  }],
  ["the end of the stream comes after all that was written, and stays", async (bench) => {
    const [a, b] = await bench.connect();
    await a.write(numbered(300));
    a.close();
    expect(equalBytes(await readExactly(b, 300), numbered(300)), "bytes were lost by closing");
    expect(await b.read(new Uint8Array(1)) === null, "the end was not told");
    expect(await b.read(new Uint8Array(1)) === null, "the end was not told again");
  }],
  ["close() ends one's own pending read with null, and may be repeated", async (bench) => {
    const [a] = await bench.connect();
    const reading = a.read(new Uint8Array(1));
    a.close();
    a.close();
    expect(await reading === null, "the pending read gave something");
    expect(await a.read(new Uint8Array(1)) === null, "a later read gave something");
  }],
  ["close() ends one's own pending write, and later writes throw", async (bench) => {
    const [a] = await bench.connect();
    const writing = rejects(a.write(numbered(LARGE_BYTES)));
    a.close();
    await writing;
    await rejects(a.write(numbered(1)));
  }],
  ["links are independent of each other", async (bench) => {
    const [a, b] = await bench.connect();
    const [c, d] = await bench.connect();
    await c.write(numbered(3));
    a.close();
    expect(await b.read(new Uint8Array(1)) === null, "the first link did not end");
    expect((await readExactly(d, 3)).length === 3, "the second link did not go on");
  }],
  ["dialling where nobody listens is an error of ours", async ({ fixture: { dialler, nowhere } }) => {
    await rejects(dialler.dial(nowhere.address, { remoteKey: nowhere.remoteKey }));
  }],
  ["an aborted dial rejects with the reason", async ({ fixture, raw }) => {
    const reason = new SkywireError("test/aborted", "Aborted by the test");
    const dialling = fixture.dialler.dial(raw.address, {
      remoteKey: fixture.listenerKey,
      signal: AbortSignal.abort(reason),
    });
    expect(await rejects(dialling) === reason, "it rejected with something else");
  }],
  ["a closed listener ends its iteration, and its links live on", async (bench) => {
    const [a, b] = await bench.connect();
    const next = bench.accepted.next();
    bench.raw.close();
    bench.raw.close();
    expect((await next).done === true, "the iteration did not end");
    await a.write(numbered(2));
    expect((await readExactly(b, 2)).length === 2, "the link did not live on");
  }],
  ["a closed listener's address can be listened on again", async (bench) => {
    const address = bench.raw.address;
    const next = bench.accepted.next();
    bench.raw.close();
    await next;
    (await bench.fixture.listener.listen(address)).close();
  }],
  ["an address cannot be listened on twice", async ({ fixture, raw }) => {
    await rejects(fixture.listener.listen(raw.address));
  }],
  ["a driver that brings identity proves the right keys, with records that fit each other", async (bench) => {
    const [a, b] = await bench.connect();
    expect((a.proven === undefined) === (b.proven === undefined), "only one end has an identity");
    if (a.proven === undefined || b.proven === undefined) return;
    expect(a.proven.remoteKey === bench.fixture.listenerKey, "the dialler sees another key");
    expect(b.proven.remoteKey === bench.fixture.diallerKey, "the listener sees another key");
    for (const [from, to] of [[a, b], [b, a]] as const) {
      const sealed = from.proven?.records.seal(numbered(100)) ?? new Uint8Array();
      await from.write(sealed);
      to.proven?.records.push(await readExactly(to, sealed.length));
      const opened = new Uint8Array(100);
      expect(to.proven?.records.read(opened) === 100 && equalBytes(opened, numbered(100)), "the records do not fit");
    }
  }],
];

function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`The driver does not conform: ${otherwise}`);
}

/** @returns the error, which must be one of ours: users tell them apart by class and code */
async function rejects(promise: Promise<unknown>): Promise<SkywireError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  expect(error !== undefined, "something succeeded that cannot");
  expect(error instanceof SkywireError, `it threw a foreign error, ${error}`);
  return error;
}

async function readExactly(link: RawLink, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let left = length; left > 0;) {
    const into = new Uint8Array(Math.min(left, 65_536));
    const count = await link.read(into);
    expect(count !== null && count > 0 && count <= into.length, `a read gave ${count} with ${left} bytes to come`);
    parts.push(into.subarray(0, count));
    left -= count;
  }
  return concatBytes(...parts);
}

function numbered(length: number, from = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (from + i) * 31 >>> 3;
  return bytes;
}
