/**
 * What our side does in each recorded session. The recorder ran the same functions on real sockets with a real v1.3 peer
 * at the other end; here they run on a transcript.
 */

import { type App, createSocksClient, createSocksServer } from "../../lib/apps/mod.ts";
import { publicKeyOf } from "../../lib/core/mod.ts";
import {
  createMessagingClient,
  createMessagingServer,
  type MessagingClient,
  type MessagingDirectory,
} from "../../lib/messaging/mod.ts";
import { createRouter } from "../../lib/routing/mod.ts";
import type { ByteLink, Runtime } from "../../lib/runtime/mod.ts";
import { createSetupNode } from "../../lib/services/setup_node/mod.ts";
import { initiateSettlement, type Settlement } from "../../lib/transport/settlement.ts";
import { discardSecureLink, type SecureLink } from "../../lib/links/secure_link.ts";
import { acceptHandshake, dialHandshake } from "../../lib/transport/stcp_handshake.ts";
import { createSwitchLoop, type TransportSummary } from "../../lib/transport/mod.ts";
import type { Port, PublicKey, SecretKey } from "../../lib/types/mod.ts";
import { OUR_FEATURES } from "../../lib/wire/peer_features.ts";
import { formatSignedEntry, type SignedEntry } from "../../lib/wire/transport_entry.ts";
import { acceptSettlement } from "../transport/settle.ts";

/** What flows run on. */
export interface World {
  readonly runtime: Runtime;
  /** Our identity. */
  readonly secret: SecretKey;
  /** Entries; only of flows over messaging. */
  readonly directory?: MessagingDirectory;
  /** Streams to setup nodes and from them; only of flows over routes. */
  readonly messaging?: MessagingClient;
  /** Called when a transport was settled that a peer opened; only the recorder registers it. */
  readonly onSettled?: (signed: SignedEntry) => Promise<void>;
  /** Called when somebody may speak to us; only the recorder brings a peer. */
  readonly onReady?: (address: string) => void;
  /** Resolves when all has happened that was recorded, or is to be. */
  readonly finished: Promise<void>;
}

/** What a flow is told, as it stands in the file. */
export interface FlowData {
  readonly peer: PublicKey;
  /** Of the peer, or our own, `host:port`. */
  readonly address: string;
  readonly kind: string;
  readonly setupNode: PublicKey;
  /** The visor behind us, where we are in the middle. */
  readonly next?: PublicKey;
  /** Of `next`, `host:port`. */
  readonly nextAddress?: string;
}

/** Our port in F2; v1.3 counts from here, too. */
const SOURCE_PORT = 49_153 as Port;
const TRANSPORT_PORT = 45 as Port;
const HTTP_PORT = 80 as Port;

/** A flow: what our side does, and what comes of it. */
export type Flow = (world: World, data: FlowData) => Promise<unknown>;

/** Every flow by name. */
export const FLOWS: Readonly<Record<string, Flow>> = {
  /** We open a transport. */
  async transportDial(world, data): Promise<unknown> {
    const { secure, settled } = await dialTransport(world, data);
    discardSecureLink(secure);
    return formatSignedEntry(settled.signed);
  },
  /** A peer opens a transport. */
  async transportAccept(world, data): Promise<unknown> {
    const { secure, settled } = await acceptTransport(world, data);
    discardSecureLink(secure);
    return formatSignedEntry(settled.signed);
  },
  /** We open a session with a server and a stream over it, and ask for a page there. */
  async messagingDial(world, { peer }): Promise<unknown> {
    await using client = messagingClient(world);
    await client.ready;
    const stream = await client.dial(peer, HTTP_PORT);
    await stream.write(encode("GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    return await readText(stream, () => false);
  },
  /** A peer opens a stream to us, and asks for a page. */
  async messagingAccept(world): Promise<unknown> {
    await using client = messagingClient(world);
    const listener = client.listen(HTTP_PORT);
    await client.ready;
    world.onReady?.("");
    for await (const stream of listener) {
      const request = await readText(stream, (text) => text.includes("\r\n\r\n"));
      const page = "a page of ours\n".repeat(600);
      await stream.write(
        encode(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`),
      );
      return { remote: stream.remoteKey, request };
    }
    return undefined;
  },
  /** Two peers speak over our server, until they have gone. */
  async messagingServer(world, { address }): Promise<unknown> {
    await using server = await createMessagingServer({ ...world, listen: address, discovery: world.directory! });
    await server.ready;
    world.onReady?.(address);
    await world.finished;
    return undefined;
  },
  /** We open a transport, have a route set up, and fetch a page through the peer's SOCKS server, which wants a passcode. */
  async routeDial(world, data): Promise<unknown> {
    await using visor = await makeVisor(world, [await dialTransport(world, data)], data);
    const client = createSocksClient({
      runtime: world.runtime,
      network: visor.router,
      remote: data.peer,
      listen: "127.0.0.1:11999",
      passcode: "sesame",
      name: "proxy",
    });
    return await runApp(client, { world, ready: () => world.onReady?.("127.0.0.1:11999") });
  },
  /** A peer opens a transport and a route, and fetches a page through our SOCKS server. */
  async routeAccept(world, data): Promise<unknown> {
    await using visor = await makeVisor(world, [await acceptTransport(world, data)], data);
    const server = createSocksServer({
      runtime: world.runtime,
      network: visor.router,
      destinations: ["127.0.0.0/8"],
    });
    return await runApp(server, { world, ready: () => {} });
  },
  /** A peer opens a transport to us and we one to the next; a route of theirs goes over us. */
  async routeMiddle(world, data): Promise<unknown> {
    const inward = await acceptTransport(world, data);
    const outward = await dialTransport(world, { ...data, peer: data.next!, address: data.nextAddress! });
    await using _visor = await makeVisor(world, [inward, outward], data);
    await world.finished;
    return undefined;
  },
  /** We are the setup node of a peer. */
  async setupNode(world): Promise<unknown> {
    await using _setupNode = createSetupNode({ runtime: world.runtime, messaging: world.messaging! });
    world.onReady?.("");
    await world.finished;
    return undefined;
  },
};

/** Runs an app until all has happened. */
async function runApp(
  app: App,
  { world, ready }: { readonly world: World; readonly ready: () => void },
): Promise<void> {
  const end = new AbortController();
  const done = app.run({ signal: end.signal, ready });
  await world.finished;
  end.abort();
  await done;
}

interface SettledTransport {
  readonly secure: SecureLink;
  readonly settled: Settlement;
}

async function dialTransport({ runtime, secret }: World, data: FlowData): Promise<SettledTransport> {
  const local = { publicKey: publicKeyOf(secret), secret };
  const link = await runtime.network.dial(data.address);
  const remote = { publicKey: data.peer, port: TRANSPORT_PORT };
  const secure = await dialHandshake(link, { runtime, local, sourcePort: SOURCE_PORT, remote });
  return {
    secure,
    settled: await initiateSettlement(secure, { ...runtime, local, kind: data.kind, features: OUR_FEATURES }),
  };
}

async function acceptTransport(world: World, data: FlowData): Promise<SettledTransport> {
  const { runtime, secret } = world;
  const local = { publicKey: publicKeyOf(secret), secret };
  const listener = await runtime.network.listen(data.address);
  world.onReady?.(listener.address);
  for await (const link of listener) {
    listener.close();
    const secure = await acceptHandshake(link, { runtime, local, isListening: (port) => port === TRANSPORT_PORT });
    const settled = await acceptSettlement(secure, { ...runtime, local, kind: data.kind, features: OUR_FEATURES });
    await world.onSettled?.(settled.signed);
    return { secure, settled };
  }
  throw new Error("nobody came");
}

function messagingClient(world: World): MessagingClient {
  return createMessagingClient({ ...world, discovery: world.directory!, clientType: "visor" });
}

/** The part of a visor that carries routes, on one transport. */
async function makeVisor(
  { runtime, secret, messaging }: World,
  settled: readonly SettledTransport[],
  { kind, setupNode }: FlowData,
): Promise<AsyncDisposable & { readonly router: ReturnType<typeof createRouter> }> {
  await using stack = new AsyncDisposableStack();
  const loop = stack.use(createSwitchLoop({ runtime, localKey: publicKeyOf(secret) }));
  const transports = settled.map(({ secure, settled: { signed, early } }) => {
    const { id } = signed.entry;
    loop.attach(secure, { transportId: id, early });
    return { id, type: kind, remote: secure.remoteKey, up: true } as TransportSummary;
  });
  const router = stack.use(createRouter({
    runtime,
    secret,
    switchLoop: loop,
    transports: { list: () => transports },
    messaging: messaging!,
    setupNodes: [setupNode],
    routeFinder: { findRoutes: () => Promise.resolve([]), ask: () => Promise.reject(new Error("nothing is compared")) },
  }));
  const owned = stack.move();
  return { router, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function readText(link: ByteLink, isEnough: (text: string) => boolean): Promise<string> {
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  let text = "";
  while (!isEnough(text)) {
    const count = await link.read(buffer);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}
