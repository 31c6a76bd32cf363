/** `skywire proxy serve|connect|ls|rm`: the SOCKS5 proxy whose exit is another visor. */

import type { Command } from "commander";
import { RefusedError } from "../../errors/mod.ts";
import type { ProxyView } from "../../visor/mod.ts";
import { ADD_PROXY, LIST_PROXIES, REMOVE_PROXY } from "../../visor/proxies/api.ts";
import { shortKey } from "../../types/mod.ts";
import {
  addressArgument,
  collect,
  type CommonOptions,
  keyArgument,
  makeCommand,
  makeGroup,
  pathArgument,
  printResult,
} from "../command.ts";
import { connectToVisor } from "../control_client.ts";
import type { CliHost } from "../host.ts";
import { type SessionCliOptions, sessionMembersOf, withSessionOptions } from "../session_options.ts";
import { formatTable } from "../table.ts";

interface ServeOptions extends CommonOptions {
  readonly passcode?: string;
  readonly allow?: string[];
  readonly destinations?: string[];
}

interface ConnectOptions extends CommonOptions, SessionCliOptions {
  readonly listen: string;
  readonly path?: string[];
  readonly passcode?: string;
}

/** The command. */
export function proxyCommand(host: CliHost): Command {
  const serve = makeCommand("serve", {
    description: "Let others leave through this visor (private and loopback destinations are denied unless listed).",
    examples: [
      "skywire proxy serve",
      "skywire proxy serve --passcode swordfish",
      "skywire proxy serve --destinations public --destinations 192.168.1.0/24",
    ],
  })
    .option("--passcode <s>", "clients must know it (SOCKS5 user name or password)")
    .option("--allow <pk>", "admit only this visor; may be repeated", collect(keyArgument))
    .option("--destinations <cidr>", "`public` or a CIDR that may be reached; may be repeated", collect(String))
    .action(async (options: ServeOptions) => {
      const visor = await connectToVisor(options, host);
      const { passcode, allow = [], destinations = ["public"] } = options;
      const made = await visor.ask(ADD_PROXY, { body: { role: "server", passcode, allow, destinations } });
      printResult(made, { options, host, describe: ({ proxy }) => describeServer(proxy, host) });
    });

  const connect = withSessionOptions(makeCommand("connect", {
    description: "Open a local SOCKS5 address whose exit is another visor.",
    examples: [
      "skywire proxy connect 02c6047f…",
      "skywire proxy connect 02c6047f… --listen 127.0.0.1:1080 --path PK1,02c6047f…",
      "skywire proxy connect 02c6047f… --standby",
      "curl --socks5-hostname 127.0.0.1:1080 http://example.org/",
    ],
  }))
    .argument("<pk>", "the exit's public key", keyArgument)
    .option("--listen <address>", "the local address; port 0 takes a free one", addressArgument, "127.0.0.1:1080")
    .option("--path <pk,…>", "the visors or transports to go over, the last one to the exit", pathArgument)
    .option("--passcode <s>", "what the exit wants to hear; programs need not know it then")
    .action(async (to: string, options: ConnectOptions) => {
      const visor = await connectToVisor(options, host);
      const { listen, path, passcode } = options;
      if (visor.isOwnKey(to)) {
        throw new RefusedError(
          "proxy/own-key",
          "Connect to a proxy: the key is this visor's own; name the visor that is to be the exit",
        );
      }
      const made = await visor.ask(ADD_PROXY, {
        body: { role: "client", to, listen, path, passcode, ...sessionMembersOf(options) },
      });
      printResult(made, { options, host, describe: ({ proxy }) => describeProxies([proxy], host) });
    });

  const list = makeCommand("ls", {
    description: "List the proxies of this visor.",
    examples: ["skywire proxy ls", "skywire proxy ls --json"],
  }).action(async (options: CommonOptions) => {
    const visor = await connectToVisor(options, host);
    const proxies = await visor.ask(LIST_PROXIES);
    printResult(proxies, { options, host, describe: (value) => describeProxies(value.proxies, host) });
  });

  const remove = makeCommand("rm", { description: "End a proxy.", examples: ["skywire proxy rm proxy-server"] })
    .argument("<id>", "the proxy's id, as `skywire proxy ls` shows it")
    .action(async (id: string, options: CommonOptions) => {
      const visor = await connectToVisor(options, host);
      const removed = await visor.ask(REMOVE_PROXY, { params: { id } });
      printResult(removed, { options, host, describe: (value) => `removed ${value.removed}` });
    });

  return makeGroup("proxy", {
    description: "SOCKS5 through the network.",
    examples: ["skywire proxy serve", "skywire proxy connect 02c6047f…", "skywire proxy ls"],
    commands: [serve, connect, list, remove],
  });
}

/** The exit for others: everybody who reads this line learns who they are, and where they get. */
function describeServer(proxy: ProxyView, host: CliHost): string {
  const { allow = [], destinations = [], wantsPasscode } = proxy;
  const who = allow.length === 0 ? ["every visor of this network; --allow PK admits only those named"] : allow;
  const where = destinations.map((one) => one === "public" ? "the public internet" : one).join(", ");
  return [
    describeProxies([proxy], host),
    "",
    ...who.map((text, i) => `${i === 0 ? "who    " : "       "} ${text}`),
    ...(wantsPasscode ? ["        and only with the passcode"] : []),
    `where   ${where}; whatever else is asked for is refused, and shows in the log`,
  ].join("\n");
}

function describeProxies(proxies: readonly ProxyView[], host: CliHost): string {
  return formatTable(["ID", "ROLE", "LISTEN", "TO", "STATE"], {
    rows: proxies.map((p) => [
      p.id,
      p.role,
      p.listen ?? "–",
      p.to === undefined ? "–" : shortKey(p.to),
      p.state,
    ]),
    nothing: "no proxies",
    colours: host.isTerminal,
  });
}
