/**
 * The ports of one party on one network: fixed ones for listeners, ephemeral ones for dials (routing.md §8.6, dmsg.md
 * §4.9). The routed network and messaging have a space each.
 */

import { RefusedError, UnavailableError } from "../errors/mod.ts";
import type { Port } from "../types/mod.ts";

/** v1.3 counts from here and raises the counter before its first use, so the first is 49153. */
const EPHEMERAL_BASE: Port = 49_152;
const LAST_PORT: Port = 65_535;

/**
 * Which ports are taken. `Listener` is what takes the streams that come to a port.
 *
 * ```ts
 * import { PortSpace } from "./mod.ts";
 *
 * const ports = new PortSpace<string>("route");
 * ports.listen(8080, "web");
 * const port = ports.acquire(); // 49153: ephemeral ports begin there
 * ports.release(port);
 * if (ports.listener(8080) !== "web" || port !== 49_153) throw new Error("never");
 * ```
 */
export class PortSpace<Listener> {
  readonly #area: string;
  readonly #listeners = new Map<Port, Listener>();
  readonly #ephemeral = new Set<Port>();
  #latest: Port = EPHEMERAL_BASE;

  /** All ports are free. @param area begins the error codes: `route`, `messaging` */
  constructor(area: string) {
    this.#area = area;
  }

  /**
   * Gives a port to a listener.
   * @param port 1–65535
   * @throws {RangeError} when it is no port
   * @throws {RefusedError} `<area>/port-taken`
   */
  listen(port: Port, listener: Listener): void {
    checkPort(port);
    if (this.#listeners.has(port) || this.#ephemeral.has(port)) {
      throw new RefusedError(
        `${this.#area}/port-taken`,
        `Listen on port ${port}: it is taken; close its listener, or choose another`,
        { details: { port } },
      );
    }
    this.#listeners.set(port, listener);
  }

  /** Who listens on the port, if anybody. */
  listener(port: Port): Listener | undefined {
    return this.#listeners.get(port);
  }

  /** All listeners. */
  listeners(): Listener[] {
    return [...this.#listeners.values()];
  }

  /** The listener has ended. Harmless when the port is another's by now. */
  unlisten(port: Port, listener: Listener): void {
    if (this.#listeners.get(port) === listener) this.#listeners.delete(port);
  }

  /**
   * Takes the next free ephemeral port; {@link PortSpace.release} gives it back. The counter goes round the whole range
   * before a port comes again, since a late packet of an old connection may still name it (routing.md Q6).
   * @returns 49152–65535; the first is 49153
   * @throws {UnavailableError} `<area>/ports-exhausted`
   */
  acquire(): Port {
    for (let tried = EPHEMERAL_BASE; tried <= LAST_PORT; tried++) {
      this.#latest = this.#latest === LAST_PORT ? EPHEMERAL_BASE : this.#latest + 1;
      if (this.#ephemeral.has(this.#latest) || this.#listeners.has(this.#latest)) continue;
      this.#ephemeral.add(this.#latest);
      return this.#latest;
    }
    throw new UnavailableError(
      `${this.#area}/ports-exhausted`,
      "Dial: every ephemeral port is in use; close connections first",
    );
  }

  /** Gives an ephemeral port back; harmless when it is free. */
  release(port: Port): void {
    this.#ephemeral.delete(port);
  }
}

/** @throws {RangeError} when it is no port that one can listen on or dial */
export function checkPort(port: Port): void {
  if (!Number.isInteger(port) || port < 1 || port > LAST_PORT) throw new RangeError(`No port: ${port}`);
}
