/** Proxies are kept as they were answered: with requests at the same time, with a full disk, over restarts. */

import assert from "node:assert/strict";
import { createVisor, type ProxySettings, type PublicKey, type Visor } from "../../../mod.ts";
import { hasCode } from "../../../lib/errors/mod.ts";
import { startVisor } from "../../../lib/visor/mod.ts";
import { type Simulation, simulationTest } from "../../fakes/mod.ts";
import { temporaryFolder } from "../../e2e/program.ts";

const EXIT = `02${"ab".repeat(32)}` as PublicKey;

const SERVER: ProxySettings = { role: "server", allow: [], destinations: ["public"] };

interface Answered {
  readonly status: number;
  readonly json: { readonly proxy: { readonly id: string; readonly listen: string }; readonly removed: string };
}

async function request(data: string, method: string, path: string, body?: unknown): Promise<Answered> {
  const { url, token } = JSON.parse(await Deno.readTextFile(`${data}/control.json`));
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

Deno.test("proxies that are added or removed by eight requests at once are there, or gone, after a restart", async () => {
  await using folder = await temporaryFolder();
  const data = `${folder.path}/a`;
  const restart = async (visor: Visor): Promise<Visor> => {
    await visor[Symbol.asyncDispose]();
    return await createVisor({ data, logLevel: "error" });
  };
  let visor = await createVisor({ data, logLevel: "error" });
  const client = { role: "client", to: EXIT, listen: "127.0.0.1:0" };
  const eight = Array.from({ length: 8 });
  const made = await Promise.all(eight.map(() => request(data, "POST", "/v1/proxies", client)));
  assert.deepEqual(made.map(({ status }) => status), eight.map(() => 200));
  const onDisk = JSON.parse(await Deno.readTextFile(`${data}/proxies.json`)) as { listen: string }[];
  const wanted = made.map(({ json }) => json.proxy.listen).sort();
  assert.deepEqual(onDisk.map(({ listen }) => listen).sort(), wanted);
  visor = await restart(visor);
  assert.deepEqual(visor.proxies.list().map(({ listen }) => listen).sort(), wanted);

  // Stops, starts and removals together.
  const [stopped, ...rest] = visor.proxies.list();
  const removed = rest.slice(0, 5);
  await Promise.all([
    request(data, "POST", `/v1/apps/${stopped!.id}/stop`),
    ...removed.map(({ id }) => request(data, "DELETE", `/v1/proxies/${id}`)),
    request(data, "POST", "/v1/proxies", SERVER),
  ]);
  const states = () => visor.proxies.list().map(({ listen, state }) => `${listen} ${state}`).sort();
  const before = states();
  assert.equal(before.length, 4);
  visor = await restart(visor);
  assert.deepEqual(states(), before);
  const all = visor.proxies.list();
  const answers = await Promise.all(all.map(({ id }) => request(data, "DELETE", `/v1/proxies/${id}`)));
  assert.deepEqual(answers.map(({ json }) => json.removed), all.map(({ id }) => id));
  visor = await restart(visor);
  assert.deepEqual(visor.proxies.list(), []);
  await visor[Symbol.asyncDispose]();
});

function start(sim: Simulation): Promise<Visor> {
  return sim.run(startVisor({ runtime: sim.runtimeFor("a"), storage: sim.storageFor("a"), host: "a" }));
}

simulationTest("what cannot be kept of proxies is taken back, and said", async (sim) => {
  const storage = sim.storageFor("a");
  const visor = await start(sim);
  const states = () => visor.proxies.list().map(({ id, state }) => `${id} ${state}`);
  const client: ProxySettings = { role: "client", to: EXIT, listen: "a:1080" };
  const refused = async (work: Promise<unknown>): Promise<void> => {
    await assert.rejects(sim.run(work), (error) => hasCode(error, "storage/write-failed"));
  };
  await sim.run(visor.proxies.add(client));
  await sim.run(visor.proxies.add(SERVER));
  const all = ["proxy-1 running", "proxy-server running"];
  storage.full = true;
  await refused(visor.proxies.add({ ...client, listen: "a:1081" }));
  await refused(visor.proxies.add({ ...SERVER, passcode: "other" }));
  await refused(visor.proxies.remove("proxy-1"));
  await refused(visor.apps.stop("proxy-server"));
  await sim.run(1_000);
  assert.deepEqual(states(), all);
  assert.deepEqual(visor.apps.list().map(({ name }) => name).sort(), ["proxy-1", "proxy-server"]);
  storage.full = false;
  await sim.run(visor.apps.stop("proxy-1"));
  storage.full = true;
  await refused(visor.apps.start("proxy-1"));
  assert.deepEqual(states(), ["proxy-1 stopped", "proxy-server running"]);
  storage.full = false;
  await assert.rejects(sim.run(visor.proxies.remove("proxy-9")), (error) => hasCode(error, "proxy/not-found"));
  await sim.run(async () => await visor[Symbol.asyncDispose]());
  const kept = JSON.parse(new TextDecoder().decode(await storage.read("proxies.json")));
  assert.deepEqual(kept, [{ ...client, stopped: true }, SERVER]);
});

simulationTest("members that a later version gave a proxy are written back", async (sim) => {
  const storage = sim.storageFor("a");
  const later = [{ role: "client", to: EXIT, listen: "a:1080", fromTheFuture: [1] }];
  await storage.write("proxies.json", new TextEncoder().encode(JSON.stringify(later)));
  const visor = await start(sim);
  await sim.run(1_000);
  await sim.run(visor.apps.stop("proxy-1"));
  await sim.run(visor.apps.start("proxy-1"));
  await sim.run(visor.proxies.add(SERVER));
  await sim.run(async () => await visor[Symbol.asyncDispose]());
  assert.deepEqual(JSON.parse(new TextDecoder().decode(await storage.read("proxies.json"))), [...later, SERVER]);
});

simulationTest("a proxy whose exit would be the visor itself dials once, not for ever", async (sim) => {
  const visor = await sim.run(createVisor({ network: sim, data: "a" }));
  await sim.run(visor.proxies.add({ role: "client", to: visor.publicKey, listen: "a:1080" }));
  await sim.run(60_000);
  const tries = sim.logLines.filter((line) => line.includes("socks-exit-unreachable"));
  assert.equal(tries.length, 1);
  await sim.run(async () => await visor[Symbol.asyncDispose]());
});
