/**
 * `skywire setup-node`: installs the rules of routes on visors that trust it. It is reached over messaging only; what it
 * tells of itself, at its public key and on an address, too, when there is one.
 */

import type { Command } from "commander";
import { serveHttp } from "../../messaging/mod.ts";
import { createStatusPages } from "../../services/http/mod.ts";
import { joinMessaging } from "../../services/messaging_discovery/mod.ts";
import { createSetupNode } from "../../services/setup_node/mod.ts";
import { urlArgument, wholeNumber } from "../command.ts";
import type { CliHost } from "../host.ts";
import { loadKey, makeServiceCommand, runRole, type ServiceOptions, type ServiceReady } from "../role.ts";

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
      runRole<ServiceReady>({ options, host, describe }, async (runtime) => {
        const { timers, log, http } = runtime;
        const { listen, requestsPerMinute } = options;
        await using stack = new AsyncDisposableStack();
        const secret = stack.use(await loadKey(options.key, { host, runtime }));
        const { messaging } = joinMessaging({ runtime, secret, url: options.messagingDiscovery });
        stack.use(messaging);
        const { publicKey } = messaging;
        stack.use(createSetupNode({ runtime, messaging, limits: { requestsPerMinute } }));
        const handler = createStatusPages({
          name: "setup-node",
          title: "Setup node",
          runtime,
          settings: { messaging },
        });
        stack.use(serveHttp({ messaging, handler, timers, log }));
        const server = listen === undefined ? undefined : await http.serve(listen, handler);
        stack.defer(async () => await server?.close());
        const owned = stack.move();
        return {
          ready: {
            publicKey,
            ...(server === undefined ? {} : { url: server.url }),
            listeners: server === undefined ? [] : [{ purpose: "setup-node", address: server.address }],
          },
          close: async () => await owned.disposeAsync(),
        };
      })
    );
}

function describe(ready: ServiceReady): string {
  return `ready; visors trust it by its public key\n${ready.publicKey}`;
}
