/** What the HTTP services share as programs: the database, the listener, the ready line. */

import type { Command } from "commander";
import { publicKeyOf } from "../core/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { HttpService } from "../services/http/mod.ts";
import { openDatabase, type SqlDatabase } from "../storage/mod.ts";
import type { CliHost } from "./host.ts";
import { describeService, loadKey, runRole, type ServiceOptions, type ServiceReady } from "./role.ts";

/** The options of a service that keeps records. */
export interface StoringServiceOptions extends ServiceOptions {
  readonly db: string;
}

/** Adds the option for the database. */
export function withDatabase(command: Command): Command {
  return command.option("--db <location>", "where records are kept: sqlite:FILE or memory:", "memory:");
}

/** How to make a service. */
export interface HttpRole {
  readonly options: ServiceOptions & { readonly db?: string };
  readonly host: CliHost;
  readonly create: (
    parts: { readonly runtime: Runtime; readonly database: SqlDatabase | undefined },
  ) => Promise<HttpService>;
}

/** Runs an HTTP service until it is told to end. `purpose` names its listener. */
export function runHttpService(purpose: string, { options, host, create }: HttpRole): Promise<void> {
  return runRole<ServiceReady>({ options, host, describe: describeService }, async (runtime) => {
    await using stack = new AsyncDisposableStack();
    const secret = stack.use(await loadKey(options.key, { host, runtime }));
    const database = openDatabase(options.db ?? "memory:");
    if (database !== undefined) stack.defer(() => database.close());
    const service = await create({ runtime, database });
    const server = await runtime.http.serve(options.listen, service.fetch);
    stack.defer(() => server.close());
    // First the service, which ends its event streams: the server waits for them.
    stack.defer(() => service.close());
    const owned = stack.move();
    return {
      ready: {
        publicKey: publicKeyOf(secret),
        url: server.url,
        listeners: [{ purpose, address: server.address }],
      },
      close: async () => await owned.disposeAsync(),
    };
  });
}
