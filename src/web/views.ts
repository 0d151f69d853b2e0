import { dirname, join } from "node:path";
import pLimit from "p-limit";
import { encodeRaster } from "../imaging/encode.ts";
import { Image } from "../imaging/image.ts";
import type { Disk } from "../runtime/disk.ts";
import { sha256 } from "../runtime/hash.ts";
import type { Served } from "./dataset.ts";

/** Pixels of the longer side: thumbnails are sharp at twice the density of their 160 px. */
const sizes = { thumbnail: 320, large: 1600 } as const;

export type ViewSize = keyof typeof sizes;

/**
 * Pictures of one size are made two at a time, so that the run beside them has a core too; a large one
 * does not wait for the thumbnails of a whole grid.
 */
const atOnce = 2;

/**
 * Small versions of originals, upright and in sRGB, kept in a folder by the original's hash. An original
 * is read only if it still has the bytes that it is asked for by.
 */
export class Views {
  readonly #limits = { thumbnail: pLimit(atOnce), large: pLimit(atOnce) };
  readonly #making = new Map<string, Promise<Served | undefined>>();

  constructor(readonly folder: string, readonly disk: Disk) {}

  /** Undefined where the file is gone or changed; throws `Rejection` for pixels that cannot be read. */
  async view(hash: string, path: string, size: ViewSize): Promise<Served | undefined> {
    const kept = join(this.folder, hash.slice(0, 2), `${hash.slice(2)}-${sizes[size]}`);
    if (this.disk.stat(kept) !== undefined) return servedOf(await this.disk.read(kept));
    const known = this.#making.get(kept);
    if (known !== undefined) return await known;
    const making = this.#limits[size](() => this.#make(hash, path, { size, kept }))
      .finally(() => this.#making.delete(kept));
    this.#making.set(kept, making);
    return await making;
  }

  async #make(
    hash: string,
    path: string,
    { size, kept }: { readonly size: ViewSize; readonly kept: string },
  ): Promise<Served | undefined> {
    if (this.disk.stat(path)?.isFile !== true) return undefined;
    const original = await this.disk.read(path);
    if (sha256(original) !== hash) return undefined;
    const image = new Image(() => Promise.resolve(original));
    const raster = await image.raster({ max_side_px: sizes[size] });
    const format = raster.channels === 4 ? "webp" : "jpeg";
    const bytes = await encodeRaster(raster, { format, quality: 82, effort: "fast" });
    image.release();
    this.disk.makeFolder(dirname(kept));
    await this.disk.write(kept, bytes);
    return servedOf(bytes);
  }
}

/** A JPEG begins with FF D8 (ITU-T T.81, B.1.1.3); what else is kept is WebP. */
function servedOf(bytes: Uint8Array): Served {
  return { bytes, type: bytes[0] === 0xff && bytes[1] === 0xd8 ? "image/jpeg" : "image/webp" };
}
