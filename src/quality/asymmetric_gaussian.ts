import { gamma } from "./gamma.ts";

/** Sums over samples, which is all that fitting a distribution to them takes. */
export interface SampleSums {
  /** All samples, zeros and such as are no numbers included. */
  readonly count: number;
  readonly negatives: number;
  readonly positives: number;
  /** Of squares. */
  readonly negativeSquares: number;
  readonly positiveSquares: number;
  /** Of absolute values. */
  readonly absolutes: number;
}

/**
 * An asymmetric generalized Gaussian distribution: 2 for a bell, 1 for a double exponential; the
 * standard deviations are those of each side about 0. NaN where a side has no samples.
 */
export interface AsymmetricGaussian {
  readonly shape: number;
  readonly left: number;
  readonly right: number;
}

/** Shapes that are tried, as OpenCV counts them up: 0.2, 0.201 and so on below 10. */
const shapes: Float64Array = countedUp(0.2, 0.001, 10);

function countedUp(start: number, step: number, end: number): Float64Array {
  const all: number[] = [];
  for (let value = start; value < end; value += step) all.push(value);
  return Float64Array.from(all);
}

/** For each shape `Γ(2/γ)² / (Γ(1/γ) Γ(3/γ))`, which rises with it. */
const ratios = shapes.map((shape) => gamma(2 / shape) ** 2 / (gamma(1 / shape) * gamma(3 / shape)));

/**
 * The distribution by moment matching (N.-E. Lasmar, Y. Stitou, Y. Berthoumieu, "Multiscale skewed heavy
 * tailed model for texture analysis", 2009), the shape to 0.001.
 */
export function fitAsymmetricGaussian(sums: SampleSums): AsymmetricGaussian {
  const left = Math.sqrt(sums.negativeSquares / sums.negatives);
  const right = Math.sqrt(sums.positiveSquares / sums.positives);
  const skew = left / right;
  const meanSquare = (sums.negativeSquares + sums.positiveSquares) / sums.count;
  const ratio = (sums.absolutes / sums.count) ** 2 / meanSquare;
  const wanted = ratio * (skew ** 3 + 1) * (skew + 1) / (skew ** 2 + 1) ** 2;
  return { shape: Number.isNaN(wanted) ? NaN : shapes[nearestRatio(wanted)]!, left, right };
}

/** The place of the ratio next to `wanted`; of two that are equally near, the first. */
function nearestRatio(wanted: number): number {
  let [low, high] = [0, ratios.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ratios[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  const isBeforeNearer = low > 0 &&
    Math.abs(ratios[low - 1]! - wanted) <= Math.abs(ratios[low]! - wanted);
  return isBeforeNearer ? low - 1 : low;
}
