/**
 * Opens the listeners of a visor: on the port that the configuration keeps, else the usual one, and when that is taken
 * on a free one, which is said.
 */

import { DEFAULT_PORTS, type ListenerPurpose } from "../config/mod.ts";
import { hasCode } from "../errors/mod.ts";
import type { Log } from "../runtime/mod.ts";
import type { ListenerView } from "./views.ts";

/** Opens listeners and remembers what was opened. */
export class Listeners {
  readonly #options: { readonly bindHost: string; readonly ports: Readonly<Partial<Record<ListenerPurpose, number>>> };
  readonly #log: Log;
  readonly #opened: ListenerView[] = [];
  readonly #ports: Partial<Record<ListenerPurpose, number>>;

  /**
   * @param options `bindHost`: the address to bind, `ports`: those that the configuration keeps
   */
  constructor(
    options: { readonly bindHost: string; readonly ports: Readonly<Partial<Record<ListenerPurpose, number>>> },
    log: Log,
  ) {
    this.#options = options;
    this.#log = log;
    this.#ports = { ...options.ports };
  }

  /** What was opened so far. */
  get opened(): readonly ListenerView[] {
    return this.#opened;
  }

  /** The ports that were taken, to be kept. */
  get ports(): Readonly<Partial<Record<ListenerPurpose, number>>> {
    return this.#ports;
  }

  /**
   * Opens one.
   * @param open binds the address it is given; must fail with `network/address-in-use` when that is taken
   * @throws whatever `open` throws for another reason
   */
  async open<T extends { readonly address: string }>(
    purpose: ListenerPurpose,
    open: (address: string) => Promise<T>,
  ): Promise<T> {
    // The control API never leaves this machine.
    const host = purpose === "api" && this.#options.bindHost === "0.0.0.0" ? "127.0.0.1" : this.#options.bindHost;
    const wanted = this.#options.ports[purpose] ?? DEFAULT_PORTS[purpose];
    let opened: T;
    try {
      opened = await open(`${host}:${wanted}`);
    } catch (error) {
      if (!hasCode(error, "network/address-in-use")) throw error;
      opened = await open(`${host}:0`);
      const say = this.#options.ports[purpose] === undefined ? this.#log.info : this.#log.warn;
      say.call(this.#log, "port-in-use", { purpose, wanted, taken: portOf(opened.address) });
    }
    this.#opened.push({ purpose, address: opened.address });
    this.#ports[purpose] = portOf(opened.address);
    return opened;
  }

  /** The address of a listener that was opened. */
  addressOf(purpose: ListenerPurpose): string | undefined {
    return this.#opened.find((listener) => listener.purpose === purpose)?.address;
  }
}

/** The port of `host:port`. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
