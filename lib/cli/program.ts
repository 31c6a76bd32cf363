/** The command line as a whole: one program with roles and commands. */

import { Command } from "commander";
import { VERSION } from "../visor/mod.ts";
import type { CliHost } from "./host.ts";
import { appCommand } from "./commands/app.ts";
import { keysCommand } from "./commands/keys.ts";
import { messagingDiscoveryCommand } from "./commands/messaging_discovery.ts";
import { messagingServerCommand } from "./commands/messaging_server.ts";
import { pingCommand } from "./commands/ping.ts";
import { proxyCommand } from "./commands/proxy.ts";
import { routeCommand } from "./commands/route.ts";
import { routeFinderCommand } from "./commands/route_finder.ts";
import { setupNodeCommand } from "./commands/setup_node.ts";
import { statusCommand } from "./commands/status.ts";
import { transportCommand } from "./commands/transport.ts";
import { transportDiscoveryCommand } from "./commands/transport_discovery.ts";
import { visorCommand } from "./commands/visor.ts";

/** Builds the program around a host. */
export function createProgram(host: CliHost): Command {
  const program = new Command("skywire")
    .description("A private overlay network: visors, the services of a network, and commands to a running visor.")
    .version(VERSION)
    .addHelpText("after", "\nStart with:\n  skywire visor\n  skywire status");
  const commands = [
    visorCommand,
    messagingDiscoveryCommand,
    messagingServerCommand,
    transportDiscoveryCommand,
    routeFinderCommand,
    setupNodeCommand,
    statusCommand,
    transportCommand,
    routeCommand,
    pingCommand,
    appCommand,
    proxyCommand,
    keysCommand,
  ];
  for (const makeOne of commands) program.addCommand(makeOne(host));
  return program;
}
