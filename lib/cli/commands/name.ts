/** `skywire name set|ls|rm`: names for keys. */

import { type Command, InvalidArgumentError } from "commander";
import { isKeyName, WANTED_NAME } from "../../check/mod.ts";
import { LIST_NAMES, REMOVE_NAME, SET_NAME } from "../../visor/names/api.ts";
import type { NameView } from "../../visor/names/view.ts";
import { type CommonOptions, keyArgument, makeCommand, makeGroup, printResult } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";

/** The command. */
export function nameCommand(host: CliHost): Command {
  const print = (result: { readonly names: readonly NameView[] }, options: CommonOptions): void =>
    printResult(result, { options, host, describe: ({ names }) => describeNames(names) });

  const set = makeCommand("set", {
    description: "Name a key. The name stands wherever a key does, and as NAME.sky; one that had it loses it.",
    examples: [
      "skywire name set mira 02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
      "skywire name set nas 02c6047f",
      "skywire ping mira",
      "skywire http get mira.sky/health",
    ],
  })
    .argument("<name>", 'small letters, digits and "-"; not what looks like a key', nameArgument)
    .argument("<pk>", "the public key, its first 8 digits or more, or another name of it", keyArgument)
    .action(async (name: string, publicKey: string, options: CommonOptions) => {
      const visor = await connectToVisor(options, host);
      print(await visor.ask(SET_NAME, { params: { name }, body: { publicKey } }), options);
    });

  const list = makeCommand("ls", {
    description: "List the names that this visor knows.",
    examples: ["skywire name ls", "skywire name ls --json | jq -r '.names[].name'"],
  }).action(async (options: CommonOptions) => {
    const visor = await connectToVisor(options, host);
    print(await visor.ask(LIST_NAMES), options);
  });

  const remove = makeCommand("rm", { description: "Forget a name.", examples: ["skywire name rm mira"] })
    .argument("<name>", "as `skywire name ls` shows it", nameArgument)
    .action(async (name: string, options: CommonOptions) => {
      const visor = await connectToVisor(options, host);
      print(await visor.ask(REMOVE_NAME, { params: { name } }), options);
    });

  return makeGroup("name", {
    description: "Give names to keys.",
    examples: ["skywire name set mira 02c6047f", "skywire name ls", "skywire name rm mira"],
    commands: [set, list, remove],
  });
}

/** Checks a name, for commander. */
export function nameArgument(text: string): string {
  if (isKeyName(text)) return text;
  throw new InvalidArgumentError(`${WANTED_NAME.replace(/^w/, "W")}.`);
}

/** Keys stand whole, to be copied: a table would break them. */
function describeNames(names: readonly NameView[]): string {
  if (names.length === 0) return "no names; give one with: skywire name set NAME PK";
  return names.map(({ name, publicKey }) => `${publicKey}  ${name}`).join("\n");
}
