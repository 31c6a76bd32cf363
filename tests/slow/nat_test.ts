/**
 * Visors behind NATs, on hosts of their own.
 *
 * ```
 *             198.51.100.0/24
 *  control ──┬── public            control: control plane and messaging server, public: a visor that can be reached
 *            ├── nat-a ── a        a, b: visors behind masquerading routers, with no way in
 *            └── nat-b ── b
 * ```
 */

import assert from "node:assert/strict";
import { denoArgv, Program, runArgv, temporaryFolder } from "../e2e/program.ts";
import { Hosts, namespacesMissing } from "./namespaces.ts";
import { at } from "../../lib/types/at.ts";

const ADDRESS = { control: "198.51.100.1", public: "198.51.100.2", "nat-a": "198.51.100.11", "nat-b": "198.51.100.12" };
/** Masquerade what goes out; let nothing in that was not asked for. */
const NAT_RULES = `
table ip nat {
  chain post {
    type nat hook postrouting priority 100;
    oifname "net" masquerade
  }
}
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "inside" accept
    ct state established,related accept
  }
}`;
const MEGABYTES = 50;
const CUT_MS = 60_000;
const HEAL_MS = 30_000;

interface Ready {
  readonly publicKey: string;
  readonly ticket: string;
  readonly listeners: { readonly purpose: string; readonly address: string }[];
}

const missing = await namespacesMissing();

Deno.test({
  name: `visors behind two NATs reach each other and a public one, and do so again after a cut cable${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  fn: async (t) => {
    await using folder = await temporaryFolder();
    await using hosts = new Hosts();
    await buildInternet(hosts);
    const data = (host: string): string => `${folder.path}/${host}`;
    const visor = (host: string, ...args: string[]): Program =>
      new Program(hosts.argv(host, ...denoArgv("cmd/visor.ts", ["--data", data(host), "--json", ...args])));
    const skywire = async <T>(host: string, ...args: string[]): Promise<T> => {
      const argv = hosts.argv(host, ...denoArgv("cmd/skywire.ts", [...args, "--data", data(host), "--json"]));
      const { code, lines, stderr } = await runArgv(argv);
      assert.equal(code, 0, `${host}: skywire ${args.join(" ")}: ${lines.join()} ${stderr}`);
      return JSON.parse(at(lines, -1)) as T;
    };

    await using control = visor("control", "--host", ADDRESS.control);
    const network = await control.nextJson<Ready>();
    await using open = visor("public", "--host", ADDRESS.public, "--join", network.ticket);
    await using a = visor("a", "--join", network.ticket);
    await using b = visor("b", "--join", network.ticket);
    const openReady = await open.nextJson<Ready>();
    const keys = {
      public: openReady.publicKey,
      a: (await a.nextJson<Ready>()).publicKey,
      b: (await b.nextJson<Ready>()).publicKey,
    };
    const port = openReady.listeners.find(({ purpose }) => purpose === "transport-stcp")?.address.split(":").at(-1);
    for (const host of ["a", "b"]) {
      const add = ["transport", "add", keys.public, "--type", "stcp", "--address", `${ADDRESS.public}:${port}`];
      await skywire(host, ...add);
    }
    const pairs = [["a", "public"], ["b", "public"], ["a", "b"], ["b", "a"]] as const;
    const pingAll = async (): Promise<void> => {
      for (const [from, to] of pairs) await skywire(from, "ping", keys[to], "--count", "1");
    };

    await t.step("every pair pings", pingAll);

    await using exits = new AsyncDisposableStack();
    await t.step(`every pair moves ${MEGABYTES} MB with equal checksums`, async () => {
      const served = { public: "", a: "", b: "" };
      for (const host of ["public", "b", "a"] as const) {
        const server = exits.use(
          new Program(hosts.argv(host, ...denoArgv("tests/slow/file_server.ts", [`${MEGABYTES}`]))),
        );
        const { port, sha256 } = await server.nextJson<{ port: number; sha256: string }>();
        served[host] = `${port} ${sha256}`;
        await skywire(host, "proxy", "serve", "--destinations", "127.0.0.0/8");
      }
      for (const [from, to] of pairs) {
        const { proxy } = await skywire<{ proxy: { id: string; listen: string } }>(
          ...[from, "proxy", "connect", keys[to], "--listen", "127.0.0.1:0"] as const,
        );
        const [port, sha256] = served[to].split(" ");
        const curl = `curl -sS --max-time 120 --socks5-hostname ${proxy.listen} http://127.0.0.1:${port}/ | sha256sum`;
        const got = await hosts.run(from, "sh", "-c", curl);
        assert.equal(got.split(" ")[0], sha256, `${from} from ${to}`);
        await skywire(from, "proxy", "rm", proxy.id);
      }
    });

    await t.step("the public one is reached over TCP", async () => {
      const { transports } = await skywire<{ transports: { type: string; remote: string; up: boolean }[] }>(
        ...["a", "transport", "ls"] as const,
      );
      assert.ok(transports.some(({ type, remote, up }) => type === "stcp" && remote === keys.public && up));
    });

    await t.step("a cable cut for a minute and put back: everything works again by itself", async () => {
      await hosts.run("internet", "ip", "link", "set", "to-nat-a", "down");
      await new Promise((resolve) => setTimeout(resolve, CUT_MS));
      await hosts.run("internet", "ip", "link", "set", "to-nat-a", "up");
      const end = performance.now() + HEAL_MS;
      while (true) {
        const failure = await pingAll().then(() => undefined, (error) => error);
        if (failure === undefined) return;
        assert.ok(performance.now() < end, `not healed: ${failure}`);
      }
    });
  },
});

async function buildInternet(hosts: Hosts): Promise<void> {
  for (const host of ["internet", "control", "public", "nat-a", "nat-b", "a", "b"]) await hosts.add(host);
  await hosts.run("internet", "ip", "link", "add", "bridge", "type", "bridge");
  await hosts.run("internet", "ip", "link", "set", "bridge", "up");
  for (const [host, address] of Object.entries(ADDRESS)) {
    await hosts.cable({ host: "internet", device: `to-${host}` }, { host, device: "net", address: `${address}/24` });
    await hosts.run("internet", "ip", "link", "set", `to-${host}`, "master", "bridge");
  }
  for (const [n, host] of ["a", "b"].entries()) {
    const router = `nat-${host}`, inside = `10.${n + 1}.0`;
    await hosts.cable(
      { host: router, device: "inside", address: `${inside}.1/24` },
      { host, device: "net", address: `${inside}.2/24` },
    );
    await hosts.run(host, "ip", "route", "add", "default", "via", `${inside}.1`);
    await hosts.run(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    await hosts.run(router, "nft", NAT_RULES);
  }
}
