/**
 * The dialling side of a stream's handshake, over one session (dmsg.md §4.3). Which session, the client decides. Tested
 * in tests/messaging/client_test.ts.
 */

import { beginNoise } from "../links/noise_setup.ts";
import { ProtocolError, RefusedError, UnavailableError } from "../errors/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { OverlayAddress, Port, SecretKey } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import { checkResponse, encodeSignedRequest, objectHash } from "../wire/stream_objects.ts";
import type { StreamFault } from "../wire/stream_objects.ts";
import type { MuxStream } from "../links/mux_session.ts";
import type { Session } from "./session.ts";
import { badResponse, isRefusal, WIRE_CODE } from "./signed_object.ts";
import { createMessagingStream } from "./stream.ts";
import type { MessagingStream } from "./stream.ts";

/** What {@link dialStream} needs. */
export interface StreamDialOptions {
  readonly runtime: Pick<Runtime, "random">;
  readonly secret: SecretKey;
  /** Of the request, Unix time in ns; later than that of any request before. */
  readonly timestamp: bigint;
  /** Our key and the ephemeral port reserved for the stream. */
  readonly local: OverlayAddress;
  readonly remote: OverlayAddress;
  /** Ends the handshake; the stream is reset then. Time limits come through it. */
  readonly signal: AbortSignal;
  /** Called once when the opened stream is closed; not called when opening fails. */
  onClose(): void;
}

/**
 * Opens a stream to a listener of another client.
 * @param session with a server that the other client has a session with, too
 * @throws {RefusedError} `messaging/no-listener`, `messaging/busy` or `messaging/refused`: the other client said no
 * @throws {UnavailableError} `messaging/stream-closed` when the server, or the client behind it, closed the stream
 *   instead of answering
 * @throws {ProtocolError} when the answer is not what it must be
 * @throws the reason of `signal`
 */
export async function dialStream(session: Session, options: StreamDialOptions): Promise<MessagingStream> {
  const { runtime, secret, timestamp, local, remote, signal } = options;
  signal.throwIfAborted();
  const mux = await session.open();
  const onAbort = (): void => mux.reset();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    using noise = beginNoise({
      pattern: "KK",
      role: "initiator",
      localSecret: secret,
      remoteKey: remote.publicKey,
    }, runtime.random);
    const request = encodeSignedRequest({
      timestamp,
      source: local,
      destination: remote,
      ipInfo: false,
      noiseMessage: noise.writeMessage(),
    }, secret);
    await session.writeObject(mux, request);
    const answer = await readAnswer(session, mux);
    const response = checkResponse(answer, { requestHash: objectHash(request), author: remote.publicKey });
    if (response instanceof Fault) throw isRefusal(response) ? refusal(response, remote.port) : badResponse(response);
    noise.readMessage(response.noiseMessage);
    return createMessagingStream({
      mux,
      records: noise.intoRecords(),
      remoteKey: remote.publicKey,
      remotePort: remote.port,
      localPort: local.port,
      onClose: options.onClose,
    });
  } catch (error) {
    mux.reset();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** A server of ours resets the stream when it cannot pass the request on; one of v1.3 keeps silent until our time is up. */
async function readAnswer(session: Session, mux: MuxStream): Promise<Uint8Array> {
  let answer: Uint8Array | symbol | undefined;
  let cause: unknown;
  try {
    answer = await session.readObject(mux);
  } catch (error) {
    if (error instanceof ProtocolError && error.code !== "messaging/cut-frame") throw error;
    cause = error;
  }
  if (answer instanceof Uint8Array) return answer;
  throw new UnavailableError(
    "messaging/stream-closed",
    "Open a stream: the server closed it without an answer, the other side is not connected to it or does not listen",
    { details: { server: session.remoteKey }, cause },
  );
}

function refusal(fault: StreamFault, port: Port): RefusedError {
  const details = { wireCode: fault.errorCode };
  switch (fault.errorCode) {
    case WIRE_CODE.noListener:
      return new RefusedError(
        "messaging/no-listener",
        `Open a stream: nobody listens on messaging port ${port} there`,
        {
          details,
        },
      );
    case WIRE_CODE.busy:
      return new RefusedError("messaging/busy", "Open a stream: the listener has too many already, try again later", {
        details,
      });
    default:
      return new RefusedError("messaging/refused", `Open a stream: refused with ${fault.message}`, {
        details,
      });
  }
}
