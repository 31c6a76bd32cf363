/** `skywire route-finder`: finds paths through a network. Tested in tests/e2e/demo_test.ts. */

import type { Command } from "commander";
import { createTransportFeedClient } from "../../services/transport_discovery/mod.ts";
import { urlArgument } from "../command.ts";
import type { CliHost } from "../host.ts";
import { type HttpServiceOptions, runHttpService, withLimits, withMessaging } from "../service_role.ts";
import { makeServiceCommand } from "../role.ts";

interface Options extends HttpServiceOptions {
  readonly transportDiscovery: string;
}

/** The command. */
export function routeFinderCommand(host: CliHost): Command {
  return withMessaging(withLimits(makeServiceCommand("route-finder", {
    description: "Run the route finder: the shortest paths between visors, over the transports that discovery lists.",
    examples: ["skywire route-finder --transport-discovery http://127.0.0.1:9091"],
    listen: "127.0.0.1:9092",
  })))
    .option("--transport-discovery <url>", "where the transport discovery is", urlArgument, "http://127.0.0.1:9091")
    .action((options: Options) =>
      runHttpService("route-finder", {
        options,
        host,
        serve: (plane, { http, timers }) =>
          plane.routeFinder(createTransportFeedClient({ http, timers, url: options.transportDiscovery })),
      })
    );
}
