/**
 * The accepting side of streams' handshakes (dmsg.md §4.5). Unlike v1.3, which takes one stream at a time and drops the
 * whole session when one is bad (dmsg.md Q6): handshakes run side by side up to a limit, and a bad one costs its own
 * stream only. Tested in tests/messaging/server_test.ts.
 */

import type { PortSpace } from "../overlay/mod.ts";
import { beginNoise } from "../links/noise_setup.ts";
import type { Records } from "../core/mod.ts";
import { describeError, ProtocolError } from "../errors/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { MuxStream } from "../links/mux_session.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { encodeSignedResponse } from "../wire/stream_objects.ts";
import type { StreamRequest } from "../wire/stream_objects.ts";
import type { AcceptQueue } from "./accept_queue.ts";
import type { ReplayWindow } from "./replay_window.ts";
import type { Session } from "./session.ts";
import { badRequest, openRequest, WIRE_CODE } from "./signed_object.ts";
import { createMessagingStream } from "./stream.ts";

/** As v1.3 has it (dmsg.md §4.5). */
export const STREAM_HANDSHAKE_LIMIT_MS = 20_000;

/** Handshakes at a time on one session, as many as a v1.3 mux lets wait; more are reset at once. */
const MAX_HANDSHAKES = 256;

/** What accepting needs. */
export interface StreamAcceptDeps {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random" | "log">;
  readonly secret: SecretKey;
  readonly publicKey: PublicKey;
  readonly ports: Pick<PortSpace<AcceptQueue>, "listener">;
  readonly replays: ReplayWindow;
}

/**
 * Accepts streams on a session and hands them to the listeners of their ports, until the session ends.
 * @param session with a server
 * @param deps our key and listeners
 */
export async function acceptStreams(session: Session, deps: StreamAcceptDeps): Promise<void> {
  const { log, timers } = deps.runtime;
  let handshakes = 0;
  for await (const mux of session.incoming) {
    if (handshakes >= MAX_HANDSHAKES) {
      log.debug("stream-refused", { reason: "too many handshakes at a time" });
      mux.reset();
      continue;
    }
    handshakes++;
    withTimeout((signal) => {
      signal.addEventListener("abort", () => mux.reset(), { once: true });
      return acceptStream(mux, { session, deps });
    }, {
      timers,
      ms: STREAM_HANDSHAKE_LIMIT_MS,
      code: "messaging/accept-timeout",
      message: "Accept a stream",
    }).catch((error) => {
      mux.reset();
      log.debug("stream-not-accepted", { reason: describeError(error) });
    }).finally(() => handshakes--);
  }
}

interface AcceptContext {
  readonly session: Session;
  readonly deps: StreamAcceptDeps;
}

async function acceptStream(mux: MuxStream, { session, deps }: AcceptContext): Promise<void> {
  const { value: request, hash } = openRequest(await session.expectObject(mux));
  if (request.destination.publicKey !== deps.publicKey) {
    throw badRequest(WIRE_CODE.requestDestination, "it is for somebody else");
  }
  const { source, timestamp } = request;
  const seen = { source: source.publicKey, timestamp, hash: hash.toHex() };
  if (!deps.replays.admit(seen, deps.runtime.clock.monotonic())) {
    throw new ProtocolError("messaging/replayed-request", "Check a stream request: it was seen before, or is too old");
  }
  const listener = deps.ports.listener(request.destination.port);
  if (listener === undefined) return await refuse(WIRE_CODE.noListener);
  const release = await listener.reserve();
  if (release === undefined) return await refuse(WIRE_CODE.busy);
  let records: Records | undefined;
  try {
    const answer = answerHandshake(request, deps);
    records = answer.records;
    const accepted = { requestHash: hash, accepted: true, ip: NOTHING, errorCode: 0, noiseMessage: answer.message };
    await session.writeObject(mux, encodeSignedResponse(accepted, deps.secret));
  } catch (error) {
    records?.[Symbol.dispose]();
    release();
    throw error;
  }
  listener.push(
    createMessagingStream({
      mux,
      records,
      remoteKey: source.publicKey,
      remotePort: source.port,
      localPort: request.destination.port,
      onClose: () => {},
    }),
    release,
  );

  /** Says no in a way that a server of ours passes on; a v1.3 server drops the answer, as it would the silence. */
  async function refuse(errorCode: number): Promise<void> {
    const refused = { requestHash: hash, accepted: false, ip: NOTHING, errorCode, noiseMessage: NOTHING };
    await session.writeObject(mux, encodeSignedResponse(refused, deps.secret));
    mux.close();
  }
}

const NOTHING: Uint8Array = new Uint8Array();

function answerHandshake(request: StreamRequest, deps: StreamAcceptDeps): { message: Uint8Array; records: Records } {
  using noise = beginNoise({
    pattern: "KK",
    role: "responder",
    localSecret: deps.secret,
    remoteKey: request.source.publicKey,
  }, deps.runtime.random);
  noise.readMessage(request.noiseMessage);
  const message = noise.writeMessage();
  return { message, records: noise.intoRecords() };
}
