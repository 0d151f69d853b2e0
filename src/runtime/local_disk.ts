import { statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, type FileStat, temporaryPrefix } from "./disk.ts";
import { sha256OfChunks } from "./hash.ts";

/** What is no longer is written without waiting for another thread. */
const smallBytes = 1_000_000;

/** Where writing that took longer, milliseconds, the next so many are done in threads, side by side. */
const slowMs = 10;
const writesInThreads = 100;

/** Timers, signals and the progress bar have their turn this often while many files are written. */
const turnMs = 30;

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
    const temporary = temporaryBeside(path);
    try {
      if (content.length <= smallBytes && slowWrites === 0) {
        return await writeAtOnce(temporary, path, { content, sync });
      }
      if (slowWrites > 0) slowWrites--;
      await writeWaiting(temporary, content, sync);
      await Deno.rename(temporary, path);
    } catch (error) {
      removeIfThere(temporary);
      throw error;
    }
  },
  async copy(from, to) {
    const temporary = temporaryBeside(to);
    try {
      await Deno.copyFile(from, temporary);
      Deno.renameSync(temporary, to);
    } catch (error) {
      removeIfThere(temporary);
      throw error;
    }
  },
  async append(path, content) {
    const file = await Deno.open(path, { append: true, create: true });
    const { size } = await file.stat();
    try {
      for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
      await file.syncData();
    } catch (error) {
      await file.truncate(size).catch(() => {});
      throw error;
    } finally {
      file.close();
    }
  },
  async move(from, to) {
    const way = await linkTo(from, to);
    if (way === "elsewhere") await copyTo(from, to);
    if (way === "no-links") renameTo(from, to);
    else {
      syncFolder(dirname(to));
      Deno.removeSync(from);
    }
    syncFolder(dirname(from));
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

let lastTurnMs = 0;

/** How many writes are still to be done in threads, since the disk is slow, as in a network. */
let slowWrites = 0;

/** In this thread, which takes a fifth of the time that the ways to another thread and back take. */
async function writeAtOnce(
  temporary: string,
  path: string,
  { content, sync }: { readonly content: Uint8Array; readonly sync: boolean },
) {
  const started = performance.now();
  {
    using file = Deno.openSync(temporary, { write: true, createNew: true });
    for (let at = 0; at < content.length;) at += file.writeSync(content.subarray(at));
    if (performance.now() - started > slowMs) slowWrites = writesInThreads;
    if (sync) await file.syncData();
  }
  Deno.renameSync(temporary, path);
  if (performance.now() - lastTurnMs > turnMs) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    lastTurnMs = performance.now();
  }
}

async function writeWaiting(path: string, content: Uint8Array, sync: boolean) {
  const file = await Deno.open(path, { write: true, createNew: true });
  try {
    for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
    if (sync) await file.syncData();
  } finally {
    file.close();
  }
}

/** Random, since in a container every process may have the same number. */
function temporaryBeside(path: string): string {
  return join(dirname(path), temporaryPrefix + crypto.randomUUID());
}

/**
 * Gives a file its second name. A link, unlike a rename, is refused by the system itself where the name
 * is taken. Not every file system has links (FAT and exFAT do not).
 */
async function linkTo(from: string, to: string): Promise<"linked" | "elsewhere" | "no-links"> {
  try {
    await Deno.link(from, to);
    return "linked";
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.AlreadyExists) throw error;
    if (isAbsence(error)) throw error;
    return "code" in error && error.code === "EXDEV" ? "elsewhere" : "no-links";
  }
}

/** Copies a file with its times, and compares what arrived, before it gets its name. */
async function copyTo(from: string, to: string): Promise<void> {
  const temporary = temporaryBeside(to);
  try {
    const { atime, mtime } = await Deno.stat(from);
    await Deno.copyFile(from, temporary);
    const file = await Deno.open(temporary, { read: true, write: true });
    try {
      await file.sync();
    } finally {
      file.close();
    }
    if (await hashOf(temporary) !== await hashOf(from)) {
      throw new Error(`Cannot move "${from}": its copy in "${dirname(to)}" has other bytes`);
    }
    if (atime !== null && mtime !== null) await Deno.utime(temporary, atime, mtime);
    if (await linkTo(temporary, to) === "no-links") renameTo(temporary, to);
  } finally {
    removeIfThere(temporary);
  }
}

async function hashOf(path: string): Promise<string> {
  return await sha256OfChunks((await Deno.open(path)).readable);
}

function renameTo(from: string, to: string) {
  if (localDisk.stat(to, { followLinks: false }) !== undefined) {
    throw new Deno.errors.AlreadyExists(`"${to}" is there already`);
  }
  Deno.renameSync(from, to);
}

/** Makes names in a folder last through a loss of power, where the system can. */
function syncFolder(folder: string) {
  try {
    using opened = Deno.openSync(folder);
    opened.syncSync();
  } catch {
    // Windows does not open folders; its file system keeps the order by itself.
  }
}

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
    mtimeMs: info.mtime?.getTime() || 0, // NaN for a time beyond what a Date can hold
    inode: info.ino ?? 0,
    device: info.dev,
  };
}
