import { inflateSync } from "node:zlib";
import { Rejection } from "../runtime/rejection.ts";
import { TiffBlock } from "./exif.ts";
import { readHeicMetadata } from "./heic_metadata.ts";
import { jpegParts, Marker, payloadOf } from "./jpeg_parts.ts";
import { chunkPayload, pngChunks } from "./png_chunks.ts";
import { webpChunks } from "./riff_chunks.ts";
import { loadSharp } from "./sharp.ts";
import type { ImageFormat } from "./signature.ts";
import { latin1 } from "./wording.ts";

/** What a file says about how it was made, as its format embeds it: views of the file, unparsed. */
export interface Embedded {
  /** A TIFF structure that begins with `II` or `MM`; of a TIFF, the whole file. */
  readonly exif?: Uint8Array;
  /** An XMP packet. */
  readonly xmp?: Uint8Array;
  /** IPTC-IIM records: the Photoshop resource 0x0404, without its head. */
  readonly iptc?: Uint8Array;
}

type Found = { -readonly [Key in keyof Embedded]: Embedded[Key] };

/**
 * Finds EXIF, XMP and IPTC in a file; the first of each kind counts. Never throws: what lies beyond
 * damage is not found. GIF is looked through for XMP only, which is all it can carry.
 */
export async function findEmbedded(bytes: Uint8Array, format: ImageFormat): Promise<Embedded> {
  const found: Found = {};
  try {
    if (format === "avif" || format === "heic") await findInHeif(bytes, format, found);
    else finders[format](bytes, found);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
  }
  return found;
}

type Finder = (bytes: Uint8Array, found: Found) => void;

const finders: Readonly<Record<Exclude<ImageFormat, "avif" | "heic">, Finder>> = {
  jpeg: findInJpeg,
  png: findInPng,
  webp: findInWebp,
  tiff: findInTiff,
  gif: findInGif,
};

const EXIF_HEAD = "Exif\0\0";
const XMP_HEAD = "http://ns.adobe.com/xap/1.0/\0";
const PHOTOSHOP_HEAD = "Photoshop 3.0\0";

function findInJpeg(bytes: Uint8Array, found: Found): void {
  for (const part of jpegParts(bytes)) {
    if (part.marker === Marker.SOS) return;
    if (part.kind !== "segment") continue;
    if (part.marker === Marker.APP1) addApplicationData(payloadOf(bytes, part), found);
    else if (part.marker === Marker.APP13) {
      const payload = payloadOf(bytes, part);
      if (startsWith(payload, PHOTOSHOP_HEAD)) {
        found.iptc ??= iptcResource(payload.subarray(PHOTOSHOP_HEAD.length));
      }
    }
  }
}

/** The payload of an APP1 segment, in a JPEG or as other formats hold it. */
function addApplicationData(payload: Uint8Array, found: Found): void {
  // A copy of its own, in which no offset can point into what follows.
  if (startsWith(payload, EXIF_HEAD)) found.exif ??= payload.slice(EXIF_HEAD.length);
  else if (isXmp(payload)) found.xmp ??= payload.subarray(XMP_HEAD.length);
}

/** Some editors write `XMP` and a zero over the first four letters of the head. */
function isXmp(payload: Uint8Array): boolean {
  return startsWith(payload, XMP_HEAD) ||
    startsWith(payload, "XMP\0") && startsWith(payload, XMP_HEAD, 4);
}

/**
 * The IPTC-IIM resource among Photoshop's image resources: each `8BIM`, number, Pascal string padded to
 * an even length, length, content padded likewise (Adobe Photoshop File Formats Specification).
 */
function iptcResource(resources: Uint8Array): Uint8Array | undefined {
  const view = new DataView(resources.buffer, resources.byteOffset, resources.byteLength);
  for (let at = 0; at + 12 <= resources.length;) {
    if (latin1(resources, at, at + 4) !== "8BIM") return undefined;
    const nameLength = resources[at + 6]! + 1;
    const lengthAt = at + 6 + nameLength + nameLength % 2;
    if (lengthAt + 4 > resources.length) return undefined;
    const length = view.getUint32(lengthAt);
    const start = lengthAt + 4;
    if (view.getUint16(at + 4) === 0x0404) return resources.subarray(start, start + length);
    at = start + length + length % 2;
  }
  return undefined;
}

function findInPng(bytes: Uint8Array, found: Found): void {
  for (const chunk of pngChunks(bytes)) {
    const { type } = chunk;
    if (type === "eXIf") found.exif ??= withoutHead(chunkPayload(bytes, chunk));
    else if (type === "iTXt" || type === "zTXt" || type === "tEXt") {
      addPngText(type, chunkPayload(bytes, chunk), found);
    }
  }
}

/**
 * XMP in its own text chunk (XMP Specification, part 3, section 1.1.5), and what ImageMagick writes:
 * "Raw profile type", whose text is the kind, the length and the bytes in hexadecimal.
 */
function addPngText(type: string, payload: Uint8Array, found: Found): void {
  const keyword = latin1(payload, 0, Math.min(80, payload.length)).replace(/\0[^]*$/, "");
  const isPacket = keyword === "XML:com.adobe.xmp";
  if (!isPacket && !keyword.startsWith("Raw profile type ")) return;
  const text = pngText(type, payload, keyword.length + 1);
  if (text === undefined) return;
  if (isPacket) found.xmp ??= text;
  else addRawProfile(keyword.slice(17).toLowerCase(), text, found);
}

/** The text of a chunk, inflated; undefined where that fails (PNG, third edition, 11.3.3). */
function pngText(type: string, payload: Uint8Array, after: number): Uint8Array | undefined {
  const isInternational = type === "iTXt";
  const isCompressed = type === "zTXt" || isInternational && payload[after] === 1;
  let start = after + (type === "tEXt" ? 0 : type === "zTXt" ? 1 : 2);
  // The language and the translated keyword, each ending in a zero.
  if (isInternational) start = payload.indexOf(0, payload.indexOf(0, start) + 1) + 1;
  if (start < after) return undefined;
  const text = payload.subarray(start);
  if (!isCompressed) return text;
  try {
    return new Uint8Array(inflateSync(text, { maxOutputLength: LARGEST_TEXT }));
  } catch {
    return undefined;
  }
}

/** No packet comes near it, and a chunk that inflates to more is a bomb. */
const LARGEST_TEXT = 16 * 1024 * 1024;

function addRawProfile(kind: string, text: Uint8Array, found: Found): void {
  const [, hex] = /^\s*\S+\s+\d+\s+([0-9a-f\s]+)$/i.exec(new TextDecoder().decode(text)) ?? [];
  if (hex === undefined) return;
  const profile = bytesOfHex(hex.replace(/\s/g, ""));
  if (kind === "exif" || kind === "app1") addApplicationData(profile, found);
  else if (kind === "xmp") found.xmp ??= profile;
  else if (kind === "iptc" || kind === "8bim") found.iptc ??= iptcResource(profile);
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(
    { length: hex.length >> 1 },
    (_, at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16),
  );
}

function findInWebp(bytes: Uint8Array, found: Found): void {
  for (const { type, size, start } of webpChunks(bytes)) {
    const payload = bytes.subarray(start + 8, start + 8 + size);
    if (type === "EXIF") found.exif ??= withoutHead(payload);
    else if (type === "XMP ") found.xmp ??= payload;
  }
}

const XMP_TAG = 0x2bc;
const IPTC_TAG = 0x83bb;

/** XMP and IPTC are tags (XMP Specification, part 3, section 1.1.6); EXIF is the file itself. */
function findInTiff(bytes: Uint8Array, found: Found): void {
  // Offsets of a BigTIFF have eight bytes.
  if (bytes[2] === 0x2b || bytes[3] === 0x2b) return;
  found.exif = bytes;
  const tiff = new TiffBlock(bytes);
  const [xmp, iptc] = [tiff.find(XMP_TAG), tiff.find(IPTC_TAG)];
  if (xmp !== undefined) found.xmp = bytes.subarray(xmp.valueAt, xmp.valueAt + xmp.count);
  if (iptc === undefined) return;
  // Some writers declare the bytes as LONG.
  const length = iptc.count * (iptc.type === 4 ? 4 : 1);
  found.iptc = bytes.subarray(iptc.valueAt, iptc.valueAt + length);
}

/** The application extension of XMP (XMP Specification, part 3, section 1.1.2). */
function findInGif(bytes: Uint8Array, found: Found): void {
  const head = new TextEncoder().encode("\x0bXMP DataXMP");
  for (let at = bytes.indexOf(0x21); at >= 0; at = bytes.indexOf(0x21, at + 1)) {
    const isPacket = bytes[at + 1] === 0xff && head.every((byte, i) => bytes[at + 2 + i] === byte);
    if (!isPacket) continue;
    const start = at + 2 + head.length;
    // The packet is text, which ends where the magic trailer begins with 0x01.
    const end = bytes.indexOf(1, start);
    found.xmp = bytes.subarray(start, end < 0 ? bytes.length : end);
    return;
  }
}

/** The items of the container, which libheif finds. */
async function findInHeif(
  bytes: Uint8Array,
  format: "avif" | "heic",
  found: Found,
): Promise<void> {
  const { exif, xmp } = format === "heic"
    ? (await readHeicMetadata(bytes)).metadata
    : await (await loadSharp())(bytes, { limitInputPixels: false }).metadata();
  if (exif !== undefined) found.exif = withoutHead(exif);
  if (xmp !== undefined) found.xmp = xmp;
}

function withoutHead(block: Uint8Array): Uint8Array {
  return block.slice(startsWith(block, EXIF_HEAD) ? EXIF_HEAD.length : 0);
}

/** Compared letter by letter: every segment of every file is asked, and texts cost ten times that. */
function startsWith(bytes: Uint8Array, head: string, from = 0): boolean {
  for (let at = from; at < head.length; at++) {
    if (bytes[at] !== head.charCodeAt(at)) return false;
  }
  return true;
}
