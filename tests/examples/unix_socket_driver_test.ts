/** The example of a driver conforms, carries a route over three hops, and is loaded from its file. */

import assert from "node:assert/strict";
import { createVisor, driverConformanceCases, type Visor } from "../../mod.ts";
import { KEY_A, KEY_B, KEY_C } from "../transport/drivers/keys.ts";
import { denoArgv, Program, runToEnd, temporaryFolder } from "../e2e/program.ts";
import { createUnixSocketDriver } from "./unix_socket_driver.ts";

const isUnix = Deno.build.os !== "windows";

const cases = driverConformanceCases(async () => {
  const folder = await temporaryFolder();
  return {
    dialler: createUnixSocketDriver(),
    listener: createUnixSocketDriver(),
    diallerKey: KEY_A,
    listenerKey: KEY_B,
    listenAddress: `${folder.path}/b.sock`,
    nowhere: { address: `${folder.path}/nobody.sock`, remoteKey: KEY_C },
    [Symbol.asyncDispose]: async () => await folder[Symbol.asyncDispose](),
  };
});
for (const { name, run } of cases) {
  Deno.test({ name: `unix socket driver: ${name}`, ignore: !isUnix, fn: run });
}

Deno.test({
  name: "createVisor({ drivers }) carries a route over three hops of a kind from outside",
  ignore: !isUnix,
  fn: async () => {
    await using folder = await temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const visors: Visor[] = [];
    for (const name of ["a", "b", "c", "d"]) {
      const [first] = visors;
      visors.push(stack.use(
        await createVisor({
          data: `${folder.path}/${name}`,
          drivers: [createUnixSocketDriver(`${folder.path}/${name}.sock`)],
          autoTransport: false,
          logLevel: "error",
          ...(first === undefined ? {} : { join: first.ticket }),
        }),
      ));
    }
    const [a, b, c, d] = visors as [Visor, Visor, Visor, Visor];
    for (const [from, to, name] of [[a, b, "b"], [b, c, "c"], [c, d, "d"]] as const) {
      await from.transports.add(to.publicKey, { kind: "unix", address: `${folder.path}/${name}.sock` });
    }
    assert.ok(d.listeners.some((one) => one.purpose === "transport-unix" && one.address === `${folder.path}/d.sock`));
    // The last transport is registered in the background.
    while ((await a.transports.network()).length < 3);
    while (await a.routes.find(d.publicKey).then(() => false, () => true));
    const listener = d.listen(80);
    const sent = new Uint8Array(1_000_000).map((_, i) => i * 31 >>> 3);
    await using link = await a.dial(d.publicKey, 80);
    assert.deepEqual(link.route.map(({ to }) => to), [b, c, d].map(({ publicKey }) => publicKey));
    const writer = link.writable.getWriter();
    const writing = writer.write(sent).then(() => writer.close());
    for await (const incoming of listener) {
      const received = new Uint8Array(await new Response(incoming.readable).arrayBuffer());
      assert.deepEqual(received, sent);
      break;
    }
    await writing;
    listener.close();
  },
});

Deno.test({
  name: "visor --driver loads a driver from a file, and says what is wrong with one that is none",
  ignore: !isUnix,
  fn: async () => {
    await using folder = await temporaryFolder();
    const driver = "tests/examples/unix_socket_driver.ts";
    const start = (name: string, ...args: string[]): Program =>
      new Program(
        denoArgv("cmd/visor.ts", ["--data", `${folder.path}/${name}`, "--json", "--driver", driver, ...args]),
      );
    await using a = start("a");
    const { ticket } = await a.nextJson<{ ticket: string }>();
    await using b = start("b", "--join", ticket);
    const { publicKey } = await b.nextJson<{ publicKey: string }>();
    const skywire = async (...args: string[]): Promise<string> => {
      const { code, lines } = await runToEnd("cmd/skywire.ts", ...args, "--data", `${folder.path}/a`, "--json");
      assert.equal(code, 0, lines.join("\n"));
      return lines.join("\n");
    };
    const address = `${folder.path}/b/transport.sock`;
    await skywire("transport", "add", publicKey, "--type", "unix", "--address", address);
    await skywire("ping", publicKey, "--count", "1");

    const wrong = `${folder.path}/wrong.ts`;
    await Deno.writeTextFile(wrong, "export default { kind: 1 };");
    for (const [file, error] of [[wrong, "cli/bad-driver"], [`${folder.path}/none.ts`, "cli/bad-module"]] as const) {
      const { code, lines } = await runToEnd("cmd/visor.ts", "--data", `${folder.path}/c`, "--json", "--driver", file);
      assert.deepEqual([code, JSON.parse(lines.join("\n")).error.code], [1, error]);
    }
  },
});
