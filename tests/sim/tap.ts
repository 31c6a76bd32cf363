/**
 * A tap inside a visor, between its transports and its switch: it opens what the links bring, as their owner can, notes it
 * in clear, and seals it again for the switch with keys of its own. So real handshakes, settlements and links are listened
 * to, and neither the transports nor the switch behave otherwise. Rules are noted as they are given to the switch, padding
 * included.
 *
 *     link ═ the peer's records ═► tap ═ records of the tap ═► switch
 */

import { decodePacket, type Packet, PACKET_HEADER_BYTES, Records } from "../../lib/core/mod.ts";
import type { ByteLink } from "../../lib/runtime/mod.ts";
import type { SecureLink, SwitchLoop } from "../../lib/transport/mod.ts";
import { concatBytes, type TransportId } from "../../lib/types/mod.ts";

/** The tap's own keys: nothing that it seals leaves the process. */
const KEYS = [1, 2].map((fill) => new Uint8Array(32).fill(fill)) as [Uint8Array, Uint8Array];

/** What a visor got to know from its routes. */
export class Tap {
  /** Every rule that was ever saved, as its bytes came. */
  readonly rules: Uint8Array[] = [];
  readonly #heard = new Map<TransportId, Uint8Array[]>();

  /** Stands in for a loop; its switch notes the rules that it is given. */
  wrap(loop: SwitchLoop): SwitchLoop {
    const core = loop.switch;
    const saveRule = core.saveRule.bind(core);
    core.saveRule = (rule, now) => {
      this.rules.push(rule.slice());
      saveRule(rule, now);
    };
    return {
      switch: core,
      flush: () => loop.flush(),
      onGroupEvent: (...handler) => loop.onGroupEvent(...handler),
      onSessionEvent: (...handler) => loop.onSessionEvent(...handler),
      attach: (secure, options) => {
        const heard = this.#chunksOf(options.transportId);
        if (options.early !== undefined) heard.push(options.early.slice());
        const tapped = new TappedLink(secure, heard);
        const records = Records.ofKeys({ send: KEYS[0], receive: KEYS[1] });
        const active = loop.attach({ link: tapped, records, remoteKey: secure.remoteKey }, options);
        active.ended.then(() => tapped[Symbol.dispose]());
        return active;
      },
      [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
    };
  }

  /** Every byte in clear that came over a transport, from the first packet on. */
  heardOver(transport: TransportId): Uint8Array<ArrayBuffer> {
    return concatBytes(...this.#chunksOf(transport));
  }

  /** Every byte in clear that came over any transport. */
  heard(): Uint8Array<ArrayBuffer> {
    return concatBytes(...[...this.#heard.keys()].map((transport) => this.heardOver(transport)));
  }

  /** The same bytes as packets; those between neighbours, which have the route id 0, are left out. */
  packetsOver(transport: TransportId): Packet[] {
    const packets: Packet[] = [];
    const bytes = this.heardOver(transport);
    for (let at = 0;;) {
      const packet = decodePacket(bytes.subarray(at));
      if (packet === undefined) return packets.filter(({ routeId }) => routeId !== 0);
      packets.push(packet);
      at += PACKET_HEADER_BYTES + packet.payload.length;
    }
  }

  #chunksOf(transport: TransportId): Uint8Array[] {
    const chunks = this.#heard.get(transport) ?? [];
    this.#heard.set(transport, chunks);
    return chunks;
  }
}

/** The link as the switch's pump sees it. */
class TappedLink implements ByteLink, Disposable {
  readonly remoteAddress: string;
  readonly #outer: SecureLink;
  readonly #inner = Records.ofKeys({ send: KEYS[1], receive: KEYS[0] });
  readonly #heard: Uint8Array[];
  /** Sealed for the switch, not read yet. */
  #pending = new Uint8Array();

  /** Takes the link and its records over. */
  constructor(outer: SecureLink, heard: Uint8Array[]) {
    this.#outer = outer;
    this.#heard = heard;
    this.remoteAddress = outer.link.remoteAddress;
    this.#note();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#pending.length === 0) {
      const raw = new Uint8Array(into.length);
      const count = await this.#outer.link.read(raw);
      if (count === null) return null;
      this.#outer.records.push(raw.subarray(0, count));
      this.#note();
    }
    const part = this.#pending.subarray(0, into.length);
    into.set(part);
    this.#pending = this.#pending.slice(part.length);
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#inner.push(bytes);
    await this.#outer.link.write(this.#outer.records.seal(take(this.#inner)));
  }

  close(): void {
    this.#outer.link.close();
  }

  [Symbol.dispose](): void {
    this.#outer.records[Symbol.dispose]();
    this.#inner[Symbol.dispose]();
  }

  #note(): void {
    const clear = take(this.#outer.records);
    if (clear.length === 0) return;
    this.#heard.push(clear);
    this.#pending = concatBytes(this.#pending, this.#inner.seal(clear));
  }
}

function take(records: Records): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(records.available);
  records.read(bytes);
  return bytes;
}
