/** `skywire status`: what the running visor is and how it does. */

import { styleText } from "node:util";
import type { Command } from "commander";
import type { VisorStatus } from "../../visor/mod.ts";
import { STATUS } from "../../visor/status/api.ts";
import { type CommonOptions, makeCommand, printResult } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";

/** The command. */
export function statusCommand(host: CliHost): Command {
  return makeCommand("status", {
    description: "Show the running visor and whether each of its parts works.",
    examples: ["skywire status", "skywire status --json | jq .healthy"],
  }).action(async (options: CommonOptions) => {
    const visor = await connectToVisor(options, host);
    printResult(await visor.ask(STATUS), {
      options,
      host,
      describe: (status) => describe(status, host.isTerminal),
    });
  });
}

function describe(status: VisorStatus, colours: boolean): string {
  const paint = { ok: "green", degraded: "yellow", failed: "red" } as const;
  return [
    `visor    ${status.publicKey}`,
    `version  ${status.version}, up ${Math.round(status.uptimeSeconds)} s`,
    ...status.checks.map((check) => {
      const state = colours ? styleText(paint[check.state], check.state.padEnd(8)) : check.state.padEnd(8);
      return `${state} ${check.name}: ${check.detail}${check.remedy === undefined ? "" : ` — ${check.remedy}`}`;
    }),
  ].join("\n");
}
