/** The command line as a whole: one program with roles and commands. Tested in tests/cli/command_test.ts. */

import { Command } from "commander";
import { VERSION } from "../types/version.ts";
import type { CliHost } from "./host.ts";

/** Makes a command around a host. */
type MakeCommand = (host: CliHost) => Command;

/** Each command's module, loaded when it is needed: a visor that runs for months need not hold what draws tables. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  "visor": async () => (await import("./commands/visor.ts")).visorCommand,
  "messaging-discovery": async () => (await import("./commands/messaging_discovery.ts")).messagingDiscoveryCommand,
  "messaging-server": async () => (await import("./commands/messaging_server.ts")).messagingServerCommand,
  "transport-discovery": async () => (await import("./commands/transport_discovery.ts")).transportDiscoveryCommand,
  "route-finder": async () => (await import("./commands/route_finder.ts")).routeFinderCommand,
  "address-resolver": async () => (await import("./commands/address_resolver.ts")).addressResolverCommand,
  "setup-node": async () => (await import("./commands/setup_node.ts")).setupNodeCommand,
  "status": async () => (await import("./commands/status.ts")).statusCommand,
  "transport": async () => (await import("./commands/transport.ts")).transportCommand,
  "route": async () => (await import("./commands/route.ts")).routeCommand,
  "ping": async () => (await import("./commands/ping.ts")).pingCommand,
  "bench": async () => (await import("./commands/bench.ts")).benchCommand,
  "app": async () => (await import("./commands/app.ts")).appCommand,
  "proxy": async () => (await import("./commands/proxy.ts")).proxyCommand,
  "name": async () => (await import("./commands/name.ts")).nameCommand,
  "http": async () => (await import("./commands/http.ts")).httpCommand,
  "keys": async () => (await import("./commands/keys.ts")).keysCommand,
};

/**
 * Builds the program around a host.
 * @param args what will be parsed: when it names a command, only that one is built, else all are, as for `--help`
 */
export async function createProgram(host: CliHost, args: readonly string[]): Promise<Command> {
  const program = new Command("skywire")
    .description("A private overlay network: visors, the services of a network, and commands to a running visor.")
    .version(VERSION)
    .addHelpText("after", "\nStart with:\n  skywire visor\n  skywire status");
  const named = COMMANDS[args[0] ?? ""];
  const loaders = named === undefined ? Object.values(COMMANDS) : [named];
  for (const makeOne of await Promise.all(loaders.map((load) => load()))) program.addCommand(makeOne(host));
  return program;
}
