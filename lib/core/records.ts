/**
 * The record layer (dmsg.md §2.6–2.7): what protects links, messaging streams and route groups once a handshake is done.
 *
 *     frame   u16be L ‖ u64be counter ‖ ChaCha20-Poly1305 (plaintext)        L from 24 to 4094
 *
 * The packet path does not come through here: the switch takes a `Records` over ({@linkcode Records.take}).
 */

import { ClosedError, ProtocolError, UnavailableError } from "../errors/mod.ts";
import { checkCrypto } from "./crypto_faults.ts";
import { core } from "./instance.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { copyAt, intoScratch, SCRATCH, viewAt, wipeScratch } from "./memory.ts";

/** The longest plaintext of one frame, bytes: a v1.3 reader's buffer, without counter and tag. */
export const MAX_RECORD_PLAINTEXT_BYTES = 4070;
/** The longest plaintext of a session object, bytes: a u16 length, without counter and tag. */
export const MAX_OBJECT_PLAINTEXT_BYTES = 65_511;
const MAX_OBJECT_BODY_BYTES = 65_535;
const FRAME_OVERHEAD_BYTES = 26;

/** Input in the first half of the scratch area, output in the second. */
const HALF = SCRATCH_BYTES / 2;
const OUTPUT = SCRATCH + HALF;
/** So many whole frames are sealed in one call as fit the second half. */
const SEAL_BYTES = Math.floor(HALF / (MAX_RECORD_PLAINTEXT_BYTES + FRAME_OVERHEAD_BYTES)) * MAX_RECORD_PLAINTEXT_BYTES;

/** Both directions of a protected byte stream. Disposing wipes the keys. */
export class Records implements Disposable {
  #handle: number;

  private constructor(handle: number) {
    this.#handle = handle;
  }

  /**
   * Begins with keys that both sides know. A Noise handshake is the usual way to a record layer.
   * @param keys 32 bytes each; the peer has them the other way round
   * @throws {RangeError} when a key has not 32 bytes
   */
  static ofKeys(keys: { readonly send: Uint8Array; readonly receive: Uint8Array }): Records {
    if (keys.send.length !== 32 || keys.receive.length !== 32) throw new RangeError("A transport key has 32 bytes");
    const [at] = intoScratch(keys.send, keys.receive) as [number];
    try {
      return Records.ofHandle(core.records_new(at) >>> 0);
    } finally {
      wipeScratch(64);
    }
  }

  /**
   * Takes over the handle that the core gave out for a completed handshake. Only `lib/core` calls it.
   * @throws {UnavailableError} `record/too-many` for the handle 0: the core holds 65536 record layers already
   */
  static ofHandle(handle: number): Records {
    if (handle === 0) throw new UnavailableError("record/too-many", "Begin a record layer: there are too many");
    return new Records(handle);
  }

  /** Names the record layer in the core. */
  get handle(): number {
    return this.#handle;
  }

  /**
   * Seals bytes for the peer.
   * @param plaintext any length; each 4070 bytes become a frame
   * @returns whole frames, one after the other; nothing for no bytes
   */
  seal(plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    const frames = Math.ceil(plaintext.length / MAX_RECORD_PLAINTEXT_BYTES);
    const sealed = new Uint8Array(plaintext.length + frames * FRAME_OVERHEAD_BYTES);
    for (let from = 0, to = 0; from < plaintext.length; from += SEAL_BYTES) {
      const chunk = plaintext.subarray(from, from + SEAL_BYTES);
      const [at] = intoScratch(chunk) as [number];
      const length = this.#check(core.records_seal(this.#handle, at, chunk.length, OUTPUT, HALF), "Seal a record");
      sealed.set(viewAt(OUTPUT, length), to);
      to += length;
    }
    return sealed;
  }

  /**
   * Takes received bytes, cut anywhere. What they complete is opened and waits for {@linkcode read}; nothing bounds
   * that, so read before pushing more.
   * @throws {ProtocolError} `record/authentication`, `record/replay` or `record/frame-length`; permanent: every later
   *   push throws it again, while plaintext opened before stays readable
   */
  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += SCRATCH_BYTES) {
      const chunk = bytes.subarray(from, from + SCRATCH_BYTES);
      const [at] = intoScratch(chunk) as [number];
      this.#check(core.records_push(this.#handle, at, chunk.length), "Open a record");
    }
  }

  /**
   * Moves opened bytes out; frame borders are not kept.
   * @returns how many bytes were written to the beginning of `into`; 0 when there are none
   */
  read(into: Uint8Array): number {
    let done = 0;
    while (done < into.length) {
      const space = Math.min(into.length - done, SCRATCH_BYTES);
      const count = this.#check(core.records_read(this.#handle, SCRATCH, space), "Read opened bytes");
      into.set(viewAt(SCRATCH, count), done);
      done += count;
      if (count < space) break;
    }
    return done;
  }

  /** How many opened bytes can be read. */
  get available(): number {
    return this.#check(core.records_available(this.#handle), "Ask for opened bytes");
  }

  /**
   * Seals a session object (dmsg.md §4.2); it shares the counter with {@linkcode seal}.
   * @param plaintext at most 65511 bytes
   * @returns u16be length ‖ counter ‖ sealed bytes
   * @throws {RangeError} when it is longer
   */
  sealObject(plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    if (plaintext.length > MAX_OBJECT_PLAINTEXT_BYTES) {
      throw new RangeError(`A session object has at most 65511 bytes, not ${plaintext.length}`);
    }
    const [at] = intoScratch(plaintext) as [number];
    const status = core.records_seal_object(this.#handle, at, plaintext.length, OUTPUT, HALF);
    return copyAt(OUTPUT, this.#check(status, "Seal an object"));
  }

  /**
   * Opens a session object. They may come in any order, since the streams of a session are written independently.
   * @param sealed counter ‖ sealed bytes, without the length prefix; at most 65535 bytes
   * @throws {ProtocolError} `record/authentication`, `record/frame-length`, or `record/replay` when its counter was
   *   opened before, is 0, or lies 1024 or more behind the highest; not permanent
   */
  openObject(sealed: Uint8Array): Uint8Array<ArrayBuffer> {
    if (sealed.length > MAX_OBJECT_BODY_BYTES) {
      throw new ProtocolError("record/frame-length", `Open an object: ${sealed.length} bytes are too many`);
    }
    const [at] = intoScratch(sealed) as [number];
    const status = core.records_open_object(this.#handle, at, sealed.length, OUTPUT, HALF);
    return copyAt(OUTPUT, this.#check(status, "Open an object"));
  }

  /**
   * Gives the record layer up to the switch, which consumes it together with what it has not opened and nobody has read.
   * @returns the handle; this object is closed from here on
   * @throws {ClosedError} `record/closed` when it was given up or disposed before
   */
  take(): number {
    if (this.#handle === 0) throw closed();
    const handle = this.#handle;
    this.#handle = 0;
    return handle;
  }

  /** Wipes the keys, unless they were given up. */
  [Symbol.dispose](): void {
    if (this.#handle !== 0) core.records_drop(this.#handle);
    this.#handle = 0;
  }

  #check(status: number, action: string): number {
    if (this.#handle === 0) throw closed();
    return checkCrypto(status, { area: "record", action });
  }
}

function closed(): ClosedError {
  return new ClosedError("record/closed", "Use of a record layer after it was disposed or given up");
}
