/** A visor's proxies: apps in its launcher, kept in the data folder, back after a restart. */

import {
  createLauncher,
  createSocksClient,
  createSocksServer,
  type Launcher,
  type SocksClient,
} from "../../apps/mod.ts";
import { describeError, RefusedError } from "../../errors/mod.ts";
import type { Router } from "../../routing/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { DataFolder } from "../data_folder.ts";
import type { ProxyClientSettings, ProxySettings } from "../proxies/settings.ts";
import type { AppView, ProxyView } from "../views.ts";

/** There is one server, since there is one port 3. */
const SERVER_ID = "proxy-server";

/** A proxy and its app. */
interface Proxy {
  readonly settings: ProxySettings;
  /** A client's app knows where it listens. */
  readonly client?: SocksClient;
}

/** See the top of the file. Disposing stops all. */
export class Proxies implements AsyncDisposable {
  readonly #deps: { readonly runtime: Runtime; readonly folder: DataFolder; readonly router: Router };
  readonly #launcher: Launcher;
  readonly #proxies = new Map<string, Proxy>();

  constructor(deps: { readonly runtime: Runtime; readonly folder: DataFolder; readonly router: Router }) {
    this.#deps = deps;
    this.#launcher = createLauncher(deps);
  }

  /** Brings back what was set up; one that cannot start now is tried again by the launcher. */
  async restore(): Promise<void> {
    for (const { stopped, ...settings } of await this.#deps.folder.proxies()) {
      const id = this.#add(settings);
      if (stopped) continue;
      this.#launcher.start(id).catch((error) => {
        this.#deps.runtime.log.warn("proxy-not-restored", { proxy: id, error: describeError(error) });
      });
    }
  }

  list(): ProxyView[] {
    const states = new Map(this.#launcher.list().map(({ name, state }) => [name, state]));
    return [...this.#proxies].map(([id, proxy]) => viewOf(id, { proxy, state: states.get(id)! }));
  }

  apps(): AppView[] {
    return this.#launcher.list().map((app) => ({ ...app, since: new Date(app.since).toISOString() }));
  }

  /**
   * Sets a proxy up and starts it; a server replaces the one before.
   * @throws {UnavailableError} when a client's local address cannot be had; nothing is kept then
   */
  async add(settings: ProxySettings): Promise<ProxyView> {
    if (settings.role === "server" && this.#proxies.has(SERVER_ID)) await this.#forget(SERVER_ID);
    const id = this.#add(settings);
    try {
      await this.#launcher.start(id);
    } catch (error) {
      await this.#forget(id);
      throw error;
    }
    await this.#save();
    return this.list().find((proxy) => proxy.id === id)!;
  }

  /** @throws {RefusedError} `proxy/not-found` */
  async remove(id: string): Promise<void> {
    if (!this.#proxies.has(id)) {
      throw new RefusedError("proxy/not-found", `Remove the proxy "${id}": there is none; see "skywire proxy ls"`);
    }
    await this.#forget(id);
    await this.#save();
  }

  /** @throws {RefusedError} `app/unknown` */
  async start(name: string): Promise<void> {
    await this.#launcher.start(name);
    await this.#save();
  }

  /** @throws {RefusedError} `app/unknown` */
  async stop(name: string): Promise<void> {
    await this.#launcher.stop(name);
    await this.#save();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#launcher[Symbol.asyncDispose]();
  }

  #add(settings: ProxySettings): string {
    const { runtime, router } = this.#deps;
    const common = { runtime, network: router };
    if (settings.role === "server") {
      const { passcode, allow, destinations } = settings;
      this.#launcher.add(createSocksServer({ ...common, name: SERVER_ID, passcode, allow, destinations }));
      this.#proxies.set(SERVER_ID, { settings });
      return SERVER_ID;
    }
    const id = this.#freeId();
    const { to, listen, path, passcode } = settings;
    const client = createSocksClient({ ...common, name: id, remote: to, listen, path, passcode });
    this.#launcher.add(client);
    this.#proxies.set(id, { settings, client });
    return id;
  }

  async #forget(id: string): Promise<void> {
    this.#proxies.delete(id);
    await this.#launcher.remove(id);
  }

  async #save(): Promise<void> {
    const states = new Map(this.#launcher.list().map(({ name, state }) => [name, state]));
    await this.#deps.folder.saveProxies(
      [...this.#proxies].map(([id, { settings, client }]) => ({
        ...(settings.role === "client" ? withAddress(settings, client?.address) : settings),
        ...(states.get(id) === "stopped" ? { stopped: true } : {}),
      })),
    );
  }

  #freeId(): string {
    for (let n = 1;; n++) if (!this.#proxies.has(`proxy-${n}`)) return `proxy-${n}`;
  }
}

/** A port that was chosen once is kept: programs are set up to use it. */
function withAddress(settings: ProxyClientSettings, address: string | undefined): ProxyClientSettings {
  return { ...settings, listen: address ?? settings.listen };
}

function viewOf(id: string, { proxy, state }: { proxy: Proxy; state: AppView["state"] }): ProxyView {
  const { settings, client } = proxy;
  if (settings.role === "server") return { id, role: "server", state };
  return { id, role: "client", listen: client?.address ?? settings.listen, to: settings.to, state };
}
