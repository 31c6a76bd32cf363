/** `skywire setup-node`: installs the rules of routes on visors that trust it. It is reached over messaging only. */

import type { Command } from "commander";
import { createMessagingClient } from "../../messaging/mod.ts";
import { createMessagingDiscoveryClient } from "../../services/messaging_discovery/mod.ts";
import { createSetupNode, KNOWN_TRANSPORT_KINDS } from "../../services/setup_node/mod.ts";
import { collect, type CommonOptions, makeCommand, urlArgument } from "../command.ts";
import type { CliHost } from "../host.ts";
import { loadKey, runRole, type ServiceReady } from "../role.ts";

interface Options extends CommonOptions {
  readonly key?: string;
  readonly messagingDiscovery: string;
  readonly transportKind: readonly string[];
}

/** The command. */
export function setupNodeCommand(host: CliHost): Command {
  return makeCommand("setup-node", {
    description: "Run a setup node: it installs routing rules on visors that name its key as trusted.",
    examples: ["skywire setup-node --key ./setup.key --messaging-discovery http://127.0.0.1:9090"],
  })
    .option("--key <file>", "the file of its secret key, made when missing (default: a fresh key each time)")
    .option("--messaging-discovery <url>", "where the messaging discovery is", urlArgument, "http://127.0.0.1:9090")
    .option(
      "--transport-kind <kind>",
      "another kind that routes may use; may be repeated; any: all",
      collect(String),
      [],
    )
    .action((options: Options) =>
      runRole<ServiceReady>({ options, host, describe }, async (runtime) => {
        await using stack = new AsyncDisposableStack();
        const secret = stack.use(await loadKey(options.key, { host, runtime }));
        const discovery = createMessagingDiscoveryClient({ ...runtime, url: options.messagingDiscovery });
        const messaging = stack.use(createMessagingClient({ runtime, secret, discovery }));
        const { transportKind: kinds } = options;
        const transportKinds = kinds.includes("any") ? "any" : [...KNOWN_TRANSPORT_KINDS, ...kinds];
        stack.use(createSetupNode({ runtime, messaging, transportKinds }));
        const owned = stack.move();
        return {
          ready: { publicKey: messaging.publicKey, listeners: [] },
          close: async () => await owned.disposeAsync(),
        };
      })
    );
}

function describe(ready: ServiceReady): string {
  return `ready; visors trust it by its public key\n${ready.publicKey}`;
}
