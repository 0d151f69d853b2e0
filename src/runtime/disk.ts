/** Temporary names begin so; what a killed run left under such a name may be removed. */
export const temporaryPrefix = ".tintype-tmp-";

/** A file or folder as a look at it shows. */
export interface FileStat {
  readonly isFile: boolean;
  readonly isFolder: boolean;
  readonly isSymlink: boolean;
  readonly size: number;
  /** Milliseconds since 1970, as exact as the platform gives it. */
  readonly mtimeMs: number;
  readonly inode: number;
  readonly device: number;
}

/** Removes what killed processes left half-written in a folder; nothing where there is none. */
export function sweepTemporaries(disk: Disk, folder: string): void {
  if (disk.stat(folder)?.isFolder !== true) return;
  for (const { name, isFile } of disk.list(folder)) {
    if (isFile && name.startsWith(temporaryPrefix)) disk.remove(`${folder}/${name}`);
  }
}

/**
 * The file system as steps and the runtime use it, so that tests can stand in front of it. Methods
 * throw the platform's errors (`Deno.errors.NotFound`, …).
 */
export interface Disk {
  /** Undefined when nothing is there. Follows symbolic links, unless told not to. */
  stat(path: string, options?: { readonly followLinks?: boolean }): FileStat | undefined;
  /** The names in a folder, in no certain order. */
  list(
    folder: string,
  ): readonly {
    readonly name: string;
    readonly isSymlink: boolean;
    readonly isFolder: boolean;
    readonly isFile: boolean;
  }[];
  realPath(path: string): string;
  read(path: string): Promise<Uint8Array>;
  /** Writes under a temporary name beside it, syncs if asked, and renames. */
  write(path: string, content: Uint8Array, options?: { readonly sync?: boolean }): Promise<void>;
  /** Copies a file under a temporary name beside `to`, and renames. */
  copy(from: string, to: string): Promise<void>;
  /**
   * Writes at the end of a file, which is made where there is none, and syncs. Where that fails, as on a
   * full disk, nothing is added: a later line does not end up behind half of this one.
   */
  append(path: string, content: Uint8Array): Promise<void>;
  /**
   * Moves a file, to another file system too: then it is copied, synced and compared before the first
   * one is removed. Throws `Deno.errors.AlreadyExists` where something is at `to`, and leaves that as
   * it is. Ended in the middle, it leaves the file at `from`, at `to`, or whole at both.
   */
  move(from: string, to: string): Promise<void>;
  makeFolder(path: string): void;
  remove(path: string): void;
  /** Bytes that may still be written where `path` is (or will be). */
  freeBytes(path: string): number;
}
