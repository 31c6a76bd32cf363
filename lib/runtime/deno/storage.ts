/** A folder of small private files on disk. */

import { dirname, join, resolve } from "node:path";
import { UnavailableError } from "../../errors/mod.ts";
import type { Storage, StorageLock } from "../ports.ts";

/**
 * Names a folder on disk. The first write makes it when it is missing. A new or empty folder gets mode 0700; another keeps
 * its mode, since it may be a home folder.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createDenoStorage } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const storage = createDenoStorage(folder);
 * await storage.write("notes.txt", new TextEncoder().encode("hello"));
 * assert.equal((await storage.read("notes.txt"))?.length, 5);
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param dir the folder on disk
 * @returns the storage; names of files are relative paths without `..`
 */
export function createDenoStorage(dir: string): Storage {
  const pathOf = (name: string): string => {
    const parts = name.split("/");
    if (parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\\"))) {
      throw new RangeError(`No name for a file: "${name}"`);
    }
    return join(dir, ...parts);
  };
  return {
    path: dir,
    async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
      const path = pathOf(name);
      try {
        return await Deno.readFile(path);
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) return undefined;
        throw storageError("read", { path, cause });
      }
    },
    async write(name: string, content: Uint8Array): Promise<void> {
      const path = pathOf(name);
      try {
        await makeFolder(dir);
        await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await replaceFile(path, content);
      } catch (cause) {
        throw storageError("write", { path, cause });
      }
    },
    async list(): Promise<readonly string[]> {
      try {
        return (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name);
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) return [];
        throw storageError("read", { path: dir, cause });
      }
    },
    async lock(name: string): Promise<StorageLock | undefined> {
      const path = pathOf(name);
      try {
        const folders = await makeFolder(dir);
        return await lockFile(path, folders);
      } catch (cause) {
        throw storageError("write", { path, cause });
      }
    },
    async remove(name: string): Promise<void> {
      const path = pathOf(name);
      try {
        await Deno.remove(path);
      } catch (cause) {
        if (!(cause instanceof Deno.errors.NotFound)) throw storageError("write", { path, cause });
      }
    },
  };
}

/** @returns the folders that were made, the innermost first */
async function makeFolder(dir: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let path = resolve(dir); !await isThere(path); path = dirname(path)) missing.push(path);
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  if (missing.length === 0 && Deno.build.os !== "windows") {
    for await (const _ of Deno.readDir(dir)) return missing;
    await Deno.chmod(dir, 0o700);
  }
  return missing;
}

async function isThere(path: string): Promise<boolean> {
  // Without following links: one that leads nowhere is there, and in the way.
  return await Deno.lstat(path).then(() => true, (error) => !(error instanceof Deno.errors.NotFound));
}

/** @param folders that were made for it, the innermost first */
async function lockFile(path: string, folders: readonly string[]): Promise<StorageLock | undefined> {
  while (true) {
    const isNew = !await isThere(path);
    const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
    if (!await file.tryLock(true)) {
      file.close();
      return undefined;
    }
    // An owner that failed may have removed the file between the two steps. Others would lock another one.
    if (!await isSameFile(file, path)) {
      file.close();
      continue;
    }
    return {
      async undo(): Promise<void> {
        if (isNew) await Deno.remove(path);
        for (const folder of folders) await Deno.remove(folder);
      },
      [Symbol.dispose]: () => file.close(),
    };
  }
}

async function isSameFile(file: Deno.FsFile, path: string): Promise<boolean> {
  const [own, there] = await Promise.all([file.stat(), Deno.stat(path).catch(() => undefined)]);
  return there?.ino === own.ino && there.dev === own.dev;
}

/** Writes beside the file, then moves it over: after a power cut there is the old content or the new, never a half. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const beside = `${path}.${crypto.randomUUID()}.new`;
  try {
    using file = await Deno.open(beside, { write: true, createNew: true, mode: 0o600 });
    for (let rest = content; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    await file.sync();
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
  await Deno.rename(beside, path);
}

function storageError(
  doing: "read" | "write",
  at: { readonly path: string; readonly cause: unknown },
): UnavailableError {
  const code = at.cause instanceof Error && "code" in at.cause ? String(at.cause.code) : "";
  const why = ({
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EROFS: "the disk is read-only",
    EACCES: "no permission",
    EPERM: "no permission",
    ENOTDIR: "it is no folder, or lies below a file",
    EEXIST: "it is no folder",
    ENOENT: "it cannot be made there",
    EISDIR: "it is a folder",
  } as Record<string, string>)[code] ?? "it failed";
  return new UnavailableError(
    `storage/${doing}-failed`,
    `${doing === "read" ? "Read" : "Write"} "${at.path}": ${why}`,
    {
      details: { path: at.path, reason: code },
      cause: at.cause,
    },
  );
}
