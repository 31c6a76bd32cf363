import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../lib/types/mod.ts";
import { Fault } from "../../lib/wire/fault.ts";
import {
  BodyDecoder,
  type BodyFraming,
  decodeRequestHead,
  decodeResponseHead,
  encodeChunk,
  encodeHead,
  headLength,
  LAST_CHUNK,
  MAX_HEAD_BYTES,
} from "../../lib/wire/http1.ts";

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));

const request = (text: string): ReturnType<typeof decodeRequestHead> => decodeRequestHead(bytesOf(`${text}\r\n\r\n`));

const response = (text: string, method = "GET"): ReturnType<typeof decodeResponseHead> =>
  decodeResponseHead(bytesOf(`${text}\r\n\r\n`), method);

const codeOf = (result: unknown): string | undefined => result instanceof Fault ? result.code : undefined;

Deno.test("headLength() finds the empty line, and gives up on a head without end", () => {
  const head = bytesOf("GET / HTTP/1.1\r\nA: b\r\n\r\nbody");
  assert.equal(headLength(head), head.length - 4);
  for (let cut = 0; cut < head.length - 4; cut++) assert.equal(headLength(head.subarray(0, cut)), undefined);
  assert.equal(codeOf(headLength(new Uint8Array(MAX_HEAD_BYTES))), "http1/head-too-long");
});

Deno.test("decodeRequestHead() reads what a v1.3 client sends", () => {
  const key = `02${"ab".repeat(32)}`;
  assert.deepEqual(
    request(`GET /dmsg-discovery/all_servers HTTP/1.1\r\nHost: ${key}:80\r\nUser-Agent: Go-http-client/1.1`),
    {
      method: "GET",
      target: "/dmsg-discovery/all_servers",
      version: "1.1",
      headers: [["Host", `${key}:80`], ["User-Agent", "Go-http-client/1.1"]],
      body: { kind: "length", bytes: 0 },
    },
  );
});

Deno.test("decodeRequestHead() turns every form of the target into the origin form", () => {
  const targetOf = (line: string): string | undefined => {
    const head = request(line);
    return head instanceof Fault ? undefined : head.target;
  };
  assert.equal(targetOf("GET http://host:80/a?b HTTP/1.1"), "/a?b");
  assert.equal(targetOf("GET http://host HTTP/1.1"), "/");
  assert.equal(targetOf("GET http://host?x HTTP/1.1"), "/?x");
  assert.equal(targetOf("OPTIONS * HTTP/1.1"), "/");
  for (
    const bad of [
      "GET a HTTP/1.1",
      "GET / HTTP/2.0",
      "GET  / HTTP/1.1",
      "GET /",
      "",
      "G(T / HTTP/1.1",
      "GET * HTTP/1.1",
    ]
  ) {
    assert.equal(codeOf(request(bad)), "http1/start-line", bad);
  }
});

Deno.test("heads with headers on which readers disagree are refused", () => {
  for (const header of ["A : b", " A: b", "A", ": b", "A: b\r\n c", "A: \0", "A: b\nX: y"]) {
    assert.equal(codeOf(request(`GET / HTTP/1.1\r\n${header}`)), "http1/header", header);
  }
  for (
    const header of [
      "Content-Length: 1\r\nContent-Length: 2",
      "Content-Length: -1",
      "Content-Length: 1, 1",
      "Content-Length: 0x1",
      "Transfer-Encoding: chunked\r\nContent-Length: 1",
      "Transfer-Encoding: gzip, chunked",
    ]
  ) assert.equal(codeOf(request(`POST / HTTP/1.1\r\n${header}`)), "http1/body-length", header);
  assert.equal(codeOf(request(`GET / HTTP/1.1${"\r\nA: b".repeat(101)}`)), "http1/header");
});

Deno.test("decodeResponseHead() knows where the body ends", () => {
  const framing = (text: string, method = "GET"): BodyFraming | undefined => {
    const head = response(text, method);
    return head instanceof Fault ? undefined : head.body;
  };
  assert.deepEqual(framing("HTTP/1.1 200 OK\r\nContent-Length: 5"), { kind: "length", bytes: 5 });
  assert.deepEqual(framing("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked"), { kind: "chunked" });
  assert.deepEqual(framing("HTTP/1.0 200"), { kind: "until-end" });
  for (const bare of ["204 No Content", "304 Not Modified", "100 Continue"]) {
    assert.deepEqual(framing(`HTTP/1.1 ${bare}`), { kind: "length", bytes: 0 }, bare);
  }
  assert.deepEqual(framing("HTTP/1.1 200 OK\r\nContent-Length: 5", "HEAD"), { kind: "length", bytes: 0 });
  for (const bad of ["HTTP/1.1 99 x", "HTTP/1.1 600 x", "200 OK", "HTTP/1.1 2000"]) {
    assert.equal(codeOf(response(bad)), "http1/start-line", bad);
  }
});

Deno.test("encodeHead() writes what the decoders read, and no header within a header", () => {
  const bytes = encodeHead("HTTP/1.1 200 OK", [["A", "b"], ["B", "grüße"]]);
  const head = decodeResponseHead(bytes, "GET");
  assert.ok(!(head instanceof Fault));
  assert.deepEqual(head.headers, [["A", "b"], ["B", "grüße"]]);
  assert.throws(() => encodeHead("GET / HTTP/1.1", [["A", "b\r\nX: y"]]), RangeError);
  assert.throws(() => encodeHead("GET / HTTP/1.1", [["A", "€"]]), RangeError);
});

/** Gives a body to a decoder in pieces of these lengths. */
function decodeInPieces(
  framing: BodyFraming,
  bytes: Uint8Array,
  lengths: readonly number[],
): BodyDecoder & { body: Uint8Array } {
  const decoder = new BodyDecoder(framing);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number;
    const result = decoder.push(bytes.subarray(at, at + length));
    assert.ok(!(result instanceof Fault));
    pieces.push(...result);
    at += length;
  }
  return Object.assign(decoder, { body: concatBytes(...pieces) });
}

Deno.test("BodyDecoder gives back any body, framed in any way and cut anywhere", () => {
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 });
  const lengths = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(parts, lengths, fc.boolean(), (chunks, cuts, withTrailer) => {
    const body = concatBytes(...chunks);
    const end = withTrailer ? bytesOf("0;x=y\r\nA: b\r\n\r\n") : LAST_CHUNK;
    const chunked = decodeInPieces({ kind: "chunked" }, concatBytes(...chunks.map(encodeChunk), end), cuts);
    assert.deepEqual([chunked.body, chunked.done], [body, true]);
    const sized = decodeInPieces({ kind: "length", bytes: body.length }, concatBytes(body, bytesOf("next")), cuts);
    assert.deepEqual([sized.body, sized.done], [body, true]);
    const open = decodeInPieces({ kind: "until-end" }, body, cuts);
    assert.deepEqual([open.body, open.done, open.mayEnd], [body, false, true]);
  }));
});

Deno.test("BodyDecoder refuses what is no chunk, and lines without end", () => {
  for (const bad of ["x\r\n", "-1\r\n", "\r\n", "1\nA", "1\r\nAB\r\n", "123456789\r\n", "a".repeat(5_000)]) {
    assert.equal(codeOf(new BodyDecoder({ kind: "chunked" }).push(bytesOf(bad))), "http1/chunk", bad.slice(0, 20));
  }
  const trailers = new BodyDecoder({ kind: "chunked" });
  assert.equal(codeOf(trailers.push(bytesOf(`0\r\n${"A: b\r\n".repeat(2_000)}`))), "http1/chunk");
});

Deno.test("the decoders survive any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    headLength(bytes);
    decodeRequestHead(bytes);
    decodeResponseHead(bytes, "GET");
    new BodyDecoder({ kind: "chunked" }).push(bytes);
  }));
});
