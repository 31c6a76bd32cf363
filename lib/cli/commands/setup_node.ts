/**
 * `skywire setup-node`: installs the rules of routes on visors that trust it. It is reached over messaging only; what it
 * tells of itself, at its public key and on an address, too, when there is one. Tested in tests/e2e/services_test.ts.
 */

import type { Command } from "commander";
import { urlArgument, wholeNumber } from "../command.ts";
import type { CliHost } from "../host.ts";
import { makeServiceCommand, type ServiceOptions, type ServiceReady } from "../role.ts";
import { runService } from "../service_role.ts";

interface Options extends Omit<ServiceOptions, "listen"> {
  readonly listen?: string;
  readonly messagingDiscovery: string;
  readonly requestsPerMinute: number;
}

/** The command. */
export function setupNodeCommand(host: CliHost): Command {
  return makeServiceCommand("setup-node", {
    description: "Run a setup node: it installs routing rules on visors that name its key as trusted.",
    examples: [
      "skywire setup-node --key ~/keys/setup.key --messaging-discovery http://127.0.0.1:9090",
      "skywire setup-node --key ~/keys/setup.key --listen 127.0.0.1:9094    # curl http://127.0.0.1:9094/metrics",
    ],
  })
    .option("--messaging-discovery <url>", "where the messaging discovery is", urlArgument, "http://127.0.0.1:9090")
    .option(
      "--requests-per-minute <n>",
      "routes that one visor may ask for; 0: as many as it likes",
      wholeNumber({ min: 0, max: 1_000_000 }),
      600,
    )
    .action((options: Options) =>
      runService({
        options,
        host,
        isReached: true,
        describe,
        start: async (plane) => {
          const { listen, requestsPerMinute, messagingDiscovery } = options;
          const server = await plane.statusPages({ name: "setup-node", title: "Setup node", address: listen });
          plane.join({ discovery: messagingDiscovery });
          plane.setupNode({ limits: { requestsPerMinute } });
          if (server === undefined) return { listeners: [] };
          return { url: server.url, listeners: [{ purpose: "setup-node", address: server.address }] };
        },
      })
    );
}

function describe(ready: ServiceReady): string {
  return `ready; visors trust it by its public key\n${ready.publicKey}`;
}
