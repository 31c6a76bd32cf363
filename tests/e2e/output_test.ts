/** Output that cannot be written ends a program with an error: whoever waits for the line would wait for ever. */

import assert from "node:assert/strict";
import { denoArgv, runArgv } from "./program.ts";

const DISCOVERY = denoArgv("cmd/messaging_discovery.ts", ["--listen", "127.0.0.1:0", "--json"]).join(" ");

Deno.test({
  name: "a role whose ready line cannot be written ends with an error",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const ended = await runArgv(["sh", "-c", `${DISCOVERY} > /dev/full`]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /skywire: Write to standard output: it failed: No space left .*\(output\/failed\)/);
  },
});

Deno.test({
  name: "a command whose reader has gone ends with an error",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    // The reader is gone before the program has started.
    const ended = await runArgv(["sh", "-c", `{ sleep 0.2; ${DISCOVERY}; echo "exit $?" >&2; } | true`]);
    assert.match(ended.stderr, /skywire: Write to standard output: nobody reads it.*\(output\/failed\)\nexit 1\n/);
  },
});
