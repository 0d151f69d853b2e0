import type { Treatment } from "../../baseline/treatment.ts";
import { encodeRaster } from "../../imaging/encode.ts";
import type { Raster } from "../../imaging/raster.ts";
import type { MadeFormat } from "../kinds.ts";
import { encodingSeconds, mostSeconds, rehearsalOf } from "./rehearsal.ts";

/** Time spent on making files small, most of it first. */
const efforts = ["small", "balanced", "fast", "least", "stored"] as const;
type Effort = (typeof efforts)[number];

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

/** An encoding that was tried, on the picture or on a rehearsal of it. */
interface Tried {
  readonly wanted: Encoding;
  /** The one that was wanted, or that with less effort. */
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
  /** Bytes of the whole picture. */
  readonly size: number;
}

interface Search {
  readonly treatment: Treatment;
  readonly effort: Effort;
  /** Of the original. */
  readonly mostBytes: number;
}

/**
 * The first attempt that takes no more bytes than the original, or the smallest of all. A picture must
 * not grow because its policy has another format, or because it is encoded a second time.
 *
 * Of a large picture the attempts are made on strips of it, and only the one that they speak for is
 * made on all of it, with no more effort than a few seconds allow: all of them took 258 s for one of
 * 121 megapixels.
 */
export async function smallest(raster: Raster, search: Search): Promise<Attempt> {
  const { treatment, effort, mostBytes } = search;
  const ladder = [...attempts(treatment, effort)];
  const part = rehearsalOf(raster);
  const found = part === undefined
    ? await firstWithin(ladder, mostBytes, (wanted) => tried(raster, wanted, wanted, treatment))
    : await rehearsed(raster, part, ladder, search);
  const { encoding: { format, quality, palette }, bytes } = found!;
  return { bytes, format, quality, palette };
}

async function firstWithin(
  ladder: readonly Encoding[],
  mostBytes: number,
  attempt: (wanted: Encoding) => Promise<Tried | undefined>,
): Promise<Tried | undefined> {
  const hopeless = new Set<MadeFormat>();
  let best: Tried | undefined;
  for (const wanted of ladder) {
    if (hopeless.has(wanted.format)) continue;
    const made = await attempt(wanted);
    if (made === undefined) continue;
    best = smaller(best, made);
    if (best.size <= mostBytes) return best;
    if (made.size > mostGrowth[wanted.format] * mostBytes) hopeless.add(wanted.format);
  }
  return best;
}

function smaller(first: Tried | undefined, second: Tried): Tried {
  return first === undefined || second.size < first.size ? second : first;
}

async function tried(
  raster: Raster,
  wanted: Encoding,
  encoding: Encoding,
  { isGrey }: Treatment,
): Promise<Tried> {
  const { quality, ...more } = encoding;
  const bytes = await encodeRaster(raster, { ...more, quality: quality ?? undefined, isGrey });
  return { wanted, encoding, bytes, size: bytes.length };
}

/** The encoding of the whole picture that does best on a part of it. */
async function rehearsed(
  raster: Raster,
  part: Raster,
  ladder: readonly Encoding[],
  { treatment, mostBytes }: Search,
): Promise<Tried> {
  const times = raster.height / part.height;
  const rehearse = async (wanted: Encoding): Promise<Tried | undefined> => {
    // What takes too long whatever comes out is not rehearsed.
    if (affordable(wanted, raster, 0) === undefined) return undefined;
    const first = await tried(part, wanted, wanted, treatment);
    const encoding = affordable(wanted, raster, first.size * times);
    if (encoding === undefined) return undefined;
    const made = encoding === wanted ? first : await tried(part, wanted, encoding, treatment);
    return { ...made, size: made.size * times };
  };
  const likely = await firstWithin(ladder, mostBytes, rehearse);
  if (likely === undefined) return await tried(raster, ladder[0]!, cheapest(ladder[0]!), treatment);
  const made = await tried(raster, likely.wanted, likely.encoding, treatment);
  if (made.size <= mostBytes || likely.size > mostBytes) return made;
  // The rest of the picture is not like its strips: the others will be off by as much.
  const within = mostBytes * likely.size / made.size;
  const others = ladder.slice(ladder.indexOf(likely.wanted) + 1);
  const next = await firstWithin(others, within, rehearse);
  const better = next === undefined || next.size > within
    ? made
    : smaller(made, await tried(raster, next.wanted, next.encoding, treatment));
  return better.size <= mostBytes
    ? better
    : await lastResort(raster, others, { treatment, better });
}

/** Where strips say nothing of a picture: the last of the ladder that there is time for. */
async function lastResort(
  raster: Raster,
  others: readonly Encoding[],
  { treatment, better }: { readonly treatment: Treatment; readonly better: Tried },
): Promise<Tried> {
  const wanted = others.findLast((each) => affordable(each, raster, better.size) !== undefined);
  if (wanted === undefined) return better;
  const encoding = affordable(wanted, raster, better.size)!;
  return smaller(better, await tried(raster, wanted, encoding, treatment));
}

/** The encoding with as much of the wanted effort as there is time for; undefined for none. */
function affordable(wanted: Encoding, { width, height }: Raster, bytes: number) {
  const { quality: _, ...options } = wanted;
  const effort = efforts.slice(efforts.indexOf(wanted.effort)).find((effort) =>
    encodingSeconds({ ...options, effort }, width * height, bytes) <= mostSeconds
  );
  if (effort === undefined) return undefined;
  return effort === wanted.effort ? wanted : { ...wanted, effort };
}

function cheapest(wanted: Encoding): Encoding {
  return { ...wanted, effort: "stored" };
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
