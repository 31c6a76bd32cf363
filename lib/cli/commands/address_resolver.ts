/**
 * `skywire address-resolver`: where visors with a public address are reached by TCP. Tested in
 * tests/cli/services_test.ts.
 */

import type { Command } from "commander";
import type { CliHost } from "../host.ts";
import { type HttpServiceOptions, runHttpService, withLimits, withMessaging } from "../service_role.ts";
import { makeServiceCommand } from "../role.ts";

interface Options extends HttpServiceOptions {
  readonly allowLoopback?: boolean;
}

/** The command. */
export function addressResolverCommand(host: CliHost): Command {
  return withMessaging(withLimits(makeServiceCommand("address-resolver", {
    description: "Run the address resolver: where visors with a public address accept TCP transports.",
    examples: [
      "skywire address-resolver --db sqlite:./addresses.sqlite",
      "skywire address-resolver --listen 0.0.0.0:9093 --key ~/keys/resolver.key --db sqlite:./addresses.sqlite",
    ],
    listen: "127.0.0.1:9093",
  })))
    .option("--allow-loopback", "take loopback and private addresses, for a network on one machine or site")
    .action((options: Options) =>
      runHttpService("address-resolver", {
        options,
        host,
        serve: (plane) => plane.addressResolver({ allowLoopback: options.allowLoopback ?? false }),
      })
    );
}
