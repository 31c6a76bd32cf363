/**
 * The calling side of net/rpc (gob-rpc.md §3.2): any number of calls at once, replies matched by their number. Tested
 * in tests/overlay/rpc/rpc_test.ts.
 */

import { ClosedError, ProtocolError, RefusedError, UnavailableError } from "../../errors/mod.ts";
import type { ByteLink } from "../../runtime/mod.ts";
import { Fault } from "../../wire/fault.ts";
import type { GobFaultCode, GobLimits } from "../../wire/gob/mod.ts";
import { GobConnection, outgoing } from "./connection.ts";
import { gobRpcRequest, gobRpcResponse, type RpcMethod } from "../../wire/rpc_messages.ts";

/** Ends the wait for one reply. */
interface Waiting {
  /** Reads the reply from the connection, or skips what stands in its place, and settles the call. @returns false at the end */
  readonly receive: (error: string) => Promise<boolean>;
  readonly fail: (error: unknown) => void;
}

/** Calls methods over a link. */
export class RpcClient implements Disposable {
  readonly #connection: GobConnection;
  readonly #waiting = new Map<bigint, Waiting>();
  readonly #whenEnded = Promise.withResolvers<void>();
  #nextSeq = 0n;
  #ended: Error | undefined;

  /**
   * Begins to read replies.
   * @param link taken over; closed when the client ends
   * @param limits of what comes in
   */
  constructor(link: ByteLink, limits: GobLimits = {}) {
    this.#connection = new GobConnection(link, limits);
    this.#receiveAll().then(
      () => this.#end(new UnavailableError("rpc/closed", "Wait for replies: unexpected EOF")),
      (error) => this.#end(error),
    );
  }

  /**
   * Calls a method. A call that is given up stays running on the other side; its late reply is ignored.
   * @param method what to call
   * @param argument what it gets
   * @param options `signal` ends the wait
   * @returns the reply
   * @throws {RefusedError} `rpc/refused`, `details.message` being the words of the other side; {ProtocolError} `rpc/reply`
   *   for an undecodable reply; {UnavailableError} when the link ends; {ClosedError} after close; the reason of `signal`
   */
  call<Argument, Reply>(
    method: RpcMethod<Argument, Reply>,
    argument: Argument,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Reply> {
    const { signal } = options;
    return new Promise<Reply>((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      signal?.throwIfAborted();
      const seq = this.#nextSeq++;
      const settle = (): void => {
        this.#waiting.delete(seq);
        signal?.removeEventListener("abort", onAbort);
      };
      const fail = (error: unknown): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => fail(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(seq, {
        fail,
        receive: async (error) => {
          if (error !== "") {
            fail(refused(method.name, error));
            return await this.#connection.skip() !== null;
          }
          const reply = await this.#connection.read(method.reply);
          if (reply === null) return false;
          if (reply instanceof Fault) fail(undecodable(method.name, reply));
          else {
            settle();
            resolve(reply.value);
          }
          return true;
        },
      });
      const request = outgoing(gobRpcRequest, { ServiceMethod: method.name, Seq: seq });
      this.#connection.write(request, outgoing(method.argument, argument)).catch(fail);
    });
  }

  /** Closes the link; calls that wait fail with {ClosedError}. Harmless when repeated. */
  close(): void {
    this.#end(new ClosedError("rpc/closed", "Call over a closed client"));
  }

  /** As {@link RpcClient.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Resolves when the link has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#whenEnded.promise;
  }

  /** Has the link ended? Then no call will succeed any more. */
  get isClosed(): boolean {
    return this.#ended !== undefined;
  }

  async #receiveAll(): Promise<void> {
    for (;;) {
      const header = await this.#connection.read(gobRpcResponse);
      if (header === null) return;
      if (header instanceof Fault) {
        throw new ProtocolError("rpc/header", `Read a reply header: ${header.message}`, {
          details: { fault: header.code },
        });
      }
      const waiting = this.#waiting.get(header.value.Seq);
      const goesOn = waiting === undefined
        ? await this.#connection.skip() !== null
        : await waiting.receive(header.value.Error);
      if (!goesOn) return;
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const waiting of [...this.#waiting.values()]) waiting.fail(this.#ended);
    this.#connection.close();
    this.#whenEnded.resolve();
  }
}

function refused(method: string, message: string): RefusedError {
  return new RefusedError("rpc/refused", `Call ${method}: ${message}`, { details: { method, message } });
}

function undecodable(method: string, fault: Fault<GobFaultCode>): ProtocolError {
  const details = { method, fault: fault.code };
  return new ProtocolError("rpc/reply", `Read the reply of ${method}: ${fault.message}`, { details });
}
