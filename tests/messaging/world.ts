/** Messaging networks in a simulation: hosts named after their roles, and what tests do with streams. */

import assert from "node:assert/strict";
import { sha256 } from "../../lib/core/mod.ts";
import { createMessagingClient, createMessagingServer } from "../../lib/messaging/mod.ts";
import type {
  MessagingClient,
  MessagingClientDeps,
  MessagingDirectory,
  MessagingServer,
  MessagingServerDeps,
  MessagingStream,
} from "../../lib/messaging/mod.ts";
import type { KeyedListener } from "../../lib/overlay/mod.ts";
import type { ByteLink, Runtime } from "../../lib/runtime/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { FakeDirectory, secretOf } from "./support.ts";

/** Keys of hosts: the first byte of their secrets. */
const KEYS: Readonly<Record<string, number>> = { server: 1, server2: 2, alice: 11, bob: 12, carol: 13 };

/** Makes servers and clients by the names of their hosts; disposing ends all of them. */
export class MessagingWorld implements AsyncDisposable {
  readonly sim: Simulation;
  readonly directory: MessagingDirectory;
  readonly #running = new Set<AsyncDisposable>();

  constructor(sim: Simulation, directory: MessagingDirectory = new FakeDirectory()) {
    this.sim = sim;
    this.directory = directory;
  }

  /** Starts a server on port 8081 of the host. */
  async server(host: string, more: Partial<MessagingServerDeps> = {}): Promise<MessagingServer> {
    return this.#own(
      await this.sim.run(createMessagingServer({
        runtime: this.sim.runtimeFor(host),
        secret: secretOf(KEYS[host] as number),
        listen: `${host}:8081`,
        discovery: this.directory,
        ...more,
      })),
    );
  }

  /** Starts a client, without waiting until it is ready. */
  client(host: string, more: Partial<MessagingClientDeps> = {}): MessagingClient {
    return this.#own(createMessagingClient({
      runtime: this.sim.runtimeFor(host),
      secret: secretOf(KEYS[host] as number),
      discovery: this.directory,
      ...more,
    }));
  }

  /** Starts clients and waits until they can be dialled. */
  async clients<const Hosts extends readonly string[]>(
    ...hosts: Hosts
  ): Promise<{ [Index in keyof Hosts]: MessagingClient }> {
    const clients = hosts.map((host) => this.client(host));
    await this.sim.run(Promise.all(clients.map((client) => client.ready)));
    return clients as { [Index in keyof Hosts]: MessagingClient };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Clients first: so they take their leave from servers that are still there.
    for (const part of [...this.#running].reverse()) await this.sim.run(async () => await part[Symbol.asyncDispose]());
  }

  #own<T extends AsyncDisposable>(part: T): T {
    this.#running.add(part);
    return part;
  }
}

/** Sends everything back that comes on the streams of a listener, until it is closed. */
export async function echo(listener: KeyedListener<MessagingStream>): Promise<void> {
  for await (const stream of listener) echoStream(stream);
}

async function echoStream(stream: MessagingStream): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
      await stream.write(buffer.subarray(0, count));
    }
  } catch {
    // The other side reset it.
  }
  stream.close();
}

/** Reads so many bytes. */
export async function readBytes(link: ByteLink, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await link.read(bytes.subarray(at));
    if (count === null) throw new Error(`The link ended after ${at} of ${length} bytes`);
    at += count;
  }
  return bytes;
}

/** Sends random bytes to an echo in one direction while they come back in the other, and compares. */
export async function assertEchoes(
  link: ByteLink,
  { runtime, length }: { readonly runtime: Pick<Runtime, "random">; readonly length: number },
): Promise<void> {
  const sent = runtime.random.bytes(length);
  const writing = link.write(sent);
  const received = await readBytes(link, length);
  await writing;
  assert.equal(sha256(received).toHex(), sha256(sent).toHex());
}

/** How a read ended: with bytes, with the end, or with an error. */
export async function settled(reading: Promise<number | null>): Promise<"bytes" | "ended"> {
  return await reading.catch(() => null) === null ? "ended" : "bytes";
}
