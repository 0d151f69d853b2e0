import { crc32 } from "node:zlib";
import { Rejection } from "../runtime/rejection.ts";
import { type Orientation, orientationBlock, readExif } from "./exif.ts";
import { type JpegPart, jpegParts, Marker, payloadOf } from "./jpeg_parts.ts";
import { chunkPayload, pngChunks } from "./png_chunks.ts";
import { webpChunks } from "./riff_chunks.ts";
import { latin1 } from "./wording.ts";

/** A format whose segments can be cut. */
export type SegmentedFormat = "jpeg" | "png" | "webp";

/**
 * Cuts private metadata out of a file without recompressing it: EXIF with its GPS position and
 * thumbnail, XMP, IPTC, comments, maker segments, further pictures after the first (MPF, gain maps,
 * motion photos, APNG frames), and what follows the end. What decoding needs stays, byte for byte:
 * picture data, ICC profile, other colour and transparency chunks. The animation of a WebP stays.
 *
 * An orientation other than 1 stays too, alone in a new EXIF block: the picture would lie on its side
 * without. Returns the very same array when nothing has to go. Throws `Rejection` for a malformed file.
 */
export function stripPrivateSegments(bytes: Uint8Array, format: SegmentedFormat): Uint8Array {
  if (format === "jpeg") return stripJpeg(bytes);
  return format === "png" ? stripPng(bytes) : stripWebp(bytes);
}

/** Pieces of the file to come, knowing whether any differs from the original. */
class Pieces {
  readonly #original: Uint8Array;
  readonly #pieces: Uint8Array[] = [];
  #copiedTo = 0;
  #isChanged = false;

  constructor(original: Uint8Array) {
    this.#original = original;
  }

  /** Keeps `[start, end)` of the original; what lies between it and the last kept part goes. */
  keep(start: number, end: number): void {
    this.#isChanged ||= start !== this.#copiedTo;
    this.#pieces.push(this.#original.subarray(start, end));
    this.#copiedTo = end;
  }

  /** Puts something in place of `[start, end)`. */
  replace(start: number, end: number, piece: Uint8Array): void {
    const current = this.#original.subarray(start, end);
    const isSame = current.length === piece.length &&
      current.every((byte, index) => byte === piece[index]);
    if (isSame) return this.keep(start, end);
    this.#isChanged = true;
    this.#pieces.push(piece);
    this.#copiedTo = end;
  }

  /** The original itself when all of it was kept. */
  joined(): Uint8Array {
    if (!this.#isChanged && this.#copiedTo === this.#original.length) return this.#original;
    const joined = new Uint8Array(this.#pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }
}

function stripJpeg(bytes: Uint8Array): Uint8Array {
  if (latin1(bytes, 0, 2) !== "\xff\xd8") throw new Rejection("not a JPEG file");
  const pieces = new Pieces(bytes);
  pieces.keep(0, 2);
  let hasExif = false;
  for (const part of jpegParts(bytes)) {
    if (isExif(bytes, part)) {
      if (!hasExif) replaceJpegExif(pieces, bytes, part);
      hasExif = true;
    } else if (isJfifWithThumbnail(bytes, part)) {
      pieces.replace(part.start, part.end, withoutThumbnail(payloadOf(bytes, part)));
    } else if (isNeeded(bytes, part)) {
      pieces.keep(part.start, part.end);
    }
  }
  return pieces.joined();
}

function isExif(bytes: Uint8Array, part: JpegPart): boolean {
  return part.kind === "segment" && part.marker === Marker.APP1 &&
    latin1(payloadOf(bytes, part), 0, 5) === "Exif\0";
}

function replaceJpegExif(pieces: Pieces, bytes: Uint8Array, part: JpegPart): void {
  const { orientation } = readExif(payloadOf(bytes, part).subarray(6));
  if (orientation === 1) return;
  const prefix = [0xff, Marker.APP1, 0, 2 + 6 + 26, 0x45, 0x78, 0x69, 0x66, 0, 0];
  const segment = new Uint8Array([...prefix, ...orientationBlock(orientation)]);
  pieces.replace(part.start, part.end, segment);
}

function isNeeded(bytes: Uint8Array, part: JpegPart): boolean {
  if (part.kind === "stray") return false;
  if (part.kind !== "segment") return true;
  const { marker } = part;
  const isApplication = marker >= Marker.APP0 && marker < Marker.APP0 + 16;
  // 0xf0 to 0xfd are reserved for extensions, 0xfe is a comment.
  if (!isApplication) return marker < 0xf0;
  const payload = payloadOf(bytes, part);
  if (marker === Marker.APP0) return latin1(payload, 0, 5) === "JFIF\0";
  if (marker === Marker.APP2) return latin1(payload, 0, 12) === "ICC_PROFILE\0";
  return marker === Marker.APP14 && latin1(payload, 0, 5) === "Adobe";
}

/** JFIF 1.02, page 5: fourteen bytes, then a thumbnail of the size that the last two give. */
function isJfifWithThumbnail(bytes: Uint8Array, part: JpegPart): boolean {
  if (part.kind !== "segment" || part.marker !== Marker.APP0) return false;
  const payload = payloadOf(bytes, part);
  return latin1(payload, 0, 5) === "JFIF\0" && payload.length > 14;
}

function withoutThumbnail(payload: Uint8Array): Uint8Array {
  return new Uint8Array([0xff, Marker.APP0, 0, 16, ...payload.subarray(0, 12), 0, 0]);
}

/** Ancillary chunks that change what is seen, or at what size it prints (PNG, third edition). */
const neededPngChunks = new Set(
  ["tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI", "bKGD", "hIST", "pHYs"],
);

function stripPng(bytes: Uint8Array): Uint8Array {
  if (latin1(bytes, 0, 8) !== "\x89PNG\r\n\x1a\n") throw new Rejection("not a PNG file");
  const pieces = new Pieces(bytes);
  pieces.keep(0, 8);
  for (const chunk of pngChunks(bytes)) {
    const { type, start, end } = chunk;
    const isCritical = /^[A-Z]/.test(type);
    if (isCritical || neededPngChunks.has(type)) pieces.keep(start, end);
    if (type !== "eXIf") continue;
    const { orientation } = readExif(chunkPayload(bytes, chunk));
    if (orientation !== 1) pieces.replace(start, end, pngExif(orientation));
  }
  return pieces.joined();
}

function pngExif(orientation: Orientation): Uint8Array {
  const chunk = new Uint8Array(12 + 26);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 26);
  chunk.set([0x65, 0x58, 0x49, 0x66], 4);
  chunk.set(orientationBlock(orientation), 8);
  view.setUint32(34, crc32(chunk.subarray(4, 34)));
  return chunk;
}

const neededWebpChunks = new Set(["VP8X", "VP8 ", "VP8L", "ALPH", "ICCP", "ANIM", "ANMF"]);

function stripWebp(bytes: Uint8Array): Uint8Array {
  if (!/^RIFF[^]{4}WEBP/.test(latin1(bytes, 0, 12))) throw new Rejection("not a WebP file");
  const pieces = new Pieces(bytes);
  pieces.keep(0, 12);
  let flags = 0;
  for (const { type, size, start, end } of webpChunks(bytes)) {
    if (neededWebpChunks.has(type)) pieces.keep(start, end);
    if (type !== "EXIF") continue;
    const { orientation } = readExif(bytes.subarray(start + 8, start + 8 + size));
    if (orientation === 1) continue;
    pieces.replace(start, end, webpExif(orientation));
    flags = EXIF_FLAG;
  }
  const stripped = pieces.joined();
  return stripped === bytes ? bytes : withWebpSizes(stripped, flags);
}

/** Bits of the VP8X chunk's first byte (WebP container, "Extended File Format"). */
const EXIF_FLAG = 0x08;
const XMP_FLAG = 0x04;

function webpExif(orientation: Orientation): Uint8Array {
  return new Uint8Array([0x45, 0x58, 0x49, 0x46, 26, 0, 0, 0, ...orientationBlock(orientation)]);
}

function withWebpSizes(bytes: Uint8Array, flags: number): Uint8Array {
  new DataView(bytes.buffer).setUint32(4, bytes.length - 8, true);
  if (latin1(bytes, 12, 16) === "VP8X") {
    bytes[20] = bytes[20]! & ~(EXIF_FLAG | XMP_FLAG) | flags;
  }
  return bytes;
}
