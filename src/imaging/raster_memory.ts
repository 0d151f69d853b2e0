import type { Sharp } from "sharp";
import type { Raster } from "./raster.ts";

/** How many native calls read a buffer at this moment. */
const readers = new WeakMap<ArrayBufferLike, number>();

/** What begins a native call; all else only notes what it is to do. */
const calls = ["toBuffer", "toFile", "metadata", "stats"] as const;

/** Keeps a buffer from being freed while a call of this pipeline reads it. */
export function noteReads(pipeline: Sharp, buffer: ArrayBufferLike): void {
  const methods = pipeline as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of calls) {
    const call = methods[name]!;
    methods[name] = async (...args) => {
      readers.set(buffer, (readers.get(buffer) ?? 0) + 1);
      try {
        return await call.apply(pipeline, args);
      } finally {
        readers.set(buffer, readers.get(buffer)! - 1);
      }
    };
  }
}

/**
 * Frees a raster's memory now; its pixels are gone. Left to the garbage collector, each raster of 12
 * megapixels makes it go over the whole heap: an eighth of the time of hashing 60 photographs, and 130
 * MB more. One that native code still reads is left to it.
 */
export function freeRaster({ pixels: { buffer, byteLength } }: Raster): void {
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (isOwn && !buffer.detached && !readers.get(buffer)) buffer.transfer(0);
}
