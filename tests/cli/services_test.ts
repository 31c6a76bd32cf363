/** The options that every service takes, as cli.md has them. */

import assert from "node:assert/strict";
import { runProgram } from "../../lib/cli/command.ts";
import { createProgram } from "../../lib/cli/program.ts";
import { at } from "../../lib/types/at.ts";
import { listeningHost } from "./listening_host.ts";

const SERVICES = [
  "messaging-discovery",
  "messaging-server",
  "transport-discovery",
  "route-finder",
  "setup-node",
  "address-resolver",
];

for (const name of SERVICES) {
  Deno.test(`${name} takes --listen, --db and --key, and a database that is none is wrong usage`, async () => {
    const { host } = listeningHost();
    const [command] = (await createProgram(host, [name])).commands;
    const options = command!.options.map(({ long }) => long);
    for (const wanted of ["--listen", "--db", "--key"]) assert.ok(options.includes(wanted), wanted);
    for (const location of ["banana", "sqlite:", "postgres://localhost/skywire"]) {
      const { host, out } = listeningHost();
      const args = [name, "--db", location, "--json"];
      assert.equal(await runProgram(await createProgram(host, args), { args, host }), 2, location);
      const { code, message } = JSON.parse(at(out, 0)).error;
      assert.equal(code, "cli/usage");
      assert.match(message, /Wanted sqlite:FILE or memory:/);
    }
  });
}
