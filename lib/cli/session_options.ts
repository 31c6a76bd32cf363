/** The options of commands whose connections outlive their routes. Tested in tests/cli/commands/proxy_test.ts. */

import { type Command, Option } from "commander";
import { wholeNumber } from "./command.ts";

/** The options. */
export interface SessionCliOptions {
  readonly standby?: boolean;
  readonly routes?: number;
  readonly pin?: boolean;
}

/** Adds the options to a command that has `--path`. */
export function withSessionOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--standby", "keep a second route over other visors set up, which takes over at once").conflicts(
        "path",
      ),
    )
    .addOption(
      new Option("--routes <n>", "carry bytes over several routes at a time, 1 to 4")
        .argParser(wholeNumber({ min: 1, max: 4 })).conflicts("path"),
    )
    .option("--pin", "stay on the route while it works, however much better another one is");
}

/** The members of a request to the control API that come from these options. */
export function sessionMembersOf(
  { standby, routes, pin }: SessionCliOptions,
): { readonly standby: number | undefined; readonly routes: number | undefined; readonly pin: boolean | undefined } {
  return { standby: standby ? 1 : undefined, routes, pin };
}
