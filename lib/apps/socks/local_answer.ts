/**
 * A SOCKS client talks to the remote server end to end; when there is no way to the server, somebody else must answer in
 * its place. This follows the handshake as it passes by, so that the answer fits wherever the server fell silent.
 * Tested in tests/apps/socks/protocol_test.ts.
 */

import type { ByteLink } from "../../runtime/mod.ts";
import { concatBytes } from "../../types/mod.ts";
import type { LinkReader } from "../../links/link_reader.ts";
import {
  encodeMethod,
  encodePasswordStatus,
  encodeReply,
  METHOD,
  readCredentials,
  readGreeting,
  readRequest,
} from "./protocol.ts";

/** A greeting, a password and a request are at most 1,036 bytes; a client that says more at once is none. */
const MAX_REMEMBERED_BYTES = 2_048;

/** Remembers what the client said until the server has answered its request. */
export class HandshakeWatch {
  #fromClient: Uint8Array = new Uint8Array();
  /** The server's bytes so far; at most method, status of the password, and the first byte of the reply. */
  #fromServer: number[] = [];
  #given = 0;

  /** Sees what the client sends. */
  onClientBytes(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.#given += bytes.length;
    if (this.#given <= MAX_REMEMBERED_BYTES) this.#fromClient = concatBytes(this.#fromClient, bytes);
    else this.#fromClient = new Uint8Array();
  }

  /** Sees what the server sends. */
  onServerBytes(bytes: Uint8Array): void {
    if (this.isOver) return;
    for (const byte of bytes.subarray(0, 5)) this.#fromServer.push(byte);
    if (this.isOver) this.#fromClient = new Uint8Array();
  }

  /**
   * Begins again, for another server that is to hear the same.
   * @returns what the client said; undefined when it said too much to be remembered
   */
  rewind(): Uint8Array | undefined {
    const said = this.#given <= MAX_REMEMBERED_BYTES ? this.#fromClient : undefined;
    this.#fromClient = new Uint8Array();
    this.#given = 0;
    return said;
  }

  /** Has the server chosen a method? */
  get isAnswered(): boolean {
    return this.#fromServer.length > 0;
  }

  /** The server has begun to answer the request, or refused the client: nobody can answer in its place any more. */
  get isOver(): boolean {
    return this.#fromServer.length > this.#beforeReply;
  }

  /**
   * Answers the client in the server's place: the rest of the handshake, and then that the request failed.
   * @param client the local connection; left open
   * @param reader reads `client`
   * @param reply why the request fails
   * @throws when the client does not speak SOCKS5, or goes away
   */
  async answer(client: ByteLink, reader: LinkReader, reply: number): Promise<void> {
    const said = this.#fromServer;
    // In the middle of an answer, or after a client that said too much: nothing would make sense.
    if (this.isOver || said.length % 2 === 1 || this.#given > MAX_REMEMBERED_BYTES) return;
    reader.putBack(this.#fromClient);
    const offered = await readGreeting(reader);
    const method = said[1] ?? [METHOD.none, METHOD.password].find((known) => offered.includes(known)) ??
      METHOD.unacceptable;
    if (said.length === 0) await client.write(encodeMethod(method));
    if (method === METHOD.unacceptable) return;
    if (method === METHOD.password) {
      await readCredentials(reader);
      if (said.length < 4) await client.write(encodePasswordStatus(true));
    }
    await readRequest(reader);
    await client.write(encodeReply(reply));
  }

  /** Bytes of the server before its reply: 2 for the method, 2 more for the status of a password. */
  get #beforeReply(): number {
    return this.#fromServer[1] === METHOD.password ? 4 : 2;
  }
}
