/** `skywire visor`: runs a visor until it is told to end. Tested in tests/e2e/two_visors_test.ts. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { startVisor } from "../../visor/mod.ts";
import { collect, type CommonOptions, dataFolder, makeCommand, warnOfWorkTree } from "../command.ts";
import { loadDriver } from "../driver_file.ts";
import type { CliHost } from "../host.ts";
import { runRole } from "../role.ts";
import { describeVisor, type VisorReady } from "../visor_ready.ts";

interface VisorCommandOptions extends CommonOptions {
  readonly join?: string;
  readonly config?: string;
  readonly host?: string;
  readonly autoTransport?: "on" | "off";
  readonly public?: "on" | "off";
  readonly autoconnect?: "on" | "off";
  readonly routes?: "local" | "network";
  readonly driver?: readonly string[];
}

/** The command. */
export function visorCommand(host: CliHost): Command {
  return makeCommand("visor", {
    description: "Run a visor. Without a ticket it starts a network of one, and prints a ticket for others.",
    examples: [
      "skywire visor",
      "skywire visor --data /tmp/second --join skywire1.eyJ…",
      "skywire visor --host vpn.example.org --public",
      "skywire visor --autoconnect",
      "skywire visor --config ./skywire-config.json",
      "skywire visor --driver ./unix_socket_driver.ts",
    ],
  })
    .option("--join <ticket>", "join the network of this ticket; needed once, then it is kept")
    .option("--config <file>", "take over the skywire-config.json of a v1.3 visor; warns of keys without effect")
    .option("--host <name>", "the name or address that others reach this machine by (default: loopback only)", hostName)
    .option("--auto-transport <on|off>", "open a transport when a dial finds no route", onOrOff)
    .addOption(
      new Option(
        "--public [on|off]",
        "let others find this visor by its key (default: when others in its network reach --host)",
      )
        .preset("on").argParser(onOrOff),
    )
    .addOption(
      new Option("--autoconnect [on|off]", "keep up to three transports to public visors up (default: off)")
        .preset("on").argParser(onOrOff),
    )
    .addOption(
      new Option("--routes <by>", "who computes routes: this visor from the map, or the network's route finder; kept")
        .choices(["local", "network"]),
    )
    .option("--driver <file>", "a module with a transport driver of another kind; may be repeated", collect(String))
    .action((options: VisorCommandOptions) => {
      const folder = dataFolder(options, host);
      const describe = (ready: VisorReady): string => describeVisor(ready, { folder, program: host.program });
      return runRole<VisorReady>({ options, host, describe }, async (runtime) => {
        const drivers = await Promise.all(
          (options.driver ?? []).map((file) => loadDriver(file, { host, dataFolder: folder })),
        );
        await warnOfWorkTree(folder, { what: "the visor's keys", host, log: runtime.log });
        const visor = await startVisor({
          runtime,
          drivers,
          storage: host.openFolder(folder),
          ...(options.join === undefined ? {} : { join: options.join }),
          ...(options.config === undefined ? {} : { v13Config: await host.readFile(options.config) }),
          ...(options.host === undefined ? {} : { host: options.host }),
          ...(options.autoTransport === undefined ? {} : { autoTransport: options.autoTransport === "on" }),
          ...(options.public === undefined ? {} : { public: options.public === "on" }),
          ...(options.routes === undefined ? {} : { routeFinder: options.routes }),
          ...(options.autoconnect === undefined ? {} : { autoconnect: options.autoconnect === "on" }),
        });
        const { publicKey, api, ticket, listeners } = visor;
        return { ready: { publicKey, api, ticket, listeners }, close: async () => await visor[Symbol.asyncDispose]() };
      });
    });
}

function hostName(text: string): string {
  if (!/^[\w.-]+$/.test(text)) throw new InvalidArgumentError("Wanted a name or an IPv4 address, without port.");
  return text;
}

function onOrOff(text: string): string {
  if (text !== "on" && text !== "off") throw new InvalidArgumentError("Wanted on or off.");
  return text;
}
