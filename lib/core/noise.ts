/** Noise handshakes of the v1.3 network (dmsg.md §2), computed in the core. */

import { ClosedError, ProtocolError, UnavailableError } from "../errors/mod.ts";
import { publicKeyBytes } from "../types/mod.ts";
import type { PublicKey, SecretKey } from "../types/mod.ts";
import { checkCrypto } from "./crypto_faults.ts";
import { core } from "./instance.ts";
import { FAULT_MESSAGE_ORDER, NOISE_PATTERNS, NOISE_ROLES, SCRATCH_BYTES } from "./layout.ts";
import { copyAt, intoScratch, SCRATCH, viewAt, wipeScratch } from "./memory.ts";
import { Records } from "./records.ts";

/**
 * The longest payload of a message we write, bytes: a frame of v1.3 holds 4,094, less 33 for the key and 16 for the tag
 * (routing.md §4.4.1).
 */
export const MAX_NOISE_PAYLOAD_BYTES = 4_045;

/** The longest message that is read. Those of frames have at most 4,094 bytes; messaging objects hold longer ones. */
const MAX_MESSAGE_BYTES = 65_535;
/** Results are written to the last part of the scratch area. The longest is the payload of the longest message. */
const RESULT = SCRATCH + SCRATCH_BYTES - MAX_MESSAGE_BYTES;

const NO_PAYLOAD = new Uint8Array();

/** What a handshake begins with. */
export interface NoiseOptions {
  /** XK: the initiator knows the responder's key. KK: both know both. */
  readonly pattern: (typeof NOISE_PATTERNS)[number];
  /** The initiator writes the first message. */
  readonly role: (typeof NOISE_ROLES)[number];
  /** Our static key; the core keeps a copy until the handshake is disposed. */
  readonly localSecret: SecretKey;
  /** The peer's static key: required, but for the responder of XK, who learns it from message 3 and gives none. */
  readonly remoteKey?: PublicKey;
  /** 32 random bytes, for this handshake only. */
  readonly ephemeral: Uint8Array;
}

/**
 * One handshake: messages in turn, then {@linkcode NoiseHandshake.intoRecords}. A message carries a payload, which v1.3
 * sends empty and discards when read. A fault of a message is permanent. Disposing wipes the secrets.
 */
export class NoiseHandshake implements Disposable {
  #handle: number;

  /**
   * Begins a handshake.
   * @param options pattern, role and keys
   * @throws {ProtocolError} `noise/public-key` when `remoteKey` is no point on the curve
   * @throws {TypeError} when `remoteKey` is missing, or given where none belongs
   * @throws {RangeError} when `localSecret` or `ephemeral` is no valid scalar
   * @throws {UnavailableError} `noise/too-many` when 65536 handshakes are under way
   */
  constructor(options: NoiseOptions) {
    const { pattern, role, localSecret, remoteKey, ephemeral } = options;
    if (ephemeral.length !== 32) throw new RangeError(`An ephemeral key has 32 bytes, not ${ephemeral.length}`);
    if ((remoteKey === undefined) !== (pattern === "XK" && role === "responder")) {
      throw new TypeError("All but the responder of XK know the remote key beforehand");
    }
    const remote = remoteKey === undefined ? new Uint8Array() : publicKeyBytes(remoteKey);
    const [local, , peer] = intoScratch(localSecret.expose(), ephemeral, remote) as [number, number, number];
    try {
      const [patternNumber, roleNumber] = [NOISE_PATTERNS.indexOf(pattern), NOISE_ROLES.indexOf(role)];
      const status = core.noise_new(patternNumber, roleNumber, local, peer, remote.length, RESULT);
      checkCrypto(status, { area: "noise", action: "Begin a handshake" });
    } finally {
      wipeScratch(64);
    }
    this.#handle = new DataView(core.memory.buffer as ArrayBuffer).getUint32(RESULT, true);
    if (this.#handle === 0) throw new UnavailableError("noise/too-many", "Begin a handshake: too many are under way");
  }

  /**
   * Writes the message that is due.
   * @param payload at most {@link MAX_NOISE_PAYLOAD_BYTES}, 16 less in the third message of XK; sealed with the keys that both sides have by then; in the
   * first message it has no forward secrecy, and anyone can send that message again (routing.md §4.4.1)
   * @returns 49 bytes more than the payload; 65 for the third message of XK
   * @throws {RangeError} when the payload is too long; the message stays due
   * @throws {ProtocolError} `noise/message-order` when none of ours is due, which after a fault is always so
   */
  writeMessage(payload: Uint8Array = NO_PAYLOAD): Uint8Array<ArrayBuffer> {
    if (payload.length > MAX_NOISE_PAYLOAD_BYTES) {
      throw new RangeError(
        `A payload of a handshake has at most ${MAX_NOISE_PAYLOAD_BYTES} bytes, not ${payload.length}`,
      );
    }
    const [at] = intoScratch(payload) as [number];
    const status = core.noise_write(this.#handle, at, payload.length, RESULT);
    return copyAt(RESULT, this.#check(status, "Write a handshake message"));
  }

  /**
   * Reads the peer's message.
   * @param message whole, without a length prefix; at most 65,535 bytes
   * @returns its payload, which the peer of a complete handshake has written; empty from v1.3
   * @throws {ProtocolError} `noise/authentication`, `noise/public-key`, `noise/message-length` or `noise/message-order`
   */
  readMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
    if (message.length > MAX_MESSAGE_BYTES) {
      throw new ProtocolError("noise/message-length", `Read a handshake message: ${message.length} bytes are too many`);
    }
    const [at] = intoScratch(message) as [number];
    const status = core.noise_read(this.#handle, at, message.length, RESULT);
    return copyAt(RESULT, this.#check(status, "Read a handshake message"));
  }

  /** Have all messages been exchanged? */
  get complete(): boolean {
    return this.#check(core.noise_is_complete(this.#handle), "Ask about a handshake") === 1;
  }

  /**
   * The peer's static key; proven once the handshake is complete.
   * @throws {ProtocolError} `noise/message-order` while the responder of XK has not read message 3
   */
  get remoteKey(): PublicKey {
    this.#check(core.noise_remote(this.#handle, RESULT), "Ask for the peer's key");
    return viewAt(RESULT, 33).toHex() as PublicKey;
  }

  /** The hash over all that was said so far, 32 bytes: equal on both sides, different in every handshake. */
  get hash(): Uint8Array<ArrayBuffer> {
    this.#check(core.noise_hash(this.#handle, RESULT), "Ask for the handshake's hash");
    return copyAt(RESULT, 32);
  }

  /**
   * The record layer with the keys of the completed handshake, which is used up thereby.
   * @throws {ProtocolError} `noise/message-order` while messages are missing
   */
  intoRecords(): Records {
    if (!this.complete) this.#check(FAULT_MESSAGE_ORDER, "End a handshake");
    const records = core.noise_into_records(this.#handle) >>> 0;
    this.#handle = 0;
    return Records.ofHandle(records);
  }

  /** Wipes the secrets. */
  [Symbol.dispose](): void {
    if (this.#handle !== 0) core.noise_drop(this.#handle);
    this.#handle = 0;
  }

  #check(status: number, action: string): number {
    if (this.#handle === 0) throw new ClosedError("noise/closed", "Use of a handshake after its end");
    return checkCrypto(status, { area: "noise", action });
  }
}
