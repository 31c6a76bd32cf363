import assert from "node:assert/strict";
import { parseIp } from "../../lib/messaging/ip_lookup.ts";

Deno.test("parseIp() reads IPv4, IPv6 and IPv4 within IPv6", () => {
  const cases: [string, string | undefined][] = [
    ["127.0.0.1", "7f000001"],
    ["255.255.255.255", "ffffffff"],
    ["::ffff:10.1.2.3", "0a010203"],
    ["::1", "00000000000000000000000000000001"],
    ["::", "00000000000000000000000000000000"],
    ["2001:db8::a:b", "20010db80000000000000000000a000b"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304"],
    ["256.1.1.1", undefined],
    ["1.2.3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1::2::3", undefined],
    ["server-1", undefined],
    ["", undefined],
  ];
  for (const [text, hex] of cases) {
    assert.equal(parseIp(text)?.toHex(), hex, text);
  }
});
