import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type Disk, temporaryPrefix } from "./disk.ts";
import { type ContentHash, sha256 } from "./hash.ts";
import { blobName, indexName, type PackedFile, type PackIndex } from "./pack_format.ts";
import { TarWriter } from "./tar.ts";

const chunkBytes = 1 << 20;

/**
 * Writes a pack under a temporary name beside its own, which it gets when it is whole and synced. A file
 * that is there is never replaced. What a killed process left is removed by the next pack in the folder.
 */
export class PackWriter implements Disposable {
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #tar: TarWriter;
  readonly #names = new Set<string>();
  #isOpen = true;

  constructor(readonly path: string, readonly disk: Disk) {
    const folder = dirname(path);
    disk.makeFolder(folder);
    sweep(folder, disk);
    this.#temporary = join(folder, `${packPrefix}${Deno.pid}-${crypto.randomUUID()}`);
    this.#file = Deno.openSync(this.#temporary, { write: true, createNew: true });
    this.#tar = new TarWriter(this.#file);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#file.seekSync(0, Deno.SeekMode.Current);
  }

  /** Adds bytes under their hash, once. */
  add(content: Uint8Array): { readonly sha256: ContentHash; readonly bytes: number } {
    const hash = sha256(content);
    this.#once(hash, () => this.#tar.add(blobName(hash), content));
    return { sha256: hash, bytes: content.length };
  }

  /**
   * Adds a file, a piece at a time, which is to have the hash given, or the one that it has. Gives what it
   * was; undefined where it changed, after which the pack is of no use.
   */
  addFile(path: string, wanted?: string): Omit<PackedFile, "path"> | undefined {
    const stat = this.disk.stat(path);
    if (stat?.isFile !== true) return undefined;
    const hash = wanted ?? hashOf(chunksOf(path));
    const found = createHash("sha256");
    const isNew = this.#once(hash, () => {
      const hashed = function* () {
        for (const chunk of chunksOf(path)) {
          found.update(chunk);
          yield chunk;
        }
      };
      this.#tar.addChunks(blobName(hash), stat.size, hashed());
    });
    const isSame = isNew ? found.digest("hex") === hash : hashOf(chunksOf(path)) === hash;
    const { size: bytes, mtimeMs: mtime_ms } = stat;
    return isSame ? { sha256: hash, bytes, mtime_ms } : undefined;
  }

  /** Ends the pack, and gives it its name. Throws `Deno.errors.AlreadyExists` where that is taken. */
  async finish(index: PackIndex): Promise<void> {
    this.#tar.add(indexName, new TextEncoder().encode(`${JSON.stringify(index, undefined, 1)}\n`));
    this.#tar.finish();
    this.#file.syncSync();
    this.#close();
    await this.disk.move(this.#temporary, this.path);
  }

  /** Removes what has not got its name. */
  [Symbol.dispose](): void {
    this.#close();
    this.disk.remove(this.#temporary);
  }

  #close() {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }

  #once(name: string, write: () => void): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    write();
    return true;
  }
}

const packPrefix = `${temporaryPrefix}pack-`;

/** Removes half packs of processes that are gone. */
function sweep(folder: string, disk: Disk) {
  for (const { name, isFile } of disk.list(folder)) {
    const isOurs = isFile && name.startsWith(packPrefix);
    if (isOurs && isProcessGone(name.slice(packPrefix.length))) disk.remove(join(folder, name));
  }
}

/** Whether the process whose number a name begins with has ended, as far as can be told. */
export function isProcessGone(name: string): boolean {
  const pid = Number(name.split("-")[0]);
  if (pid === Deno.pid || Deno.build.os !== "linux") return false;
  try {
    Deno.statSync(`/proc/${pid}`);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** A file's content in pieces. */
export function* chunksOf(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(chunkBytes);
  for (;;) {
    const count = file.readSync(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

function hashOf(chunks: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
