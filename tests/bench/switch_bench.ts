/**
 * The packet switch through its facade: what one core forwards, and what a connection carries.
 *
 *     deno bench -A tests/bench/switch_bench.ts
 *
 * One iteration moves 1 MiB of payload. «forward» is a visor in the middle: records of one link are opened, packets parsed,
 * looked up and rewritten, and sealed for the next link; filling its input and copying its output, which the link pump
 * does, is included. «carry» is both ends of a connection over one sealed link: each byte is sealed and opened twice.
 *
 * Latest, on one of two shared cores of an EPYC: forward 2.9 ms for packets of 4096 and 1024 bytes (360 MB/s), 4.2 ms for
 * 64 bytes (3.9 million packets a second); carry 6.5 ms (160 MB/s).
 */

import { encodePacket, type LinkHandle, Records, type Switch } from "../../lib/core/mod.ts";
import { concatBytes, type MonotonicMs, type RouteId } from "../../lib/types/mod.ts";
import { SwitchLine } from "../core/switch_line.ts";
import { at } from "../../lib/types/at.ts";

const MIB = 1024 * 1024;
const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;

for (const size of [64, 1024, 4096]) {
  const count = MIB / size;
  Deno.bench({ name: `forward 1 MiB in packets of ${size} bytes, sealed links`, group: "forward", n: 40 }, (bench) => {
    const { line, core, from, to, routeId, peer } = relay;
    const packet = encodePacket({ type: 0, routeId, payload: new Uint8Array(size) });
    const input = peer.seal(concatBytes(...Array.from({ length: count }, () => packet)));
    bench.start();
    for (let at = 0; at < input.length;) {
      const view = core.readView(from);
      view.set(input.subarray(at, at + view.length));
      const part = Math.min(view.length, input.length - at);
      core.ingest(from, part, line.now);
      at += part;
      drain(core, to, line.now);
    }
    bench.end();
  });
}

Deno.bench({ name: "carry 1 MiB from end to end", group: "ends", n: 40 }, () => {
  for (let at = 0, read = 0; read < MIB;) {
    at += first.core.write(first.group, bytes.subarray(at), line.now);
    line.settle();
    for (let count = 1; count > 0; read += count) count = last.core.read(last.group, into, line.now);
  }
});

const bytes = new Uint8Array(MIB);
const into = new Uint8Array(256 * 1024);
const line = new SwitchLine(2);
const [first, last] = line.connect();
const relay = makeRelay();

/** A visor in the middle, and what its neighbour seals with. */
interface Relay {
  readonly line: SwitchLine;
  readonly core: Switch;
  /** Where packets come from and go to. */
  readonly from: LinkHandle;
  readonly to: LinkHandle;
  /** Of the rule that passes them on. */
  readonly routeId: RouteId;
  readonly peer: Records;
}

function makeRelay(): Relay {
  const line = new SwitchLine(3);
  line.open();
  const core = at(line.switches, 1);
  const { rule } = core.rules(line.now).find(({ rule }) =>
    rule.type === "intermediary" && rule.nextTransportId.endsWith("1")
  )!;
  const [from, to] = [at(line.links, 0)[1], at(line.links, 1)[0]];
  const peer = Records.ofKeys({ send: keys[0], receive: keys[1] });
  return { line, core, from, to, routeId: rule.routeId, peer };
}

function drain(core: Switch, link: LinkHandle, now: MonotonicMs): void {
  for (let part = core.outputView(link, now); part.length > 0; part = core.outputView(link, now)) {
    into.set(part.subarray(0, into.length));
    core.outputWritten(link, now);
  }
}
