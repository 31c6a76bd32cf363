/** A v1.3 visor's configuration file: what is taken over, and that nothing else is ignored in silence. */

import assert from "node:assert/strict";
import { parseV13Config } from "../../../lib/visor/config/v13_config.ts";
import { hasCode } from "../../../lib/errors/mod.ts";

const PK = "024ec47420176680816e0406250e7156465e4531f5b26057c9f6297bb0303558c7";
const SK = "42bca4df2f3189b28872d40e6c61aacd5e85b8e91f8fea65780af27c142419e5";
const OTHER = "0348c941c5015a05c455ff238af2e57fb8f914c399aab604e9abb5b32b91a4c1fe";
const SETUP_NODE = "02603d53d49b6575a0b8cee05b70dd23c86e42cd6cba99af769d61a6196ea2bcb1";

/** As the generator of v1.3 writes it, with every section (visor-and-apps.md §3.3). */
const COMPLETE = {
  version: "v1.3.29",
  sk: SK,
  pk: PK,
  dmsg: { discovery: "http://127.0.0.1:9090", sessions_count: 2, servers: [], servers_type: "all" },
  dmsgpty: { dmsg_port: 22, cli_network: "unix", cli_address: "/tmp/dmsgpty.sock", whitelist: [] },
  "skywire-tcp": { pk_table: { [OTHER]: "192.0.2.7:7777" }, listening_address: "127.0.0.1:7771" },
  transport: {
    discovery: "http://127.0.0.1:9091/",
    address_resolver: "http://127.0.0.1:9093",
    public_autoconnect: true,
    transport_setup: [OTHER],
    log_store: { type: "file", location: "./local/transport_logs", rotation_interval: "168h0m0s" },
    stcpr_port: 7780,
    sudph_port: 0,
  },
  routing: {
    route_setup_nodes: [SETUP_NODE],
    route_finder: "http://127.0.0.1:9092",
    route_finder_timeout: "10s",
    min_hops: 1,
  },
  uptime_tracker: { addr: "http://127.0.0.1:9096" },
  launcher: {
    service_discovery: "http://127.0.0.1:9098",
    apps: [
      { name: "vpn-client", binary: "skywire", args: ["app", "vpn-client", "--dns", "1.1.1.1"], port: 43 },
      {
        name: "skysocks",
        binary: "skywire",
        args: ["app", "skysocks", "--passcode", "a b"],
        auto_start: true,
        port: 3,
      },
      {
        name: "mine",
        binary: "skywire",
        args: ["app", "skysocks-client", `--srv=${OTHER}`, "--addr", ":1081", "--http", ":8080"],
        auto_start: false,
        port: 13,
      },
    ],
    server_addr: "localhost:5505",
    bin_path: "./",
    display_node_ip: false,
  },
  survey_whitelist: [],
  hypervisors: [],
  cli_addr: "localhost:3435",
  log_level: "info",
  local_path: "./local",
  dmsghttp_server_path: "./local/custom",
  stun_servers: ["192.0.2.1:3479"],
  shutdown_timeout: "10s",
  is_public: false,
  persistent_transports: [{ pk: OTHER, type: "stcpr" }],
};

const read = (file: unknown): ReturnType<typeof parseV13Config> => parseV13Config(JSON.stringify(file));

Deno.test("parseV13Config() takes over what this program has too", () => {
  const { secret, unsupported: _, ...taken } = read(COMPLETE);
  assert.equal(secret.expose().toHex(), SK);
  assert.deepEqual(taken, {
    config: {
      network: {
        messagingDiscovery: "http://127.0.0.1:9090",
        transportDiscovery: "http://127.0.0.1:9091",
        routeFinder: "http://127.0.0.1:9092",
        addressResolver: "http://127.0.0.1:9093",
        uptimeTracker: "http://127.0.0.1:9096",
        serviceDiscovery: "http://127.0.0.1:9098",
        setupNodes: [SETUP_NODE],
      },
      host: "127.0.0.1",
      ports: { "transport-stcp": 7771, "transport-stcpr": 7780 },
      autoconnect: true,
      public: false,
      addressBook: { [OTHER]: "192.0.2.7:7777" },
      messagingSessions: 2,
    },
    transports: [{ remote: OTHER, type: "stcpr", label: "user" }],
    server: { passcode: "a b", stopped: false },
    clients: [{ to: OTHER, listen: "127.0.0.1:1081", stopped: true }],
  });
});

Deno.test("parseV13Config() names every key that has no effect", () => {
  assert.deepEqual(read({ ...COMPLETE, future_key: "x" }).unsupported, [
    "cli_addr",
    "dmsghttp_server_path",
    "dmsgpty",
    "future_key",
    "launcher.apps.mine --addr (other interfaces than loopback)",
    "launcher.apps.mine --http",
    "launcher.apps.skysocks (destinations that are not public)",
    "launcher.apps.vpn-client",
    "launcher.bin_path",
    "launcher.server_addr",
    "local_path",
    "log_level",
    "routing.route_finder_timeout",
    "shutdown_timeout",
    "stun_servers",
    "transport.log_store",
    "transport.transport_setup",
  ]);
  assert.deepEqual(
    read({ ...COMPLETE, "skywire-tcp": null, routing: { ...COMPLETE.routing, min_hops: 2 } })
      .unsupported.filter((key) => /tcp|hops/.test(key)),
    ["routing.min_hops", "skywire-tcp"],
  );
});

Deno.test("parseV13Config() finds a discovery by its key, over the servers that the file names", () => {
  const servers = [{ version: "", static: OTHER, server: { address: "192.0.2.7:30081" } }];
  const dmsg = { discovery: `dmsg://${SETUP_NODE}:80`, servers };
  const { network } = read({ ...COMPLETE, dmsg }).config;
  assert.equal(network.messagingDiscovery, `dmsg://${SETUP_NODE}:80`);
  assert.deepEqual(network.messagingServers, [{ publicKey: OTHER, address: "192.0.2.7:30081" }]);
  assert.throws(
    () => read({ ...COMPLETE, dmsg: { ...dmsg, servers: [] } }),
    (error) => hasCode(error, "config/invalid"),
  );
});

Deno.test("parseV13Config() refuses what is missing or wrong, by the file's own names", () => {
  const { routing: _, ...incomplete } = COMPLETE;
  for (
    const [file, code, names] of [
      [incomplete, "config/invalid", "routing"],
      [{ ...COMPLETE, dmsg: { discovery: "banana" } }, "config/invalid", "dmsg.discovery"],
      [{ ...COMPLETE, sk: "12" }, "config/invalid", "sk"],
      [{ ...COMPLETE, pk: OTHER }, "config/bad-key", "pk"],
    ] as const
  ) assert.throws(() => read(file), (error: Error) => hasCode(error, code) && error.message.includes(names));
});
