/**
 * Connection set-up of stcp and of every driver without an identity of its own: frames F0–F3 in plaintext, by which the
 * initiator proves its key, then Noise KK, by which both do (transports.md §2.3, 2.4).
 *
 * ```
 *   I                                R
 *   │ get_nonce                 ───► │
 *   │ ◄─── {"Nonce":[…]}             │      every frame in one write, strictly alternating: v1.3 throws away
 *   │ {"SrcAddr",…,"Sig"}       ───► │      what it reads beyond a frame
 *   │ ◄─── {"OK":true,"ErrMsg":""}   │
 *   │ 0031 e, es, ss            ───► │
 *   │ ◄─── 0031 e, ee, se            │      then records
 * ```
 */

import { beginNoise } from "../links/noise_setup.ts";
import { ProtocolError, RefusedError } from "../errors/mod.ts";
import { withTimeout } from "../runtime/mod.ts";
import type { ByteLink, Runtime } from "../runtime/mod.ts";
import { concatBytes, equalBytes } from "../types/mod.ts";
import type { OverlayAddress, Port, PublicKey, SecretKey } from "../types/mod.ts";
import { Fault } from "../wire/fault.ts";
import {
  decodeFrame1,
  decodeFrame2,
  decodeFrame3,
  encodeFrame1,
  encodeFrame2,
  encodeFrame3,
  FRAME_0,
  NONCE_BYTES,
  NOT_LISTENING_MESSAGE,
  signFrame2,
  STCP_HANDSHAKE_TIMEOUT_MS,
  takeJsonLine,
  verifyFrame2,
} from "../wire/stcp_frames.ts";
import { LinkReader } from "../links/link_reader.ts";
import type { SecureLink } from "../links/secure_link.ts";

/** How long the Noise stage may take, ms; v1.3 measures the same on each side (transports.md §2.4). */
export const NOISE_TIMEOUT_MS = 5_000;

/** No Noise message or record is longer (transports.md §2.4). */
const MAX_NOISE_FRAME_BYTES = 4_094;

const NEWLINE = 0x0a;

/**
 * What F3 says to an initiator that asks for another visor than this one. v1.3 never says it, since it does not look
 * (transports.md W1).
 */
export const WRONG_KEY_MESSAGE = "not the visor asked for";

/** Who one is. */
export interface HandshakeIdentity {
  readonly publicKey: PublicKey;
  readonly secret: SecretKey;
}

/** What the initiator knows. */
export interface DialHandshakeOptions {
  readonly runtime: Pick<Runtime, "timers" | "random">;
  readonly local: HandshakeIdentity;
  /** Its own port, ephemeral. The responder does not interpret it. */
  readonly sourcePort: Port;
  /** Whom it wants to reach, and which port there. */
  readonly remote: OverlayAddress;
  /** Called before the Noise stage, with which the responder takes the link as opened and waits for what comes next. */
  readonly onCommit?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/** What the responder knows. */
export interface AcceptHandshakeOptions {
  readonly runtime: Pick<Runtime, "timers" | "random">;
  readonly local: HandshakeIdentity;
  /** Does somebody here accept links to that port? */
  readonly isListening: (port: Port) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sets up a dialled link. Closes it on every failure.
 * @returns the link with its records; the remote key is the one asked for
 * @throws {RefusedError} `transport/handshake-refused` when F3 says no; {ProtocolError} `transport/handshake-malformed`,
 * `noise/…`; {UnavailableError} `transport/handshake-timeout`, `transport/peer-left`; the reason of `signal`
 */
export function dialHandshake(link: ByteLink, options: DialHandshakeOptions): Promise<SecureLink> {
  const { remote } = options;
  return closingOnFailure(link, async () => {
    const reader = new LinkReader(link);
    await inTime(() => proveInitiator(link, reader, options), { ms: STCP_HANDSHAKE_TIMEOUT_MS, ...options });
    options.onCommit?.();
    return await inTime(
      () => runNoise(link, reader, { ...options, role: "initiator", remoteKey: remote.publicKey }),
      { ms: NOISE_TIMEOUT_MS, ...options },
    );
  });
}

/**
 * Sets up an accepted link. Closes it on every failure.
 * @returns the link with its records and the key that the initiator has proven
 * @throws as {@link dialHandshake}; {ProtocolError} `transport/handshake-forged` for a wrong nonce or signature,
 * {RefusedError} `transport/wrong-destination` and `transport/not-listening`, which the initiator is told
 */
export function acceptHandshake(link: ByteLink, options: AcceptHandshakeOptions): Promise<SecureLink> {
  return closingOnFailure(link, async () => {
    const reader = new LinkReader(link);
    const remoteKey = await inTime(() => checkInitiator(link, reader, options), {
      ms: STCP_HANDSHAKE_TIMEOUT_MS,
      ...options,
    });
    return await inTime(() => runNoise(link, reader, { ...options, role: "responder", remoteKey }), {
      ms: NOISE_TIMEOUT_MS,
      ...options,
    });
  });
}

/** F0–F3 of the initiator, without limits of time. */
export async function proveInitiator(
  link: ByteLink,
  reader: LinkReader,
  options: Pick<DialHandshakeOptions, "local" | "remote" | "sourcePort">,
): Promise<void> {
  const { local, remote, sourcePort } = options;
  await link.write(FRAME_0);
  const nonce = valid(decodeFrame1(await readDocument(reader)));
  const source = { publicKey: local.publicKey, port: sourcePort };
  await link.write(encodeFrame2(signFrame2({ source, destination: remote, nonce }, local.secret)));
  const answer = valid(decodeFrame3(await readDocument(reader)));
  if (answer.ok) return;
  throw new RefusedError("transport/handshake-refused", `Set up a link: the peer refused, "${answer.errorMessage}"`, {
    details: { message: answer.errorMessage },
  });
}

/** F0–F3 of the responder, without limits of time. @returns the key that the initiator has proven */
export async function checkInitiator(
  link: ByteLink,
  reader: LinkReader,
  options: Pick<AcceptHandshakeOptions, "isListening"> & {
    readonly local: Pick<HandshakeIdentity, "publicKey">;
    readonly runtime: Pick<Runtime, "random">;
  },
): Promise<PublicKey> {
  // All of F0 comes in one segment, as v1.3 demands; a client that sends less is none, and costs nothing more.
  await reader.fill();
  if (reader.unread.length < FRAME_0.length || !equalBytes(reader.take(FRAME_0.length), FRAME_0)) {
    throw new ProtocolError("transport/handshake-malformed", "Set up a link: the peer did not begin with get_nonce");
  }
  const nonce = options.runtime.random.bytes(NONCE_BYTES);
  await link.write(encodeFrame1(nonce));
  const frame = valid(decodeFrame2(await readDocument(reader)));
  if (!equalBytes(frame.nonce, nonce) || !verifyFrame2(frame)) {
    throw new ProtocolError(
      "transport/handshake-forged",
      "Set up a link: the peer did not sign our nonce with its key",
    );
  }
  const refuse = async (code: string, errorMessage: string): Promise<never> => {
    await link.write(encodeFrame3({ ok: false, errorMessage }));
    throw new RefusedError(code, `Set up a link: refused, "${errorMessage}"`);
  };
  if (frame.destination.publicKey !== options.local.publicKey) {
    await refuse("transport/wrong-destination", WRONG_KEY_MESSAGE);
  }
  if (!options.isListening(frame.destination.port)) await refuse("transport/not-listening", NOT_LISTENING_MESSAGE);
  await link.write(encodeFrame3({ ok: true, errorMessage: "" }));
  return frame.source.publicKey;
}

/** Reads one JSON document and its newline, and nothing beyond. */
async function readDocument(reader: LinkReader): Promise<string> {
  while (true) {
    const line = valid(takeJsonLine(reader.unread));
    if (line === undefined) {
      await reader.fill();
      continue;
    }
    reader.take(line.used);
    return line.text;
  }
}

interface NoiseOptions {
  readonly runtime: Pick<Runtime, "random">;
  readonly role: "initiator" | "responder";
  readonly local: HandshakeIdentity;
  readonly remoteKey: PublicKey;
}

async function runNoise(link: ByteLink, reader: LinkReader, options: NoiseOptions): Promise<SecureLink> {
  const { role, local, remoteKey, runtime } = options;
  using noise = beginNoise({
    pattern: "KK",
    role,
    localSecret: local.secret,
    remoteKey,
  }, runtime.random);
  const send = async (): Promise<void> => {
    const message = noise.writeMessage();
    await link.write(concatBytes(new Uint8Array([message.length >> 8, message.length & 0xff]), message));
  };
  const receive = async (): Promise<void> => void noise.readMessage(await readNoiseFrame(reader));
  if (role === "initiator") {
    await send();
    await receive();
  } else {
    await receive();
    await send();
  }
  const records = noise.intoRecords();
  if (reader.unread.length > 0) records.push(reader.take(reader.unread.length));
  return { link, records, remoteKey };
}

async function readNoiseFrame(reader: LinkReader): Promise<Uint8Array> {
  // The newline of the last document may come late; no Noise frame begins with it, since none has 2560 bytes or more.
  if (reader.unread.length === 0) await reader.fill();
  if (reader.unread[0] === NEWLINE) reader.take(1);
  const [high, low] = await reader.exactly(2) as unknown as [number, number];
  const length = high << 8 | low;
  if (length > MAX_NOISE_FRAME_BYTES) {
    throw new ProtocolError("transport/handshake-malformed", `Set up a link: a Noise message of ${length} bytes`);
  }
  return await reader.exactly(length);
}

function valid<T>(value: T | Fault): T {
  if (!(value instanceof Fault)) return value;
  throw new ProtocolError("transport/handshake-malformed", `Set up a link: ${value.message}`, {
    details: { fault: value.code },
  });
}

interface StageOptions {
  readonly ms: number;
  readonly runtime: Pick<Runtime, "timers">;
  readonly signal?: AbortSignal | undefined;
}

function inTime<T>(work: () => Promise<T>, { ms, runtime, signal }: StageOptions): Promise<T> {
  const message = "Set up a link with the peer";
  return withTimeout(work, { timers: runtime.timers, ms, signal, code: "transport/handshake-timeout", message });
}

/** A half set-up link is of no use to anybody, and closing it ends reads that are still pending (transports.md W13). */
async function closingOnFailure<T>(link: ByteLink, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    link.close();
    throw error;
  }
}
