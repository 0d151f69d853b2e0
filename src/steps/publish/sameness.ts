import { join } from "node:path";
import { type Disk, temporaryPrefix } from "../../runtime/disk.ts";
import { collisionKey } from "./names.ts";

/** Which names a folder takes for different files. */
export interface Sameness {
  /** "a.jpg" and "A.jpg" are two files. */
  readonly hasCase: boolean;
  /** "é" as one code point and as two are two names (Unicode Standard Annex 15, NFC and NFD). */
  readonly hasForms: boolean;
}

/**
 * Tries out which names a folder takes for the same: a file is made there and asked for under other
 * names, since one machine has file systems of several kinds. `random` makes its name one that nobody
 * else uses. The folder has to be there.
 */
export async function samenessIn(
  disk: Disk,
  folder: string,
  random: Uint8Array,
): Promise<Sameness> {
  const name = `${temporaryPrefix}probe-${random.toHex()}-\u00e9`;
  const path = join(folder, name);
  await disk.write(path, new Uint8Array());
  try {
    const isThere = (other: string) => disk.stat(join(folder, other)) !== undefined;
    return {
      hasCase: !isThere(name.replace("probe", "PROBE")),
      hasForms: !isThere(name.normalize("NFD")),
    };
  } finally {
    disk.remove(path);
  }
}

/** The same for names that are one file there. */
export function fileKey(name: string, { hasCase, hasForms }: Sameness): string {
  const formed = hasForms ? name : name.normalize("NFC");
  return hasCase ? formed : formed.toLowerCase();
}

/** Names that some file systems take for one, in groups of two and more; each name once. */
export function twinsAmong(names: Iterable<string>): readonly (readonly string[])[] {
  const groups = Map.groupBy(new Set(names), collisionKey);
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** Whether two paths lead to the same file, as "a.jpg" and "A.jpg" do on some disks. */
export function isOneFile(disk: Disk, path: string, other: string): boolean {
  const [a, b] = [disk.stat(path), disk.stat(other)];
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device;
}
