import assert from "node:assert/strict";
import fc from "fast-check";
import {
  blockHolds,
  formatIpAddress,
  type IpAddress,
  ipAddressBytes,
  type IpBlock,
  parseIpAddress,
  parseIpBlock,
} from "../../lib/wire/ip_address.ts";

Deno.test("parseIpAddress() reads IPv4, IPv6 and IPv4 within IPv6", () => {
  const cases: [string, string | undefined][] = [
    ["127.0.0.1", "7f000001"],
    ["255.255.255.255", "ffffffff"],
    ["0.0.0.0", "00000000"],
    ["::ffff:10.1.2.3", "0a010203"],
    ["::ffff:a01:203", "0a010203"],
    ["::1", "00000000000000000000000000000001"],
    ["::", "00000000000000000000000000000000"],
    ["2001:db8::a:b", "20010db80000000000000000000a000b"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304"],
    ["256.1.1.1", undefined],
    ["1.2.3", undefined],
    ["010.0.0.1", undefined],
    ["fe80::1%eth0", undefined],
    ["[::1]", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4:5:6:7::8", undefined],
    ["1::2::3", undefined],
    ["1.2.3.4::", undefined],
    ["server-1", undefined],
    ["", undefined],
  ];
  for (const [text, hex] of cases) {
    const address = parseIpAddress(text);
    assert.equal(address && ipAddressBytes(address).toHex(), hex, text);
  }
});

Deno.test("parseIpAddress() reads what formatIpAddress() writes, and any text is an address or none", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const address = parseIpAddress(text);
    assert.ok(address !== undefined, text);
    assert.deepEqual(parseIpAddress(formatIpAddress(address)), address);
    // The platform's own reading of the same text.
    if (address.version === 6) {
      const { hostname } = new URL(`http://[${text}]/`);
      assert.deepEqual(parseIpAddress(hostname.slice(1, -1)), address);
    }
  }));
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."0123456789abcf.:/%") }), (text) => {
    const address = parseIpAddress(text);
    if (address !== undefined && text.includes(":")) new URL(`http://[${text}]/`);
    parseIpBlock(text);
  }));
});

Deno.test("a block of IPv4 holds no address of IPv6, and the other way round", () => {
  const block = (text: string): IpBlock => parseIpBlock(text) ?? assert.fail(text);
  const address = (text: string): IpAddress => parseIpAddress(text) ?? assert.fail(text);
  assert.ok(blockHolds(block("0.0.0.0/0"), address("8.8.8.8")));
  assert.ok(blockHolds(block("::/0"), address("2a00::1")));
  assert.ok(!blockHolds(block("0.0.0.0/0"), address("::1")));
  assert.ok(!blockHolds(block("::/0"), address("8.8.8.8")));
});
