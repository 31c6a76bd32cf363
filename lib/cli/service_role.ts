/**
 * What the services share as programs: their key, where records are kept, limits, listeners, the ready line. Tested in
 * tests/e2e/services_test.ts.
 */

import type { Command } from "commander";
import { HTTP_PORT } from "../messaging/mod.ts";
import { ControlPlane, type Served } from "../network/control_plane.ts";
import type { ServiceName } from "../network/service_host.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { SecretKey } from "../types/mod.ts";
import { wholeNumber } from "./command.ts";
import type { CliHost } from "./host.ts";
import { describeService, loadKey, runRole, type ServiceOptions, type ServiceReady } from "./role.ts";

/** Requests that may come at once, as a multiple of those a second. */
const BURST_SECONDS = 4;

/** The options of every HTTP service. */
export interface HttpServiceOptions extends ServiceOptions {
  readonly messagingDiscovery?: string;
  readonly rateLimit: number;
}

/** Adds the option for limits. */
export function withLimits(command: Command): Command {
  return command.option(
    "--rate-limit <n>",
    "requests a second that one client address may send; 0: as many as it likes",
    wholeNumber({ min: 0, max: 1_000_000 }),
    1_000,
  );
}

/** Adds the option for messaging. */
export function withMessaging(command: Command): Command {
  return command.option(
    "--messaging-discovery <url>",
    "serve at the service's public key, too: join the messaging network of this discovery",
  );
}

/** A role that runs one service of a network. */
export interface ServiceRole {
  readonly options: Omit<ServiceOptions, "listen"> & { readonly listen?: string; readonly rateLimit?: number };
  readonly host: CliHost;
  /** Can others know its key? Then it answers there. */
  readonly isReached: boolean;
  /** Default: where it listens, and its key. */
  readonly describe?: (ready: ServiceReady) => string;
  /** Starts the service. */
  readonly start: (
    plane: ControlPlane,
    context: { readonly runtime: Runtime; readonly secret: SecretKey },
  ) => Promise<Pick<ServiceReady, "url" | "listeners">>;
}

/** Runs a service until it is told to end. */
export function runService(role: ServiceRole): Promise<void> {
  const { options, host, isReached, describe = describeService } = role;
  const { listen = "", db, key, rateLimit, behindProxy, ...common } = options;
  return runRole<ServiceReady>({ options: common, host, describe }, async (runtime) => {
    await using stack = new AsyncDisposableStack();
    const { secret, save } = await loadKey(key, { host, runtime });
    stack.use(secret);
    const plane = stack.use(
      new ControlPlane({
        runtime,
        secret,
        listen: (_name, bind) => bind(listen),
        databaseOf: () => db,
        portOf: isReached ? () => HTTP_PORT : undefined,
        trustsProxy: behindProxy,
        rateLimit: rateLimit === undefined ? undefined : { perSecond: rateLimit, burst: BURST_SECONDS * rateLimit },
      }),
    );
    const start = async (): Promise<Pick<ServiceReady, "url" | "listeners">> => {
      const started = await role.start(plane, { runtime, secret });
      await save();
      return started;
    };
    const started = await start().catch((error) => {
      plane.discard();
      throw error;
    });
    const owned = stack.move();
    return { ready: { publicKey: plane.publicKey, ...started }, close: async () => await owned.disposeAsync() };
  });
}

/** How to run a service that answers HTTP. */
export interface HttpRole {
  readonly options: HttpServiceOptions;
  readonly host: CliHost;
  readonly serve: (plane: ControlPlane, runtime: Runtime) => Promise<Served>;
  /** It is the messaging discovery: through itself it joins its network. */
  readonly isDiscovery?: boolean;
}

/** Runs an HTTP service until it is told to end. `name` names its listener. */
export function runHttpService(name: ServiceName, role: HttpRole): Promise<void> {
  const { options, host, serve, isDiscovery = false } = role;
  const { messagingDiscovery } = options;
  // A key that is new at each start is no address: nobody could know it.
  const isReached = isDiscovery ? options.key !== undefined : messagingDiscovery !== undefined;
  return runService({
    options,
    host,
    isReached,
    start: async (plane, { runtime }) => {
      const { service, server } = await serve(plane, runtime);
      if (isReached) plane.join({ discovery: isDiscovery ? service : messagingDiscovery ?? "" });
      return { url: server.url, listeners: [{ purpose: name, address: server.address }] };
    },
  });
}
