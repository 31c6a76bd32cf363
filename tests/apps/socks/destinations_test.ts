/** Which addresses a SOCKS server lets through. */

import assert from "node:assert/strict";
import { makeDestinationRule } from "../../../lib/apps/socks/destinations.ts";

const DENIED = [
  ["unspecified", "0.0.0.0", "0.1.2.3", "::"],
  ["loopback", "127.0.0.1", "127.255.255.254", "::1"],
  ["private", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fdff:ffff::1"],
  ["carrier", "100.64.0.1", "100.127.255.255"],
  ["link-local", "169.254.169.254", "fe80::1", "febf::1"],
  ["multicast", "224.0.0.1", "239.255.255.255", "ff02::1"],
  ["reserved", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.0.8"],
  ["documentation", "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  ["mapped", "::ffff:127.0.0.1", "::ffff:a00:1", "0:0:0:0:0:ffff:c0a8:101"],
  ["compatible", "::127.0.0.1"],
  ["translated", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1"],
  ["tunnelled", "2002:7f00:1::", "2002:a00:1::1", "2001:0:1::1"],
  ["no address", "", "localhost", "127.1", "0x7f000001", "010.0.0.1", "1.2.3", "1.2.3.256", "::1%lo", "[::1]", ":::"],
] as const;

const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "11.0.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00::1",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "2002:808:808::1",
];

Deno.test("«public» lets all of the Internet through and nothing else", () => {
  const rule = makeDestinationRule(["public"]);
  for (const [what, ...addresses] of DENIED) {
    for (const address of addresses) assert.equal(rule.allows(address), false, `${what}: ${address}`);
  }
  for (const address of PUBLIC) assert.equal(rule.allows(address), true, address);
});

Deno.test("blocks let through what they hold, in either form of IPv4, and no more", () => {
  const rule = makeDestinationRule(["127.0.0.0/8", "fd00:1::/32", "8.8.8.8"]);
  for (const address of ["127.0.0.1", "::ffff:127.9.9.9", "fd00:1:2::3", "8.8.8.8"]) {
    assert.equal(rule.allows(address), true, address);
  }
  for (const address of ["128.0.0.1", "8.8.8.9", "::1", "fd00:2::1", "1.1.1.1"]) {
    assert.equal(rule.allows(address), false, address);
  }
  assert.equal(makeDestinationRule([]).allows("8.8.8.8"), false);
  assert.equal(makeDestinationRule(["0.0.0.0/0"]).allows("10.0.0.1"), true);
});

Deno.test("what is neither «public» nor a block is refused", () => {
  for (const text of ["", "lan", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/", "10.0.0.0/8/8", "/8"]) {
    assert.throws(() => makeDestinationRule([text]), RangeError, text);
  }
});
