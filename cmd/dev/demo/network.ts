/** The network of the demo: the control plane, and visors in a line joined by TCP transports. */

import { formatTicket } from "../../../lib/network/mod.ts";
import { UnavailableError } from "../../../lib/errors/mod.ts";
import { at } from "../../../lib/types/at.ts";
import type { PublicKey } from "../../../lib/types/mod.ts";
import type { RouteView, TransportView } from "../../../lib/visor/mod.ts";
import { FIND_ROUTES } from "../../../lib/visor/routes/api.ts";
import { ADD_TRANSPORT } from "../../../lib/visor/transports/api.ts";
import { connectToVisor, type ControlClient } from "../../../lib/cli/control_client.ts";
import type { CliHost } from "../../../lib/cli/host.ts";
import type { Processes, RunningProcess } from "./processes.ts";

/** A visor of the line. */
export interface DemoVisor {
  readonly name: string;
  readonly publicKey: string;
  readonly control: ControlClient;
}

/** The visors from the first to the last, and the transports between them. */
export interface DemoLine {
  readonly visors: readonly DemoVisor[];
  readonly transports: readonly TransportView[];
}

const LISTEN = "127.0.0.1:0";

/** Starts the control plane and `count` visors, and joins neighbours. `step` is told what is being done. */
export async function startLine(
  count: number,
  context: { processes: Processes; folder: string; host: CliHost; step: (text: string) => void },
): Promise<DemoLine> {
  const { processes, folder, host, step } = context;
  const service = (name: string, args: readonly string[]): Promise<RunningProcess> =>
    processes.start(name, {
      program: name.replaceAll("-", "_"),
      args: ["--listen", LISTEN, "--key", `${folder}/${name}.key`, ...args],
    });

  step("start the control plane");
  const messagingDiscovery = await service("messaging-discovery", [
    "--db",
    `sqlite:${folder}/messaging-discovery.sqlite`,
    "--allow-loopback",
  ]);
  const discoveryUrl = messagingDiscovery.ready.url!;
  const [transportDiscovery] = await Promise.all([
    service("transport-discovery", ["--db", `sqlite:${folder}/transport-discovery.sqlite`]),
    service("messaging-server", ["--messaging-discovery", discoveryUrl]),
  ]);
  const [routeFinder, setupNode] = await Promise.all([
    service("route-finder", ["--transport-discovery", transportDiscovery.ready.url!]),
    processes.start("setup-node", {
      program: "setup_node",
      args: ["--key", `${folder}/setup-node.key`, "--messaging-discovery", discoveryUrl],
    }),
  ]);
  const ticket = formatTicket({
    messagingDiscovery: discoveryUrl,
    transportDiscovery: transportDiscovery.ready.url!,
    routeFinder: routeFinder.ready.url!,
    setupNodes: [setupNode.ready.publicKey as PublicKey],
  });

  step(`start ${count} visors`);
  const started = await Promise.all(Array.from({ length: count }, async (_, i) => {
    const name = `visor-${String.fromCharCode("a".charCodeAt(0) + i)}`;
    const data = `${folder}/${name}`;
    const { ready } = await processes.start(name, { program: "visor", args: ["--data", data, "--join", ticket] });
    const control = await connectToVisor({ data, verbose: 0 }, host);
    const stcp = ready.listeners.find((listener) => listener.purpose === "transport-stcp")!.address;
    return { name, publicKey: ready.publicKey, control, stcp };
  }));

  step("join neighbours by TCP transports");
  const transports = await Promise.all(
    started.slice(1).map(async (next, i) => {
      const body = { remote: next.publicKey, type: "stcp", address: next.stcp };
      return (await at(started, i).control.ask(ADD_TRANSPORT, { body })).transport;
    }),
  );
  return { visors: started, transports };
}

/** Waits until the route finder knows a path from the first to the last visor. */
export async function waitForRoute(line: DemoLine, withinMs: number): Promise<RouteView> {
  const first = at(line.visors, 0), last = at(line.visors, -1);
  const end = performance.now() + withinMs;
  while (true) {
    try {
      const { routes } = await first.control.ask(FIND_ROUTES, { body: { remote: last.publicKey } });
      const route = routes.find(({ hops }) => hops === line.visors.length - 1);
      if (route !== undefined) return route;
    } catch (cause) {
      if (performance.now() > end) throw new UnavailableError("demo/no-route", "Find a route", { cause });
    }
    if (performance.now() > end) {
      throw new UnavailableError(
        "demo/no-route",
        `Find a route: no path of ${line.visors.length - 1} hops after ${withinMs} ms`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
