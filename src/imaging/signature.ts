import { Rejection } from "../runtime/rejection.ts";
import { hexBytes, latin1 } from "./wording.ts";

/** A file format that can be decoded. */
export type ImageFormat = "jpeg" | "png" | "webp" | "gif" | "tiff" | "avif" | "heic";

const wanted = "JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC is wanted";

/** Formats that are pictures or films, but not for this build, with the way out. */
const unsupported: readonly (readonly [signature: RegExp, what: string])[] = [
  [/^BM[^]{12}[(48@l|]\0/, "a BMP image"],
  [/^8BPS/, "a Photoshop document"],
  [/^%PDF/, "a PDF document"],
  [/^\xff\n|^[^]{4}JXL /, "a JPEG XL image"],
  [/^[^]{4}jP {2}|^\xffO\xffQ/, "a JPEG 2000 image"],
  [/^II[RU][OS\0]|^FUJIFILMCCD|^[^]{4}ftypcrx /, "a camera raw file"],
  [/^\s*(<\?xml[^]*)?(<!--[^]*)?(<!DOCTYPE svg[^]*)?<svg\b/i, "an SVG drawing"],
  [/^[^]{4}ftyp(isom|iso\d|mp4\d|M4V |qt {2}|avc1|3gp)|^RIFF[^]{4}AVI /, "a video"],
];

/**
 * The format of a file by its first bytes; never by its name. Throws `Rejection` for what is no image
 * and for images that this build cannot decode, saying what to do about them.
 */
export function identifyFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new Rejection("file is empty");
  const start = latin1(bytes, 0, 512);
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (/^RIFF[^]{4}WEBP/.test(start)) return "webp";
  if (/^GIF8[79]a/.test(start)) return "gif";
  if (/^(II[*+]\0|MM\0[*+])/.test(start)) return "tiff";
  const heif = /^[^]{4}ftyp/.test(start) ? heifFormat(bytes, start) : undefined;
  if (heif !== undefined) return heif;
  const match = unsupported.find(([signature]) => signature.test(start));
  if (match === undefined) throw new Rejection(notAnImage(bytes, start));
  throw new Rejection(`${match[1]}, which this build cannot decode (convert it to PNG or JPEG)`);
}

/** Brands of ISO/IEC 23008-12 (HEIF), annexes B and H, and of AVIF 1.1, section 6. */
const hevcBrands = /^(heic|heix|heim|heis|hevc|hevx|hevm|hevs)$/;
const heifBrands = /^(avif|avis|mif1|mif2|msf1|miaf)$/;

/** What its brands say; one that names no codec may be either, as libheif finds. */
function heifFormat(bytes: Uint8Array, start: string): "avif" | "heic" | undefined {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const brands = [8, ...range(16, Math.min(size, 256), 4)].map((at) => start.slice(at, at + 4));
  if (brands.includes("avif") || brands.includes("avis")) return "avif";
  if (brands.some((brand) => hevcBrands.test(brand))) return "heic";
  return heifBrands.test(brands[0]!) ? "avif" : undefined;
}

function range(start: number, end: number, step: number): number[] {
  const numbers: number[] = [];
  for (let value = start; value < end; value += step) numbers.push(value);
  return numbers;
}

function notAnImage(bytes: Uint8Array, start: string): string {
  const opening = start.slice(0, 8);
  const isText = /^[\x20-\x7e\t\r\n]+$/.test(opening);
  const shown = isText ? JSON.stringify(opening) : `bytes ${hexBytes(bytes.subarray(0, 8))}`;
  return `not an image: starts with ${shown} (${wanted})`;
}
