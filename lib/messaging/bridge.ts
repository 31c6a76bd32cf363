/**
 * What the server does with one stream of a client: reads the request, finds the session of the other client, passes
 * request and response on byte for byte, and relays (dmsg.md §4.4, §4.7). Whatever fails resets the client's stream, so
 * that the dialler knows at once; v1.3 lets it wait for 20 s. Tested in tests/messaging/server_test.ts.
 */

import { describeError, SkywireError, UnavailableError } from "../errors/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { Counter, Runtime } from "../runtime/mod.ts";
import type { MuxStream } from "../links/mux_session.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import { checkResponse, encodeSignedResponse } from "../wire/stream_objects.ts";
import { answerIpLookup } from "./ip_lookup.ts";
import { PING_MARKER } from "./session.ts";
import type { HeldStreams } from "./held_streams.ts";
import type { Session } from "./session.ts";
import { badRequest, badResponse, isRefusal, openRequest, WIRE_CODE } from "./signed_object.ts";
import { LinkReader } from "../links/link_reader.ts";
import { MANY_STREAMS_BYTES } from "../links/read_buffer.ts";
import { endLink, relay, type RelaySide } from "../links/relay.ts";

/** From the first byte of a stream to the response: a v1.3 client gives up after it, so nobody waits longer. */
const OPENING_LIMIT_MS = 20_000;

/** What bridging needs. */
export interface BridgeDeps {
  readonly runtime: Pick<Runtime, "timers" | "log">;
  readonly secret: SecretKey;
  readonly publicKey: PublicKey;
  /** The session of a client, if it has one here. */
  sessionOf(key: PublicKey): Session | undefined;
  /** Streams that are being opened, or whose other end does not read. */
  readonly held: HeldStreams;
  /** Counts relayed bytes. */
  readonly relayed: Counter;
  /** Counts streams that were opened through us. */
  readonly opened: Counter;
  /** Counts requests that led to nothing. */
  readonly failed: Counter;
}

/**
 * Serves one stream until it ends. Never throws.
 * @param from the session that the stream came on
 * @param stream just accepted
 */
export async function bridgeStream(from: Session, stream: MuxStream, deps: BridgeDeps): Promise<void> {
  let onward: MuxStream | undefined;
  const dropping = new AbortController();
  const release = deps.held.hold(() => dropping.abort(tooManyHeld()));
  try {
    onward = await withTimeout((signal) => {
      signal.addEventListener("abort", () => stream.reset(), { once: true });
      return openOnward(from, stream, { deps, signal });
    }, {
      timers: deps.runtime.timers,
      ms: OPENING_LIMIT_MS,
      code: "messaging/relay-timeout",
      message: "Open a stream for a client",
      signal: dropping.signal,
      discard: (late) => late?.reset(),
    });
  } catch (error) {
    stream.reset();
    deps.failed.add();
    deps.runtime.log.debug("stream-not-relayed", {
      code: error instanceof SkywireError ? error.code : undefined,
      reason: describeError(error),
    });
    return;
  } finally {
    release();
  }
  if (onward === undefined) return stream.close();
  deps.opened.add();
  const other = onward;
  const drop = (): void => {
    stream.reset();
    other.reset();
  };
  // Half-closed streams do not exist in this network (dmsg.md Q32).
  const end = await relay(sideOf(deps.held.watch(stream, drop)), sideOf(deps.held.watch(other, drop)), {
    endsTogether: true,
    relayed: deps.relayed,
  });
  for (const link of [stream, other]) endLink(link, end);
}

function sideOf(link: MuxStream): RelaySide {
  return { link, reader: new LinkReader(link, { mostBytes: MANY_STREAMS_BYTES }) };
}

function tooManyHeld(): UnavailableError {
  return new UnavailableError("messaging/too-many-held", "Open a stream for a client: too many others wait");
}

interface OpeningContext {
  readonly deps: BridgeDeps;
  readonly signal: AbortSignal;
}

/** @returns the stream to the other client, after its positive answer; undefined when the stream was answered for good */
async function openOnward(
  from: Session,
  stream: MuxStream,
  { deps, signal }: OpeningContext,
): Promise<MuxStream | undefined> {
  const object = await from.readObject(stream);
  if (object === undefined) return undefined;
  if (object === PING_MARKER) {
    await stream.write(new Uint8Array(2));
    return undefined;
  }
  const request = openRequest(object);
  const { source, destination, ipInfo } = request.value;
  if (source.publicKey !== from.remoteKey) {
    throw badRequest(WIRE_CODE.requestSource, "it is somebody else's");
  }
  if (ipInfo && destination.publicKey === deps.publicKey) {
    await from.writeObject(stream, encodeSignedResponse(answerIpLookup(from, request), deps.secret));
    return undefined;
  }
  const to = deps.sessionOf(destination.publicKey);
  if (to === undefined) {
    throw new UnavailableError("messaging/no-next-session", "Pass a stream request on: the other side is not here", {
      details: { wireCode: WIRE_CODE.noNextSession },
    });
  }
  const onward = await to.open();
  const onAbort = (): void => onward.reset();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await to.writeObject(onward, object);
    const answer = await to.expectObject(onward);
    const response = checkResponse(answer, { requestHash: request.hash, author: destination.publicKey });
    if (response instanceof Fault && !isRefusal(response)) throw badResponse(response);
    await from.writeObject(stream, answer);
    if (!(response instanceof Fault)) return onward;
    // Passed on although v1.3 would not (dmsg.md Q18): the dialler learns why, and does not try other servers in vain.
    onward.close();
    return undefined;
  } catch (error) {
    onward.reset();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
