/** A folder of small private files on disk. */

import { dirname, join } from "node:path";
import { UnavailableError } from "../../errors/mod.ts";
import type { Storage } from "../ports.ts";

/**
 * Opens a folder, making it with mode 0700 when it is not there. An existing folder keeps its mode unless it is empty:
 * somebody may have named their home folder.
 * @param dir the folder on disk
 * @returns the storage; names are relative paths without `..`
 * @throws {UnavailableError} `storage/write-failed` when the folder cannot be made
 */
export function createDenoStorage(dir: string): Storage {
  try {
    Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const empty = Deno.readDirSync(dir)[Symbol.iterator]().next().done === true;
    if (empty && Deno.build.os !== "windows") Deno.chmodSync(dir, 0o700);
  } catch (cause) {
    throw storageError("write", { path: dir, cause });
  }
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
        await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await replaceFile(path, content);
      } catch (cause) {
        throw storageError("write", { path, cause });
      }
    },
    async lock(name: string): Promise<Disposable | undefined> {
      const path = pathOf(name);
      try {
        const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
        if (await file.tryLock(true)) return file;
        file.close();
        return undefined;
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
    ENOTDIR: "a part of the path is a file",
    EEXIST: "it is a file",
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
