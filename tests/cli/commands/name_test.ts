import assert from "node:assert/strict";
import { runProgram } from "../../../lib/cli/command.ts";
import { createProgram } from "../../../lib/cli/program.ts";
import { listeningHost } from "../listening_host.ts";
import { commandTest } from "./two_visors.ts";

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  const { host, out, err } = listeningHost();
  const code = await runProgram(await createProgram(host, args), { args, host });
  return { code, text: [...out, ...err].join("\n") };
}

const KEY = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";

Deno.test("name set and rm refuse what is no name or no key before anything is done", async () => {
  for (const bad of ["Mira", "mira.sky", "a b", "", "02c6047f", "deadbeef", KEY, "x".repeat(64), "a-"]) {
    const { code, text } = await run("name", "set", "--", bad, KEY);
    assert.equal(code, 2, bad);
    assert.match(text, /Wanted a name of 1–63 small letters/);
    assert.equal((await run("name", "rm", "--", bad)).code, 2, bad);
  }
  for (const bad of ["02c6047", "nobody!", ""]) {
    const { code, text } = await run("name", "set", "mira", bad);
    assert.equal(code, 2, bad);
    assert.match(text, /Wanted a public key/);
  }
});

Deno.test("name has help with examples", async () => {
  const { code, text } = await run("name", "set", "--help");
  assert.equal(code, 0);
  for (const line of ["skywire name set mira 02c6047f", "skywire ping mira", "skywire http get mira.sky/health"]) {
    assert.ok(text.includes(line), line);
  }
});

commandTest("skywire name gives a key a name that stands wherever the key does", async ({ b, run, json }) => {
  assert.match((await run("name", "ls")).out, /no names/);
  const named = { names: [{ name: "mira", publicKey: b.publicKey, from: "user" }] };
  assert.deepEqual(await json("name", "set", "mira", b.publicKey), named);
  assert.deepEqual(await json("name", "ls"), named);
  assert.equal((await run("name", "ls")).out, `${b.publicKey}  mira`);
  assert.equal((await json("ping", "mira", "--count", "1")).to, b.publicKey);
  assert.deepEqual(await json("name", "rm", "mira"), { names: [] });
  assert.equal((await run("ping", "mira")).code, 1);
});
