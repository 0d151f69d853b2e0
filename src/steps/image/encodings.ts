import type { Treatment } from "../../baseline/treatment.ts";
import { encodeRaster } from "../../imaging/encode.ts";
import type { Raster } from "../../imaging/raster.ts";
import type { MadeFormat } from "../kinds.ts";

/** Time spent on making files small. */
type Effort = "fast" | "balanced" | "small";

/** A picture as it was encoded. */
export interface Attempt {
  readonly bytes: Uint8Array;
  readonly format: MadeFormat;
  /** Null for PNG. */
  readonly quality: number | null;
  readonly palette?: "exact" | "dithered";
}

/** How a picture may be encoded, the most wanted first. */
type Encoding = Omit<Attempt, "bytes"> & {
  readonly effort: Effort;
  readonly isFiltered?: boolean;
  readonly palette?: "exact" | "dithered";
};

/**
 * The first attempt that takes no more bytes than the original, or the smallest of all. A picture must
 * not grow because its policy has another format, or because it is encoded a second time.
 */
export async function smallest(
  raster: Raster,
  { treatment, effort, mostBytes }: {
    readonly treatment: Treatment;
    readonly effort: Effort;
    /** Of the original. */
    readonly mostBytes: number;
  },
): Promise<Attempt> {
  const { isGrey } = treatment;
  const hopeless = new Set<MadeFormat>();
  let best: Attempt | undefined;
  for (const { format, quality, ...more } of attempts(treatment, effort)) {
    if (hopeless.has(format)) continue;
    const options = { format, quality: quality ?? undefined, isGrey, ...more };
    const bytes = await encodeRaster(raster, options);
    const { palette } = more;
    if (best === undefined || bytes.length < best.bytes.length) {
      best = { bytes, format, quality, palette };
    }
    if (best.bytes.length <= mostBytes) return best;
    if (bytes.length > mostGrowth[format] * mostBytes) hopeless.add(format);
  }
  return best!;
}

/**
 * By how much an attempt may be too large for others of its format to be worth their time: from quality
 * 95 to 40 and with all effort JPEG and WebP shrink tenfold at the most, a PNG by filters and palette
 * more. A file of 3 kB that is 64 megapixels of one colour took 58 s without.
 */
const mostGrowth: Readonly<Record<MadeFormat, number>> = { jpeg: 16, webp: 16, png: 64 };

/** Below this a picture looks damaged, and bytes are no longer what counts. */
const leastQuality = 40;

function* attempts(
  { formats, quality, isGrey }: Treatment,
  effort: Effort,
): Generator<Encoding> {
  for (const format of formats) {
    if (format === "png") {
      yield* pngAttempts(effort, formats.length === 1 && !isGrey);
      continue;
    }
    yield { format, quality, effort };
    const least = Math.min(quality, leastQuality);
    for (let lower = quality; lower >= least; lower -= 10) {
      yield { format, quality: lower, effort: "small" };
    }
  }
}

/** With fewer colours only where no other format may be taken instead. */
function* pngAttempts(effort: Effort, mayReduce: boolean): Generator<Encoding> {
  const png = { format: "png", quality: null } as const;
  yield { ...png, effort };
  yield { ...png, effort, isFiltered: true };
  yield { ...png, effort: "small" };
  yield { ...png, effort: "small", isFiltered: true };
  if (!mayReduce) return;
  yield { ...png, effort: "small", palette: "exact" };
  yield { ...png, effort: "small", palette: "dithered" };
}
