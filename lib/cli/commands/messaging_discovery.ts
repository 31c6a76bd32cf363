/** `skywire messaging-discovery`: the directory of the messaging network. Tested in tests/e2e/output_test.ts. */

import type { Command } from "commander";
import type { CliHost } from "../host.ts";
import { type HttpServiceOptions, runHttpService, withLimits } from "../service_role.ts";
import { makeServiceCommand } from "../role.ts";

interface Options extends HttpServiceOptions {
  readonly allowLoopback?: boolean;
}

/** The command. */
export function messagingDiscoveryCommand(host: CliHost): Command {
  return withLimits(makeServiceCommand("messaging-discovery", {
    description:
      "Run the messaging discovery: who is reached through which messaging servers. With --key it answers at its key, too.",
    examples: [
      "skywire messaging-discovery --db sqlite:./discovery.sqlite",
      "skywire messaging-discovery --listen 0.0.0.0:9090 --key ~/keys/discovery.key --db sqlite:./discovery.sqlite",
    ],
    listen: "127.0.0.1:9090",
  }))
    .option("--allow-loopback", "let servers advertise loopback addresses, for a network on one machine")
    .action((options: Options) =>
      runHttpService("messaging-discovery", {
        options,
        host,
        isDiscovery: true,
        serve: (plane) => plane.messagingDiscovery({ allowLoopback: options.allowLoopback ?? false }),
      })
    );
}
