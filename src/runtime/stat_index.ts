import type { ActionCache, IndexedFile } from "./cache.ts";

/** What the cache knows of some files by their stat, read when first asked for: a rerun does not ask. */
export class StatIndex {
  #files: ReadonlyMap<string, IndexedFile> | undefined;

  constructor(readonly cache: ActionCache, readonly paths: readonly string[]) {}

  get(path: string): IndexedFile | undefined {
    this.#files ??= this.cache.filesAt(this.paths);
    return this.#files.get(path);
  }
}
