import { crc32 } from "node:zlib";
import { Rejection } from "../runtime/rejection.ts";
import type { ImageHeader } from "./header.ts";
import { readHeicMetadata } from "./heic_metadata.ts";
import { jpegParts, Marker, payloadOf } from "./jpeg_parts.ts";
import { pngChunks } from "./png_chunks.ts";
import { webpChunks } from "./riff_chunks.ts";
import type { SegmentedFormat } from "./segments.ts";
import { loadSharp } from "./sharp.ts";
import { latin1 } from "./wording.ts";

/** The metadata of a file as its format carries it, whatever is in it. */
export interface MetadataBlocks {
  /** Begins with `II` or `MM`. */
  readonly exif?: Uint8Array;
  /** An XMP packet, UTF-8. */
  readonly xmp?: Uint8Array;
  /** The payload of Photoshop's APP13 segment, which only JPEG has. */
  readonly iptc?: Uint8Array;
}

const EXIF_PREFIX = "Exif\0\0";
const XMP_PREFIX = "http://ns.adobe.com/xap/1.0/\0";
const PHOTOSHOP_PREFIX = "Photoshop 3.0\0";

/** Reads a file's EXIF, XMP and IPTC; what cannot be read is left out. */
export async function readMetadataBlocks(
  bytes: Uint8Array,
  { format }: Pick<ImageHeader, "format">,
): Promise<MetadataBlocks> {
  if (format === "jpeg") return jpegBlocks(bytes);
  const { exif, xmp } = format === "heic"
    ? (await readHeicMetadata(bytes)).metadata
    : await (await loadSharp())(bytes, { limitInputPixels: false }).metadata();
  return {
    ...exif === undefined ? {} : { exif: withoutPrefix(exif, EXIF_PREFIX) },
    ...xmp === undefined ? {} : { xmp },
  };
}

function jpegBlocks(bytes: Uint8Array): MetadataBlocks {
  const found: { exif?: Uint8Array; xmp?: Uint8Array; iptc?: Uint8Array } = {};
  for (const part of jpegParts(bytes)) {
    if (part.kind !== "segment") continue;
    if (part.marker === Marker.SOS) break;
    const payload = payloadOf(bytes, part);
    if (part.marker === Marker.APP1 && startsWith(payload, EXIF_PREFIX)) {
      found.exif ??= payload.subarray(EXIF_PREFIX.length);
    } else if (part.marker === Marker.APP1 && startsWith(payload, XMP_PREFIX)) {
      found.xmp ??= payload.subarray(XMP_PREFIX.length);
    } else if (part.marker === Marker.APP13 && startsWith(payload, PHOTOSHOP_PREFIX)) {
      found.iptc ??= payload;
    }
  }
  return found;
}

function startsWith(bytes: Uint8Array, prefix: string): boolean {
  return latin1(bytes, 0, prefix.length) === prefix;
}

function withoutPrefix(bytes: Uint8Array, prefix: string): Uint8Array {
  return startsWith(bytes, prefix) ? bytes.subarray(prefix.length) : bytes;
}

/**
 * Puts metadata into a file that has none, losslessly. What a format cannot carry (IPTC outside of
 * JPEG, blocks over 65,500 bytes in one) is left out.
 */
export function withMetadata(
  bytes: Uint8Array,
  format: SegmentedFormat,
  blocks: MetadataBlocks,
): Uint8Array {
  if (blocks.exif === undefined && blocks.xmp === undefined && blocks.iptc === undefined) {
    return bytes;
  }
  if (format === "jpeg") return jpegWith(bytes, blocks);
  return format === "png" ? pngWith(bytes, blocks) : webpWith(bytes, blocks);
}

/** A segment's length is 16 bits. */
const largestSegment = 65_500;

function jpegWith(bytes: Uint8Array, { exif, xmp, iptc }: MetadataBlocks): Uint8Array {
  const segments: Uint8Array[] = [];
  const add = (marker: number, prefix: string, content: Uint8Array | undefined) => {
    if (content === undefined || content.length > largestSegment) return;
    const length = 2 + prefix.length + content.length;
    const head = Uint8Array.of(0xff, marker, length >> 8, length & 255);
    segments.push(head, latin1Bytes(prefix), content);
  };
  add(Marker.APP1, EXIF_PREFIX, exif);
  add(Marker.APP1, XMP_PREFIX, xmp);
  add(Marker.APP13, "", iptc);
  const at = afterJfif(bytes);
  return joined([bytes.subarray(0, at), ...segments, bytes.subarray(at)]);
}

/** JFIF wants its segment first (JFIF 1.02, page 2); EXIF readers look behind it as well. */
function afterJfif(bytes: Uint8Array): number {
  for (const part of jpegParts(bytes)) {
    const isJfif = part.kind === "segment" && part.marker === Marker.APP0;
    return isJfif ? part.end : 2;
  }
  return 2;
}

function pngWith(bytes: Uint8Array, { exif, xmp }: MetadataBlocks): Uint8Array {
  const chunks: Uint8Array[] = [];
  if (exif !== undefined) chunks.push(pngChunk("eXIf", exif));
  if (xmp !== undefined) {
    // keyword, separator, no compression (two bytes), no language, no translated keyword
    const head = latin1Bytes("XML:com.adobe.xmp\0\0\0\0\0");
    chunks.push(pngChunk("iTXt", joined([head, xmp])));
  }
  for (const { type, end } of pngChunks(bytes)) {
    if (type === "IHDR") return joined([bytes.subarray(0, end), ...chunks, bytes.subarray(end)]);
  }
  throw new Rejection("PNG has no IHDR chunk");
}

function pngChunk(type: string, payload: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + payload.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, payload.length);
  chunk.set(latin1Bytes(type), 4);
  chunk.set(payload, 8);
  view.setUint32(8 + payload.length, crc32(chunk.subarray(4, 8 + payload.length)));
  return chunk;
}

/** Bits of the VP8X chunk's first byte (WebP container, "Extended File Format"). */
const Flag = { EXIF: 0x08, XMP: 0x04, ALPHA: 0x10 } as const;

function webpWith(bytes: Uint8Array, { exif, xmp }: MetadataBlocks): Uint8Array {
  const chunks = [...webpChunks(bytes)];
  const present = chunks.map(({ start, end }) => bytes.subarray(start, end));
  const isExtended = chunks[0]?.type === "VP8X";
  const head = isExtended ? present.shift()!.slice() : extendedHead(bytes, chunks[0]);
  head[8]! |= (exif === undefined ? 0 : Flag.EXIF) | (xmp === undefined ? 0 : Flag.XMP);
  const parts = [head, ...present.map(padded)];
  if (exif !== undefined) parts.push(riffChunk("EXIF", exif));
  if (xmp !== undefined) parts.push(riffChunk("XMP ", xmp));
  const file = joined([latin1Bytes("RIFF\0\0\0\0WEBP"), ...parts]);
  new DataView(file.buffer).setUint32(4, file.length - 8, true);
  return file;
}

/** A VP8X chunk for a simple file, by the size that its only chunk gives (RFC 9649, section 2.7). */
function extendedHead(
  bytes: Uint8Array,
  chunk: { readonly type: string; readonly start: number } | undefined,
): Uint8Array {
  if (chunk === undefined) throw new Rejection("WebP has no picture chunk");
  const view = new DataView(bytes.buffer, bytes.byteOffset + chunk.start + 8);
  const isLossless = chunk.type === "VP8L";
  const bits = isLossless ? view.getUint32(1, true) : 0;
  const width = isLossless ? (bits & 0x3fff) + 1 : view.getUint16(6, true) & 0x3fff;
  const height = isLossless ? (bits >> 14 & 0x3fff) + 1 : view.getUint16(8, true) & 0x3fff;
  const payload = new Uint8Array(10);
  const out = new DataView(payload.buffer);
  payload[0] = isLossless && (bits >> 28 & 1) === 1 ? Flag.ALPHA : 0;
  out.setUint32(4, width - 1, true); // 24 bits; the next number overwrites the fourth byte
  out.setUint8(7, height - 1 & 255);
  out.setUint16(8, height - 1 >> 8, true);
  return riffChunk("VP8X", payload);
}

function riffChunk(type: string, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(8);
  head.set(latin1Bytes(type));
  new DataView(head.buffer).setUint32(4, payload.length, true);
  return padded(joined([head, payload]));
}

function padded(chunk: Uint8Array): Uint8Array {
  return chunk.length % 2 === 0 ? chunk : joined([chunk, new Uint8Array(1)]);
}

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
