/**
 * Opens the listeners of a visor: on the port that the configuration keeps, else the usual one, and when that is taken
 * on a free one, which is said. Tested in tests/visor/hairpin_test.ts.
 */

import { DEFAULT_PORTS, type ListenerPurpose } from "./listener_ports.ts";
import { isLoopbackHost } from "./loopback.ts";
import type { Reach } from "./reach.ts";
import { hasCode } from "../errors/mod.ts";
import type { Log, Network } from "../runtime/mod.ts";

/** A listener of a visor: what it is for, and where. */
export interface ListenerView {
  /** What it is for: `api`, `transport-stcp`, or a service of an embedded network, such as `route-finder`. */
  readonly purpose: string;
  /** `host:port`, with the port that was really taken; a driver from outside may use another form. */
  readonly address: string;
}

/** Where to listen. */
export interface ListenersConfig {
  /** The name or address that others reach this machine by; one of loopback keeps everything on this machine. */
  readonly host: string;
  /** From where the host is reached. */
  readonly reach: Reach;
  /** Ports that are kept. */
  readonly ports: Readonly<Partial<Record<ListenerPurpose, number>>>;
}

/** Opens listeners and remembers what was opened. */
export class Listeners {
  readonly #config: ListenersConfig;
  readonly #bindHost: string;
  readonly #log: Log;
  readonly #opened: ListenerView[] = [];
  readonly #ports: Partial<Record<ListenerPurpose, number>>;

  constructor(config: ListenersConfig, log: Log) {
    this.#config = config;
    this.#bindHost = this.isLocal ? "127.0.0.1" : "0.0.0.0";
    this.#log = log;
    this.#ports = { ...config.ports };
  }

  /** The name or address that others reach this machine by. */
  get host(): string {
    return this.#config.host;
  }

  /** Does everything stay on this machine? */
  get isLocal(): boolean {
    return isLoopbackHost(this.host);
  }

  /** From where others reach the host. */
  get reach(): Reach {
    return this.#config.reach;
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
    const host = purpose === "api" ? "127.0.0.1" : this.#bindHost;
    const wanted = this.#config.ports[purpose] ?? DEFAULT_PORTS[purpose];
    let opened: T;
    try {
      opened = await open(`${host}:${wanted}`);
    } catch (error) {
      if (!hasCode(error, "network/address-in-use")) throw error;
      opened = await open(`${host}:0`);
      const say = this.#config.ports[purpose] === undefined ? this.#log.info : this.#log.warn;
      say.call(this.#log, "port-in-use", { purpose, wanted, taken: portOf(opened.address) });
    }
    this.note(purpose, opened);
    this.#ports[purpose] = portOf(opened.address);
    return opened;
  }

  /** Remembers one that was opened elsewhere. */
  note(purpose: string, { address }: { readonly address: string }): void {
    this.#opened.push({ purpose, address });
  }

  /** How this process itself reaches a listener that was opened on `address`. */
  localAddress(address: string): string {
    return `127.0.0.1:${portOf(address)}`;
  }

  /**
   * A network on which our own public addresses lead to us over loopback: not every router lets a machine reach itself by
   * its public name.
   */
  shortcut(network: Network): Network {
    const nearest = (address: string): string => {
      const own = this.#opened.find((opened) => this.publicAddress(opened.address) === address);
      return own === undefined ? address : this.localAddress(own.address);
    };
    return { ...network, dial: (address, options) => network.dial(nearest(address), options) };
  }

  /** What others are told to connect to, for a listener that was opened on `address`. */
  publicAddress(address: string): string {
    return `${this.host}:${portOf(address)}`;
  }
}

/** The port of `host:port`. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
