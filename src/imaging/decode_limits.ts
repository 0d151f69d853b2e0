import { Rejection } from "../runtime/rejection.ts";
import { Tag } from "./exif.ts";
import { jpegParts, Marker, payloadOf } from "./jpeg_parts.ts";
import { pngChunks } from "./png_chunks.ts";
import { webpChunks } from "./riff_chunks.ts";
import { stripPrivateSegments } from "./segments.ts";
import type { ImageFormat } from "./signature.ts";
import { grouping } from "./wording.ts";

/** What of a picture's header says how hard it is to decode; see `ImageHeader`. */
export interface DecodingFacts {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bit_depth: number;
  readonly colour_space: string;
  readonly is_progressive: boolean;
  readonly chroma_subsampling: string | null;
}

/** The most pixels of a picture: 16384². As RGB that is 805 MB. */
export const DEFAULT_MAX_PIXELS = 16_384 ** 2;

/**
 * AVIF is decoded whole, at up to 24 bytes a pixel: at 16384² a file of 4 kB took 6.4 GB and 9 s (measured
 * with libvips 8.18). AV1's highest level has 35.7 megapixels, beyond which an AVIF is a grid of pictures.
 */
const MAX_AVIF_PIXELS = 8192 ** 2;

/**
 * HEIC is decoded whole, in WebAssembly, which has 2 GiB at the most: 133 megapixels took 0.9 of them and
 * 1.7 GB in all, 2 s where they are plain and 0.1 s a megapixel of a photograph.
 */
const MAX_HEIC_PIXELS = 2 ** 27;

/** Its planes and the picture there, 8, and the picture outside, 4 (libheif 1.23); some to spare. */
const HEIC_BYTES = 16;

/**
 * What decoding may weigh: see `bytesAPixel`. At this weight every kind of picture was decoded in 2 to 9 s
 * of one core and in at most 2 GB, also where nearly all of its pixels were asked for; without it a WebP
 * of 42 bytes took 2.2 GB, and a PNG of 2 MB, interlaced, 3.1 GB (libvips 8.18).
 */
const MAX_BYTES = 2 ** 30;

const mostPixels: Readonly<Partial<Record<ImageFormat, number>>> = {
  avif: MAX_AVIF_PIXELS,
  heic: MAX_HEIC_PIXELS,
};

/** libvips works in strips as wide as the picture: at 4,194,304 × 64 pixels they took 3 GB. */
const MAX_SIDE = 2 ** 17;

/**
 * Pixels that all scans of a JPEG go over, those of each component counted. A scan without anything in it
 * takes 300 bytes and 0.2 ms a megapixel: 2,600 of them over 67 megapixels took 34 s. Programs write 10
 * to 20 scans.
 */
const MAX_SCANNED_PIXELS = 2 ** 33;

/** Each tile is read anew for each strip of the result: 1,000,000 of 16 × 16 pixels took 10 s. */
const MAX_TILES = 2 ** 17;

/** libwebp's walk to each frame begins at the first: a header of 100,000 frames took 20 s. */
const MAX_FRAMES = 2 ** 14;

/** To be asked before libvips reads the header, which looks at every frame. */
export function assertFewFrames(webp: Uint8Array): void {
  let frames = 0;
  try {
    for (const { type } of webpChunks(webp)) if (type === "ANMF") frames++;
  } catch (error) {
    // It ends early, as will be said where its pixels are wanted.
    if (!(error instanceof Rejection)) throw error;
  }
  if (frames <= MAX_FRAMES) return;
  throw new Rejection(
    `WebP has ${grouping(frames)} frames, over the limit of ${grouping(MAX_FRAMES)}`,
    { frames },
  );
}

/** Compressed texts of a PNG that libpng may unpack: each may swell a thousandfold, for 15 ms. */
const MAX_TEXTS = 64;

/** A PNG without its texts where there are very many that are compressed; nothing here reads them. */
export function withoutSwollenTexts(bytes: Uint8Array, format: ImageFormat): Uint8Array {
  if (format !== "png") return bytes;
  let texts = 0;
  try {
    for (const { type } of pngChunks(bytes)) {
      if ((type === "zTXt" || type === "iTXt") && ++texts > MAX_TEXTS) {
        return stripPrivateSegments(bytes, format);
      }
    }
    return bytes;
  } catch (error) {
    if (error instanceof Rejection) return bytes; // as will be said of its end
    throw error;
  }
}

/** A limit for a size alone, before more of the file is looked at. */
export function assertWithinLimit(width: number, height: number, limit: number): void {
  if (width * height <= limit) return;
  throw new Rejection(
    `${grouping(width)} × ${grouping(height)} pixels is over the limit of ${grouping(limit)}`,
    { width, height, limit_px: limit },
  );
}

/**
 * Throws `Rejection` for a picture whose decoding would take too long or too much memory, which is known
 * from its header: by its pixels, and by what its decoder has to do for each.
 */
export function assertBearable(bytes: Uint8Array, header: DecodingFacts, maxPixels: number): void {
  const { width, height, format } = header;
  assertWithinLimit(
    width,
    height,
    Math.min(maxPixels, mostPixels[format] ?? Infinity),
  );
  const side = Math.max(width, height);
  if (side > MAX_SIDE) {
    throw new Rejection(
      `a side of ${grouping(side)} pixels is over the limit of ${grouping(MAX_SIDE)}`,
      { width, height, limit_px: MAX_SIDE },
    );
  }
  // A limit of its own is from a measurement of its own decoder.
  if (mostPixels[format] === undefined) {
    assertWithinLimit(width, height, Math.floor(MAX_BYTES / bytesAPixel(header)));
  }
  if (format === "jpeg") assertFewScans(bytes, header);
  if (format === "tiff") assertFewTiles(bytes);
}

/**
 * What a pixel weighs while it is decoded: as stored, 2.5 times that for CMYK, whose conversion is that
 * slow, and what the decoder keeps of the whole picture before it gives any of it.
 */
function bytesAPixel(header: DecodingFacts): number {
  const stored = header.channels * Math.max(1, Math.ceil(header.bit_depth / 8));
  return stored * (header.colour_space === "cmyk" ? 2.5 : 1) + bytesHeld(header, stored);
}

function bytesHeld(header: DecodingFacts, stored: number): number {
  const { format, is_progressive } = header;
  // The picture twice, with alpha, whether it has any or not.
  if (format === "webp" || format === "gif") return 8 - stored;
  if (!is_progressive) return 0;
  if (format === "png") return stored;
  // libjpeg keeps 2 bytes a coefficient, of which there are as many as samples.
  return format === "jpeg" ? 2 * samplesAPixel(header) : 0;
}

function samplesAPixel({ channels, chroma_subsampling }: DecodingFacts): number {
  const [, across, down] = /^4:(\d):(\d)$/.exec(chroma_subsampling ?? "") ?? [];
  if (channels !== 3 || across === undefined) return channels;
  return 1 + 2 * (Number(across) + Number(down)) / 8;
}

/** What a decoder holds of a picture at a time, besides the pixels that were asked for; at the most. */
export function decodingBytes(header: DecodingFacts): number {
  const { format, width, height } = header;
  if (format === "avif") return 24 * width * height;
  if (format === "heic") return HEIC_BYTES * width * height;
  const stored = header.channels * Math.max(1, Math.ceil(header.bit_depth / 8));
  return Math.max(0, bytesHeld(header, stored)) * width * height;
}

/** A JPEG in one scan is decoded as it is read; each further one goes over the whole picture again. */
function assertFewScans(jpeg: Uint8Array, header: DecodingFacts): void {
  const { width, height } = header;
  const { scans, components } = scansOf(jpeg, header);
  if (width * height * components <= MAX_SCANNED_PIXELS) return;
  const size = `${grouping(width)} × ${grouping(height)} pixels`;
  throw new Rejection(
    `JPEG goes over its ${size} in ${grouping(scans)} scans, which is over the limit of ${
      grouping(MAX_SCANNED_PIXELS)
    } pixels in all`,
    { width, height, scans },
  );
}

/** How many scans there are, and the components that are in each, together. */
function scansOf(jpeg: Uint8Array, { channels, is_progressive }: DecodingFacts) {
  let scans = 0;
  let components = 0;
  try {
    for (const part of jpegParts(jpeg)) {
      if (part.kind !== "segment" || part.marker !== Marker.SOS) continue;
      const inScan = payloadOf(jpeg, part)[0] ?? 1;
      scans++;
      components += inScan;
      // Sequential and all in one: libjpeg looks at nothing behind it.
      if (!is_progressive && inScan === channels) break;
    }
  } catch (error) {
    // What it has until it ends early is decoded all the same.
    if (!(error instanceof Rejection)) throw error;
  }
  return { scans, components };
}

function assertFewTiles(tiff: Uint8Array): void {
  const tiles = tilesOf(tiff);
  if (tiles <= MAX_TILES) return;
  throw new Rejection(
    `TIFF has its pixels in ${grouping(tiles)} tiles, over the limit of ${grouping(MAX_TILES)} ` +
      "(save it with larger tiles or in strips)",
    { tiles },
  );
}

/** Entries of the first directory, of TIFF 6.0, section 2, or of BigTIFF; 0 where it is in strips. */
function tilesOf(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittle = tiff[0] === 0x49;
  try {
    const isBig = view.getUint16(2, isLittle) === 43;
    const long = (at: number) =>
      isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
    const start = long(isBig ? 8 : 4);
    const count = isBig ? long(start) : view.getUint16(start, isLittle);
    const [first, size] = isBig ? [start + 8, 20] : [start + 2, 12];
    for (let at = first; at < first + count * size; at += size) {
      if (view.getUint16(at, isLittle) === Tag.TileOffsets) return long(at + 4);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // it ends early, as libvips will say
  }
  return 0;
}
