import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoTimers } from "../../../lib/runtime/deno/basics.ts";
import { Output } from "../../../lib/runtime/deno/output.ts";

const timers = createDenoTimers();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A stream that takes what `take` says of each piece. */
function streamOf(take: (bytes: Uint8Array) => number): { readonly written: () => string; readonly output: Output } {
  let written = "";
  const write = async (bytes: Uint8Array): Promise<number> => {
    await Promise.resolve();
    const count = take(bytes);
    written += new TextDecoder().decode(bytes.subarray(0, count));
    return count;
  };
  return { written: () => written, output: new Output("the test", { stream: { write }, timers }) };
}

Deno.test("Output writes all, in order, through a pipe that takes little and sometimes nothing (EAGAIN)", async () => {
  let call = 0;
  const { written, output } = streamOf((bytes) => {
    if (++call % 3 === 0) throw new Deno.errors.WouldBlock();
    return Math.min(bytes.length, 5);
  });
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i}\n`);
  await Promise.all(lines.map((line) => output.write(bytes(line))));
  assert.equal(written(), lines.join(""));
  assert.equal(output.waitingBytes, 0);
});

Deno.test("Output says that it cannot write, and tries the next bytes", async () => {
  let isFull = true;
  const { written, output } = streamOf((bytes) => {
    if (isFull) throw new Error("No space left on device");
    return bytes.length;
  });
  await assert.rejects(output.write(bytes("lost")), (error) => hasCode(error, "output/failed"));
  assert.equal(output.waitingBytes, 0);
  isFull = false;
  await output.write(bytes("kept"));
  assert.equal(written(), "kept");
});

Deno.test("64 KiB of log that nobody reads do not stop a program; it is told what was dropped", async () => {
  const script = new URL("unread_log.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script.href],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // It prints this after it has logged 2 MiB, of which nothing was read yet.
  const reader = child.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "still here\n");
  reader.releaseLock();
  const [log] = await Promise.all([new Response(child.stderr).text(), child.stdout.cancel()]);
  assert.equal((await child.status).code, 0);
  const count = Number(/warn {2}log-lines-dropped count=(\d+)\n/.exec(log)?.[1]);
  assert.equal(log.match(/info {2}line /g)?.length, 2_000 - count);
});
