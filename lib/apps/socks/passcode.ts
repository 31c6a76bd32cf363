/**
 * The passcode of a SOCKS server, said in place of the program. In v1.3 the client app passes bytes unchanged and has no
 * passcode of its own, so every program must know it (visor-and-apps.md §2.2). With a passcode, this stands between a
 * program and the server's stream, rewrites the greeting, and leaves everything behind it alone:
 *
 *     program ── 05 n methods ──►  │ ── 05 02 00 02 ─────────────────────►  server
 *             ◄──────── 05 00 ──── │ ◄──────────────────────── 05 02 ─────
 *                                  │ ── 01 ‖ len ‖ code ‖ len ‖ code ────►
 *                                  │ ◄──────────────────────── 01 00 ─────
 *
 * Tested in tests/apps/socks/proxy_test.ts.
 */

import type { ByteLink } from "../../runtime/mod.ts";
import { concatBytes } from "../../types/mod.ts";
import { LinkReader } from "../../links/link_reader.ts";
import { encodeCredentials, encodeGreeting, encodeMethod, METHOD, readExactly } from "./protocol.ts";

/** A stream to a server that knows who we are. */
export class PasscodeLink implements ByteLink {
  readonly #stream: ByteLink;
  readonly #reader: LinkReader;
  readonly #passcode: Uint8Array;
  /** The program's greeting so far; undefined when it was dealt with. */
  #greeting: Uint8Array | undefined = new Uint8Array();
  readonly #greeted = Promise.withResolvers<void>();
  /** What the program is told before the server's own bytes. */
  #answer: Uint8Array = new Uint8Array();
  #isRefused = false;

  /**
   * @param stream fresh, to the server
   * @param passcode UTF-8, 1–255 bytes
   */
  constructor(stream: ByteLink, passcode: Uint8Array) {
    this.#stream = stream;
    this.#reader = new LinkReader(stream);
    this.#passcode = passcode;
  }

  get remoteAddress(): string {
    return this.#stream.remoteAddress;
  }

  /** Did the server not take the passcode? */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  async read(into: Uint8Array): Promise<number | null> {
    await this.#greeted.promise;
    const answer = this.#answer;
    if (answer.length === 0) return this.#isRefused ? null : await this.#reader.read(into);
    const part = answer.subarray(0, into.length);
    into.set(part);
    this.#answer = answer.subarray(part.length);
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#greeting === undefined) return await this.#stream.write(bytes);
    this.#greeting = concatBytes(this.#greeting, bytes);
    const [, methods] = this.#greeting;
    if (methods === undefined || this.#greeting.length < 2 + methods) return;
    const said = this.#greeting;
    this.#greeting = undefined;
    try {
      const rest = said.subarray(2, 2 + methods).includes(METHOD.none)
        ? await this.#introduce().then(() => said.subarray(2 + methods))
        // It has credentials of its own and wants to use them.
        : said;
      if (rest.length > 0 && !this.#isRefused) await this.#stream.write(rest);
    } finally {
      this.#greeted.resolve();
    }
  }

  closeWrite(): void {
    this.#greeted.resolve();
    this.#stream.closeWrite?.();
  }

  close(): void {
    this.#greeted.resolve();
    this.#stream.close();
  }

  /** Greets the server in the program's place. Whatever the server says, the program hears one method. */
  async #introduce(): Promise<void> {
    await this.#stream.write(encodeGreeting([METHOD.none, METHOD.password]));
    let method = (await readExactly(this.#reader, 2))[1] ?? METHOD.unacceptable;
    if (method === METHOD.password) {
      await this.#stream.write(encodeCredentials({ user: this.#passcode, password: this.#passcode }));
      method = (await readExactly(this.#reader, 2))[1] === 0 ? METHOD.none : METHOD.unacceptable;
    }
    this.#isRefused = method !== METHOD.none;
    this.#answer = encodeMethod(this.#isRefused ? METHOD.unacceptable : METHOD.none);
  }
}
