/**
 * The transport discovery as a process, on a disk that lets it down: killed in the middle of writes, a folder that cannot
 * be written, a full disk, a damaged file. What was acknowledged is there, the error says what is wrong, and nothing is
 * damaged further.
 */

import assert from "node:assert/strict";
import { hasCode } from "../../lib/errors/mod.ts";
import { createDenoRuntime } from "../../lib/runtime/deno/mod.ts";
import {
  createTransportDiscoveryClient,
  type TransportDiscoveryClient,
} from "../../lib/services/transport_discovery/mod.ts";
import type { SignedEntry } from "../../lib/wire/transport_entry.ts";
import { denoArgv, type Ended, Program, runToEnd, temporaryFolder } from "../e2e/program.ts";
import { makeSigned, makeVisor, type TestVisor } from "../services/transport_discovery/support.ts";
import { at } from "../../lib/types/at.ts";

const SCRIPT = "cmd/transport_discovery.ts";
const WRITES = 1_000;

/** They write at once, each one request after the other, as visors do. */
const WRITERS: readonly TestVisor[] = [1, 2, 3, 4, 5, 6, 7, 8].map(makeVisor);
const OTHER = makeVisor(100);

interface Write {
  /** Index among {@link WRITERS}. */
  readonly writer: number;
  readonly signed: SignedEntry;
}

/** The transport of a number, and who registers it. */
function makeWrite(number: number): Write {
  const writer = number % WRITERS.length;
  return { signed: makeSigned(at(WRITERS, writer), OTHER, { kind: `t${number}` }), writer };
}

const ALL_WRITES: readonly Write[] = Array.from({ length: WRITES }, (_, number) => makeWrite(number));

/** A running discovery and its clients. */
class Discovery implements AsyncDisposable {
  readonly program: Program;
  readonly clients: readonly TransportDiscoveryClient[];
  readonly #runtime: Disposable;

  private constructor(
    program: Program,
    { runtime, url }: { runtime: ReturnType<typeof createDenoRuntime>; url: string },
  ) {
    this.program = program;
    this.#runtime = runtime;
    this.clients = WRITERS.map(({ secret }) => createTransportDiscoveryClient({ ...runtime, url, secret }));
  }

  static async start(file: string): Promise<Discovery> {
    const program = new Program(denoArgv(SCRIPT, [...options(file)]));
    const { url } = await program.nextJson<{ url: string }>();
    return new Discovery(program, { runtime: createDenoRuntime({ logLevel: "off" }), url });
  }

  /** Registers transports; stops at the first failure of each writer. @returns the ids that were acknowledged */
  async writeAll(writes: readonly Write[], onWritten: (count: number) => void = () => {}): Promise<string[]> {
    const written: string[] = [];
    await Promise.all(this.clients.map(async (client, own) => {
      for (const { signed, writer } of writes) {
        if (writer !== own) continue;
        try {
          await client.register([signed]);
        } catch {
          return;
        }
        written.push(signed.entry.id);
        onWritten(written.length);
      }
    }));
    return written;
  }

  async listed(): Promise<Set<string>> {
    return new Set((await at(this.clients, 0).all()).map(({ id }) => id as string));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.end();
    this.#runtime[Symbol.dispose]();
  }
}

function options(file: string): readonly string[] {
  return ["--json", "--listen", "127.0.0.1:0", "--db", `sqlite:${file}`];
}

/** What a discovery says that cannot start. */
function errorOf({ code, lines, stderr }: Ended): { readonly code: string; readonly message: string } {
  assert.equal(code, 1, stderr);
  assert.equal(lines.length, 1, lines.join("\n"));
  return JSON.parse(at(lines, 0)).error;
}

for (const killAfter of [1, WRITES / 2, WRITES - 50]) {
  Deno.test(`a discovery killed with -9 after ${killAfter} of ${WRITES} writes has all that it acknowledged`, async () => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/map.sqlite`;
    let acknowledged: string[];
    {
      await using discovery = await Discovery.start(file);
      acknowledged = await discovery.writeAll(ALL_WRITES, (count) => {
        if (count === killAfter) discovery.program.child.kill("SIGKILL");
      });
    }
    assert.ok(acknowledged.length >= killAfter && acknowledged.length < WRITES, `${acknowledged.length} acknowledged`);
    await using again = await Discovery.start(file);
    const listed = await again.listed();
    assert.deepEqual(acknowledged.filter((id) => !listed.has(id)), []);
    // One more for each writer may have been stored when the answer was lost.
    assert.ok(listed.size <= acknowledged.length + WRITERS.length);
    assert.equal((await again.writeAll(ALL_WRITES)).length, WRITES);
    assert.equal((await again.listed()).size, WRITES);
  });
}

const asRoot = Deno.build.os === "linux" && Deno.uid() === 0;
const notRoot = "needs root to mount a small file system";

/** Runs a test in a file system of its own, so small that it fills up. */
function smallDiskTest(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test({
    name: asRoot ? name : `${name} (skipped: ${notRoot})`,
    ignore: !asRoot,
    fn: async () => {
      await using folder = await temporaryFolder();
      await mount("-t", "tmpfs", "-o", "size=400k", "tmpfs", folder.path);
      try {
        await test(folder.path);
      } finally {
        await new Deno.Command("umount", { args: [folder.path] }).output();
      }
    },
  });
}

async function mount(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("mount", { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

smallDiskTest(
  "a discovery whose disk is full refuses to write, goes on answering, and has all that it acknowledged",
  async (folder) => {
    const file = `${folder}/map.sqlite`;
    let acknowledged: string[];
    {
      await using discovery = await Discovery.start(file);
      acknowledged = await discovery.writeAll(ALL_WRITES);
      assert.ok(acknowledged.length > 10 && acknowledged.length < WRITES, `${acknowledged.length} acknowledged`);
      const { signed, writer } = makeWrite(WRITES);
      await assert.rejects(
        at(discovery.clients, writer).register([signed]),
        (error) => hasCode(error, "transport-discovery/failed"),
      );
      assert.deepEqual(await discovery.listed(), new Set(acknowledged));
      assert.equal(await discovery.program.end(), 0);
    }
    {
      // Started again on the full disk, it serves what it has.
      await using discovery = await Discovery.start(file);
      assert.deepEqual(await discovery.listed(), new Set(acknowledged));
    }
    // A fresh one has no room to begin, and says so.
    const fresh = errorOf(await runToEnd(SCRIPT, ...options(`${folder}/fresh.sqlite`)));
    assert.equal(fresh.code, "storage/full");
    // Once there is room, everything is as it was.
    await using room = await temporaryFolder();
    for await (const { name } of Deno.readDir(folder)) await Deno.copyFile(`${folder}/${name}`, `${room.path}/${name}`);
    await using again = await Discovery.start(`${room.path}/map.sqlite`);
    assert.deepEqual(await again.listed(), new Set(acknowledged));
    assert.equal((await again.writeAll(ALL_WRITES)).length, WRITES);
  },
);

smallDiskTest("a discovery on a file system that cannot be written says so, and touches nothing", async (folder) => {
  const file = `${folder}/map.sqlite`;
  {
    await using discovery = await Discovery.start(file);
    await discovery.writeAll(ALL_WRITES.slice(0, 10));
  }
  const before = await Deno.readFile(file);
  await mount("-o", "remount,ro", folder);
  const { code, message } = errorOf(await runToEnd(SCRIPT, ...options(file)));
  assert.equal(code, "storage/read-only");
  assert.ok(message.includes(file), message);
  assert.deepEqual(await Deno.readFile(file), before);

  const missing = errorOf(await runToEnd(SCRIPT, ...options(`${folder}/other.sqlite`)));
  assert.equal(missing.code, "storage/open-failed");
});

const DAMAGES: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>>> = {
  "with a page of garbage": (bytes) => {
    const page = 4096 * Math.floor(bytes.length / 4096 / 2);
    return bytes.map((byte, i) => i >= page && i < page + 4096 ? 0xa5 : byte);
  },
  "whose end is missing": (bytes) => bytes.slice(0, 4096 * Math.floor(bytes.length / 4096 / 2)),
  "that is no database": (bytes) => new TextEncoder().encode("This is a letter.\n".repeat(bytes.length / 18)),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  Deno.test(`a discovery on a file ${what} says so, and damages it no further`, async () => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/map.sqlite`;
    {
      await using discovery = await Discovery.start(file);
      assert.equal((await discovery.writeAll(ALL_WRITES)).length, WRITES);
    }
    const damaged = damage(await Deno.readFile(file));
    await Deno.writeFile(file, damaged);
    const { code, message } = errorOf(await runToEnd(SCRIPT, ...options(file)));
    assert.equal(code, "storage/corrupt");
    assert.ok(message.includes(file), message);
    assert.deepEqual(await Deno.readFile(file), damaged);
  });
}
