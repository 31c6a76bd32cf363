/** What the HTTP services share as programs: the database, limits, the listeners, the ready line. */

import type { Command } from "commander";
import { publicKeyOf } from "../core/mod.ts";
import { type MessagingClient, serveHttp } from "../messaging/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { HttpService, ServiceSettings } from "../services/http/mod.ts";
import { joinMessaging } from "../services/messaging_discovery/mod.ts";
import { type DatabaseOwner, openDatabase, type SqlDatabase } from "../storage/mod.ts";
import type { SecretKey } from "../types/mod.ts";
import { wholeNumber } from "./command.ts";
import type { CliHost } from "./host.ts";
import { describeService, loadKey, runRole, type ServiceOptions, type ServiceReady } from "./role.ts";

/** Requests that may come at once, as a multiple of those a second. */
const BURST_SECONDS = 4;

/** A session with every server there is: whoever knows one of them only must find us at it (dmsg.md §7.3). */
const ALL_SERVERS = 64;

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

/** How to make a service. */
export interface HttpRole {
  readonly options: HttpServiceOptions;
  readonly host: CliHost;
  readonly create: (parts: {
    readonly runtime: Runtime;
    readonly database: SqlDatabase | undefined;
    readonly settings: ServiceSettings;
  }) => Promise<HttpService>;
  /** Called when it listens, with `host:port`. */
  readonly onListening?: (address: string) => Promise<void>;
  /** It is the messaging discovery: through itself it joins its network. */
  readonly isDiscovery?: boolean;
}

/** Runs an HTTP service until it is told to end. `purpose` names its listener. */
export function runHttpService(purpose: DatabaseOwner, role: HttpRole): Promise<void> {
  const { options, host, create, isDiscovery = false } = role;
  return runRole<ServiceReady>({ options, host, describe: describeService }, async (runtime) => {
    await using stack = new AsyncDisposableStack();
    const secret = stack.use(await loadKey(options.key, { host, runtime }));
    const publicKey = publicKeyOf(secret);
    const database = openDatabase(options.db, purpose);
    if (database !== undefined) stack.defer(() => database.close());
    // A key that is new at each start is no address: nobody could know it.
    const isReached = isDiscovery ? options.key !== undefined : options.messagingDiscovery !== undefined;
    let messaging: MessagingClient | undefined;
    const presence = {
      publicKey,
      get sessions(): MessagingClient["sessions"] {
        return messaging?.sessions ?? [];
      },
    };
    const service = await create({
      runtime,
      database,
      settings: {
        rateLimit: { perSecond: options.rateLimit, burst: BURST_SECONDS * options.rateLimit },
        ...(isReached ? { messaging: presence } : {}),
      },
    });
    if (isReached) {
      messaging = isDiscovery
        ? joinThroughSelf(service, { runtime, secret })
        : joinMessaging({ runtime, secret, url: options.messagingDiscovery ?? "" }).messaging;
      stack.use(messaging);
      const { timers, log } = runtime;
      stack.use(serveHttp({ messaging, handler: service.fetch, timers, log }));
    }
    const server = await runtime.http.serve(options.listen, service.fetch);
    stack.defer(() => server.close());
    // First the service, which ends its event streams: the servers wait for them.
    stack.defer(() => service.close());
    await role.onListening?.(server.address);
    const owned = stack.move();
    return {
      ready: { publicKey, url: server.url, listeners: [{ purpose, address: server.address }] },
      close: async () => await owned.disposeAsync(),
    };
  });
}

/** The messaging client of the discovery, which finds its servers in its own records. */
function joinThroughSelf(
  service: HttpService,
  { runtime, secret }: { readonly runtime: Runtime; readonly secret: SecretKey },
): MessagingClient {
  const http = { ...runtime.http, fetch: (request: Request): Promise<Response> => service.fetch(request) };
  const url = "http://localhost";
  return joinMessaging({ runtime: { ...runtime, http }, secret, url, minSessions: ALL_SERVERS }).messaging;
}
