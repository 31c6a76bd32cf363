/** `skywire transport ls|add|rm`: the links of the running visor. */

import type { Command } from "commander";
import type { NetworkTransport, TransportView } from "../../visor/mod.ts";
import {
  ADD_TRANSPORT,
  LIST_NETWORK_TRANSPORTS,
  LIST_TRANSPORTS,
  REMOVE_TRANSPORT,
} from "../../visor/transports/api.ts";
import { formatFigure } from "../../runtime/mod.ts";
import { shortKey } from "../../types/mod.ts";
import { type CommonOptions, keyArgument, makeCommand, makeGroup, printResult } from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { formatBytes, formatTable } from "../table.ts";

/** With it the widest table has 80 columns. */
const TYPE_COLUMNS = 6;

interface ListOptions extends CommonOptions {
  readonly network?: boolean;
}

interface AddOptions extends CommonOptions {
  readonly type: string;
  readonly address?: string;
}

/** The command. */
export function transportCommand(host: CliHost): Command {
  const list = makeCommand("ls", {
    description: "List the transports of this visor, or of the whole network.",
    examples: ["skywire transport ls", "skywire transport ls --network --json"],
  })
    .option("--network", "all transports that transport discovery knows")
    .action(async (options: ListOptions) => {
      const visor = await connectToVisor(options, host);
      if (options.network) {
        const all = await visor.ask(LIST_NETWORK_TRANSPORTS);
        printResult(all, { options, host, describe: (value) => describeNetwork(value.transports, host) });
      } else {
        const own = await visor.ask(LIST_TRANSPORTS);
        printResult(own, { options, host, describe: (value) => describeOwn(value.transports, host) });
      }
    });

  const add = makeCommand("add", {
    description: "Open a transport to a visor and keep it up, over restarts too.",
    examples: [
      "skywire transport add 02c6047f… --type stcp --address 192.0.2.7:7777",
      "skywire transport add 02c6047f… --type stcpr",
      "skywire transport add 02c6047f… --type dmsg",
      "skywire transport add 02c6047f… --type ws --address wss://example.org/transport",
    ],
  })
    .argument("<pk>", "the other visor's public key", keyArgument)
    .option(
      "--type <type>",
      "stcp (TCP by address), stcpr (TCP by address resolver), ws (WebSocket), dmsg (messaging servers), or a driver's",
      "stcp",
    )
    .option("--address <address>", "where the other visor listens: host:port; for ws a URL, too")
    .action(async (remote: string, options: AddOptions) => {
      const visor = await connectToVisor(options, host);
      const body = { remote, type: options.type, address: options.address };
      const added = await visor.ask(ADD_TRANSPORT, { body });
      printResult(added, { options, host, describe: ({ transport }) => describeOwn([transport], host) });
    });

  const remove = makeCommand("rm", {
    description: "Close a transport and stop keeping it up.",
    examples: ["skywire transport rm eddd8617-499d-0238-b341-ea0908ef5201"],
  })
    .argument("<id>", "the transport's id, or its first 8 digits or more")
    .action(async (id: string, options: CommonOptions) => {
      const visor = await connectToVisor(options, host);
      const removed = await visor.ask(REMOVE_TRANSPORT, { params: { id } });
      printResult(removed, { options, host, describe: (value) => `removed ${value.removed}` });
    });

  return makeGroup("transport", {
    description: "List, open and close transports.",
    examples: ["skywire transport ls", "skywire transport add 02c6047f… --address 192.0.2.7:7777"],
    commands: [list, add, remove],
  });
}

/** Draws the transports of this visor, in 80 columns at most. */
export function describeOwn(transports: readonly TransportView[], host: Pick<CliHost, "isTerminal">): string {
  return formatTable(["ID", "TYPE", "REMOTE", "UP", "RTT", "SENT", "RECEIVED"], {
    rows: transports.map((t) => [
      t.id.slice(0, 8),
      shorten(t.type),
      shortKey(t.remote),
      t.up ? "yes" : "no",
      t.latencyMs === undefined ? "–" : `${formatFigure(t.latencyMs)} ms`,
      formatBytes(t.sentBytes),
      formatBytes(t.receivedBytes),
    ]),
    nothing: "no transports; open one with: skywire transport add PK --address HOST:PORT",
    colours: host.isTerminal,
  });
}

/** A type may have 32 characters; those of the network have 5 at most. */
function shorten(type: string): string {
  return type.length <= TYPE_COLUMNS ? type : `${type.slice(0, TYPE_COLUMNS - 1)}…`;
}

/** Draws the transports of the network, in 80 columns at most. */
export function describeNetwork(
  transports: readonly NetworkTransport[],
  host: Pick<CliHost, "isTerminal">,
): string {
  return formatTable(["ID", "TYPE", "EDGES", "STATUS", "SINCE (UTC)", "RTT"], {
    rows: transports.map((t) => [
      t.id.slice(0, 8),
      shorten(t.type),
      t.edges.map(shortKey).join("–"),
      t.status,
      // To the second, without the letter between date and time: 19 columns.
      t.since === undefined ? "–" : t.since.slice(0, 19).replace("T", " "),
      t.latencyMs === undefined ? "–" : `${formatFigure(t.latencyMs)} ms`,
    ]),
    nothing: "the network has no transports yet",
    colours: host.isTerminal,
  });
}
