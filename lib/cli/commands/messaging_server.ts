/**
 * `skywire messaging-server`: relays between clients that cannot reach each other directly. Tested in
 * tests/e2e/services_test.ts.
 */

import type { Command } from "commander";
import { addressArgument, urlArgument, wholeNumber } from "../command.ts";
import type { CliHost } from "../host.ts";
import { makeServiceCommand, type ServiceOptions } from "../role.ts";
import { runService } from "../service_role.ts";

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
      runService({
        options,
        host,
        isReached: false,
        start: async (plane, { secret }) => {
          const server = await plane.messagingServer({
            secret,
            discovery: options.messagingDiscovery,
            publicAddress: () => options.publicAddress,
            limits: { sessions: options.maxSessions },
          });
          const listeners = [{ purpose: "messaging-server", address: server.address }];
          const pages = { name: "messaging-server", title: "Messaging server", address: options.metrics } as const;
          const status = await plane.statusPages(pages);
          if (status === undefined) return { listeners };
          return { listeners: [...listeners, { purpose: "metrics", address: status.address }] };
        },
      })
    );
}
