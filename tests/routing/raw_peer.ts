/** One visor whose only neighbour is the test: it sends packets by hand and sees what comes. */

import { decodePacket, encodePacket, encodeRule, type Packet, Records } from "../../lib/core/mod.ts";
import type { Opening } from "../../lib/routing/connection_table.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import { concatBytes, type PublicKey, type RouteId } from "../../lib/types/mod.ts";
import type { Simulation } from "../fakes/mod.ts";
import { attach, firstOf, KEEP_ALIVE_NS, type LineNode, makeNode, transportId } from "./line.ts";

/** The id of packets that the test receives. */
const PEER_ROUTE_ID = 77 as RouteId;

/** See the top of the file. */
export interface RawPeer extends AsyncDisposable {
  /** The visor under test. */
  readonly node: LineNode;
  /** A group of that visor whose other end is the test. */
  readonly opening: Opening;
  /** Sends a packet to the group. */
  send(type: number, payload: Uint8Array): Promise<void>;
  /** Waits for the next packet that the visor sends. */
  receive(): Promise<Packet>;
}

/** Makes a visor, joins it, and opens a group to `remoteKey`. */
export async function makeRawPeer(
  sim: Simulation,
  { remoteKey }: { readonly remoteKey: PublicKey },
): Promise<RawPeer> {
  const node = makeNode(sim, "visor");
  const link = await sim.run(dial(sim, node));
  const { switch: core } = node.loop;
  const [forwardId, consumeId] = core.reserveRouteIds(2) as [RouteId, RouteId];
  const [local, remote] = [{ publicKey: node.key, port: 49_153 }, { publicKey: remoteKey, port: 3 }];
  const forward = {
    type: "forward",
    keepAliveNs: KEEP_ALIVE_NS,
    routeId: forwardId,
    descriptor: { source: local, destination: remote },
    nextRouteId: PEER_ROUTE_ID,
    nextTransportId: transportId(0),
  } as const;
  const consume = {
    type: "consume",
    keepAliveNs: KEEP_ALIVE_NS,
    routeId: consumeId,
    descriptor: { source: remote, destination: local },
  } as const;
  for (const rule of [forward, consume]) core.saveRule(encodeRule(rule), node.runtime.clock.monotonic());
  const opening = node.table.open({ forward, consume });
  return {
    node,
    opening,
    send: (type, payload) => link.send(encodePacket({ type, routeId: consumeId, payload })),
    receive: () => link.receive(),
    async [Symbol.asyncDispose](): Promise<void> {
      await sim.run(node.table.closeAll());
      await sim.run(node.loop[Symbol.asyncDispose]());
      node.secret[Symbol.dispose]();
      link.close();
    },
  };
}

async function dial(sim: Simulation, node: LineNode): Promise<RawLink> {
  const listener = await node.runtime.network.listen("visor:7777");
  const [link, accepted] = await Promise.all([sim.runtimeFor("test").network.dial("visor:7777"), firstOf(listener)]);
  const keys = [1, 2].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array];
  attach(
    node,
    { link: accepted, records: Records.ofKeys({ send: keys[0], receive: keys[1] }), remoteKey: node.key },
    transportId(0),
  );
  return new RawLink(link, Records.ofKeys({ send: keys[1], receive: keys[0] }));
}

/** Packets over a link, by hand. */
class RawLink {
  readonly #link: ByteLink;
  readonly #records: Records;
  #received: Uint8Array = new Uint8Array();

  constructor(link: ByteLink, records: Records) {
    this.#link = link;
    this.#records = records;
  }

  async send(packet: Uint8Array): Promise<void> {
    await this.#link.write(this.#records.seal(packet));
  }

  async receive(): Promise<Packet> {
    for (;;) {
      const packet = decodePacket(this.#received);
      if (packet !== undefined) {
        this.#received = this.#received.slice(7 + packet.payload.length);
        return packet;
      }
      const into = new Uint8Array(4_096);
      const count = await this.#link.read(into);
      if (count === null) throw new Error("The visor closed the link");
      this.#records.push(into.subarray(0, count));
      const plaintext = new Uint8Array(this.#records.available);
      this.#records.read(plaintext);
      this.#received = concatBytes(this.#received, plaintext);
    }
  }

  close(): void {
    this.#link.close();
    this.#records[Symbol.dispose]();
  }
}
