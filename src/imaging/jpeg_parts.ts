import { Rejection } from "../runtime/rejection.ts";
import { grouping } from "./wording.ts";

/** Marker codes of ITU-T T.81, table B.1: the second byte, after 0xFF. */
export const Marker = {
  SOF0: 0xc0,
  DHT: 0xc4,
  JPG: 0xc8,
  DAC: 0xcc,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  APP0: 0xe0,
  APP1: 0xe1,
  APP2: 0xe2,
  APP13: 0xed,
  APP14: 0xee,
  COM: 0xfe,
  TEM: 0x01,
} as const;

/** A stretch of a JPEG file, `[start, end)`. */
export interface JpegPart {
  /**
   * `segment`: marker, length and payload; `scan`: the coded picture data after an SOS segment;
   * `stray`: bytes between segments that belong to none; `end`: the EOI marker.
   */
  readonly kind: "segment" | "scan" | "stray" | "end";
  readonly marker: number;
  readonly start: number;
  readonly end: number;
}

/** How a segment is called in messages: `APP1`, `SOS`. */
export function markerName(marker: number): string {
  if (marker >= Marker.APP0 && marker < Marker.APP0 + 16) return `APP${marker - Marker.APP0}`;
  const name = Object.entries(Marker).find(([, code]) => code === marker)?.[0];
  return name ?? `0x${marker.toString(16)}`;
}

/** Whether the segment describes the frame: SOF0 to SOF15 without DHT, JPG and DAC. */
export function isFrameHeader(marker: number): boolean {
  return marker >= Marker.SOF0 && marker <= 0xcf && marker !== Marker.DHT &&
    marker !== Marker.JPG && marker !== Marker.DAC;
}

/**
 * The parts of a JPEG file from after SOI to its EOI, found as libjpeg finds them, so that what is seen
 * here is what the decoder sees. Lazy: who stops at the first SOS never looks at the picture data.
 * Throws `Rejection` where the file ends early. Bytes after EOI belong to no part.
 */
export function* jpegParts(bytes: Uint8Array): Generator<JpegPart, void> {
  let position = 2;
  for (;;) {
    const found = nextMarker(bytes, position);
    if (found.position > position) {
      yield { kind: "stray", marker: 0, start: position, end: found.position };
    }
    const { marker, position: start } = found;
    if (marker === Marker.EOI) {
      yield { kind: "end", marker, start, end: found.after };
      return;
    }
    const end = segmentEnd(bytes, marker, found.after);
    yield { kind: "segment", marker, start, end };
    position = end;
    if (marker !== Marker.SOS) continue;
    position = scanEnd(bytes, end);
    yield { kind: "scan", marker, start: end, end: position };
  }
}

/** What a segment carries, without marker and length. Fill bytes before the marker are skipped. */
export function payloadOf(bytes: Uint8Array, part: JpegPart): Uint8Array {
  let start = part.start;
  while (bytes[start + 1] === 0xff) start++;
  return bytes.subarray(start + 4, part.end);
}

/** The next 0xFF with a code after it, skipping what belongs to no segment. */
function nextMarker(bytes: Uint8Array, from: number) {
  let position = from;
  for (;;) {
    position = bytes.indexOf(0xff, position);
    if (position < 0) throw endsEarly(bytes, "before its end marker");
    let after = position + 1;
    while (bytes[after] === 0xff) after++;
    const marker = bytes[after];
    if (marker === undefined) throw endsEarly(bytes, "before its end marker");
    if (marker !== 0) return { position, marker, after: after + 1 };
    position = after + 1;
  }
}

function segmentEnd(bytes: Uint8Array, marker: number, at: number): number {
  const hasNoPayload = marker === Marker.TEM || marker === Marker.SOI ||
    marker >= Marker.RST0 && marker <= Marker.RST7;
  if (hasNoPayload) return at;
  const length = (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
  const end = at + length;
  if (at + 2 > bytes.length || end > bytes.length) {
    throw endsEarly(bytes, `inside its ${markerName(marker)} segment`);
  }
  if (length < 2) {
    throw new Rejection(`JPEG segment ${markerName(marker)} has the impossible length ${length}`);
  }
  return end;
}

/** Where the coded data ends: at the first marker that is neither stuffing nor a restart. */
function scanEnd(bytes: Uint8Array, from: number): number {
  let position = from;
  for (;;) {
    position = bytes.indexOf(0xff, position);
    if (position < 0 || position + 1 >= bytes.length) {
      throw endsEarly(bytes, "inside its picture data");
    }
    const code = bytes[position + 1]!;
    const isData = code === 0 || code >= Marker.RST0 && code <= Marker.RST7;
    if (!isData && code !== 0xff) return position;
    position += isData ? 2 : 1;
  }
}

function endsEarly(bytes: Uint8Array, where: string): Rejection {
  return new Rejection(`JPEG ends after ${grouping(bytes.length)} bytes, ${where}`);
}
