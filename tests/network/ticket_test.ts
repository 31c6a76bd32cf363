import assert from "node:assert/strict";
import fc from "fast-check";
import { formatShortTicket, formatTicket, type NetworkConfig, parseTicket } from "../../lib/network/mod.ts";
import { sha256 } from "../../lib/core/mod.ts";
import { SkywireError } from "../../lib/errors/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";

const KEY = "031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f" as PublicKey;
const NETWORK: NetworkConfig = {
  messagingDiscovery: "http://127.0.0.1:9090",
  transportDiscovery: "http://127.0.0.1:9091",
  routeFinder: "http://127.0.0.1:9092",
  setupNodes: [KEY],
};

Deno.test("parseTicket() gives back what formatTicket() was given, spaces around it or not", () => {
  assert.deepEqual(parseTicket(`  ${formatTicket(NETWORK)}\n`), NETWORK);
});

Deno.test("a short ticket says the same in less than 100 characters", () => {
  const { routeFinder: _, ...noFinder } = NETWORK;
  for (
    const network of [
      NETWORK,
      noFinder,
      { ...NETWORK, addressResolver: "http://127.0.0.1:9093" },
      { ...NETWORK, routeFinder: undefined },
      { ...NETWORK, addressResolver: "http://127.0.0.1:9093", machine: "0123abcd" },
    ]
  ) {
    const ticket = formatShortTicket(network);
    assert.match(ticket, /^skywire2\./);
    assert.ok(ticket.length < 100, ticket);
    assert.deepEqual(parseTicket(ticket), JSON.parse(JSON.stringify(network)));
  }
  const named = { messagingDiscovery: "http://vpn.example.org:80", transportDiscovery: "http://vpn.example.org:65535" };
  for (const setupNodes of [[KEY], [KEY, KEY, KEY]]) {
    const network = { ...named, setupNodes };
    assert.deepEqual(parseTicket(formatShortTicket(network)), network);
  }
});

Deno.test("a network that the short form cannot tell has the long ticket", () => {
  for (
    const more of [
      { routeFinder: "http://127.0.0.2:9092" },
      { routeFinder: "https://127.0.0.1:9092" },
      { routeFinder: "http://127.0.0.1" },
      { routeFinder: "http://127.0.0.1:9092/path" },
      { messagingDiscovery: "http://127.0.0.1" },
      { setupNodes: Array(256).fill(KEY) },
      { messagingServers: [{ publicKey: KEY, address: "127.0.0.1:8081" }] },
      { fromLater: true },
    ]
  ) {
    const network = { ...NETWORK, ...more };
    assert.equal(formatShortTicket(network), formatTicket(network), JSON.stringify(more).slice(0, 80));
  }
});

Deno.test("parseTicket() refuses a short ticket that holds no network", () => {
  for (
    const hex of [
      "",
      "00",
      "ff",
      `01${KEY}`,
      `01${KEY}238200000000000000000000`,
      `01${"00".repeat(33)}238223832384238500000000`,
    ]
  ) {
    const bytes = Uint8Array.fromHex(hex);
    const text = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    const ticket = `skywire2.${text}.${sha256(bytes).toHex().slice(0, 8)}`;
    assert.throws(() => parseTicket(ticket), { code: "config/bad-ticket" }, hex);
  }
});

for (const format of [formatTicket, formatShortTicket]) {
  Deno.test(`parseTicket() refuses a ticket by ${format.name}() that was cut anywhere, and says so`, () => {
    const ticket = format(NETWORK);
    fc.assert(fc.property(fc.integer({ min: 0, max: ticket.length - 1 }), (length) => {
      assert.throws(() => parseTicket(ticket.slice(0, length)), (error) => {
        return error instanceof SkywireError && error.code === "config/bad-ticket" &&
          error.message.startsWith("Read the ticket: ");
      });
    }));
  });
}

Deno.test("parseTicket() refuses any text with its own error only", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `skywire1.${text}.00000000`),
        fc.string().map((text) => `skywire2.${text}.00000000`),
      ),
      (text) => {
        assert.throws(() => parseTicket(text), { code: "config/bad-ticket" });
      },
    ),
  );
});

Deno.test("parseTicket() reads no ticket that is too long, and names no more than 20 problems", () => {
  const many = formatTicket({ ...NETWORK, setupNodes: Array.from({ length: 1_000 }, () => KEY) });
  assert.throws(() => parseTicket(many), { code: "config/bad-ticket", message: /more than 16384 characters/ });
  const wrong = formatTicket({ ...NETWORK, setupNodes: Array.from({ length: 100 }, () => "x" as PublicKey) });
  assert.throws(() => parseTicket(wrong), (error) => (error as Error).message.split("; ").length === 20);
});

Deno.test("parseTicket() names the member that is wrong", () => {
  const ticket = formatTicket({ ...NETWORK, setupNodes: [] });
  assert.throws(() => parseTicket(ticket), /setupNodes: wanted at least one setup node/);
});

Deno.test("a network may be named by keys, when a messaging server leads to its discovery", () => {
  const key = `02${"ab".repeat(32)}` as PublicKey;
  const network: NetworkConfig = {
    messagingDiscovery: `dmsg://${key}:80`,
    transportDiscovery: `http://${key}.sky:9091`,
    routeFinder: "https://finder.example.org",
    setupNodes: [key],
    messagingServers: [{ publicKey: key, address: "192.0.2.1:8081" }],
  };
  assert.deepEqual(parseTicket(formatTicket(network)), network);
  const { messagingServers: _, ...noWay } = network;
  assert.throws(() => parseTicket(formatTicket(noWay)), /messagingServers: wanted a messaging server/);
  for (const url of ["dmsg://nobody:80", "http://nobody.sky", "ftp://x", "x"]) {
    assert.throws(() => parseTicket(formatTicket({ ...network, routeFinder: url })), /routeFinder: wanted a URL/, url);
  }
});
