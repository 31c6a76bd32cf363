/** What a visor that is ready tells people: who it is, and how another one joins its network. */

import { formatShortTicket, isLoopbackNetwork, type ListenerView, parseTicket } from "../network/mod.ts";
import { shellWord } from "./shell_word.ts";

/** The line that a visor prints when it is ready. */
export interface VisorReady {
  readonly publicKey: string;
  readonly api: string;
  readonly ticket: string;
  readonly listeners: readonly ListenerView[];
}

/**
 * The same for people.
 * @param started `folder`: the data folder; `program`: what one types to start the program
 */
export function describeVisor(
  ready: VisorReady,
  { folder, program }: { readonly folder: string; readonly program: string },
): string {
  const network = parseTicket(ready.ticket);
  const join = `--join ${formatShortTicket(network)}`;
  return [
    "the visor is ready",
    `key     ${ready.publicKey}`,
    `data    ${folder}`,
    `api     ${ready.api}`,
    "",
    ...(isLoopbackNetwork(network)
      ? [
        "Another visor on this machine joins with:",
        `  ${program} visor --data ${shellWord(`${folder}-2`)} ${join}`,
        "",
        "The network is for this machine only. For others, start its first visor with a name or address that they reach",
        `it by: ${program} visor --host NAME`,
      ]
      : ["Another visor joins with:", `  ${program} visor ${join}`]),
  ].join("\n");
}
