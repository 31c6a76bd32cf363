/** Commands that ask a running visor, in process: what they get, and what they say when there is none. */

import assert from "node:assert/strict";
import { runProgram } from "../../lib/cli/command.ts";
import type { CliHost } from "../../lib/cli/host.ts";
import { createProgram } from "../../lib/cli/program.ts";
import { RefusedError } from "../../lib/errors/mod.ts";
import { startVisor, type Visor } from "../../lib/visor/mod.ts";
import { type Simulation, simulationTest } from "../fakes/mod.ts";
import { listeningHost } from "./listening_host.ts";

/** The members that are looked at. */
interface Answer {
  readonly transport: { readonly id: string; readonly remote: string };
  readonly error: { readonly code: string };
}

interface Ended {
  readonly code: number;
  readonly text: string;
  /** The line of JSON. */
  readonly json: () => Answer;
}

/** A process on the host of a visor: its data folder is the visor's. */
function commandsOn(sim: Simulation, name: string): (...args: string[]) => Promise<Ended> {
  return async (...args) => {
    const { host, out, err } = listeningHost();
    const written: string[] = [];
    const near: CliHost = {
      ...host,
      defaultDataFolder: name,
      write: (bytes) => Promise.resolve(void written.push(new TextDecoder().decode(bytes))),
      showProgress: () => {},
      createRuntime: () => ({ ...sim.runtimeFor(name), [Symbol.dispose]: () => {} }),
      readFile: async (path) => {
        const bytes = await sim.storageFor(name).read(path.slice(path.lastIndexOf("/") + 1));
        if (bytes === undefined) throw new RefusedError("cli/no-such-file", `Read "${path}": there is none`);
        return new TextDecoder().decode(bytes);
      },
    };
    const program = await createProgram(near, args);
    const code = await sim.run(runProgram(program, { args, host: near }));
    const text = [...out, ...written, ...err].join("\n");
    return { code, text, json: () => JSON.parse(out[0] ?? "") };
  };
}

simulationTest("a command asks the visor of its data folder, and ends with what that refuses", async (sim) => {
  const start = (host: string, join?: string): Promise<Visor> => {
    const world = { runtime: sim.runtimeFor(host), storage: sim.storageFor(host) };
    return sim.run(startVisor({ ...world, host, ...(join === undefined ? {} : { join }) }));
  };
  const a = await start("a");
  const b = await start("b", a.ticket);
  const skywire = commandsOn(sim, "b");
  const address = a.listeners.find(({ purpose }) => purpose === "transport-stcp")!.address.replace("0.0.0.0", "a");

  assert.deepEqual((await skywire("name", "set", "mira", a.publicKey, "--json")).json(), {
    names: [{ name: "mira", publicKey: a.publicKey, from: "user" }],
  });
  const { transport } = (await skywire("transport", "add", "mira", "--address", address, "--json")).json();
  assert.equal(transport.remote, a.publicKey);
  for (
    const [command, wanted] of [
      [["status"], new RegExp(b.publicKey)],
      [["transport", "ls"], new RegExp(transport.id.slice(0, 8))],
      [["transport", "ls", "--network"], new RegExp(transport.id.slice(0, 8))],
      [["http", "get", "mira.sky/health"], /"dmsg_address"/],
      [["transport", "rm", transport.id.slice(0, 8)], new RegExp(`removed ${transport.id}`)],
      [["name", "ls"], new RegExp(`${a.publicKey} +mira`)],
      [["name", "rm", "mira"], /no names/],
    ] as const
  ) {
    const { code, text } = await skywire(...command);
    assert.equal(code, 0, `${command.join(" ")}: ${text}`);
    assert.match(text, wanted);
  }
  for (
    const [command, code, wanted] of [
      [["ping", "mira"], 1, "visor/unknown-name"],
      [["proxy", "rm", "a/../b"], 1, "proxy/not-found"],
      [["app", "stop", "%2F"], 1, "app/unknown"],
      [["transport", "add", a.publicKey, "--type", "banana"], 1, "transport/unknown-kind"],
      [["http", "get", "--fail", `${a.publicKey}.sky/banana`], 1, "http/status"],
    ] as const
  ) {
    const ended = await skywire(...command, "--json");
    assert.deepEqual([ended.code, ended.json().error.code], [code, wanted], command.join(" "));
  }
  for (const visor of [b, a]) await sim.run(async () => await visor[Symbol.asyncDispose]());
  const ended = await skywire("status", "--json");
  assert.deepEqual([ended.code, ended.json().error.code], [1, "visor/not-running"]);
});

simulationTest(
  "a command says that no visor runs where a killed one left its file, and another has the port",
  async (sim) => {
    await sim.storageFor("b").write(
      "control.json",
      new TextEncoder().encode(JSON.stringify({ url: "http://127.0.0.1:3435", token: "0".repeat(32), later: 1 })),
    );
    const skywire = commandsOn(sim, "b");
    const codeOf = async () => (await skywire("status", "--json")).json().error.code;
    assert.equal(await codeOf(), "visor/not-running");
    const serve = (answer: () => Response) => sim.run(sim.runtimeFor("b").http.serve("127.0.0.1:3435", answer));
    for (
      const answer of [
        () => new Response("hello"),
        () => new Response("no", { status: 404 }),
        () => Response.json({ error: { code: "unauthorized", message: "no" } }, { status: 401 }),
      ]
    ) {
      const server = await serve(answer);
      assert.equal(await codeOf(), "visor/not-running");
      await sim.run(server.close());
    }
  },
);
