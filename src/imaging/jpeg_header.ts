import { Rejection } from "../runtime/rejection.ts";
import { type ExifReading, readExif } from "./exif.ts";
import { isFrameHeader, jpegParts, Marker, markerName, payloadOf } from "./jpeg_parts.ts";
import { latin1 } from "./wording.ts";

/** What the segments before a JPEG's picture data say. */
export interface JpegHead {
  /** Pixels as stored, before any orientation. */
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly channels: number;
  readonly isProgressive: boolean;
  /** `4:2:0` and the like; null for grey. */
  readonly chromaSubsampling: string | null;
  readonly dpi: number | null;
  readonly exif: ExifReading | undefined;
  /** The embedded ICC profile, put together from its segments. */
  readonly iccProfile: Uint8Array | undefined;
  /** One sentence each: what is odd but does not touch the pixels. */
  readonly problems: readonly string[];
  /** Some bytes before the picture data belong to no segment. */
  readonly hasStrayBytes: boolean;
  /** Something in the segments, harmless to the pixels, at which libjpeg would warn. */
  readonly hasOddParameters: boolean;
  /** So many bytes its picture data has at the least, if it is whole; 0 where that is not known. */
  readonly leastBytes: number;
}

interface Frame {
  readonly marker: number;
  readonly precision: number;
  readonly width: number;
  readonly height: number;
  readonly sampling: readonly (readonly [horizontal: number, vertical: number])[];
}

/** Collects while the segments go by. */
class HeadReader {
  frame: Frame | undefined;
  exif: ExifReading | undefined;
  jfifDpi: number | null = null;
  adobeTransform = 0;
  hasStrayBytes = false;
  hasOddParameters = false;
  readonly icc: Uint8Array[] = [];
  readonly problems: string[] = [];

  read(marker: number, payload: Uint8Array): void {
    if (isFrameHeader(marker)) this.frame ??= readFrame(marker, payload);
    else if (marker === Marker.APP0) this.#readJfif(payload);
    else if (marker === Marker.APP1 && latin1(payload, 0, 5) === "Exif\0") {
      this.exif ??= readExif(payload.subarray(6));
    } else if (marker === Marker.APP2 && latin1(payload, 0, 12) === "ICC_PROFILE\0") {
      this.icc[payload[12]!] = payload.subarray(14);
    } else if (marker === Marker.APP14 && latin1(payload, 0, 5) === "Adobe") {
      this.adobeTransform = payload[11] ?? 0;
    } else if (marker === Marker.SOS) this.#checkScan(payload);
  }

  #readJfif(payload: Uint8Array): void {
    if (latin1(payload, 0, 5) !== "JFIF\0" || payload.length < 12) return;
    const [major, unit] = [payload[5]!, payload[7]!];
    const density = payload[8]! << 8 | payload[9]!;
    if (major !== 1 && major !== 2) this.#odd(`JFIF segment has the unknown version ${major}`);
    if (density > 0 && unit === 1) this.jfifDpi = density;
    if (density > 0 && unit === 2) this.jfifDpi = Math.round(density * 2.54);
  }

  /** Sequential scans cover coefficients 0 to 63 at once; some cameras write other numbers. */
  #checkScan(payload: Uint8Array): void {
    const known = this.frame?.sampling.length === 4 ? [0, 2] : [0, 1];
    if (!known.includes(this.adobeTransform)) {
      this.#odd(`Adobe segment has the unknown colour transform ${this.adobeTransform}`);
    }
    const [first, last, bits] = payload.subarray(-3);
    const isSequential = this.frame !== undefined && this.frame.marker <= 0xc1;
    if (!isSequential || first === 0 && last === 63 && bits === 0) return;
    this.#odd(`its scan covers coefficients ${first} to ${last} (0 to 63 is wanted)`);
  }

  #odd(problem: string): void {
    this.hasOddParameters = true;
    this.problems.push(`JPEG is odd: ${problem}`);
  }
}

/**
 * Reads a JPEG up to its picture data, which is not looked at. Throws `Rejection` for files that end
 * before it or are of a kind that libjpeg does not decode.
 */
export function readJpegHead(bytes: Uint8Array): JpegHead {
  const reader = new HeadReader();
  let lastName = "SOI";
  for (const part of jpegParts(bytes)) {
    if (part.kind === "stray") {
      reader.hasStrayBytes = true;
      reader.problems.push(
        `JPEG is odd: ${part.end - part.start} bytes after ${lastName} belong to no segment`,
      );
    }
    if (part.kind !== "segment") continue;
    reader.read(part.marker, payloadOf(bytes, part));
    if (part.marker === Marker.SOS) break;
    lastName = markerName(part.marker);
  }
  if (reader.frame === undefined) throw new Rejection("JPEG has no frame header");
  return headOf(reader, reader.frame);
}

function headOf(reader: HeadReader, frame: Frame): JpegHead {
  const { exif, hasStrayBytes, hasOddParameters } = reader;
  const icc = reader.icc.filter((chunk) => chunk !== undefined);
  return {
    width: frame.width,
    height: frame.height,
    channels: frame.sampling.length,
    isProgressive: [0xc2, 0xc6, 0xca, 0xce].includes(frame.marker),
    chromaSubsampling: subsamplingOf(frame),
    dpi: exif?.dpi ?? reader.jfifDpi,
    exif,
    iccProfile: icc.length === 0 ? undefined : concatenated(icc),
    problems: [...reader.problems, ...exif?.problems ?? []],
    hasStrayBytes,
    hasOddParameters,
    leastBytes: leastBytesOf(frame),
  };
}

/**
 * One bit for each 8 × 8 block of the first component: no Huffman code is shorter, and each block has one
 * for its mean (ITU-T T.81, F.1.2.1 and G.1.2.1). Arithmetic coding takes less.
 */
function leastBytesOf({ marker, width, height, sampling }: Frame): number {
  if (marker > 0xc2) return 0;
  const [across, down] = sampling[0]!;
  const mostAcross = Math.max(...sampling.map(([horizontal]) => horizontal));
  const mostDown = Math.max(...sampling.map(([, vertical]) => vertical));
  if (mostAcross === 0 || mostDown === 0) return 0;
  return Math.floor(width * height * (across / mostAcross) * (down / mostDown) / 64 / 8);
}

/** Baseline, extended and progressive Huffman, and sequential and progressive arithmetic coding. */
const decodable = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];

function readFrame(marker: number, payload: Uint8Array): Frame {
  const count = payload[5] ?? 0;
  if (payload.length < 6 + count * 3) throw new Rejection("JPEG frame header ends early");
  const height = payload[1]! << 8 | payload[2]!;
  const width = payload[3]! << 8 | payload[4]!;
  const sampling = Array.from({ length: count }, (_, component) => {
    const factors = payload[7 + component * 3]!;
    return [factors >> 4, factors & 15] as const;
  });
  const frame = { marker, precision: payload[0]!, width, height, sampling };
  assertDecodable(frame);
  return frame;
}

function assertDecodable({ marker, precision, width, height, sampling }: Frame): void {
  if (!decodable.includes(marker)) {
    throw new Rejection(`JPEG of kind SOF${marker - Marker.SOF0}, which this build cannot decode`);
  }
  if (precision !== 8) {
    throw new Rejection(`JPEG has ${precision} bits a sample (this build decodes 8)`);
  }
  if (width === 0 || height === 0) throw new Rejection(`JPEG is ${width} × ${height} pixels`);
  if (![1, 3, 4].includes(sampling.length)) {
    throw new Rejection(`JPEG has ${sampling.length} colour components (1, 3 or 4 is wanted)`);
  }
}

const subsamplings: Readonly<Record<string, string>> = {
  "1x1": "4:4:4",
  "2x1": "4:2:2",
  "2x2": "4:2:0",
  "1x2": "4:4:0",
  "4x1": "4:1:1",
  "4x2": "4:1:0",
};

function subsamplingOf({ sampling }: Frame): string | null {
  const [luma, chroma] = sampling;
  if (luma === undefined || chroma === undefined) return null;
  const ratio = `${luma[0] / chroma[0]}x${luma[1] / chroma[1]}`;
  return subsamplings[ratio] ?? ratio;
}

function concatenated(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
