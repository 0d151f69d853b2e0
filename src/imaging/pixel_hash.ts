import { crc32 } from "node:zlib";
import { sha256 } from "../runtime/hash.ts";
import type { Raster } from "./raster.ts";

/** Whether any pixel of the raster is less than opaque. */
export function hasTransparency({ channels, pixels }: Raster): boolean {
  if (channels === 3) return false;
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 255) return true;
  return false;
}

/**
 * What a raster's pixels are known by: SHA-256 over its width, height and channels and the CRC-32 of
 * each row, as little-endian 32-bit numbers; 64 hexadecimal digits. An alpha channel that is opaque
 * everywhere does not count, nor do the colours of pixels that are invisible, which encoders change as
 * they like.
 *
 * A second checksum stands in for SHA-256 over the pixels because that takes 28 ms for 12 megapixels,
 * a third of the decode, and this 2, or 6 where no cache holds the pixels. CRC-32 tells rows apart that differ in one place of
 * at most 32 bits for certain, others but for one in 2³²; pictures that differ in several rows are told
 * apart by all of them. It holds against accidents, not against somebody who makes two files collide.
 */
export class PixelHasher {
  readonly #raster: Raster;
  readonly #isOpaque: boolean;
  readonly #head: DataView<ArrayBuffer>;
  readonly #spare: Uint8Array | undefined;

  /** `isOpaque` as `hasTransparency` says. */
  constructor(raster: Raster, isOpaque = !hasTransparency(raster)) {
    this.#raster = raster;
    this.#isOpaque = isOpaque;
    const channels = isOpaque ? 3 : 4;
    this.#head = new DataView(new ArrayBuffer(12 + 4 * raster.height));
    [raster.width, raster.height, channels].forEach((part, at) =>
      this.#head.setUint32(4 * at, part, true)
    );
    const isPlain = raster.channels === 3;
    this.#spare = isPlain ? undefined : new Uint8Array(raster.width * channels);
  }

  /** Takes in a row, each once. */
  take(row: number): void {
    const { width, channels, pixels } = this.#raster;
    const stride = width * channels;
    const part = pixels.subarray(row * stride, (row + 1) * stride);
    const counted = this.#spare === undefined
      ? part
      : visiblePart(part, this.#spare, this.#isOpaque);
    this.#head.setUint32(12 + 4 * row, crc32(counted), true);
  }

  /** When all rows were taken in. */
  finish(): string {
    return sha256(new Uint8Array(this.#head.buffer));
  }
}

/** See `PixelHasher`. */
export function pixelHash(raster: Raster): string {
  const hasher = new PixelHasher(raster);
  for (let row = 0; row < raster.height; row++) hasher.take(row);
  return hasher.finish();
}

/** A row of four channels, without its alpha, or with the colours of invisible pixels black. */
function visiblePart(pixels: Uint8Array, into: Uint8Array, isOpaque: boolean): Uint8Array {
  for (let from = 0, to = 0; from < pixels.length; from += 4) {
    const isSeen = pixels[from + 3] !== 0;
    into[to++] = isSeen ? pixels[from]! : 0;
    into[to++] = isSeen ? pixels[from + 1]! : 0;
    into[to++] = isSeen ? pixels[from + 2]! : 0;
    if (!isOpaque) into[to++] = pixels[from + 3]!;
  }
  return into;
}
