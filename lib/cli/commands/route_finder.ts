/** `skywire route-finder`: finds paths through a network. */

import type { Command } from "commander";
import { createRouteFinder } from "../../services/route_finder/mod.ts";
import { createTransportFeedClient } from "../../services/transport_discovery/mod.ts";
import type { CliHost } from "../host.ts";
import { runHttpService } from "../http_role.ts";
import { makeServiceCommand, type ServiceOptions } from "../role.ts";

interface Options extends ServiceOptions {
  readonly transportDiscovery: string;
}

/** The command. */
export function routeFinderCommand(host: CliHost): Command {
  return makeServiceCommand("route-finder", {
    description: "Run the route finder: the shortest paths between visors, over the transports that discovery lists.",
    examples: ["skywire route-finder --transport-discovery http://127.0.0.1:9091"],
    listen: "127.0.0.1:9092",
  })
    .option("--transport-discovery <url>", "where the transport discovery is", "http://127.0.0.1:9091")
    .action((options: Options) =>
      runHttpService("route-finder", {
        options,
        host,
        create: ({ runtime }) => {
          const feed = createTransportFeedClient({ ...runtime, url: options.transportDiscovery });
          return Promise.resolve(createRouteFinder({ runtime, feed }));
        },
      })
    );
}
