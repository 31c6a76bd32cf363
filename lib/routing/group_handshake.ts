/**
 * From a fresh route group to an encrypted one (routing.md §4.2–4.4).
 *
 * ```
 * initiator                      responder
 *   Handshake(1)  ──────────────►            again every 400 ms until answered: v1.3's responder saves its
 *                 ◄──────────────  Handshake(1)      rules after answering the setup node (routing.md Q2)
 *   Data(KK 1)    ──────────────►            each with a payload: sealed, and passed on as it is
 *                 ◄──────────────  Data(KK 2)
 *   records both ways
 * ```
 *
 * v1.3 sends both payloads empty and discards what comes, up to 4,045 bytes (routing.md §4.4.1).
 *
 * v1.3 falls back to plaintext when the peer's Handshake is late, zero or missing, which any visor on the path can
 * bring about (routing.md W1). We refuse.
 */

import type { NoiseHandshake } from "../core/mod.ts";
import { ProtocolError, UnavailableError } from "../errors/mod.ts";
import { beginNoise } from "../links/noise_setup.ts";
import { type Runtime, type Timers, withTimeout } from "../runtime/mod.ts";
import { type PublicKey, type SecretKey, shortKey } from "../types/mod.ts";
import { errorOfEnd, type RouteGroup } from "./group.ts";

/** Later upstream repeats at 300–500 ms; a v1.3 responder ignores duplicates. */
const RETRANSMIT_MS = 400;

/** v1.3 gives Noise this long (routing.md §4.4.1); for us it covers the Handshake packets as well. */
const HANDSHAKE_LIMIT_MS = 5_000;

/** What both sides need. */
export interface GroupHandshakeOptions {
  /** Its world. */
  readonly runtime: Pick<Runtime, "timers" | "random">;
  /** The visor's identity. */
  readonly secret: SecretKey;
  /** Initiator: whom it dialled. Responder: the source of the descriptor; Noise KK proves it. */
  readonly remoteKey: PublicKey;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** What the initiator needs beside that. */
export interface InitiateOptions extends GroupHandshakeOptions {
  /** Goes along in message 1: at most 4,045 bytes, none by default. Anyone on the path can send it again later. */
  readonly payload?: Uint8Array;
}

/** What the responder needs beside that. */
export interface AnswerOptions extends GroupHandshakeOptions {
  /**
   * Makes the payload of message 2, at most 4,045 bytes, of that of message 1; by default it is empty. Message 1 may be
   * a replay: only a record that opens proves that the initiator is there. What it throws ends the handshake.
   */
  readonly answer?: (payload: Uint8Array) => Uint8Array;
}

/**
 * Runs the dialling side.
 * @returns the payload of message 2, which the responder wrote in answer to this message 1; empty from v1.3
 * @throws {RangeError} when the payload is too long
 * @throws {UnavailableError} `route/handshake-timeout` after 5 s; or the way the group ended
 * @throws {ProtocolError} `route/plaintext-refused`, `route/handshake-failed`
 */
export function initiateHandshake(group: RouteGroup, options: InitiateOptions): Promise<Uint8Array> {
  return withinLimit(options, async (signal) => {
    const stop = repeat(() => group.sendHandshake(), options.runtime.timers);
    try {
      using noise = makeNoise("initiator", options);
      // Made while the Handshake is on its way: it takes as long as some hops do.
      const message = noise.writeMessage(options.payload);
      refusePlaintext(await waitFor(() => group.offered, { group, signal }), options);
      stop();
      group.sendHandshakeFrame(message);
      const answer = read(noise, await waitFor(() => group.handshakeFrame(), { group, signal }), options);
      group.secure(noise.intoRecords());
      return answer;
    } finally {
      stop();
    }
  });
}

/**
 * Runs the accepting side.
 * @returns the payload of message 1, which may be a replay until a record has come; empty from v1.3
 * @throws as {@link initiateHandshake}
 */
export function answerHandshake(group: RouteGroup, options: AnswerOptions): Promise<Uint8Array> {
  return withinLimit(options, async (signal) => {
    refusePlaintext(await waitFor(() => group.offered, { group, signal }), options);
    using noise = makeNoise("responder", options);
    const payload = read(noise, await waitFor(answerUntilFrame(group), { group, signal }), options);
    group.sendHandshakeFrame(noise.writeMessage(options.answer?.(payload)));
    group.secure(noise.intoRecords());
    return payload;
  });
}

/** Answers each Handshake, which the peer repeats when our answer is late, until its Noise message is there. */
function answerUntilFrame(group: RouteGroup): () => Uint8Array | undefined {
  let answered = 0;
  return () => {
    if (answered < group.handshakes) group.sendHandshake();
    answered = group.handshakes;
    return group.handshakeFrame();
  };
}

/** Waits until `look` sees something, looking again after each event of the group. */
async function waitFor<T>(
  look: () => T | undefined,
  { group, signal }: { readonly group: RouteGroup; readonly signal: AbortSignal },
): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    if (group.end !== undefined) {
      throw errorOfEnd(group.end) ??
        new UnavailableError("route/broken", "Shake hands over the new route: the remote visor closed it at once");
    }
    await group.changed(signal);
  }
}

/** Runs `task` under a signal that aborts after the limit. */
function withinLimit<T>(options: GroupHandshakeOptions, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withTimeout(task, {
    timers: options.runtime.timers,
    ms: HANDSHAKE_LIMIT_MS,
    code: "route/handshake-timeout",
    message: `Shake hands with ${
      shortKey(options.remoteKey)
    } over the new route, which a visor on the path may not pass on`,
    signal: options.signal,
  });
}

function makeNoise(role: "initiator" | "responder", options: GroupHandshakeOptions): NoiseHandshake {
  return beginNoise({
    pattern: "KK",
    role,
    localSecret: options.secret,
    remoteKey: options.remoteKey,
  }, options.runtime.random);
}

/** Reads the Noise message of the other end, which proves its key. @returns its payload */
function read(noise: NoiseHandshake, message: Uint8Array, options: GroupHandshakeOptions): Uint8Array {
  try {
    return noise.readMessage(message);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ProtocolError(
      "route/handshake-failed",
      `Shake hands over the new route: the other end does not hold the key ${shortKey(options.remoteKey)}`,
      { cause, details: { remote: options.remoteKey } },
    );
  }
}

/** Sends now and again at intervals. @returns a function that stops it */
function repeat(send: () => void, timers: Timers): () => void {
  send();
  let cancel = timers.after(RETRANSMIT_MS, function again(): void {
    send();
    cancel = timers.after(RETRANSMIT_MS, again);
  });
  return () => cancel();
}

function refusePlaintext(encrypt: boolean, options: GroupHandshakeOptions): void {
  if (encrypt) return;
  throw new ProtocolError(
    "route/plaintext-refused",
    `Shake hands over the new route: ${shortKey(options.remoteKey)} asked for a connection in clear text, which is ` +
      `refused; a visor on the path may have tampered with the packet, so try another path`,
    { details: { remote: options.remoteKey } },
  );
}
