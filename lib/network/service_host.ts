/**
 * What the services in a visor's process share: databases in its data folder, a listener each, and one public key at which
 * all of them answer over messaging, too.
 */

import { DEFAULT_PORTS, type ListenerPurpose } from "./listener_ports.ts";
import { HTTP_PORT, type MessagingClient, serveHttp } from "../messaging/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { HttpService, MessagingPresence } from "../services/http/mod.ts";
import { type DatabaseOwner, openDatabase, type SqlDatabase } from "../storage/mod.ts";
import type { Port, PublicKey, SecretKey } from "../types/mod.ts";
import type { Listeners } from "./listeners.ts";

/** Where services keep what they need. */
export interface ServiceFolder {
  /** The folder on disk; undefined in memory. */
  readonly path: string | undefined;
  /** The secret key `<name>.key`, made when it is missing. The caller disposes it. */
  secretKey(name: string): Promise<SecretKey>;
}

/** What a host is made of. */
export interface ServiceHostDeps {
  readonly runtime: Runtime;
  readonly folder: ServiceFolder;
  readonly listeners: Listeners;
  /** At which the services answer. */
  readonly publicKey: PublicKey;
}

/** Where a service is. */
export interface ServedService {
  /** `host:port` that it listens on. */
  readonly address: string;
  /** Base URL for this process. */
  readonly local: string;
  /** Base URL for others. */
  readonly public: string;
}

/** See the top of the file. Disposing ends what {@link ServiceHost.close} left: servers, then databases. */
export class ServiceHost implements AsyncDisposable {
  readonly #deps: ServiceHostDeps;
  readonly #stack = new AsyncDisposableStack();
  readonly #services: [ListenerPurpose, HttpService][] = [];
  readonly #answering = new AsyncDisposableStack();
  #messaging: MessagingClient | undefined;

  /** Serves nothing yet. */
  constructor(deps: ServiceHostDeps) {
    this.#deps = deps;
  }

  /** What every service is made with: its database, undefined for one in memory, and how it is reached over messaging. */
  partsOf(
    purpose: ListenerPurpose & DatabaseOwner,
  ): { readonly database: SqlDatabase | undefined; readonly messaging: MessagingPresence } {
    const { path } = this.#deps.folder;
    const database = openDatabase(path === undefined ? "memory:" : `sqlite:${path}/${purpose}.sqlite`, purpose);
    if (database !== undefined) this.#stack.defer(() => database.close());
    return { database, messaging: this.presenceOf(purpose) };
  }

  /** How a service is reached over messaging. */
  presenceOf(purpose: ListenerPurpose): MessagingPresence & { readonly port: Port } {
    const sessions = (): MessagingClient["sessions"] => this.#messaging?.sessions ?? [];
    return {
      publicKey: this.#deps.publicKey,
      port: purpose === "messaging-discovery" ? HTTP_PORT : DEFAULT_PORTS[purpose],
      get sessions(): MessagingClient["sessions"] {
        return sessions();
      },
    };
  }

  /** Serves a service, which belongs to the host from now on. @throws as `Listeners.open` */
  async serve(purpose: ListenerPurpose, service: HttpService): Promise<ServedService> {
    const { runtime, listeners } = this.#deps;
    const server = await listeners.open(purpose, (address) => runtime.http.serve(address, service.fetch));
    this.#services.push([purpose, service]);
    this.#stack.defer(() => server.close());
    return {
      address: server.address,
      local: `http://${listeners.localAddress(server.address)}`,
      public: `http://${listeners.publicAddress(server.address)}`,
    };
  }

  /** From now on the services answer at their key. @param messaging of that key; the caller's */
  answerOver(messaging: MessagingClient): void {
    const { timers, log } = this.#deps.runtime;
    this.#messaging = messaging;
    for (const [purpose, { fetch: handler }] of this.#services) {
      const { port } = this.presenceOf(purpose);
      this.#answering.use(serveHttp({ messaging, port, handler, timers, log }));
    }
  }

  /** Ends the services, and with them their event streams, for which servers would wait; and the answers at the key. */
  async close(): Promise<void> {
    await Promise.all(this.#services.map(([, service]) => service.close()));
    await this.#answering.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.#stack.disposeAsync();
  }
}
