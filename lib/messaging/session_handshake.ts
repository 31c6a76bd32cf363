/**
 * The handshake that opens a session between a client and a server: Noise XK in three frames over a fresh link (dmsg.md
 * §2.3, §2.8, §3.1).
 *
 * ```
 * client                                    server
 *   u16be ‖ e, es              (51 bytes) ──►
 *                           ◄── (51 bytes)   u16be ‖ e, ee
 *   u16be ‖ s, se              (67 bytes) ──►
 *                        mux
 * ```
 *
 * A v1.3 server drops the session when bytes of the mux reach it together with the third message, and nothing
 * acknowledges that message. {@link awaitServer} is the pause this needs; a server of ours cuts it short by speaking first.
 */

import { LinkReader } from "../links/link_reader.ts";
import { beginNoise } from "../links/noise_setup.ts";
import type { Records } from "../core/mod.ts";
import { UnavailableError } from "../errors/mod.ts";
import { equalBytes } from "../types/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { ByteLink, Runtime, Timers } from "../runtime/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { makeFrame, readFrame } from "./frames.ts";

/** Both sides of v1.3 give up after it (dmsg.md §2.8). */
export const SESSION_HANDSHAKE_LIMIT_MS = 5_000;

/**
 * What a full server sends in place of a session, and then hangs up: the mux frame that takes no new streams, «go away»
 * for a normal reason (dmsg.md §3.2). For a v1.3 client the session then ends like any other, and it tries again later.
 */
export const SERVER_FULL: Uint8Array = Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** The longest frame that a v1.3 handshake reader takes (dmsg.md §2.7); ours are 49 and 65 bytes. */
const MAX_HANDSHAKE_FRAME_BYTES = 4_094;

/** What both sides need. */
export interface SessionHandshakeOptions {
  readonly runtime: Pick<Runtime, "clock" | "timers" | "random">;
  readonly secret: SecretKey;
  readonly signal?: AbortSignal | undefined;
}

/** What the client has afterwards. */
export interface InitiatedSession {
  /** Seals and opens the objects of the session. The caller disposes it. */
  readonly records: Records;
  /** From the first message to its answer, ms. */
  readonly rttMs: number;
}

/** What the server has afterwards. */
export interface AcceptedSession {
  /** Seals and opens the objects of the session. The caller disposes it. */
  readonly records: Records;
  /** The client, who proved to own it. */
  readonly remoteKey: PublicKey;
}

/**
 * The client's side. The link is closed on failure.
 * @param link a fresh connection with the server
 * @param options `remoteKey` is the server's key, known beforehand
 * @throws {UnavailableError} `messaging/handshake-timeout` after 5 s; `messaging/handshake-ended` when the server hung up
 * @throws {ProtocolError} `noise/…` when the server does not own the key, or sends something else
 */
export function initiateSession(
  link: ByteLink,
  options: SessionHandshakeOptions & { readonly remoteKey: PublicKey },
): Promise<InitiatedSession> {
  const { runtime, secret, remoteKey } = options;
  return limited(link, options, async () => {
    using noise = beginNoise({
      pattern: "XK",
      role: "initiator",
      localSecret: secret,
      remoteKey,
    }, runtime.random);
    const sentAt = runtime.clock.monotonic();
    await link.write(makeFrame(noise.writeMessage()));
    noise.readMessage(await nextMessage(link));
    const rttMs = runtime.clock.monotonic() - sentAt;
    await link.write(makeFrame(noise.writeMessage()));
    return { records: noise.intoRecords(), rttMs };
  });
}

/**
 * The server's side. The link is closed on failure.
 * @param link a fresh connection; bytes behind the third message stay on it
 * @param options the server's key
 * @throws {UnavailableError} `messaging/handshake-timeout` after 5 s; `messaging/handshake-ended` when the client hung up
 * @throws {ProtocolError} `noise/…` when the client sends something else
 */
export function acceptSession(link: ByteLink, options: SessionHandshakeOptions): Promise<AcceptedSession> {
  const { runtime, secret } = options;
  return limited(link, options, async () => {
    // Keys are made after the first message came, so that a silent connection costs no computation.
    const first = await nextMessage(link);
    using noise = beginNoise({
      pattern: "XK",
      role: "responder",
      localSecret: secret,
    }, runtime.random);
    noise.readMessage(first);
    await link.write(makeFrame(noise.writeMessage()));
    noise.readMessage(await nextMessage(link));
    const remoteKey = noise.remoteKey;
    return { records: noise.intoRecords(), remoteKey };
  });
}

/** What {@link awaitServer} needs. */
export interface AwaitServerOptions {
  readonly timers: Timers;
  /** The longest pause, ms. */
  readonly gapMs: number;
}

/** What {@link awaitServer} gives. */
export interface AwaitedServer {
  /** To be used instead of the link: its first read gives what came during the pause. */
  readonly link: ByteLink;
  /** The server sent something: it has read the third message, and the session stands. */
  readonly spoke: boolean;
}

/**
 * The pause after the client's third message (dmsg.md §3.1.4): ends when the server speaks, and otherwise after `gapMs`.
 * A v1.3 server keeps silent there, as its first ping comes after 30 s.
 * @param link the link after {@link initiateSession}
 * @throws {UnavailableError} `messaging/handshake-ended` when the server hung up meanwhile, `messaging/server-full` when it
 * takes no more clients
 */
export async function awaitServer(link: ByteLink, options: AwaitServerOptions): Promise<AwaitedServer> {
  const reader = new LinkReader(link);
  const reading = reader.peek();
  // It may fail after the pause; then the mux reads the failure.
  reading.catch(() => {});
  let cancel = (): void => {};
  const pause = new Promise<"silent">((resolve) =>
    cancel = options.timers.after(options.gapMs, () => resolve("silent"))
  );
  const first = await Promise.race([reading, pause]).finally(() => cancel());
  if (first === null) throw handshakeEnded();
  if (first !== "silent" && equalBytes(first, SERVER_FULL)) throw serverFull();
  const rest: ByteLink = {
    remoteAddress: link.remoteAddress,
    read: (into) => reader.read(into),
    write: (bytes) => link.write(bytes),
    close: () => link.close(),
  };
  return { link: rest, spoke: first !== "silent" };
}

async function nextMessage(link: ByteLink): Promise<Uint8Array> {
  const message = await readFrame(link, MAX_HANDSHAKE_FRAME_BYTES);
  if (message === undefined) throw handshakeEnded();
  return message;
}

function serverFull(): UnavailableError {
  return new UnavailableError("messaging/server-full", "Open a session: the server takes no more clients");
}

function handshakeEnded(): UnavailableError {
  return new UnavailableError("messaging/handshake-ended", "Open a session: the other side hung up");
}

/** Runs the handshake with its time limit; whatever goes wrong, the link is closed, which also ends pending reads. */
async function limited<T extends { readonly records: Records }>(
  link: ByteLink,
  { runtime, signal }: SessionHandshakeOptions,
  handshake: () => Promise<T>,
): Promise<T> {
  try {
    return await withTimeout(handshake, {
      timers: runtime.timers,
      ms: SESSION_HANDSHAKE_LIMIT_MS,
      code: "messaging/handshake-timeout",
      message: "Open a session",
      signal,
      discard: ({ records }) => records[Symbol.dispose](),
    });
  } catch (error) {
    link.close();
    throw error;
  }
}
