/**
 * `skywire http get URL`: asks the HTTP server at a public key, over messaging, and prints the body as curl would.
 * Tested in tests/cli/control_client_test.ts.
 */

import { type Command, InvalidArgumentError } from "commander";
import { isKeyText } from "../../check/mod.ts";
import { RefusedError } from "../../errors/mod.ts";
import { HTTP_GET, STATUS_HEADER } from "../../visor/http/api.ts";
import { type CommonOptions, makeCommand, makeGroup } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";

interface GetOptions extends CommonOptions {
  readonly fail?: boolean;
}

/** The command. */
export function httpCommand(host: CliHost): Command {
  const get = makeCommand("get", {
    description: "Print what is at a URL whose host is a public key; the bytes as they are, with --json, too.",
    examples: [
      "skywire http get 02c6047f.sky/health",
      "skywire http get http://02c6047f.sky:8080/file > file",
      "skywire http get --fail 02c6047f.sky/perhaps",
    ],
  })
    .argument("<url>", "PK.sky[:port][/path]; the key, its first 8 digits or more, or a name", skyUrlArgument)
    .option("--fail", "end with 1, and print an error instead of the body, when the status is 400 or above")
    .action(async (url: string, options: GetOptions) => {
      const visor = await connectToVisor(options, host);
      const response = await visor.stream(HTTP_GET, { body: { url } });
      const status = Number(response.headers.get(STATUS_HEADER));
      if (options.fail && status >= 400) {
        await response.body?.cancel();
        throw new RefusedError("http/status", `Get "${url}": the answer was ${status}`, { details: { status } });
      }
      for await (const bytes of response.body ?? []) await host.write(bytes);
    });
  return makeGroup("http", {
    description: "Ask services and visors that serve HTTP at their public key.",
    examples: ["skywire http get 02c6047f.sky/health"],
    commands: [get],
  });
}

/** Checks a URL whose host is a key, for commander; `http://` may be left out. */
function skyUrlArgument(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  const key = /^(.+)\.sky$/.exec(url?.hostname ?? "")?.[1] ?? "";
  if (url?.protocol === "http:" && isKeyText(key)) return url.href;
  throw new InvalidArgumentError("Wanted PK.sky[:port][/path]: PK is a public key, its first 8 digits, or a name.");
}
