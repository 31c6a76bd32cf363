/** A process for commands that fail before they do anything. */

import assert from "node:assert/strict";
import type { CliHost } from "../../lib/cli/host.ts";

/** A host that only listens to what is printed. */
export function listeningHost(): { readonly host: CliHost; readonly out: string[]; readonly err: string[] } {
  const out: string[] = [], err: string[] = [];
  const host: CliHost = {
    env: () => undefined,
    defaultDataFolder: "/nowhere",
    program: "skywire",
    workTreeOf: () => Promise.resolve(undefined),
    isTerminal: false,
    write: () => Promise.resolve(),
    print: (line) => void out.push(line),
    printError: (line) => void err.push(line),
    showProgress: () => assert.fail("nothing here takes long"),
    createRuntime: () => assert.fail("no command here needs it"),
    openFolder: () => assert.fail("no command here needs it"),
    readFile: () => assert.fail("no command here needs it"),
    importModule: () => assert.fail("no command here needs it"),
    outlive: () => {},
    interrupted: new AbortController().signal,
  };
  return { host, out, err };
}
