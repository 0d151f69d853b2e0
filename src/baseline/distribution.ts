import type { Histogram, Measure, Quantiles } from "./baseline.ts";

/** The finite values of a measure, ascending: what everything below is read from. */
export type Sorted = Float64Array;

/** Sorts numerically; what is not finite (a measure that a picture lacks) is left out. */
export function sorted(values: Iterable<number | null | undefined>): Sorted {
  const finite: number[] = [];
  for (const value of values) {
    // Negative zero would sort before zero, and be shown as "-0".
    if (typeof value === "number" && Number.isFinite(value)) finite.push(value === 0 ? 0 : value);
  }
  return Float64Array.from(finite).sort();
}

/**
 * The quantile of `share`, 0 to 1: R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical
 * Packages", The American Statistician 50 (1996), type 7, which R, NumPy and spreadsheets take. It
 * lies on a straight line between the two values beside the position `(n − 1) × share`. Throws for no
 * values.
 */
export function quantile(values: Sorted, share: number): number {
  if (values.length === 0) throw new RangeError("no values have no quantile");
  const position = (values.length - 1) * share;
  const below = Math.floor(position);
  const [low, high] = [values[below]!, values[Math.min(below + 1, values.length - 1)]!];
  // Rounding of the product may lead a hair over the upper value.
  return Math.min(high, low + (high - low) * (position - below));
}

/** The quantiles of a baseline, to ten digits, which whole numbers of bytes have; null of no values. */
export function quantilesOf(values: Sorted): Quantiles | null {
  if (values.length === 0) return null;
  const at = (share: number) => tenDigits(quantile(values, share));
  return {
    count: values.length,
    min: at(0),
    p01: at(0.01),
    p05: at(0.05),
    p10: at(0.1),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    mean: tenDigits(meanOf(values)),
  };
}

/** Of ascending values, so the same whatever order they came in. */
export function meanOf(values: Sorted): number {
  let sum = 0;
  for (const value of values) sum += value;
  return Math.min(values.at(-1)!, Math.max(values[0]!, sum / values.length));
}

/** To ten significant digits: what differs beyond is rounding of the computation. */
export function tenDigits(value: number): number {
  return Number(value.toPrecision(10));
}

/** Rounded down to one or two significant digits: 12.96 → 12; 0 for what is not above 0. */
export function digitsDown(value: number, digits: 1 | 2): number {
  if (!(value > 0)) return 0;
  const [mantissa, exponent] = value.toExponential(12).split("e") as [string, string];
  const kept = digits === 1 ? mantissa[0] : `${mantissa[0]}.${mantissa[2]}`;
  return Number(`${kept}e${exponent}`);
}

/**
 * Of the median sharpness: pictures below it may be left out for their blur, and nearer to it they are
 * like the others. So the population has two digits of the sharpness below it, one above.
 */
export const blurryOfMedian = 0.25;

/** How a measure's values lie: what its histogram and its outliers take into account. */
export interface MeasureNature {
  /** Values spread over orders of magnitude, so that a factor counts rather than a difference. */
  readonly isSkewed: boolean;
  /** Only whole numbers, and few of them. */
  readonly isWhole: boolean;
  /** A smaller distance is never remarkable: a difference, or for a skewed measure a factor. */
  readonly leastDistance: number;
}

const skewed: ReadonlySet<string> = new Set<Measure>([
  "width",
  "height",
  "long_side",
  "short_side",
  "megapixels",
  "aspect_ratio",
  "bytes",
  "bits_per_pixel",
  "sharpness",
]);

const leastDistances: ReadonlyMap<string, number> = new Map<Measure, number>([
  ["jpeg_quality", 5],
  ["brightness", 0.05],
  ["contrast", 0.02],
  ["entropy", 0.2],
  ["colourfulness", 5],
  ["clipped_dark", 0.1],
  ["clipped_bright", 0.1],
  ["clipped", 0.1],
]);

export function natureOf(measure: string): MeasureNature {
  const isSkewed = skewed.has(measure);
  return {
    isSkewed,
    isWhole: measure === "jpeg_quality",
    leastDistance: isSkewed ? 1.25 : leastDistances.get(measure) ?? 0,
  };
}

/** More bars than this are not told apart. */
const mostBins = 40;

/** A range of less than a factor of this looks alike on both scales. */
const leastLogRange = 4;

/**
 * The histogram of ascending values. The width of its bins is that of D. Freedman and P. Diaconis, "On
 * the histogram as a density estimator" (1981), `2 × IQR / ∛n`, or a range in `⌈log₂ n⌉ + 1` bins
 * (Sturges 1926) where half of the values are alike; then rounded up to 1, 2 or 5 times a power of ten,
 * on a log scale to a half, a quarter … of an octave, so that edges are round numbers and stay where
 * they are when a picture is added. At most 40 bins; whole numbers for whole measures; one bin for
 * values that are all alike, and none for no values.
 *
 * Skewed measures have a log scale where the largest value is at least four times the smallest.
 */
export function histogramOf(
  values: Sorted,
  { isSkewed, isWhole }: Pick<MeasureNature, "isSkewed" | "isWhole">,
): Histogram {
  if (values.length === 0) return { scale: "linear", bins: [] };
  const [min, max] = [values[0]!, values.at(-1)!];
  const isLog = isSkewed && min > 0 && max >= leastLogRange * min;
  const edges = isLog ? logEdges(values) : linearEdges(values, isWhole);
  return { scale: isLog ? "log" : "linear", bins: counted(values, edges) };
}

/** How many of other values fall into the bins of a histogram; those outside into its ends. */
export function recounted({ scale, bins }: Histogram, values: Sorted): Histogram {
  const counts = counted(values, [-Infinity, ...bins.slice(1).map(({ from }) => from), Infinity]);
  return { scale, bins: bins.map((bin, at) => ({ ...bin, count: counts[at]?.count ?? 0 })) };
}

function counted(values: Sorted, edges: readonly number[]): Histogram["bins"] {
  let at = 0;
  return edges.slice(1).map((to, index) => {
    const isLast = index === edges.length - 2;
    const start = at;
    while (at < values.length && (isLast || values[at]! < to)) at++;
    return { from: edges[index]!, to, count: at - start };
  });
}

function linearEdges(values: Sorted, isWhole: boolean): number[] {
  const [min, max] = [values[0]!, values.at(-1)!];
  // Edges have twelve digits: bins narrower than this would begin where they end.
  const least = Math.max(Math.abs(min), Math.abs(max)) * 1e-9;
  const fitting = Math.max(binWidth(values) || (isWhole ? 1 : Math.abs(min) / 10 || 0.1), least);
  let step = niceStep(isWhole ? Math.max(1, fitting) : fitting);
  let edges = edgesBy(min, max, step);
  while (edges.length > mostBins + 1) {
    step = niceStep(step * 1.5);
    edges = edgesBy(min, max, step);
  }
  return edges;
}

/** Multiples of `step` from at most `min` to above `max`, or to it. */
function edgesBy(min: number, max: number, step: number): number[] {
  let first = Math.floor(min / step);
  if (edgeAt(first, step) > min) first--;
  const edges = [edgeAt(first, step)];
  const isWholeStep = Number.isInteger(step);
  for (let at = first + 1; edges.length <= mostBins + 1; at++) {
    const last = edges.at(-1)!;
    // A bin of whole numbers ends before the next one, so the largest has a bin of its own.
    if (edges.length > 1 && (isWholeStep ? last > max : last >= max)) break;
    edges.push(edgeAt(at, step));
  }
  return edges;
}

/** `number × step` without what binary fractions add: 3 × 0.1 is 0.3. */
function edgeAt(number: number, step: number): number {
  return Number((number * step).toPrecision(12));
}

/** 1, 2 or 5 times a power of ten, at least `width`. */
function niceStep(width: number): number {
  const power = Math.floor(Math.log10(width));
  const factor = [1, 2, 5, 10].find((each) => each * 10 ** power >= width * (1 - 1e-9)) ?? 10;
  return Number(`${factor}e${power}`);
}

/** Edges at fractions of an octave (a factor of two), as fine as the values ask for. */
function logEdges(values: Sorted): number[] {
  const logs = values.map(Math.log2);
  const octaves = logs.at(-1)! - logs[0]!;
  let parts = 16; // of an octave
  while (parts > 1 && (1 / parts < binWidth(logs) * 0.75 || octaves * parts > mostBins - 2)) {
    parts /= 2;
  }
  let width = 1 / parts;
  while (octaves / width > mostBins - 2) width *= 2;
  let first = Math.floor(logs[0]! / width);
  if (octaveEdge(first * width) > values[0]!) first--;
  const edges = [octaveEdge(first * width)];
  while (edges.at(-1)! <= values.at(-1)!) edges.push(octaveEdge((first + edges.length) * width));
  return edges;
}

/** Six digits are enough to tell edges apart, and short to read. */
function octaveEdge(octave: number): number {
  return Number((2 ** octave).toPrecision(6));
}

/** The width of a bin that suits ascending values; 0 where they are all alike. */
function binWidth(values: Sorted): number {
  const n = values.length;
  const width = 2 * (quantile(values, 0.75) - quantile(values, 0.25)) / Math.cbrt(n);
  if (width > 0) return width;
  return (values[n - 1]! - values[0]!) / (Math.ceil(Math.log2(n)) + 1);
}
