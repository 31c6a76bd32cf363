/** `skywire app ls|start|stop`: the apps of the running visor. */

import type { Command } from "commander";
import { LIST_APPS, START_APP, STOP_APP } from "../../visor/apps/api.ts";
import type { AppView } from "../../visor/mod.ts";
import { type CommonOptions, makeCommand, makeGroup, printResult } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { formatTable } from "../table.ts";

/** The command. */
export function appCommand(host: CliHost): Command {
  const list = makeCommand("ls", {
    description: "List the apps of this visor.",
    examples: ["skywire app ls", "skywire app ls --json"],
  }).action(async (options: CommonOptions) => {
    const visor = await connectToVisor(options, host);
    const apps = await visor.ask(LIST_APPS);
    printResult(apps, { options, host, describe: (value) => describeApps(value.apps, host) });
  });
  return makeGroup("app", {
    description: "List, start and stop apps.",
    examples: ["skywire app ls", "skywire app stop proxy-server"],
    commands: [list, switchCommand("start", host), switchCommand("stop", host)],
  });
}

function switchCommand(action: "start" | "stop", host: CliHost): Command {
  return makeCommand(action, {
    description: action === "start" ? "Start an app." : "Stop an app; it stays stopped over restarts of the visor.",
    examples: [`skywire app ${action} proxy-server`],
  })
    .argument("<name>", "the app's name, as `skywire app ls` shows it")
    .action(async (name: string, options: CommonOptions) => {
      const visor = await connectToVisor(options, host);
      const apps = await visor.ask(action === "start" ? START_APP : STOP_APP, { params: { name } });
      printResult(apps, { options, host, describe: (value) => describeApps(value.apps, host) });
    });
}

function describeApps(apps: readonly AppView[], host: CliHost): string {
  return formatTable(["NAME", "PORT", "STATE", "SINCE", "RESTARTS"], {
    rows: apps.map((app) => [app.name, String(app.port), app.state, app.since, String(app.restarts)]),
    nothing: "no apps; make a proxy with: skywire proxy serve",
    colours: host.isTerminal,
  });
}
