/** The transfer of the demo: a random file, a real HTTP server, real curl through the proxy, and both checksums. */

import { createHash } from "node:crypto";
import { UnavailableError } from "../../../lib/errors/mod.ts";

/** How a transfer went. */
export interface Transfer {
  readonly bytes: number;
  readonly sha256Sent: string;
  readonly sha256Received: string;
  readonly seconds: number;
  readonly megabytesPerSecond: number;
}

const CHUNK_BYTES = 4_194_304;
const PROGRESS_EVERY_MS = 100;

/**
 * Sends a fresh random file of `bytes` through the SOCKS5 proxy.
 * @param options `onProgress` is told how many bytes have arrived
 * @throws {UnavailableError} `demo/curl-missing`, `demo/transfer-failed`
 */
export async function transferFile(
  bytes: number,
  options: {
    readonly folder: string;
    readonly socks: string;
    readonly signal: AbortSignal;
    readonly onProgress: (received: number) => void;
  },
): Promise<Transfer> {
  const { folder, socks, signal, onProgress } = options;
  const source = `${folder}/sent.bin`, target = `${folder}/received.bin`;
  const sha256Sent = await writeRandomFile(source, { bytes, signal });
  await using server = serveFile(source);
  const progress = setInterval(async () => {
    onProgress((await Deno.stat(target).catch(() => ({ size: 0 }))).size);
  }, PROGRESS_EVERY_MS);
  try {
    const started = performance.now();
    await curl(["--socks5-hostname", socks, "--fail", "--max-time", "600", "--output", target, server.url], signal);
    const seconds = (performance.now() - started) / 1000;
    return {
      bytes,
      sha256Sent,
      sha256Received: await hashFile(target),
      seconds,
      megabytesPerSecond: bytes / 1e6 / seconds,
    };
  } finally {
    clearInterval(progress);
    await Deno.remove(source).catch(() => {});
    await Deno.remove(target).catch(() => {});
  }
}

async function curl(args: readonly string[], signal: AbortSignal): Promise<void> {
  const command = new Deno.Command("curl", {
    args: ["-sS", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal,
  });
  const { success, code, stderr } = await command.output().catch((cause) => {
    throw new UnavailableError("demo/curl-missing", "Run curl: install it (Debian: apt-get install curl)", { cause });
  });
  signal.throwIfAborted();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim();
    throw new UnavailableError(
      "demo/transfer-failed",
      `Download through the proxy: curl ended with ${code}: ${reason}`,
    );
  }
}

async function writeRandomFile(
  path: string,
  { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path, { create: true, write: true, truncate: true, mode: 0o600 });
  for (let left = bytes; left > 0;) {
    signal.throwIfAborted();
    const chunk = new Uint8Array(Math.min(left, CHUNK_BYTES));
    for (let at = 0; at < chunk.length; at += 65_536) crypto.getRandomValues(chunk.subarray(at, at + 65_536));
    hash.update(chunk);
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    left -= chunk.length;
  }
  return hash.digest("hex");
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let n = await file.read(chunk); n !== null; n = await file.read(chunk)) hash.update(chunk.subarray(0, n));
  return hash.digest("hex");
}

function serveFile(path: string): { readonly url: string } & AsyncDisposable {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    const file = await Deno.open(path);
    const { size } = await file.stat();
    return new Response(file.readable, { headers: { "content-length": String(size) } });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, [Symbol.asyncDispose]: () => server.shutdown() };
}
