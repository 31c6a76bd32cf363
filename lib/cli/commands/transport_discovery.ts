/** `skywire transport-discovery`: the map of a network. */

import type { Command } from "commander";
import { createTransportDiscovery } from "../../services/transport_discovery/mod.ts";
import type { CliHost } from "../host.ts";
import { runHttpService, type StoringServiceOptions, withDatabase } from "../http_role.ts";
import { makeServiceCommand } from "../role.ts";

/** The command. */
export function transportDiscoveryCommand(host: CliHost): Command {
  return withDatabase(makeServiceCommand("transport-discovery", {
    description: "Run the transport discovery: which transports there are between which visors.",
    examples: ["skywire transport-discovery --db sqlite:./transports.sqlite"],
    listen: "127.0.0.1:9091",
  })).action((options: StoringServiceOptions) =>
    runHttpService("transport-discovery", {
      options,
      host,
      create: ({ runtime, database }) => createTransportDiscovery({ runtime, database }),
    })
  );
}
