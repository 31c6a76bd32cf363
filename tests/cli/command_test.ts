/** What all commands share: arguments are checked before anything is done, and exit codes tell failures apart. */

import assert from "node:assert/strict";
import { Command, InvalidArgumentError } from "commander";
import {
  addressArgument,
  keyArgument,
  logLevel,
  makeCommand,
  makeGroup,
  pathArgument,
  runProgram,
  urlArgument,
  wholeNumber,
} from "../../lib/cli/command.ts";
import { metricArgument } from "../../lib/cli/route_options.ts";
import { createProgram } from "../../lib/cli/program.ts";
import { ClosedError, UnavailableError } from "../../lib/errors/mod.ts";
import { at } from "../../lib/types/at.ts";
import { listeningHost } from "./listening_host.ts";

Deno.test("arguments are taken in their forms, and refused in others", () => {
  assert.equal(urlArgument("http://127.0.0.1:9090/"), "http://127.0.0.1:9090");
  assert.equal(addressArgument("[::1]:80"), "[::1]:80");
  assert.equal(keyArgument("02C6047F"), "02c6047f");
  assert.deepEqual(pathArgument("02c6047f,03c6047f"), ["02c6047f", "03c6047f"]);
  const id = "1a2b3c4d-0000-0000-8000-0123456789ab";
  assert.deepEqual(pathArgument(`${id.toUpperCase()},02C6047F`), [id, "02c6047f"]);
  assert.equal(wholeNumber({ min: 1, max: 5 })("5"), 5);
  for (
    const wrong of [
      () => urlArgument("banana"),
      () => urlArgument("ftp://example.org"),
      () => addressArgument("8080"),
      () => addressArgument("host:70000"),
      () => keyArgument("02c6047"),
      () => wholeNumber({ min: 1, max: 5 })("6"),
      () => wholeNumber({ min: 1, max: 5 })("1e0"),
    ]
  ) assert.throws(wrong, InvalidArgumentError);
});

Deno.test("logLevel() follows -v, -vv and --quiet", () => {
  assert.equal(logLevel({ verbose: 0 }, "info"), "info");
  assert.equal(logLevel({ verbose: 1 }, "info"), "debug");
  assert.equal(logLevel({ verbose: 2 }, "info"), "trace");
  assert.equal(logLevel({ verbose: 2, quiet: true }, "info"), "error");
});

Deno.test("runProgram() ends with 0, 1 or 2; with --json each failure is one document on stdout", async () => {
  const texts = { description: "Fail.", examples: ["x fail"] };
  const run = async (...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> => {
    const { host, out, err } = listeningHost();
    const fail = makeCommand("fail", texts).action(() => {
      throw new UnavailableError("test/failed", "Do it", { details: { why: "so" } });
    });
    const done = makeCommand("done", texts).action(() => host.print("done"));
    const program = makeGroup("x", { ...texts, commands: [fail, done] });
    return { code: await runProgram(program, { args, host }), out, err };
  };
  assert.deepEqual(await run("done"), { code: 0, out: ["done"], err: [] });
  assert.deepEqual(await run("fail"), { code: 1, out: [], err: ["skywire: Do it (test/failed)"] });
  assert.deepEqual((await run("fail", "--json")).out.map((line) => JSON.parse(line)), [
    { error: { code: "test/failed", message: "Do it", details: { why: "so" } } },
  ]);
  const wrong = await run("fail", "--banana", "--json");
  assert.equal(wrong.code, 2);
  assert.equal(JSON.parse(at(wrong.out, 0)).error.code, "cli/usage");
  const help = await run("fail", "--help");
  assert.equal(help.code, 0);
  assert.match(help.out.join("\n"), /Examples:\n {2}x fail/);
});

Deno.test("every command takes the common options, and its help has examples and fits 80 columns", async () => {
  const all = await createProgram(listeningHost().host, ["--help"]);
  for (const path of leavesOf(all)) {
    const { host, out } = listeningHost();
    const args = [...path, "--help"];
    assert.equal(await runProgram(await createProgram(host, args), { args, host }), 0);
    const help = out.join("\n");
    for (const text of ["--data <dir>", "--json", "--quiet", "-v, --verbose", `Examples:\n  skywire ${path[0]}`]) {
      assert.ok(help.includes(text), `skywire ${args.join(" ")} lacks "${text}":\n${help}`);
    }
    const tooLong = help.split("\n").filter((line) => line.length > 80 && !line.startsWith("  skywire "));
    assert.deepEqual(tooLong, [], path.join(" "));
  }
});

/** The words of every command that does something. */
function leavesOf(command: Command): string[][] {
  return command.commands.flatMap((child) => {
    const below = child.commands.length === 0 ? [[]] : leavesOf(child);
    return below.map((path) => [child.name(), ...path]);
  });
}

Deno.test("metricArgument() reads a measure or a mix, and refuses the rest", () => {
  assert.equal(metricArgument("latency"), "latency");
  assert.deepEqual(metricArgument("latency=2,hops=0.5"), { latency: 2, hops: 0.5 });
  for (const text of ["", "luck", "latency=", "latency=-1", "hops=1,luck=2", "hops=1001"]) {
    assert.throws(() => metricArgument(text), InvalidArgumentError, text);
  }
});

Deno.test("whoever ends a command by Ctrl-C is not told that it ended", async () => {
  const { host, out, err } = listeningHost();
  const interrupted = new ClosedError("cli/interrupted", "Go on: SIGINT came");
  const program = new Command("skywire").action(() => Promise.reject(interrupted));
  assert.equal(await runProgram(program, { args: [], host }), 1);
  assert.deepEqual([...out, ...err], []);
});
