import { crc32 } from "node:zlib";
import { Rejection } from "../runtime/rejection.ts";
import { Tag, TiffBlock } from "./exif.ts";
import { jpegParts } from "./jpeg_parts.ts";
import { pngChunks } from "./png_chunks.ts";
import { webpChunks } from "./riff_chunks.ts";
import type { ImageFormat } from "./signature.ts";
import { formatTitle, grouping, latin1 } from "./wording.ts";

/**
 * Why a file that the decoder gave up on is unusable, found in the file itself. The decoder's own
 * message is no help: libvips keeps one for the whole process, so that with two pictures in work at a
 * time it may be the other's, and a cached reason has to be the same every time.
 */
export function damageRejection(bytes: Uint8Array, format: ImageFormat): Rejection {
  const found = missingEnd(bytes, format) ?? badChecksum(bytes, format);
  const title = formatTitle(format);
  return found ?? new Rejection(`${title} data is damaged: its pixels cannot be decoded`);
}

/** What says that a file ends before its structure does; undefined when it is complete. */
export function missingEnd(bytes: Uint8Array, format: ImageFormat): Rejection | undefined {
  try {
    walkers[format](bytes);
    return undefined;
  } catch (error) {
    if (error instanceof Rejection) return error;
    throw error;
  }
}

const walkers: Readonly<Record<ImageFormat, (bytes: Uint8Array) => void>> = {
  jpeg: (bytes) => exhaust(jpegParts(bytes)),
  png: (bytes) => exhaust(pngChunks(bytes)),
  webp: (bytes) => exhaust(webpChunks(bytes)),
  gif: walkGif,
  tiff: walkTiff,
  avif: (bytes) => walkBoxes(bytes, "AVIF"),
  heic: (bytes) => walkBoxes(bytes, "HEIC"),
};

function exhaust(parts: Iterable<unknown>): void {
  for (const _ of parts);
}

function badChecksum(bytes: Uint8Array, format: ImageFormat): Rejection | undefined {
  if (format !== "png") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { type, start, end } of pngChunks(bytes)) {
    const isRight = crc32(bytes.subarray(start + 4, end - 4)) === view.getUint32(end - 4);
    if (isRight) continue;
    return new Rejection(
      `PNG chunk ${type} at byte ${grouping(start)} is damaged: its checksum does not match`,
    );
  }
  return undefined;
}

function endsAfter(title: string, length: number, total: number): Rejection {
  return new Rejection(
    `${title} ends after ${grouping(length)} of at least ${grouping(total)} bytes`,
  );
}

/** The blocks of GIF89a, sections 18 to 27, to the trailer. */
function walkGif(bytes: Uint8Array): void {
  const byteAt = (at: number) => {
    if (at < bytes.length) return bytes[at]!;
    throw new Rejection(`GIF ends after ${grouping(bytes.length)} bytes, before its trailer`);
  };
  const afterTable = (at: number, flags: number) =>
    flags & 0x80 ? at + 3 * 2 ** (1 + flags % 8) : at;
  const afterSubBlocks = (start: number) => {
    let at = start;
    while (byteAt(at) !== 0) at += 1 + bytes[at]!;
    return at + 1;
  };
  let at = afterTable(13, byteAt(10));
  while (byteAt(at) !== 0x3b) {
    const isPicture = bytes[at] === 0x2c;
    at = isPicture ? afterTable(at + 10, byteAt(at + 9)) + 1 : at + 2;
    at = afterSubBlocks(at);
  }
}

/** The first directory and the strips or tiles that it names. */
function walkTiff(bytes: Uint8Array): void {
  const tiff = new TiffBlock(bytes);
  const reached = Math.max(
    farthest(tiff, Tag.StripOffsets, Tag.StripByteCounts),
    farthest(tiff, Tag.TileOffsets, Tag.TileByteCounts),
  );
  if (reached > bytes.length) throw endsAfter("TIFF", bytes.length, reached);
  if (reached > 0 || bytes[2] === 0x2b || bytes[3] === 0x2b) return;
  throw new Rejection(`TIFF is broken: ${tiff.problems[0] ?? "it names no pixels"}`);
}

function farthest(tiff: TiffBlock, offsetTag: number, countTag: number): number {
  const [offsets, counts] = [tiff.find(offsetTag), tiff.find(countTag)];
  let end = 0;
  for (let index = 0; index < (offsets?.count ?? 0); index++) {
    const length = tiff.integer(counts, index) ?? 0;
    end = Math.max(end, (tiff.integer(offsets, index) ?? 0) + length);
  }
  return end;
}

/** The top-level boxes of ISO/IEC 14496-12. */
function walkBoxes(bytes: Uint8Array, title: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = view.getUint32(at);
    if (size === 0 || !/^[\x20-\x7e]{4}$/.test(latin1(bytes, at + 4, at + 8))) return;
    const isLarge = size === 1 && at + 16 <= bytes.length;
    const end = at + (isLarge ? Number(view.getBigUint64(at + 8)) : size);
    if (end > bytes.length) throw endsAfter(title, bytes.length, end);
    at = Math.max(end, at + 8);
  }
}
