/**
 * The ports of one visor on the routed network: fixed ones for listeners, ephemeral ones for dials (routing.md §8.6).
 * Messaging ports are another space.
 */

import { RefusedError, UnavailableError } from "../errors/mod.ts";
import type { Port } from "../types/mod.ts";

/** v1.3 counts from here and raises the counter before its first use. */
const EPHEMERAL_BASE: Port = 49_152;
const LAST_PORT: Port = 65_535;

/** Which ports are taken. */
export class PortSpace {
  readonly #taken = new Set<Port>();
  #latest: Port = EPHEMERAL_BASE;

  /**
   * Takes one port.
   * @param port 1–65535
   * @throws {RefusedError} `route/port-taken`
   * @throws {RangeError} when it is no port
   */
  claim(port: Port): void {
    if (!Number.isInteger(port) || port < 1 || port > LAST_PORT) throw new RangeError(`No port: ${port}`);
    if (this.#taken.has(port)) {
      throw new RefusedError("route/port-taken", `Listen on port ${port}: it is taken; close its listener first`, {
        details: { port },
      });
    }
    this.#taken.add(port);
  }

  /**
   * Takes the next free ephemeral port. The counter goes round the whole range before a port comes again, since a late
   * packet of an old connection may still name it (routing.md Q6).
   * @returns 49152–65535; the first is 49153
   * @throws {UnavailableError} `route/ports-exhausted`
   */
  acquire(): Port {
    for (let tried = EPHEMERAL_BASE; tried <= LAST_PORT; tried++) {
      this.#latest = this.#latest === LAST_PORT ? EPHEMERAL_BASE : this.#latest + 1;
      if (!this.#taken.has(this.#latest)) {
        this.#taken.add(this.#latest);
        return this.#latest;
      }
    }
    throw new UnavailableError(
      "route/ports-exhausted",
      "Dial: every ephemeral port is in use; close connections first",
    );
  }

  /** Gives a port back; harmless when it is free. */
  release(port: Port): void {
    this.#taken.delete(port);
  }
}
