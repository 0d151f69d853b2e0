import { dirname } from "node:path";
import type { Disk, FileStat } from "./disk.ts";

/**
 * A disk that remembers what was written through it, and how it looked then: so that whoever watches a
 * folder can tell a run's own files from what a person did to them since.
 */
export class OwnWrites {
  readonly disk: Disk;
  /** By path, how it looked when it was written. */
  readonly #looks = new Map<string, string>();

  constructor(
    readonly outer: Disk,
    /** Whether anybody will ask for a path. */
    readonly isAskedFor: (path: string) => boolean,
  ) {
    this.disk = {
      ...outer,
      write: async (path, content, options) => {
        await outer.write(path, content, options);
        this.#note(path);
      },
      copy: async (from, to) => {
        await outer.copy(from, to);
        this.#note(to);
      },
      append: async (path, content) => {
        await outer.append(path, content);
        this.#note(path);
      },
      move: async (from, to) => {
        await outer.move(from, to);
        this.#note(from, to);
      },
      makeFolder: (path) => {
        const made = missingFolders(outer, path);
        outer.makeFolder(path);
        this.#note(...made);
      },
      remove: (path) => {
        outer.remove(path);
        this.#note(path);
      },
    };
  }

  /** Whether a path is as it was left here. */
  isOwn(path: string): boolean {
    const look = this.#looks.get(path);
    return look !== undefined && look === lookOf(this.outer.stat(path, { followLinks: false }));
  }

  #note(...paths: readonly string[]) {
    for (const path of paths.filter(this.isAskedFor)) {
      this.#looks.set(path, lookOf(this.outer.stat(path, { followLinks: false })));
    }
  }
}

function lookOf(stat: FileStat | undefined): string {
  if (stat === undefined) return "nothing";
  return stat.isFolder ? "folder" : `${stat.size} ${stat.mtimeMs} ${stat.inode}`;
}

function missingFolders(disk: Disk, path: string): readonly string[] {
  const missing: string[] = [];
  for (let each = path; disk.stat(each) === undefined; each = dirname(each)) {
    missing.push(each);
    if (dirname(each) === each) break;
  }
  return missing;
}
