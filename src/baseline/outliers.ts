import type { OutlierRule } from "./baseline.ts";
import { type MeasureNature, quantile, type Sorted, tenDigits } from "./distribution.ts";

/** The rule in words, with its numbers. */
export const outlierMethod =
  "modified z-score over 3.5 (Iglewicz and Hoaglin 1993): 0.6745 times " +
  "the distance from the median, divided by the median absolute deviation; on a log scale for sizes, " +
  "bytes and sharpness; where the deviation of half the pictures is 0, by the mean absolute " +
  "deviation times 1.2533; and further from the median than what is common: a quarter in sizes, bytes " +
  "and sharpness, 0.1 in clipping, 0.05 in brightness, 0.02 in contrast, 0.2 bits in entropy, 5 in " +
  "quality and colourfulness";

/** Scores of more than this are outliers. */
const threshold = 3.5;

/** The median absolute deviation of a normal distribution, in standard deviations: Φ⁻¹(3/4). */
const normalMedianDeviation = 0.674489750196082;

/** Its standard deviation in mean absolute deviations: √(π/2). */
const normalMeanDeviation = 1.2533141373155;

/** On a log scale nothing lies further below the median: a picture all black has a sharpness of 0. */
const leastOfMedian = 2 ** -20;

/**
 * Which values of a measure are outliers: B. Iglewicz and D. C. Hoaglin, "How to Detect and Handle
 * Outliers", ASQC Quality Press, 1993: those whose modified z-score
 * `0.6745 × |x − median| / MAD` is over 3.5.
 *
 * Given as bounds in the measure's own unit, `median ± 3.5 × spread` with `spread = MAD / 0.6745`, or
 * `median × e^(±3.5 × spread)` on a log scale, with natural logarithms in MAD. Where MAD is 0, as at
 * least half of the values are alike, the spread is `1.2533 × mean absolute deviation`, which for a
 * normal distribution is the same; where all values are alike there is no bound. Where most values are
 * nearly alike, the bounds are widened to `leastDistance`, so that a picture a pixel narrower is no
 * outlier. A skewed measure whose median is not above 0 has a linear scale.
 */
export function outlierRule(
  measure: string,
  values: Sorted,
  { isSkewed, leastDistance }: Pick<MeasureNature, "isSkewed" | "leastDistance">,
): OutlierRule {
  const median = quantile(values, 0.5);
  const isLog = isSkewed && median > 0;
  const spread = spreadOf(deviationsOf(values, median, isLog));
  const least = isLog ? Math.log(leastDistance) : isSkewed ? 0 : leastDistance;
  const reach = Math.max(threshold * (spread ?? 0), least);
  const bounds = spread === null ? { low: null, high: null } : boundsOf(median, reach, isLog);
  return {
    measure,
    scale: isLog ? "log" : "linear",
    median: tenDigits(median),
    spread: spread === null ? null : tenDigits(spread),
    ...bounds,
    below: countOf(values, (value) => bounds.low !== null && value < bounds.low),
    above: countOf(values, (value) => bounds.high !== null && value > bounds.high),
  };
}

/** Distances from the median, ascending. */
function deviationsOf(values: Sorted, median: number, isLog: boolean): Sorted {
  const distance = isLog
    ? (value: number) =>
      Math.abs(Math.max(Math.log(value) - Math.log(median), Math.log(leastOfMedian)))
    : (value: number) => Math.abs(value - median);
  return values.map(distance).sort();
}

/** In standard deviations of a normal distribution; null where all values are alike. */
function spreadOf(deviations: Sorted): number | null {
  const median = quantile(deviations, 0.5);
  if (median > 0) return median / normalMedianDeviation;
  const mean = deviations.reduce((sum, each) => sum + each, 0) / deviations.length;
  return mean > 0 ? mean * normalMeanDeviation : null;
}

/** Null where a bound is beyond what numbers can say, so that nothing lies outside of it. */
function boundsOf(median: number, reach: number, isLog: boolean) {
  const low = isLog ? median * Math.exp(-reach) : median - reach;
  const high = isLog ? median * Math.exp(reach) : median + reach;
  return { low: finite(low), high: finite(high) };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? tenDigits(value) : null;
}

function countOf(values: Sorted, isCounted: (value: number) => boolean): number {
  let count = 0;
  for (const value of values) if (isCounted(value)) count++;
  return count;
}
