/**
 * What services in one process share: a database each, a listener each, and one public key at which all of them answer
 * over messaging, too. An embedded network hosts all services, a role of the command line hosts one.
 * Tested in tests/visor/embedding_test.ts and tests/e2e/services_test.ts.
 */

import { type MessagingClient, serveHttp } from "../messaging/mod.ts";
import type { HttpServer, Runtime } from "../runtime/mod.ts";
import type { HttpService, MessagingPresence, RateLimit, ServiceSettings } from "../services/http/mod.ts";
import { type DatabaseOwner, openDatabase, type SqlDatabase } from "../storage/mod.ts";
import type { Port, PublicKey } from "../types/mod.ts";

/** The services of a network. */
export type ServiceName =
  | "messaging-discovery"
  | "messaging-server"
  | "transport-discovery"
  | "route-finder"
  | "address-resolver"
  | "setup-node";

/** What a host is made of. */
export interface ServiceHostDeps {
  readonly runtime: Runtime;
  /** At which the services answer. */
  readonly publicKey: PublicKey;
  /**
   * Opens the listener of a service.
   * @param bind binds the `host:port` that it is given
   */
  readonly listen: <T extends { readonly address: string }>(
    name: ServiceName,
    bind: (address: string) => Promise<T>,
  ) => Promise<T>;
  /** Where the records of a service are kept: `sqlite:FILE` or `memory:`. */
  readonly databaseOf: (name: ServiceName) => string;
  /** The port of the key at which a service answers, 1–65535; absent: nobody can know the key. */
  readonly portOf?: ((name: ServiceName) => Port) | undefined;
  /** For each client of each service; absent: the usual one. */
  readonly rateLimit?: RateLimit | undefined;
  /** Is there a proxy in front of all services, whose headers name the client? */
  readonly trustsProxy?: boolean | undefined;
}

/** What every service is made with. */
export interface ServiceParts extends ServiceSettings {
  readonly runtime: Runtime;
}

/** A service, and the name by which its port at the key is found. */
interface Hosted {
  readonly name: ServiceName;
  readonly service: HttpService;
}

/** See the top of the file. Disposing ends what {@link ServiceHost.close} left: servers, then databases. */
export class ServiceHost implements AsyncDisposable {
  readonly publicKey: PublicKey;
  readonly #deps: ServiceHostDeps;
  readonly #stack = new AsyncDisposableStack();
  readonly #hosted: Hosted[] = [];
  #isDiscarded = false;
  readonly #problems: (() => string | undefined)[] = [];
  readonly #answering = new AsyncDisposableStack();
  #messaging: MessagingClient | undefined;

  /** Serves nothing yet. */
  constructor(deps: ServiceHostDeps) {
    this.#deps = deps;
    this.publicKey = deps.publicKey;
  }

  /** What a service is made with. */
  partsOf(name: ServiceName): ServiceParts {
    const { runtime, rateLimit, trustsProxy } = this.#deps;
    const problems = (): string[] => this.#problems.map((find) => find()).filter((text) => text !== undefined);
    return { runtime, rateLimit, trustsProxy, problems, messaging: this.#presenceOf(name) };
  }

  /** The same for one that keeps records. Its database is the host's; undefined: records are kept in memory. */
  partsWithRecordsOf(name: ServiceName & DatabaseOwner): ServiceParts & { readonly database: SqlDatabase | undefined } {
    const database = openDatabase(this.#deps.databaseOf(name), name);
    if (database !== undefined) this.#stack.defer(() => this.#isDiscarded ? database.discard() : database.close());
    return { ...this.partsOf(name), database };
  }

  /** Serves a service, which belongs to the host from now on. @throws as `listen` of the host */
  async serve(name: ServiceName, service: HttpService): Promise<HttpServer> {
    return await this.#deps.listen(name, (address) => this.serveAt(address, { name, service }));
  }

  /** The same on an address that is known. @throws as `runtime.http.serve` */
  async serveAt(address: string, { name, service }: Hosted): Promise<HttpServer> {
    const { runtime: { http }, trustsProxy: behindProxy = false } = this.#deps;
    const server = await http.serve(address, service.fetch, { behindProxy });
    this.host(name, service);
    this.#stack.defer(() => server.close());
    return server;
  }

  /** The start has failed: disposing removes the databases that it made. */
  discard(): void {
    this.#isDiscarded = true;
  }

  /** From now on all services tell of a problem in `/health`. @param find undefined while there is none */
  watch(find: () => string | undefined): void {
    this.#problems.push(find);
  }

  /** Has a service answer at the key only. It belongs to the host from now on. */
  host(name: ServiceName, service: HttpService): void {
    this.#hosted.push({ name, service });
  }

  /** From now on the services answer at their key. @param messaging of that key; the caller's */
  answerOver(messaging: MessagingClient): void {
    const { runtime: { timers, log }, portOf } = this.#deps;
    this.#messaging = messaging;
    if (portOf === undefined) return;
    for (const { name, service } of this.#hosted) {
      this.#answering.use(serveHttp({ messaging, port: portOf(name), handler: service.fetch, timers, log }));
    }
  }

  /** Ends the services, and with them their event streams, for which servers would wait; and the answers at the key. */
  async close(): Promise<void> {
    await Promise.all(this.#hosted.map(({ service }) => service.close()));
    await this.#answering.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.#stack.disposeAsync();
  }

  /** How a service is reached over messaging; the client comes later. */
  #presenceOf(name: ServiceName): MessagingPresence | undefined {
    const { publicKey, portOf } = this.#deps;
    if (portOf === undefined) return undefined;
    const sessions = (): MessagingClient["sessions"] => this.#messaging?.sessions ?? [];
    return {
      publicKey,
      port: portOf(name),
      get sessions(): MessagingClient["sessions"] {
        return sessions();
      },
    };
  }
}
