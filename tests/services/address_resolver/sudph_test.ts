/** The UDP side of the address resolver, with visors that speak as those of v1.3. */

import assert from "node:assert/strict";
import { createQueue, type Datagram, type DatagramSocket } from "../../../lib/runtime/mod.ts";
import { NULL_PUBLIC_KEY, type Port } from "../../../lib/types/mod.ts";
import { SudphBindings, type SudphBindingsDeps } from "../../../lib/services/address_resolver/sudph.ts";
import { Fault } from "../../../lib/wire/fault.ts";
import { KcpSession } from "../../../lib/links/kcp.ts";
import { decodeFrame1, encodeFrame2, signFrame2 } from "../../../lib/wire/stcp_frames.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { makeVisor, type TestVisor } from "../transport_discovery/support.ts";

const [A, B] = [makeVisor(1), makeVisor(2)];
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A socket whose other side is the test. */
class FakeSocket implements DatagramSocket {
  readonly address = "resolver:9093";
  readonly #received = createQueue<Datagram>(100);
  readonly peers = new Map<string, (bytes: Uint8Array) => void>();

  arrive(bytes: Uint8Array, from: string): void {
    this.#received.push({ bytes, from });
  }
  send(bytes: Uint8Array, to: string): void {
    this.peers.get(to)?.(bytes);
  }
  close(): void {
    this.#received.close();
  }
  [Symbol.asyncIterator](): AsyncIterator<Datagram> {
    return this.#received[Symbol.asyncIterator]();
  }
}

/** A visor at an address. */
class Peer {
  readonly messages: string[] = [];
  readonly #core: KcpSession;
  readonly #socket: FakeSocket;
  readonly #from: string;

  constructor(socket: FakeSocket, { from, conv }: { readonly from: string; readonly conv: number }) {
    this.#core = new KcpSession(conv);
    this.#socket = socket;
    this.#from = from;
    socket.peers.set(from, (bytes) => {
      this.#core.handleDatagram(bytes);
      for (let message = this.#core.read(); message !== undefined; message = this.#core.read()) {
        this.messages.push(decode(message));
      }
      this.#flush();
    });
  }

  say(text: string): void {
    this.#core.send(new TextEncoder().encode(text));
    this.#flush();
  }

  /** Proves its key and says where it is, as transports.md §7.4 has it. */
  async bind(sim: Simulation, visor: TestVisor): Promise<void> {
    this.say("get_nonce");
    await sim.run(10);
    const nonce = decodeFrame1(this.messages.shift() ?? "");
    if (nonce instanceof Fault) return assert.fail(nonce.message);
    const source = { publicKey: visor.publicKey, port: 0 as Port };
    const destination = { publicKey: NULL_PUBLIC_KEY, port: 0 as Port };
    this.say(decode(encodeFrame2(signFrame2({ source, destination, nonce }, visor.secret))));
    await sim.run(10);
    assert.equal(this.messages.shift(), '{"OK":true,"ErrMsg":""}\n');
    this.say('{"port":"40560","addresses":["10.0.0.5"]}');
    this.say("heartbeat");
    await sim.run(10);
  }

  #flush(): void {
    for (const bytes of this.#core.takeDatagrams(0 as never)) this.#socket.arrive(bytes, this.#from);
  }
}

interface Stage extends AsyncDisposable {
  readonly socket: FakeSocket;
  readonly bindings: SudphBindings;
}

function stage(sim: Simulation, limits: SudphBindingsDeps["limits"] = {}): Stage {
  const socket = new FakeSocket();
  const bindings = new SudphBindings({ runtime: sim.runtimeFor("resolver"), socket, limits });
  return {
    socket,
    bindings,
    async [Symbol.asyncDispose](): Promise<void> {
      await sim.run(bindings[Symbol.asyncDispose]());
      await sim.run(10);
      assert.equal(sim.pendingTimers, 0);
    },
  };
}

simulationTest(
  "a visor is bound at the address it was heard from, told of diallers, and gone when it says so",
  async (sim) => {
    await using world = stage(sim);
    const { socket, bindings } = world;
    const a = new Peer(socket, { from: "198.51.100.7:40001", conv: 1 });
    const b = new Peer(socket, { from: "198.51.100.8:40002", conv: 2 });
    await a.bind(sim, A);
    assert.deepEqual(bindings.resolve(A.publicKey), {
      remoteAddress: "198.51.100.7:40001",
      isLocal: false,
      port: "40560",
      addresses: ["10.0.0.5"],
    });
    bindings.announce(A.publicKey, B.publicKey);
    await b.bind(sim, B);
    assert.deepEqual(bindings.listed(), [A.publicKey, B.publicKey].sort());
    bindings.announce(A.publicKey, B.publicKey);
    await sim.run(10);
    assert.deepEqual(a.messages, [`{"PK":"${B.publicKey}","Addr":"198.51.100.8:40002"}`], "nothing before B was bound");
    a.say("delBind");
    await sim.run(10);
    assert.equal(bindings.resolve(A.publicKey), undefined);
  },
);

simulationTest(
  "a visor that says nothing for a minute has gone, and one that starts again takes its own place",
  async (sim) => {
    await using world = stage(sim);
    const { socket, bindings } = world;
    await new Peer(socket, { from: "198.51.100.7:40001", conv: 1 }).bind(sim, A);
    const again = new Peer(socket, { from: "198.51.100.7:40001", conv: 3 });
    await again.bind(sim, A);
    for (let i = 0; i < 12; i++) {
      await sim.run(10_000);
      again.say("heartbeat");
    }
    assert.deepEqual(bindings.listed(), [A.publicKey]);
    await sim.run(61_000);
    assert.deepEqual(bindings.listed(), []);
  },
);

simulationTest("what is no visor binds nothing and costs nothing for long", async (sim) => {
  await using world = stage(sim);
  const { socket, bindings } = world;
  socket.arrive(new TextEncoder().encode("holepunch"), "198.51.100.9:1");
  const forger = new Peer(socket, { from: "198.51.100.9:2", conv: 1 });
  forger.say("get_nonce");
  await sim.run(10);
  const source = { publicKey: A.publicKey, port: 0 as Port };
  const destination = { publicKey: NULL_PUBLIC_KEY, port: 0 as Port };
  forger.say(decode(encodeFrame2(signFrame2({ source, destination, nonce: new Uint8Array(16) }, A.secret))));
  const silent = new Peer(socket, { from: "198.51.100.9:3", conv: 1 });
  silent.say("get_nonce");
  await sim.run(20_000);
  assert.deepEqual(bindings.listed(), []);
  assert.equal(sim.pendingTimers, 0);
});

simulationTest("sessions have bounds, and a session that has ended gives its place back", async (sim) => {
  await using world = stage(sim, { sessions: 1 });
  const { socket, bindings } = world;
  const first = new Peer(socket, { from: "198.51.100.7:1", conv: 1 });
  await first.bind(sim, A);
  const second = new Peer(socket, { from: "198.51.100.8:1", conv: 1 });
  second.say("get_nonce");
  await sim.run(10);
  assert.deepEqual(second.messages, [], "there is no place");
  first.say("delBind");
  await sim.run(10);
  await new Peer(socket, { from: "198.51.100.9:1", conv: 1 }).bind(sim, B);
  assert.deepEqual(bindings.listed(), [B.publicKey]);
});

simulationTest("a visor that goes on with a session of before gets no place for it", async (sim) => {
  await using world = stage(sim, { sessions: 1 });
  const { socket, bindings } = world;
  const old = new Peer(socket, { from: "198.51.100.7:1", conv: 1 });
  // Its first messages went to the resolver that was there before this one.
  const { arrive } = socket;
  socket.arrive = () => {};
  for (let i = 0; i < 5; i++) old.say("heartbeat");
  socket.arrive = arrive;
  old.say("heartbeat");
  await sim.run(10);
  await new Peer(socket, { from: "198.51.100.8:1", conv: 1 }).bind(sim, B);
  assert.deepEqual(bindings.listed(), [B.publicKey]);
});

simulationTest("whoever has proven nothing takes few places of one host, for 10 s", async (sim) => {
  await using world = stage(sim, { unproven: { most: 3, perHost: 2 } });
  const { socket } = world;
  const begin = async (from: string): Promise<boolean> => {
    const peer = new Peer(socket, { from, conv: 1 });
    peer.say("get_nonce");
    await sim.run(10);
    return peer.messages.length > 0;
  };
  const hosts = ["198.51.100.7:1", "198.51.100.7:2", "198.51.100.7:3", "198.51.100.8:1", "198.51.100.9:1"];
  const served: boolean[] = [];
  for (const from of hosts) served.push(await begin(from));
  assert.deepEqual(served, [true, true, false, true, false]);
  await sim.run(11_000);
  assert.ok(await begin("198.51.100.9:2"));
  for (let i = 0; i < 4; i++) {
    await sim.run(11_000);
    await new Peer(socket, { from: `198.51.100.10:${i}`, conv: 1 }).bind(sim, makeVisor(10 + i));
  }
});

simulationTest(
  "a visor that comes from another address keeps its new binding when the older session ends",
  async (sim) => {
    await using world = stage(sim);
    const { socket, bindings } = world;
    await new Peer(socket, { from: "198.51.100.7:1", conv: 1 }).bind(sim, A);
    await new Peer(socket, { from: "198.51.100.7:2", conv: 1 }).bind(sim, A);
    await sim.run(100);
    assert.equal(bindings.resolve(A.publicKey)?.remoteAddress, "198.51.100.7:2");
  },
);
