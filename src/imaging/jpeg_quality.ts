import { Rejection } from "../runtime/rejection.ts";
import { isFrameHeader, jpegParts, Marker, payloadOf } from "./jpeg_parts.ts";

/** The quantization tables of a JPEG's brightness and colour, 64 entries each, in zigzag order. */
export interface QuantizationTables {
  readonly luma: Uint16Array;
  /** Undefined for grey pictures, and where colour shares the table of brightness. */
  readonly chroma: Uint16Array | undefined;
}

/**
 * The quality at which a JPEG was saved, 1 to 100, estimated from its quantization tables: the setting
 * of libjpeg whose tables are nearest. Null where there are none.
 *
 * libjpeg scales the example tables of ITU-T T.81, annex K.1, by `s = 5000 / q` below quality 50 and
 * `s = 200 − 2q` from there: an entry becomes `(entry × s + 50) / 100` in whole numbers, at least 1
 * and at most 255 (`jpeg_quality_scaling` and `jpeg_add_quant_table` in jcparam.c). Files of libjpeg,
 * Pillow, libvips and many cameras have exactly such tables. For others (Photoshop, mozjpeg's own,
 * some phones) nearest means the least sum of `|ln(found / standard)|` over all entries, which
 * weighs fine and coarse frequencies alike.
 */
export function jpegQuality(bytes: Uint8Array): number | null {
  const tables = readTables(bytes);
  return tables === undefined ? null : estimateQuality(tables);
}

/** The tables that the first and the second component use; undefined where they are missing. */
export function readTables(bytes: Uint8Array): QuantizationTables | undefined {
  const tables: (Uint16Array | undefined)[] = [];
  let used: readonly number[] = [];
  try {
    for (const part of jpegParts(bytes)) {
      if (part.marker === Marker.SOS) break;
      if (part.kind !== "segment") continue;
      if (part.marker === Marker.DQT) readSegment(payloadOf(bytes, part), tables);
      else if (isFrameHeader(part.marker)) used = tablesUsed(payloadOf(bytes, part));
    }
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
  }
  const luma = tables[used[0] ?? 0];
  if (luma === undefined) return undefined;
  const isShared = used[1] === undefined || used[1] === used[0];
  return { luma, chroma: isShared ? undefined : tables[used[1]!] };
}

/** One segment may define several tables, of 8 or 16 bits an entry (ITU-T T.81, B.2.4.1). */
function readSegment(payload: Uint8Array, tables: (Uint16Array | undefined)[]): void {
  for (let at = 0; at < payload.length;) {
    const [isWide, index] = [payload[at]! >> 4 !== 0, payload[at]! & 15];
    const size = isWide ? 128 : 64;
    if (at + 1 + size > payload.length) return;
    const entries = payload.subarray(at + 1, at + 1 + size);
    tables[index] = isWide
      ? Uint16Array.from({ length: 64 }, (_, i) => entries[2 * i]! << 8 | entries[2 * i + 1]!)
      : Uint16Array.from(entries);
    at += 1 + size;
  }
}

/** The table of each component, from a frame header (ITU-T T.81, B.2.2). */
function tablesUsed(payload: Uint8Array): readonly number[] {
  const count = payload[5] ?? 0;
  return Array.from({ length: count }, (_, component) => payload[8 + component * 3] ?? 0);
}

/** See `jpegQuality`. The lower of two qualities that are equally near. */
export function estimateQuality({ luma, chroma }: QuantizationTables): number {
  const isWide = [luma, chroma].some((table) => table?.some((entry) => entry > BASELINE_LIMIT));
  const standard = standardLogs(isWide ? WIDE_LIMIT : BASELINE_LIMIT);
  const found = logsOf(luma, chroma);
  const likely = distanceTo(standard, found, { quality: likelyQuality(standard, found) });
  // A little more, so that the likely one is found again, or a lower one that is equally near.
  let [best, least] = [1, likely + 1e-9];
  for (let quality = 1; quality <= 100 && least > 0; quality++) {
    const distance = distanceTo(standard, found, { quality, least });
    if (distance < least) [best, least] = [quality, distance];
  }
  return best;
}

/** The quality whose first entry is nearest: entries fall with it, so that it is seldom far off. */
function likelyQuality(standard: Float64Array, found: Float64Array): number {
  let [low, high] = [1, 100];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (standard[middle * PAIR]! > found[0]!) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Two tables, of brightness and of colour. */
const PAIR = 2 * 64;

/** Stops adding where the distance is no longer below `least`, which is at once for most qualities. */
function distanceTo(
  standard: Float64Array,
  found: Float64Array,
  { quality, least = Infinity }: { readonly quality: number; readonly least?: number },
): number {
  const start = quality * PAIR;
  let distance = 0;
  for (let at = 0; at < found.length && distance < least; at++) {
    distance += Math.abs(found[at]! - standard[start + at]!);
  }
  return distance;
}

/** A zero is not allowed, but found; it counts as 1, as no logarithm is taken of it. */
function logsOf(luma: Uint16Array, chroma: Uint16Array | undefined): Float64Array {
  const logs = new Float64Array(chroma === undefined ? 64 : PAIR);
  for (let at = 0; at < 64; at++) logs[at] = logOf(luma[at]!);
  if (chroma !== undefined) { for (let at = 0; at < 64; at++) logs[64 + at] = logOf(chroma[at]!); }
  return logs;
}

function logOf(entry: number): number {
  return entry <= BASELINE_LIMIT ? baselineLogs[entry]! : Math.log(entry);
}

/** The largest entries that libjpeg writes: in baseline files, and in others. */
const BASELINE_LIMIT = 255;
const WIDE_LIMIT = 32_767;

const baselineLogs = Float64Array.from(
  { length: BASELINE_LIMIT + 1 },
  (_, at) => Math.log(at || 1),
);

const computed = new Map<number, Float64Array>();

/** Logarithms of the entries that libjpeg writes at each quality; taking them anew costs 0.1 ms. */
function standardLogs(limit: number): Float64Array {
  const known = computed.get(limit);
  if (known !== undefined) return known;
  const logs = new Float64Array(101 * PAIR);
  for (let quality = 1; quality <= 100; quality++) {
    const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
    [...LUMA, ...CHROMA].forEach((entry, at) => {
      const scaled = Math.floor((entry * scale + 50) / 100);
      logs[quality * PAIR + at] = Math.log(Math.min(limit, Math.max(1, scaled)));
    });
  }
  computed.set(limit, logs);
  return logs;
}

/** Where the entry at each place of the zigzag stands in the square (ITU-T T.81, figure A.6). */
// deno-fmt-ignore
const zigzag = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
  58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

function inZigzag(square: readonly number[]): Uint8Array {
  return Uint8Array.from(zigzag, (place) => square[place]!);
}

/** ITU-T T.81, table K.1. */
// deno-fmt-ignore
const LUMA = inZigzag([
  16, 11, 10, 16, 24, 40, 51, 61,
  12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77,
  24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
]);

/** ITU-T T.81, table K.2. */
// deno-fmt-ignore
const CHROMA = inZigzag([
  17, 18, 24, 47, 99, 99, 99, 99,
  18, 21, 26, 66, 99, 99, 99, 99,
  24, 26, 56, 99, 99, 99, 99, 99,
  47, 66, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
]);
