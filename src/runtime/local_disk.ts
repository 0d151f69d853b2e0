import { statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, type FileStat, temporaryPrefix } from "./disk.ts";

let written = 0;

/** The file system of this machine. */
export const localDisk: Disk = {
  stat(path, { followLinks = true } = {}): FileStat | undefined {
    try {
      return fileStat(followLinks ? Deno.statSync(path) : Deno.lstatSync(path));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  },
  list: (folder) =>
    Array.from(Deno.readDirSync(folder), (entry) => ({
      name: entry.name,
      isSymlink: entry.isSymlink,
      isFolder: entry.isDirectory,
      isFile: entry.isFile,
    })),
  realPath: (path) => Deno.realPathSync(path),
  read: (path) => Deno.readFile(path),
  async write(path, content, { sync = false } = {}) {
    const temporary = join(dirname(path), `${temporaryPrefix}${Deno.pid}-${written++}`);
    try {
      const file = await Deno.open(temporary, { write: true, createNew: true });
      try {
        for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
        if (sync) await file.syncData();
      } finally {
        file.close();
      }
      await Deno.rename(temporary, path);
    } catch (error) {
      removeIfThere(temporary);
      throw error;
    }
  },
  makeFolder: (path) => Deno.mkdirSync(path, { recursive: true }),
  remove: removeIfThere,
  freeBytes(path) {
    let folder = path;
    while (localDisk.stat(folder) === undefined && dirname(folder) !== folder) {
      folder = dirname(folder);
    }
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  },
};

function removeIfThere(path: string) {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

function isAbsence(error: unknown): boolean {
  // A part of the path that is a file counts as absence too.
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && "code" in error && error.code === "ENOTDIR");
}

function fileStat(info: Deno.FileInfo): FileStat {
  return {
    isFile: info.isFile,
    isFolder: info.isDirectory,
    isSymlink: info.isSymlink,
    size: info.size,
    mtimeMs: info.mtime?.getTime() ?? 0,
    inode: info.ino ?? 0,
    device: info.dev,
  };
}
