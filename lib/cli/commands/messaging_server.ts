/** `skywire messaging-server`: relays between clients that cannot reach each other directly. */

import type { Command } from "commander";
import { createMessagingServer } from "../../messaging/mod.ts";
import { createStatusPages } from "../../services/http/mod.ts";
import { createMessagingDiscoveryClient } from "../../services/messaging_discovery/mod.ts";
import { addressArgument, urlArgument, wholeNumber } from "../command.ts";
import type { CliHost } from "../host.ts";
import {
  describeService,
  loadKey,
  makeServiceCommand,
  runRole,
  type ServiceOptions,
  type ServiceReady,
} from "../role.ts";

interface Options extends ServiceOptions {
  readonly messagingDiscovery: string;
  readonly publicAddress?: string;
  readonly metrics?: string;
  readonly maxSessions: number;
}

/** The command. */
export function messagingServerCommand(host: CliHost): Command {
  return makeServiceCommand("messaging-server", {
    description: "Run a messaging server: clients behind NATs reach each other through it.",
    examples: [
      "skywire messaging-server --messaging-discovery http://127.0.0.1:9090",
      "skywire messaging-server --metrics 127.0.0.1:8082    # curl http://127.0.0.1:8082/metrics",
      "skywire messaging-server --listen 0.0.0.0:8081 --public-address relay.example.org:8081 --key ~/keys/relay.key",
    ],
    listen: "127.0.0.1:8081",
  })
    .option("--messaging-discovery <url>", "where the messaging discovery is", urlArgument, "http://127.0.0.1:9090")
    .option(
      "--public-address <host:port>",
      "what clients are told to connect to (default: the address listened on)",
      addressArgument,
    )
    .option(
      "--max-sessions <n>",
      "clients at a time; others are told that it is full, and go to another server",
      wholeNumber({ min: 1, max: 65_535 }),
      2_048,
    )
    .option("--metrics <host:port>", "answer /health and /metrics there by HTTP (default: nowhere)", addressArgument)
    .action((options: Options) =>
      runRole<ServiceReady>({ options, host, describe: describeService }, async (runtime) => {
        await using stack = new AsyncDisposableStack();
        const secret = stack.use(await loadKey(options.key, { host, runtime }));
        const { listen, publicAddress, metrics, maxSessions } = options;
        const server = stack.use(
          await createMessagingServer({
            runtime,
            secret,
            listen,
            limits: { sessions: maxSessions },
            ...(publicAddress === undefined ? {} : { publicAddress }),
            discovery: createMessagingDiscoveryClient({ ...runtime, url: options.messagingDiscovery }),
          }),
        );
        const handler = createStatusPages({
          name: "messaging-server",
          title: "Messaging server",
          runtime,
          settings: {},
        });
        const status = metrics === undefined ? undefined : await runtime.http.serve(metrics, handler);
        stack.defer(async () => await status?.close());
        const owned = stack.move();
        return {
          ready: {
            publicKey: server.publicKey,
            listeners: [
              { purpose: "messaging-server", address: server.address },
              ...(status === undefined ? [] : [{ purpose: "metrics", address: status.address }]),
            ],
          },
          close: async () => await owned.disposeAsync(),
        };
      })
    );
}
