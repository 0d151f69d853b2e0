import { fitAsymmetricGaussian, type SampleSums } from "./asymmetric_gaussian.ts";
import { gamma } from "./gamma.ts";
import { covarianceOf, inverseForm } from "./matrix.ts";
import { gaussianTaps, gaussianWindow, type Pixels, type Plane, rowStarts } from "./plane.ts";

/** Features of a block: 18 of each of two scales. */
export const FEATURES = 36;

/** Pristine parameters: what a picture is compared with. */
export interface NiqeModel {
  /** What tables say that NIQE was measured by; the file's name when left out. */
  readonly name?: string;
  /** `y`: luma from 16 to 235; `grey`: MATLAB's `rgb2gray`. The published parameters go with `y`. */
  readonly luma: "y" | "grey";
  /** Means of the features of pristine blocks, and their covariance. */
  readonly mu: readonly number[];
  readonly cov: readonly (readonly number[])[];
}

/** Pixels a side of a block. */
export const BLOCK = 96;

/**
 * NIQE by a pristine model: 0 where the picture is as the pristine ones, mostly 2 to 12, without upper
 * limit. Null for a picture of less than two blocks that have any structure.
 *
 * A. Mittal, R. Soundararajan, A. C. Bovik, "Making a 'Completely Blind' Image Quality Analyzer" (2013):
 * `√((μ₁ − μ₂)ᵀ ((Σ₁ + Σ₂) / 2)⁻¹ (μ₁ − μ₂))` of the features of all blocks and the model's, as LIVE's
 * MATLAB code computes it.
 */
export function niqe(pixels: Pixels, model: NiqeModel): number | null {
  const blocks = niqeBlocks(pixels, model.luma).map(({ features }) => features);
  const usable = blocks.filter(isComplete);
  if (usable.length < 2) return null;
  const mean = meanPresent(blocks);
  const difference = mean.map((value, at) => value - model.mu[at]!);
  const { size, values } = covarianceOf(usable);
  const middle = values.map((value, at) =>
    (value + model.cov[Math.floor(at / size)]![at % size]!) / 2
  );
  const distance = Math.sqrt(inverseForm({ size, values: middle }, difference));
  return Number.isFinite(distance) ? distance : null;
}

export function isComplete(features: Float64Array): boolean {
  return features.every(Number.isFinite);
}

/** Of each feature the mean of those blocks that have it. */
function meanPresent(blocks: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: FEATURES }, (_, feature) => {
    let [sum, count] = [0, 0];
    for (const block of blocks) {
      if (!Number.isFinite(block[feature]!)) continue;
      sum += block[feature]!;
      count++;
    }
    return sum / count;
  });
}

/** A block of the picture, `BLOCK` pixels a side. */
export interface NiqeBlock {
  /** Some are not a number where the block is flat. */
  readonly features: Float64Array;
  /** The mean deviation around each pixel, by which sharp blocks are told. */
  readonly sharpness: number;
}

/** All whole blocks from the top left, column by column. */
export function niqeBlocks(pixels: Pixels, luma: NiqeModel["luma"]): NiqeBlock[] {
  const columns = Math.floor(pixels.width / BLOCK);
  const rows = Math.floor(pixels.height / BLOCK);
  if (columns * rows === 0) return [];
  const plane = lumaPlane(pixels, luma, { width: columns * BLOCK, height: rows * BLOCK });
  const large = normalizedPlane(plane);
  const small = normalizedPlane(halved(plane));
  return Array.from({ length: columns * rows }, (_, at) => {
    const place = { column: Math.floor(at / rows), row: at % rows };
    const features = [
      ...blockFeatures(large.normalized, { ...place, side: BLOCK }),
      ...blockFeatures(small.normalized, { ...place, side: BLOCK / 2 }),
    ];
    return {
      features: Float64Array.from(features),
      sharpness: meanOfBlock(large.deviations, { ...place, side: BLOCK }),
    };
  });
}

/** The top left part of the picture in whole levels, as MATLAB's `rgb2ycbcr` and `rgb2gray` round. */
function lumaPlane(
  { width: pictureWidth, channels, pixels }: Pixels,
  luma: NiqeModel["luma"],
  { width, height }: Omit<Plane, "values">,
): WidePlane {
  const weights = luma === "y" ? [65.481, 128.553, 24.966] : [76.2195, 149.685, 29.0955];
  const [red, green, blue] = weights.map((weight) => weight / 255) as [number, number, number];
  const base = luma === "y" ? 16 : 0;
  const values = new Float64Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0, at = row * pictureWidth * channels; column < width; column++) {
      values[to++] = Math.round(
        red * pixels[at]! + green * pixels[at + 1]! + blue * pixels[at + 2]! + base,
      );
      at += channels;
    }
  }
  return { width, height, values };
}

/** One channel of a picture in 64 bits. */
interface WidePlane extends Omit<Plane, "values"> {
  readonly values: Float64Array;
}

/** Below this, a variance may be nothing but rounding. */
const LEAST_VARIANCE = 1e-8;

/** Each level less the Gaussian mean around it, divided by the deviation around it plus 1. */
function normalizedPlane(plane: WidePlane) {
  const { width, height, values } = plane;
  const means = blurred(plane);
  const deviations = blurred({ width, height, values: squared(values) });
  const rounding = new FlatRounding(plane);
  for (let at = 0; at < values.length; at++) {
    const mean = means[at]!;
    const variance = Math.abs(deviations[at]! - mean * mean);
    const deviation = Math.sqrt(variance);
    deviations[at] = deviation;
    means[at] = variance < LEAST_VARIANCE && rounding.isFlat(at)
      ? rounding.normalized(values[at]!)
      : (values[at]! - mean) / (deviation + 1);
  }
  return {
    normalized: { width, height, values: means },
    deviations: { width, height, values: deviations },
  };
}

const [outer, third, second, middle] = gaussianTaps;

function squared(values: Float64Array): Float64Array {
  const squares = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) squares[at] = values[at]! ** 2;
  return squares;
}

/** The border repeated. */
function blurred({ width, height, values }: WidePlane): Float64Array {
  const down = new Float64Array(width + 6);
  const result = new Float64Array(values.length);
  for (let row = 0; row < height; row++) {
    const [a, b, c, d, e, f, g] = rowStarts(row, { width, height }) as Seven;
    for (let at = 0; at < width; at++) {
      down[at + 3] = middle * values[d + at]! + second * (values[c + at]! + values[e + at]!) +
        third * (values[b + at]! + values[f + at]!) + outer * (values[a + at]! + values[g + at]!);
    }
    down.fill(down[3]!, 0, 3);
    down.fill(down[width + 2]!, width + 3);
    const start = row * width;
    for (let at = 0; at < width; at++) {
      result[start + at] = middle * down[at + 3]! + second * (down[at + 2]! + down[at + 4]!) +
        third * (down[at + 1]! + down[at + 5]!) + outer * (down[at]! + down[at + 6]!);
    }
  }
  return result;
}

type Seven = [number, number, number, number, number, number, number];

/**
 * Where a picture is flat, the mean differs from the level by rounding alone; yet these differences of
 * 1e-14 count among the levels above and below the mean, and move NIQE by up to 0.05. Here they are as
 * the 49 products of the two-dimensional window give them, summed row by row, as SciPy does.
 */
class FlatRounding {
  readonly #known = new Map<number, number>();

  constructor(readonly plane: WidePlane) {}

  /** Whether all levels under the window are equal. */
  isFlat(at: number): boolean {
    const { width, height, values } = this.plane;
    const column = at % width;
    const first = Math.max(0, column - 3);
    const last = Math.min(width - 1, column + 3);
    const value = values[at]!;
    return rowStarts(Math.floor(at / width), { width, height }).every((start) => {
      for (let near = start + first; near <= start + last; near++) {
        if (values[near] !== value) return false;
      }
      return true;
    });
  }

  normalized(value: number): number {
    let known = this.#known.get(value);
    if (known === undefined) {
      const mean = windowSum(value);
      known = (value - mean) / (Math.sqrt(Math.abs(windowSum(value * value) - mean * mean)) + 1);
      this.#known.set(value, known);
    }
    return known;
  }
}

function windowSum(value: number): number {
  return gaussianWindow.reduce((sum, weight) => sum + value * weight, 0);
}

/** Of MATLAB's `imresize` to a half: cubic with A = −0.5, widened by 2. */
const halvingTaps = [
  -0.01171875,
  -0.03515625,
  0.11328125,
  0.43359375,
  0.43359375,
  0.11328125,
  -0.03515625,
  -0.01171875,
] as const;

/** To half the size, antialiased as MATLAB's `imresize` does, the border mirrored; even sides. */
function halved({ width, height, values }: WidePlane): WidePlane {
  const small = { width: width / 2, height: height / 2 };
  const across = new Float64Array(small.width * height);
  const line = new Float64Array(width + 6);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    for (let at = -3; at < width + 3; at++) {
      line[at + 3] = values[start + mirrored(at, width)]! / 255;
    }
    for (let at = 0; at < small.width; at++) {
      across[row * small.width + at] = weighted(line, 2 * at);
    }
  }
  const halves = new Float64Array(small.width * small.height);
  const column = new Float64Array(height + 6);
  for (let at = 0; at < small.width; at++) {
    for (let row = -3; row < height + 3; row++) {
      column[row + 3] = across[mirrored(row, height) * small.width + at]!;
    }
    for (let row = 0; row < small.height; row++) {
      halves[row * small.width + at] = weighted(column, 2 * row) * 255;
    }
  }
  return { ...small, values: halves };
}

function weighted(line: Float64Array, at: number): number {
  let sum = 0;
  for (let tap = 0; tap < 8; tap++) sum += halvingTaps[tap]! * line[at + tap]!;
  return sum;
}

/** −1 is 0, −2 is 1; likewise beyond the end. */
function mirrored(at: number, length: number): number {
  if (at < 0) return -1 - at;
  return at < length ? at : 2 * length - 1 - at;
}

interface Place {
  readonly column: number;
  readonly row: number;
  readonly side: number;
}

function meanOfBlock({ width, values }: WidePlane, { column, row, side }: Place): number {
  let sum = 0;
  for (let y = row * side; y < (row + 1) * side; y++) {
    const start = y * width + column * side;
    for (let at = start; at < start + side; at++) sum += values[at]!;
  }
  return sum / side ** 2;
}

/** The neighbour whose product with a level is looked at, as in the paper; they wrap in the block. */
const neighbours = [[0, -1], [-1, 0], [-1, -1], [-1, 1]] as const;

/** 18 features of a block: those of its levels, then four of the products in each direction. */
function blockFeatures(plane: WidePlane, place: Place): number[] {
  const wrapped = wrappedBlock(plane, place);
  const wide = place.side + 2;
  const ones = new Float64Array(wrapped.length).fill(1);
  const own = fitAsymmetricGaussian(productSums(wrapped, ones, 0));
  const spread = spreadOf(own.shape);
  const features = [own.shape, (own.left + own.right) * spread / 2];
  for (const [down, right] of neighbours) {
    const sums = productSums(wrapped, wrapped, down * wide + right);
    const { shape, left: leftDeviation, right: rightDeviation } = fitAsymmetricGaussian(sums);
    const leftScale = leftDeviation * spreadOf(shape);
    const rightScale = rightDeviation * spreadOf(shape);
    const mean = (rightScale - leftScale) * (gamma(2 / shape) / gamma(1 / shape));
    features.push(shape, mean, leftScale, rightScale);
  }
  return features;
}

function spreadOf(shape: number): number {
  return Math.sqrt(gamma(1 / shape) / gamma(3 / shape));
}

/** A block with one more row and column on each side, which are those of the opposite side. */
function wrappedBlock({ width, values }: WidePlane, { column, row, side }: Place): Float64Array {
  const wide = side + 2;
  const wrapped = new Float64Array(wide * wide);
  for (let y = -1; y <= side; y++) {
    const from = (row * side + (y + side) % side) * width + column * side;
    const to = (y + 1) * wide;
    wrapped[to] = values[from + side - 1]!;
    wrapped.set(values.subarray(from, from + side), to + 1);
    wrapped[to + wide - 1] = values[from]!;
  }
  return wrapped;
}

/** Sums over a block's products; signs are told by their bits, see BRISQUE. */
function productSums(wrapped: Float64Array, others: Float64Array, step: number): SampleSums {
  // The upper half of each number, on a little-endian machine, as all that Deno runs on are.
  const signs = new Int32Array(wrapped.buffer);
  const otherSigns = new Int32Array(others.buffer);
  const wide = Math.sqrt(wrapped.length);
  let counted = 0;
  let negatives = 0;
  let squares = 0;
  let signedSquares = 0;
  let absolutes = 0;
  for (let row = 1; row < wide - 1; row++) {
    const end = (row + 1) * wide - 1;
    for (let at = row * wide + 1; at < end; at++) {
      const value = wrapped[at]! * others[at + step]!;
      const absolute = Math.abs(value);
      if (!(absolute > 0)) continue;
      counted++;
      negatives -= (signs[2 * at + 1]! ^ otherSigns[2 * (at + step) + 1]!) >> 31;
      const signed = value * absolute;
      squares += Math.abs(signed);
      signedSquares += signed;
      absolutes += absolute;
    }
  }
  return {
    count: (wide - 2) ** 2,
    negatives,
    positives: counted - negatives,
    negativeSquares: (squares - signedSquares) / 2,
    positiveSquares: (squares + signedSquares) / 2,
    absolutes,
  };
}
