/**
 * Two ends of a message socket in memory: ordered, delayed and broken by the network's rules. Tested in
 * tests/transport/drivers/ws_test.ts.
 */

import { ClosedError, UnavailableError } from "../errors/mod.ts";
import { Signal } from "../runtime/mod.ts";
import type { MessageSocket } from "../runtime/mod.ts";

/** What a pair hangs on. */
export interface MemorySocketDeps {
  /** The addresses of the dialling and of the accepting side, as the other one sees them. */
  readonly addresses: readonly [string, string];
  /** Sends from the dialling side, and from the accepting one. */
  readonly carry: readonly [(deliver: () => void) => void, (deliver: () => void) => void];
  /** Breaks both ends. */
  readonly gone: AbortSignal;
  /** Called whenever something happens. */
  readonly touch: () => void;
}

/** Makes both ends: the dialling one and the accepting one. */
export function createSocketPair(deps: MemorySocketDeps): [MessageSocket, MessageSocket] {
  const [dialled, accepted] = [new End(deps.addresses[1]), new End(deps.addresses[0])];
  dialled.join(accepted, deps.carry[0], deps.touch);
  accepted.join(dialled, deps.carry[1], deps.touch);
  deps.gone.addEventListener("abort", () => {
    dialled.break();
    accepted.break();
  }, { once: true });
  return [dialled, accepted];
}

class End implements MessageSocket {
  readonly remoteAddress: string;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #state: "open" | "ended" | "broken" | "closed" = "open";
  readonly #changed = new Signal();
  #send: (deliver: (other: End) => void) => void = () => {};

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }

  join(other: End, carry: (deliver: () => void) => void, touch: () => void): void {
    this.#send = (deliver) => {
      touch();
      carry(() => {
        deliver(other);
        touch();
      });
    };
  }

  async receive(): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.#state !== "closed") {
      const message = this.#waiting.shift();
      if (message !== undefined) return message;
      if (this.#state === "broken") throw this.#broken();
      if (this.#state === "ended") return null;
      await this.#changed.next();
    }
    return null;
  }

  send(message: Uint8Array): void {
    if (this.#state === "closed") throw new ClosedError("network/closed", "Send on a closed socket");
    if (this.#state !== "open") throw this.#broken();
    const copy = message.slice();
    this.#send((other) => other.#arrive(copy));
  }

  close(): void {
    if (this.#state === "open") this.#send((other) => other.#finish("ended"));
    this.#state = "closed";
    this.#changed.notify();
  }

  break(): void {
    this.#waiting.length = 0;
    this.#finish("broken");
  }

  #arrive(message: Uint8Array<ArrayBuffer>): void {
    if (this.#state === "open") this.#waiting.push(message);
    this.#changed.notify();
  }

  #finish(state: "ended" | "broken"): void {
    if (this.#state === "open") this.#state = state;
    this.#changed.notify();
  }

  #broken(): UnavailableError {
    return new UnavailableError("network/link-broken", `The socket with ${this.remoteAddress} is gone`);
  }
}
