import assert from "node:assert/strict";
import { answerIpLookup } from "../../lib/messaging/ip_lookup.ts";

Deno.test("answerIpLookup() tells a client its address, without zone and port", () => {
  const hash = new Uint8Array(32).fill(7);
  const cases: [remoteAddress: string, hex: string][] = [
    ["10.1.2.3:80", "0a010203"],
    ["[::ffff:10.1.2.3]:80", "0a010203"],
    ["[2001:db8::a:b]:80", "20010db80000000000000000000a000b"],
    ["[fe80::1%eth0]:80", "fe800000000000000000000000000001"],
  ];
  for (const [remoteAddress, hex] of cases) {
    const { accepted, ip, errorCode, requestHash } = answerIpLookup({ remoteAddress }, { hash });
    assert.deepEqual([accepted, ip.toHex(), errorCode, requestHash], [true, hex, 0, hash], remoteAddress);
  }
});

Deno.test("answerIpLookup() refuses a client whose address is not an IP address", () => {
  const { accepted, ip, errorCode } = answerIpLookup({ remoteAddress: "server-1:80" }, { hash: new Uint8Array(32) });
  assert.deepEqual([accepted, ip.length, errorCode], [false, 0, 352]);
});
