/** `skywire transport-discovery`: the map of a network. Tested in tests/e2e/demo_test.ts. */

import type { Command } from "commander";
import type { CliHost } from "../host.ts";
import { type HttpServiceOptions, runHttpService, withLimits, withMessaging } from "../service_role.ts";
import { makeServiceCommand } from "../role.ts";

/** The command. */
export function transportDiscoveryCommand(host: CliHost): Command {
  return withMessaging(withLimits(makeServiceCommand("transport-discovery", {
    description: "Run the transport discovery: which transports there are between which visors.",
    examples: [
      "skywire transport-discovery --db sqlite:./transports.sqlite",
      "skywire transport-discovery --key ~/keys/map.key --messaging-discovery http://127.0.0.1:9090",
    ],
    listen: "127.0.0.1:9091",
  }))).action((options: HttpServiceOptions) =>
    runHttpService("transport-discovery", {
      options,
      host,
      serve: (plane) => plane.transportDiscovery(),
    })
  );
}
