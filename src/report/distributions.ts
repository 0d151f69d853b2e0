import type { Histogram } from "../baseline/baseline.ts";

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

function extended({ scale, bins }: Histogram, values: readonly number[]): Bin[] {
  const all = [...bins];
  if (all.length === 0 || values.length === 0) return all;
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
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
