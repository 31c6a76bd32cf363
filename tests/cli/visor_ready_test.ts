import assert from "node:assert/strict";
import { shellWord } from "../../lib/cli/shell_word.ts";
import { describeVisor } from "../../lib/cli/visor_ready.ts";
import { formatTicket, parseTicket } from "../../lib/network/mod.ts";
import type { PublicKey } from "../../lib/types/mod.ts";

const KEY = `02${"ab".repeat(32)}` as PublicKey;

/** What a visor says whose network is on a host. */
function textFor(host: string): string {
  const network = {
    messagingDiscovery: `http://${host}:9090`,
    transportDiscovery: `http://${host}:9091`,
    setupNodes: [KEY],
  };
  const ready = { publicKey: KEY, api: "http://127.0.0.1:3435", ticket: formatTicket(network), listeners: [] };
  return describeVisor(ready, { folder: "/data/my visor", program: "deno run -A cmd/skywire.ts" });
}

Deno.test("a visor on loopback says that its network is for this machine, and what to do for others", () => {
  const text = textFor("127.0.0.1");
  const [ticket = "", ...more] = text.match(/skywire\d\.\S+/g) ?? [];
  assert.deepEqual(more, [], "the ticket stands there once");
  assert.equal(parseTicket(ticket).messagingDiscovery, "http://127.0.0.1:9090");
  assert.match(text, /^Another visor on this machine joins with:$/m);
  assert.match(text, /^ {2}deno run -A cmd\/skywire\.ts visor --data '\/data\/my visor-2' --join skywire2\.\S+$/m);
  assert.match(text, /for this machine only/);
  assert.match(text, /deno run -A cmd\/skywire\.ts visor --host NAME$/);
});

Deno.test("a visor that others reach says how they join", () => {
  const text = textFor("vpn.example.org");
  assert.match(text, /\n\nAnother visor joins with:\n {2}deno run -A cmd\/skywire\.ts visor --join skywire2\.\S+$/);
  assert.ok(!text.includes("this machine"));
});

Deno.test("shellWord() leaves plain words, and quotes others", () => {
  assert.equal(shellWord("/data/visor-2"), "/data/visor-2");
  assert.equal(shellWord("it's $HOME"), `'it'\\''s $HOME'`);
});
