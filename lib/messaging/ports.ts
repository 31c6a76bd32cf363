/** The messaging ports of one client: who listens where, and which ports its outgoing streams have (dmsg.md §4.9). */

import { RefusedError, UnavailableError } from "../errors/mod.ts";
import type { Port } from "../types/mod.ts";

/** Counted up before use, so the first is 49153; wraps from 65535. */
const EPHEMERAL_BASE = 49_152;
const LAST_PORT = 65_535;

/** Ports in use. `Listener` is whatever takes the streams that come to a port. */
export class PortTable<Listener> {
  readonly #listeners = new Map<Port, Listener>();
  readonly #ephemeral = new Set<Port>();
  #last = EPHEMERAL_BASE;

  /**
   * Gives a port to a listener.
   * @param port 1–65535
   * @throws {RangeError} for any other
   * @throws {RefusedError} `messaging/port-taken`
   */
  listen(port: Port, listener: Listener): void {
    checkPort(port);
    if (this.#listeners.has(port) || this.#ephemeral.has(port)) {
      throw new RefusedError("messaging/port-taken", `Listen on messaging port ${port}: it is taken, choose another`, {
        details: { port },
      });
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
   * A free port for an outgoing stream; give it back with {@link PortTable.release}.
   * @throws {UnavailableError} `messaging/ports-exhausted` when all 16,384 are in use
   */
  acquire(): Port {
    for (let tries = 0; tries <= LAST_PORT - EPHEMERAL_BASE; tries++) {
      this.#last = this.#last === LAST_PORT ? EPHEMERAL_BASE : this.#last + 1;
      if (this.#ephemeral.has(this.#last) || this.#listeners.has(this.#last)) continue;
      this.#ephemeral.add(this.#last);
      return this.#last;
    }
    throw new UnavailableError(
      "messaging/ports-exhausted",
      "Dial: all ports of outgoing streams are in use, close some",
    );
  }

  /** The stream has ended. */
  release(port: Port): void {
    this.#ephemeral.delete(port);
  }
}

/** @throws {RangeError} when it is no port that one can listen on or dial */
export function checkPort(port: Port): void {
  if (!Number.isInteger(port) || port < 1 || port > LAST_PORT) throw new RangeError(`No messaging port: ${port}`);
}
