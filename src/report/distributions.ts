import type { Histogram, Measure } from "../baseline/baseline.ts";
import { histogramOf, natureOf, sorted } from "../baseline/distribution.ts";

type Bin = Histogram["bins"][number];

/** Two histograms over the same bins. */
export interface SharedBins {
  readonly before: Histogram;
  readonly after: Histogram;
}

/** Bins that are added at each end at most; what is further out goes into the outermost. */
const mostAdded = 40;

/**
 * Counts values into the bins of a histogram. Where values lie outside, both get further bins, as wide
 * as their neighbours (by ratio on a log scale). Values that are not finite are passed over.
 */
export function sharedBins(before: Histogram, values: readonly number[]): SharedBins {
  const usable = values.filter((value) => Number.isFinite(value));
  const bins = extended(before, usable);
  const counts = new Array<number>(bins.length).fill(0);
  for (const value of usable) {
    const at = binOf(bins, value);
    if (at !== undefined) counts[at]!++;
  }
  return {
    before: { scale: before.scale, bins },
    after: {
      scale: before.scale,
      bins: bins.map(({ from, to }, index) => ({ from, to, count: counts[index]! })),
    },
  };
}

/** A limit that pictures were brought down to, and the values before and after. */
export interface Lowered {
  readonly limit: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** So that a value at an edge is not put into the next bin by a rounding of its logarithm. */
const edgeTolerance = 1e-9;

/**
 * Both histograms over the bins of one, moved so that the limit is an edge, and counted as
 * `from < value ≤ to`: what is at the limit is in the bar that ends there. In the bins of the baseline
 * it would be in a bar that goes on beyond the line. Undefined where the bins have no width.
 */
export function loweredBins(
  { scale, bins }: Histogram,
  { limit, before, after }: Lowered,
): SharedBins | undefined {
  const [first] = bins;
  if (first === undefined || first.to <= first.from || scale === "log" && first.from <= 0) {
    return undefined;
  }
  const step = scale === "log" ? Math.log(first.to / first.from) : first.to - first.from;
  const edge = (at: number) => scale === "log" ? limit * Math.exp(at * step) : limit + at * step;
  const places = (values: readonly number[]) =>
    values.map((value) => {
      const distance = scale === "log" ? Math.log(value / limit) : value - limit;
      return Math.ceil(distance / step - edgeTolerance) - 1;
    });
  const [placesBefore, placesAfter] = [places(before), places(after)];
  if (placesBefore.length === 0) return undefined;
  const [least, most] = endsOf(placesBefore);
  const [low, high] = endsOf([...placesBefore, ...placesAfter]);
  const start = Math.max(low, least - mostAdded);
  const length = Math.min(high, most + mostAdded) - start + 1;
  const counted = (found: readonly number[]): Histogram => {
    const counts = new Array<number>(length).fill(0);
    for (const place of found) counts[Math.max(0, Math.min(length - 1, place - start))]!++;
    return {
      scale,
      bins: counts.map((count, at) => ({
        from: edge(start + at),
        to: edge(start + at + 1),
        count,
      })),
    };
  };
  return { before: counted(placesBefore), after: counted(placesAfter) };
}

function endsOf(values: readonly number[]): readonly [number, number] {
  return values.reduce<readonly [number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

/** A histogram as it is drawn, and how many zeros are in a bin of their own at its left end. */
export interface DrawnHistogram {
  readonly histogram: Histogram;
  readonly zeros: number;
}

/** The bin of zeros is as wide as the first of the others, at least by a factor of two. */
const leastZeroRatio = 2;

/**
 * The histogram of a skewed measure that tells bars apart. No log scale shows a zero (the sharpness of
 * a blank picture), so a baseline with one has a linear scale, on which the largest value leaves a
 * single bar for all others. Drawn are the values above zero, and the zeros in a bin that lies apart,
 * left of them and of the limits. What a log scale would not serve better stays as it is.
 */
export function drawnHistogram(
  measure: Measure,
  histogram: Histogram,
  { values, limits }: { readonly values: readonly number[]; readonly limits: readonly number[] },
): DrawnHistogram {
  const asItIs = { histogram, zeros: 0 };
  const nature = natureOf(measure);
  const zeros = values.filter((value) => value === 0).length;
  if (!nature.isSkewed || histogram.scale === "log" || zeros === 0) return asItIs;
  const { scale, bins } = histogramOf(sorted(values.filter((value) => value > 0)), nature);
  if (scale !== "log") return asItIs;
  const { from, to } = bins[0]!;
  const ratio = Math.max(leastZeroRatio, to / from);
  const end = Math.min(from, ...limits.filter((limit) => limit > 0)) / ratio;
  return {
    histogram: { scale, bins: [{ from: end / ratio, to: end, count: zeros }, ...bins] },
    zeros,
  };
}

function extended({ scale, bins }: Histogram, values: readonly number[]): Bin[] {
  const all = [...bins];
  if (all.length === 0 || values.length === 0) return all;
  const [least, most] = endsOf(values);
  for (let added = 0; all[0]!.from > least && added < mostAdded; added++) {
    const { from, to } = all[0]!;
    const next = scale === "log" ? from * ratioOf(from, to) ** -1 : from - widthOf(from, to);
    all.unshift({ from: next, to: from, count: 0 });
  }
  for (let added = 0; all.at(-1)!.to < most && added < mostAdded; added++) {
    const { from, to } = all.at(-1)!;
    const next = scale === "log" ? to * ratioOf(from, to) : to + widthOf(from, to);
    all.push({ from: to, to: next, count: 0 });
  }
  return all;
}

/** All-identical pictures can have a single bin without width. */
function widthOf(from: number, to: number): number {
  return to > from ? to - from : Math.abs(from) * 0.05 || 1;
}

function ratioOf(from: number, to: number): number {
  return from > 0 && to > from ? to / from : 1.25;
}

function binOf(bins: readonly Bin[], value: number): number | undefined {
  if (bins.length === 0) return undefined;
  const last = bins.length - 1;
  if (value >= bins[last]!.from) return last;
  const at = bins.findIndex(({ from, to }) => value >= from && value < to);
  return at === -1 ? 0 : at;
}

/** The median; null of nothing. Of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
