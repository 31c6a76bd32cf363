/** A visor's proxies: apps of the visor, kept in the data folder, back after a restart. */

import { createSocksClient, createSocksServer, type SocksClient, type SocksRefusal } from "../../apps/mod.ts";
import { describeError, RefusedError } from "../../errors/mod.ts";
import type { KeyedNetwork } from "../../overlay/mod.ts";
import type { Router } from "../../routing/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import { createSerial } from "../../services/http/mod.ts";
import type { AppsPart } from "../apps/part.ts";
import type { KeptDocument } from "../kept_document.ts";
import type { KeptProxy } from "./kept.ts";
import type { ProxySettings } from "./settings.ts";
import type { ProxyView } from "./view.ts";

/** There is one server, since there is one port 3. */
const SERVER_ID = "proxy-server";

/** What proxies are made of. */
export interface ProxiesDeps {
  readonly runtime: Runtime;
  readonly router: Router;
  /** Runs the apps of the proxies. */
  readonly apps: Pick<AppsPart, "list" | "stateOf" | "add" | "remove" | "run">;
  readonly kept: KeptDocument<readonly KeptProxy[]>;
}

/** See the top of the file. */
export class ProxiesPart {
  readonly #deps: ProxiesDeps;
  /** The file has no ids. Each start gives them anew. */
  readonly #ids = new WeakMap<KeptProxy, string>();
  /** A client's app knows where it listens. */
  readonly #clients = new Map<string, SocksClient>();
  readonly #watchers = new Set<(refusal: SocksRefusal) => void>();
  readonly #inOrder = createSerial();

  constructor(deps: ProxiesDeps) {
    this.#deps = deps;
  }

  /** Starts the kept proxies. The launcher starts one again that cannot start now. */
  async restore(): Promise<void> {
    const { runtime: { log }, kept, apps } = this.#deps;
    for (const proxy of await kept.load()) {
      const id = this.#addApp(proxy);
      this.#ids.set(proxy, id);
      if (proxy.stopped) continue;
      apps.run(id).catch((error) => log.warn("proxy-not-restored", { proxy: id, error: describeError(error) }));
    }
  }

  list(): ProxyView[] {
    return this.#deps.kept.value.map((proxy) => this.#viewOf(proxy)).filter((view) => view !== undefined);
  }

  /**
   * Sets a proxy up and starts it; a server replaces the one before.
   * @throws what makes the start fail, `storage/write-failed`: then all is as it was
   */
  add(settings: ProxySettings): Promise<ProxyView> {
    return this.#inOrder(async () => {
      const { kept, apps } = this.#deps;
      const before = settings.role === "server" ? kept.value.find(({ role }) => role === "server") : undefined;
      const wasStopped = apps.stateOf(SERVER_ID) === "stopped";
      if (before !== undefined) await apps.remove(SERVER_ID);
      const id = this.#addApp(settings);
      try {
        await apps.run(id);
        // A port that was chosen once is kept: programs are set up to use it.
        const listen = this.#clients.get(id)?.address;
        const proxy: KeptProxy = settings.role === "client" && listen !== undefined
          ? { ...settings, listen }
          : settings;
        this.#ids.set(proxy, id);
        await kept.change((all) => [...all.filter((other) => other !== before), proxy]);
        return { id, ...viewOf(proxy), state: apps.stateOf(id) };
      } catch (error) {
        await this.#removeApp(id);
        if (before !== undefined) this.#putBack(before, wasStopped);
        throw error;
      }
    });
  }

  /** @throws {RefusedError} `proxy/not-found`; {UnavailableError} `storage/write-failed`: it runs on */
  remove(id: string): Promise<void> {
    return this.#inOrder(async () => {
      await this.#deps.kept.change((all) => {
        const others = all.filter((proxy) => this.#ids.get(proxy) !== id);
        if (others.length < all.length) return others;
        throw new RefusedError("proxy/not-found", `Remove the proxy "${id}": there is none; see "skywire proxy ls"`);
      });
      await this.#removeApp(id);
    });
  }

  /** Subscribes to clients that the server turns away. @returns unsubscribes */
  onRefusal(watcher: (refusal: SocksRefusal) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #addApp(settings: ProxySettings): string {
    const { runtime, router, apps } = this.#deps;
    const id = settings.role === "server" ? SERVER_ID : this.#freeId();
    const keepStopped = (stopped: boolean): Promise<void> => this.#keepStopped(id, stopped);
    if (settings.role === "server") {
      const { passcode, allow, destinations } = settings;
      const onRefused = (refusal: SocksRefusal): void => this.#watchers.forEach((watcher) => watcher(refusal));
      apps.add(
        createSocksServer({ runtime, network: router, name: id, passcode, allow, destinations, onRefused }),
        keepStopped,
      );
    } else {
      const { to, listen, path, passcode, standby, routes, pin } = settings;
      const network: KeyedNetwork = {
        publicKey: router.publicKey,
        dial: (remote, port, options) => router.dial(remote, port, { ...options, standby, routes, pin }),
        listen: (port) => router.listen(port),
      };
      const client = createSocksClient({ runtime, network, name: id, remote: to, listen, path, passcode });
      apps.add(client, keepStopped);
      this.#clients.set(id, client);
    }
    return id;
  }

  async #removeApp(id: string): Promise<void> {
    this.#clients.delete(id);
    await this.#deps.apps.remove(id);
  }

  /** Starts the server again that was to be replaced. */
  #putBack(server: KeptProxy, wasStopped: boolean): void {
    const { runtime: { log }, apps } = this.#deps;
    this.#addApp(server);
    if (wasStopped) return;
    apps.run(SERVER_ID).catch((error) => log.warn("proxy-not-restored", { error: describeError(error) }));
  }

  async #keepStopped(id: string, isStopped: boolean): Promise<void> {
    await this.#deps.kept.change((all) =>
      all.map((proxy) => {
        if (this.#ids.get(proxy) !== id) return proxy;
        const { stopped: _, ...rest } = proxy;
        const next: KeptProxy = isStopped ? { ...rest, stopped: true } : rest;
        this.#ids.set(next, id);
        return next;
      })
    );
  }

  #freeId(): string {
    const taken = new Set(this.#deps.apps.list().map(({ name }) => name));
    for (let n = 1;; n++) if (!taken.has(`proxy-${n}`)) return `proxy-${n}`;
  }

  /** Undefined until {@link ProxiesPart.restore} has started it. */
  #viewOf(proxy: KeptProxy): ProxyView | undefined {
    const id = this.#ids.get(proxy);
    if (id === undefined) return undefined;
    const listen = this.#clients.get(id)?.address;
    const shown = proxy.role === "client" && listen !== undefined ? { ...proxy, listen } : proxy;
    return { id, ...viewOf(shown), state: this.#deps.apps.stateOf(id) };
  }
}

function viewOf(settings: ProxySettings): Omit<ProxyView, "id" | "state"> {
  if (settings.role === "server") {
    const { allow, destinations, passcode } = settings;
    return { role: "server", allow, destinations, wantsPasscode: passcode !== undefined };
  }
  const { listen, to, standby, routes, pin } = settings;
  return {
    role: "client",
    listen,
    to,
    ...(standby !== undefined && { standby }),
    ...(routes !== undefined && { routes }),
    ...(pin !== undefined && { pin }),
  };
}
