import { join } from "node:path";
import type { ArtifactRef } from "./artifact.ts";
import type { ActionCache } from "./cache.ts";
import { type Disk, sweepTemporaries } from "./disk.ts";
import { type ContentHash, sha256 } from "./hash.ts";
import type { OutsideFile } from "./step.ts";

/**
 * Artifacts up to this size lie in the SQLite file, where writing one costs a few microseconds
 * instead of a file and a rename (half a millisecond).
 */
export const inlineLimit = 16_384;

/** An artifact cannot be had: its bytes are gone or are not what their hash says. */
export class LostBlob extends Error {
  override readonly name = "LostBlob";

  constructor(readonly hash: ContentHash, readonly problem: "missing" | "corrupt") {
    super(`Artifact ${hash.slice(0, 12)} is ${problem}`);
  }
}

/** A file outside is no longer what it was when the run looked at it. */
export class ChangedFile extends Error {
  override readonly name = "ChangedFile";

  constructor(readonly change: "changed" | "removed") {
    super(`The file was ${change} while the run was under way; run again`);
  }
}

/**
 * Content-addressed artifacts: `store/ab/cdef…`, small ones inline in the cache's file. Originals are
 * not in it; they are read where they lie.
 */
export class ArtifactStore {
  readonly #originals = new Map<ContentHash, OutsideFile>();
  /** Not in the map yet: a rerun of small files never asks for one. */
  #newOriginals: [ContentHash, OutsideFile][] = [];
  readonly #shards = new Set<string>();
  readonly #written = new Set<ContentHash>();

  /** Where nothing may be written: artifacts of a plan, which last as long as it. */
  readonly #inMemory = new Map<ContentHash, Uint8Array>();

  constructor(
    readonly folder: string,
    readonly cache: ActionCache,
    readonly disk: Disk,
  ) {}

  /** Makes an original readable by its hash for the length of a run. */
  addOriginal(hash: ContentHash, file: OutsideFile): void {
    this.#newOriginals.push([hash, file]);
  }

  #original(hash: ContentHash): OutsideFile | undefined {
    if (this.#newOriginals.length > 0) {
      for (const [each, file] of this.#newOriginals) this.#originals.set(each, file);
      this.#newOriginals = [];
    }
    return this.#originals.get(hash);
  }

  /** Whether the artifact can be had, going by size; reading checks the hash as well. */
  has(ref: Pick<ArtifactRef, "hash" | "byteLength">): boolean {
    // An inline artifact was written in the transaction of the result that names it.
    if (ref.byteLength <= inlineLimit || this.#original(ref.hash) !== undefined) return true;
    return this.disk.stat(this.#path(ref.hash))?.size === ref.byteLength;
  }

  /**
   * Keeps bytes under their hash; what is there already is not written again. Not synced: what a loss of
   * power takes has another size or hash, and is made again.
   */
  async put(bytes: Uint8Array, hash: ContentHash): Promise<void> {
    if (this.cache.isReadOnly) return void this.#inMemory.set(hash, bytes);
    if (bytes.length <= inlineLimit) return this.cache.putBlob(hash, bytes);
    const path = this.#path(hash);
    if (this.disk.stat(path)?.size === bytes.length) return;
    const shard = hash.slice(0, 2);
    if (!this.#shards.has(shard)) {
      this.disk.makeFolder(join(this.folder, shard));
      this.#shards.add(shard);
    }
    await this.disk.write(path, bytes);
    this.#written.add(hash);
  }

  /** Where an artifact lies that this process has written itself, so that it need not be checked. */
  writtenFile({ hash }: ArtifactRef): string | undefined {
    return this.#written.has(hash) ? this.#path(hash) : undefined;
  }

  /** The bytes, checked against the hash. Throws `LostBlob`, or `ChangedFile` for an original. */
  async read(ref: ArtifactRef): Promise<Uint8Array> {
    const original = this.#original(ref.hash);
    if (original !== undefined) return await this.#readOriginal(original, ref.hash);
    const inMemory = this.#inMemory.get(ref.hash);
    if (inMemory !== undefined) return inMemory;
    const bytes = ref.byteLength <= inlineLimit
      ? this.cache.blob(ref.hash)
      : await this.#readFile(this.#path(ref.hash));
    if (bytes === undefined) throw new LostBlob(ref.hash, "missing");
    if (sha256(bytes) !== ref.hash) throw new LostBlob(ref.hash, "corrupt");
    return bytes;
  }

  /** The bytes of an artifact that a step made, without waiting; undefined where they are gone. */
  readNow(ref: ArtifactRef): Uint8Array | undefined {
    if (ref.byteLength <= inlineLimit) return this.cache.blob(ref.hash);
    const path = this.#path(ref.hash);
    return this.disk.stat(path) === undefined ? undefined : Deno.readFileSync(path);
  }

  /** Takes a corrupt artifact away, so that it is made again. */
  discard(ref: ArtifactRef): void {
    this.#written.delete(ref.hash);
    if (ref.byteLength <= inlineLimit) this.cache.removeBlob(ref.hash);
    else this.disk.remove(this.#path(ref.hash));
  }

  /** Removes what a killed run left half-written. */
  sweep(): void {
    if (this.disk.stat(this.folder) === undefined) return;
    for (const shard of this.disk.list(this.folder)) {
      if (shard.isFolder) sweepTemporaries(this.disk, join(this.folder, shard.name));
    }
  }

  #path(hash: ContentHash): string {
    return join(this.folder, hash.slice(0, 2), hash.slice(2));
  }

  async #readFile(path: string): Promise<Uint8Array | undefined> {
    return this.disk.stat(path) === undefined ? undefined : await this.disk.read(path);
  }

  async #readOriginal(file: OutsideFile, hash: ContentHash): Promise<Uint8Array> {
    const bytes = this.disk.stat(file.path) === undefined
      ? undefined
      : await this.disk.read(file.path);
    if (bytes !== undefined && sha256(bytes) === hash) return bytes;
    throw new ChangedFile(bytes === undefined ? "removed" : "changed");
  }
}
