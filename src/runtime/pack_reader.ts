import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type ContentHash, sha256 } from "./hash.ts";
import {
  blobName,
  blobPattern,
  indexName,
  type PackedFile,
  type PackIndex,
  parseIndex,
} from "./pack_format.ts";
import { isTar, readAt, readTar, type TarEntry, TarProblem } from "./tar.ts";

const chunkBytes = 1 << 20;
/** An index of a million files has a quarter of this. */
const largestIndexBytes = 1 << 30;

/** A pack that cannot be read as one, or holds what it does not say. */
export class PackProblem extends Error {
  override readonly name = "PackProblem";
}

/** A file that is no pack at all. */
export class NoPack extends PackProblem {}

/** Reads a pack: every name and size is checked when it is opened, every content when it is taken out. */
export class PackReader implements Disposable {
  readonly index: PackIndex;
  readonly #blobs = new Map<string, TarEntry>();

  private constructor(readonly path: string, readonly file: Deno.FsFile) {
    const entries = readTar(file);
    for (const entry of entries) {
      const hash = blobPattern.exec(entry.name)?.[1];
      if (hash !== undefined) this.#blobs.set(hash, entry);
      else if (entry.name !== indexName) {
        throw new PackProblem(`it holds "${entry.name}", which is nothing of a pack`);
      }
    }
    const last = entries.at(-1);
    if (last?.name !== indexName || last.size > largestIndexBytes) {
      throw new PackProblem(`it has no ${indexName} at its end`);
    }
    const index = parseIndex(readAt(file, last.offset, last.size));
    if (typeof index === "string") throw new PackProblem(index);
    this.index = index;
    this.#requireBlobs();
  }

  /** Opens a pack. Throws `NoPack` for a file that is none, `PackProblem` for one that is not whole. */
  static open(path: string): PackReader {
    const file = Deno.openSync(path);
    try {
      if (!isTar(file)) {
        throw new NoPack("it is no pack (a file that tintype pack wrote is wanted)");
      }
      return new PackReader(path, file);
    } catch (error) {
      file.close();
      throw error instanceof TarProblem ? new PackProblem(error.message) : error;
    }
  }

  [Symbol.dispose](): void {
    this.file.close();
  }

  /** What the pack has in it as files: the originals only where their bytes are there. */
  get files(): readonly PackedFile[] {
    const { has_originals, originals, files } = this.index;
    return has_originals ? [...originals, ...files] : files;
  }

  #requireBlobs() {
    const { artifacts, tasks } = this.index;
    const named = [
      ...this.files,
      tasks,
      ...artifacts.map(([sha256, bytes]) => ({ sha256, bytes })),
    ];
    for (const { sha256: hash, bytes } of named) {
      const size = this.#blobs.get(hash)?.size;
      if (size === bytes) continue;
      const what = size === undefined ? "is not in it" : `has ${size} bytes, not ${bytes}`;
      throw new PackProblem(`${blobName(hash).slice(0, 18)}… ${what}`);
    }
  }

  /** Bytes by their hash, checked. Throws `PackProblem` where they are others. */
  read(hash: string): Uint8Array {
    const { offset, size } = this.#blobs.get(hash)!;
    const bytes = readAt(this.file, offset, size);
    if (sha256(bytes) !== hash) throw corrupt(hash);
    return bytes;
  }

  /** Writes a new file, piece by piece; throws `PackProblem` where its content is not what its name says. */
  extract({ sha256: hash, path, mtime_ms }: PackedFile, folder: string): void {
    const { offset, size } = this.#blobs.get(hash)!;
    const target = join(folder, ...path.split("/"));
    Deno.mkdirSync(dirname(target), { recursive: true });
    using file = Deno.openSync(target, { write: true, createNew: true });
    const found = createHash("sha256");
    for (let at = 0; at < size; at += chunkBytes) {
      const chunk = readAt(this.file, offset + at, Math.min(chunkBytes, size - at));
      found.update(chunk);
      for (let done = 0; done < chunk.length;) done += file.writeSync(chunk.subarray(done));
    }
    if (found.digest("hex") !== hash) throw corrupt(hash);
    if (mtime_ms !== null) file.utimeSync(new Date(mtime_ms), new Date(mtime_ms));
  }

  /** The artifacts, one by one. */
  *artifacts(): Iterable<{ readonly hash: ContentHash; readonly bytes: Uint8Array }> {
    for (const [hash] of this.index.artifacts) {
      yield { hash: hash as ContentHash, bytes: this.read(hash) };
    }
  }
}

function corrupt(hash: string): PackProblem {
  return new PackProblem(`${blobName(hash).slice(0, 18)}… is corrupt: its sha256 is another`);
}
