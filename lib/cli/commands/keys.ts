/** `skywire keys gen`: makes a key pair. */

import type { Command } from "commander";
import { generateSecretKey, publicKeyOf } from "../../core/mod.ts";
import { formatHex } from "../../types/mod.ts";
import { type CommonOptions, makeCommand, makeGroup, printResult } from "../command.ts";
import type { CliHost } from "../host.ts";

/** The command. */
export function keysCommand(host: CliHost): Command {
  const generate = makeCommand("gen", {
    description: "Make a key pair and print it; nothing is stored.",
    examples: ["skywire keys gen", "skywire keys gen --json | jq -r .secretKey > node.key"],
  }).action((options: CommonOptions) => {
    using secret = generateSecretKey(host.createRuntime({ logLevel: "error" }).random);
    printResult({ publicKey: publicKeyOf(secret), secretKey: formatHex(secret.expose()) }, {
      options,
      host,
      describe: (keys) => `public key  ${keys.publicKey}\nsecret key  ${keys.secretKey}`,
    });
  });
  return makeGroup("keys", {
    description: "Make keys.",
    examples: ["skywire keys gen"],
    commands: [generate],
  });
}
