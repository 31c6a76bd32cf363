/** Private files on a real disk. */

import assert from "node:assert/strict";
import { hasCode } from "../../../lib/errors/mod.ts";
import { createDenoStorage } from "../../../lib/runtime/deno/mod.ts";

const TEXT = new TextEncoder();

async function withFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("write() and read() agree; a missing file is undefined; remove() is harmless twice", () =>
  withFolder(async (dir) => {
    const storage = createDenoStorage(`${dir}/node`);
    assert.equal(storage.path, `${dir}/node`);
    assert.equal(await storage.read("key"), undefined);
    await storage.write("key", TEXT.encode("one"));
    await storage.write("key", TEXT.encode("two"));
    await storage.write("a/b", new Uint8Array());
    assert.deepEqual(await storage.read("key"), TEXT.encode("two"));
    assert.deepEqual(await storage.read("a/b"), new Uint8Array());
    await storage.remove("key");
    await storage.remove("key");
    assert.deepEqual([...Deno.readDirSync(`${dir}/node`)].map((entry) => entry.name), ["a"]);
  }));

Deno.test({
  name: "folders are private to the owner, files too",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (dir) => {
      const storage = createDenoStorage(`${dir}/node`);
      await storage.write("key", new Uint8Array(1));
      const modeOf = (path: string): number => (Deno.statSync(path).mode ?? 0) & 0o777;
      assert.deepEqual([modeOf(`${dir}/node`), modeOf(`${dir}/node/key`)], [0o700, 0o600]);
    }),
});

Deno.test("an existing folder with content keeps its mode", () =>
  withFolder(async (dir) => {
    await Deno.chmod(dir, 0o755);
    await Deno.writeTextFile(`${dir}/other`, "");
    await createDenoStorage(dir).write("file", new Uint8Array());
    assert.equal((Deno.statSync(dir).mode ?? 0) & 0o777, 0o755);
  }));

Deno.test("lock() has one owner at a time", () =>
  withFolder(async (dir) => {
    const first = await createDenoStorage(dir).lock("lock");
    assert.ok(first !== undefined);
    assert.equal(await createDenoStorage(dir).lock("lock"), undefined);
    first[Symbol.dispose]();
    using second = await createDenoStorage(dir).lock("lock");
    assert.ok(second !== undefined);
  }));

Deno.test("names that leave the folder are refused", () =>
  withFolder(async (dir) => {
    const storage = createDenoStorage(dir);
    for (const name of ["../x", "/etc/passwd", "", "a//b", "a/../../b"]) {
      await assert.rejects(storage.read(name), RangeError);
    }
  }));

Deno.test("a write that cannot be made says why, and leaves the old content", () =>
  withFolder(async (dir) => {
    const storage = createDenoStorage(dir);
    await storage.write("file", TEXT.encode("kept"));
    await assert.rejects(storage.write("file/below", new Uint8Array(1)), (error) => {
      assert.ok(hasCode(error, "storage/write-failed"));
      return true;
    });
    assert.deepEqual(await storage.read("file"), TEXT.encode("kept"));
    const inTheWay = createDenoStorage(`${dir}/file`);
    await assert.rejects(inTheWay.lock("lock"), { code: "storage/write-failed", message: /it is no folder/ });
    await assert.rejects(inTheWay.list(), { code: "storage/read-failed", message: /it is no folder/ });
  }));

Deno.test("a folder is made by the first write to it; list() tells what is in it", () =>
  withFolder(async (dir) => {
    const storage = createDenoStorage(`${dir}/a/b`);
    assert.deepEqual(await storage.list(), []);
    assert.equal(await storage.read("x"), undefined);
    await storage.remove("x");
    assert.deepEqual([...Deno.readDirSync(dir)], []);
    await storage.write("x", new Uint8Array());
    await storage.write("c/y", new Uint8Array());
    assert.deepEqual([...await storage.list()].sort(), ["c", "x"]);
  }));

Deno.test("undo() of a lock removes what taking it made, and nothing else", () =>
  withFolder(async (dir) => {
    const names = (): string[] => [...Deno.readDirSync(dir)].map(({ name }) => name);
    {
      using lock = await createDenoStorage(`${dir}/a/b`).lock("lock");
      await lock?.undo();
      assert.deepEqual(names(), []);
    }
    await Deno.writeTextFile(`${dir}/lock`, "");
    {
      using lock = await createDenoStorage(dir).lock("lock");
      await lock?.undo();
      assert.deepEqual(names(), ["lock"]);
    }
    using lock = await createDenoStorage(`${dir}/c`).lock("lock");
    await Deno.writeTextFile(`${dir}/c/other`, "");
    await assert.rejects(async () => await lock?.undo());
    assert.equal(await Deno.readTextFile(`${dir}/c/other`), "");
  }));
