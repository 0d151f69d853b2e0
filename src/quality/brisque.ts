import {
  type AsymmetricGaussian,
  fitAsymmetricGaussian,
  type SampleSums,
} from "./asymmetric_gaussian.ts";
import { gamma } from "./gamma.ts";
import { gaussianTaps, type Pixels, type Plane, rowStarts } from "./plane.ts";
import { predict, type SupportVectors } from "./support_vectors.ts";

/**
 * BRISQUE by OpenCV's model: 0 (best) to 100, also where a statistic is not defined, as in a ramp where
 * nothing is darker than its surroundings. Null for a picture of one grey, or with a side below 8 pixels.
 *
 * A. Mittal, A. K. Moorthy, A. C. Bovik, "No-Reference Image Quality Assessment in the Spatial Domain"
 * (2012), as OpenCV's `QualityBRISQUE` computes it. Since its shape parameters come in steps, and since
 * flat parts are divided by next to nothing, results are the same only when all roundings are: the
 * arithmetic here is that of OpenCV 4 on x86-64 with AVX2, in 32 bits with fused multiply-adds.
 */
export function brisque(pixels: Pixels, model: BrisqueModel): number | null {
  if (Math.min(pixels.width, pixels.height) < LEAST_SIDE) return null;
  const grey = greyLevels(pixels);
  if (grey.values.every((level) => level === grey.values[0])) return null;
  const features = brisqueFeatures(grey);
  const scaled = features.map((feature, at) => {
    const { least, most } = model.ranges[at]!;
    return f32(-1 + f32(f32(2 * f32(feature - least)) / f32(most - least)));
  });
  const score = predict(model.vectors, scaled);
  return Number.isNaN(score) ? WORST : Math.max(0, Math.min(WORST, score));
}

/** A model with the ranges that its features were scaled by. */
export interface BrisqueModel {
  readonly vectors: SupportVectors;
  /** One a feature. */
  readonly ranges: readonly { readonly least: number; readonly most: number }[];
}

/** At half of this the blur is wider than the picture. */
const LEAST_SIDE = 8;

const WORST = 100;

const f32 = Math.fround;

/** OpenCV's `BGR2GRAY` in 8 bits, as a part of 255. */
function greyLevels({ width, height, channels, pixels }: Pixels): Plane {
  const values = new Float32Array(width * height);
  const part = f32(1 / 255);
  for (let at = 0, from = 0; at < values.length; at++, from += channels) {
    const weighted = 9798 * pixels[from]! + 19235 * pixels[from + 1]! + 3735 * pixels[from + 2]!;
    values[at] = ((weighted + 16384) >> 15) * part;
  }
  return { width, height, values };
}

/** 18 features of the picture, and the same of it at half the size. */
export function brisqueFeatures(plane: Plane): Float32Array {
  return Float32Array.from([plane, halved(plane)].flatMap((each) => {
    const normalized = normalizedPlane(each);
    const [own, ...products] = pairSums(normalized).map(fitAsymmetricGaussian);
    return [
      own!.shape,
      f32(own!.left ** 2 + own!.right ** 2) / 2,
      ...products.flatMap(productFeatures),
    ];
  }));
}

function productFeatures({ shape, left, right }: AsymmetricGaussian): number[] {
  const spread = Math.sqrt(gamma(1 / shape)) / Math.sqrt(gamma(3 / shape));
  const mean = (right - left) * (gamma(2 / shape) / gamma(1 / shape)) * spread;
  return [shape, mean, left ** 2, right ** 2];
}

/**
 * Each level less the Gaussian mean around it, divided by the deviation around it plus 1/255. Not a
 * number where rounding makes the variance negative.
 */
function normalizedPlane(plane: Plane): Plane {
  const { width, height, values } = plane;
  const squares = squared(values);
  const means = blurred(plane);
  const meanSquares = blurred({ width, height, values: squares });
  const little = f32(1 / 255);
  for (let at = 0; at < values.length; at++) {
    const mean = means[at]!;
    const deviation = f32(Math.sqrt(f32(meanSquares[at]! - f32(mean * mean))));
    means[at] = f32(values[at]! - mean) / f32(deviation + little);
  }
  return { width, height, values: means };
}

function squared(values: Float32Array): Float32Array {
  const squares = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) squares[at] = values[at]! * values[at]!;
  return squares;
}

const [outer, third, second, middle] = gaussianTaps.map(f32) as [number, number, number, number];

/**
 * OpenCV's `GaussianBlur` of 32-bit levels, the border repeated: across from left to right, then down
 * from the middle outwards, each step rounded to 32 bits once.
 */
function blurred({ width, height, values }: Plane): Float32Array {
  const across = new Float32Array(values.length);
  const line = new Float32Array(width + 6);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    line.fill(values[start]!, 0, 3);
    line.set(values.subarray(start, start + width), 3);
    line.fill(values[start + width - 1]!, width + 3);
    for (let at = 0; at < width; at++) {
      let sum = f32(line[at]! * outer);
      sum = f32(line[at + 1]! * third + sum);
      sum = f32(line[at + 2]! * second + sum);
      sum = f32(line[at + 3]! * middle + sum);
      sum = f32(line[at + 4]! * second + sum);
      sum = f32(line[at + 5]! * third + sum);
      across[start + at] = line[at + 6]! * outer + sum;
    }
  }
  return blurredDown({ width, height, values: across });
}

function blurredDown({ width, height, values }: Plane): Float32Array {
  const down = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    const [a, b, c, d, e, f, g] = rowStarts(row, { width, height }) as Seven;
    const start = row * width;
    for (let at = 0; at < width; at++) {
      let sum = f32(values[d + at]! * middle);
      sum = f32(f32(values[e + at]! + values[c + at]!) * second + sum);
      sum = f32(f32(values[f + at]! + values[b + at]!) * third + sum);
      down[start + at] = f32(values[g + at]! + values[a + at]!) * outer + sum;
    }
  }
  return down;
}

type Seven = [number, number, number, number, number, number, number];

/** The neighbour whose product with a level is looked at: right, below, below right, above right. */
const neighbours = [[0, 1], [1, 0], [1, 1], [-1, 1]] as const;

/** Sums over the levels, and over their products with each neighbour; outside the picture is 0. */
function pairSums(plane: Plane): SampleSums[] {
  const count = plane.values.length;
  const ones: Plane = { ...plane, values: new Float32Array(count).fill(1) };
  const own = productSums(plane, ones, [0, 0]);
  return [own, ...neighbours.map((neighbour) => productSums(plane, plane, neighbour))];
}

/**
 * Signs are told by their bits and by squares that keep the sign, without a branch that depends on
 * them: branches took half of the time of the whole measure.
 */
function productSums(
  { width, height, values }: Plane,
  { values: others }: Plane,
  [down, right]: readonly [down: number, right: number],
): SampleSums {
  const signs = new Int32Array(values.buffer);
  const otherSigns = new Int32Array(others.buffer);
  const step = down * width + right;
  let counted = 0;
  let negatives = 0;
  let squares = 0;
  let signedSquares = 0;
  let absolutes = 0;
  for (let row = Math.max(0, -down); row < height - Math.max(0, down); row++) {
    const end = row * width + width - right;
    for (let at = row * width; at < end; at++) {
      const value = f32(values[at]! * others[at + step]!);
      const absolute = Math.abs(value);
      // Zero or no number.
      if (!(absolute > 0)) continue;
      counted++;
      negatives -= (signs[at]! ^ otherSigns[at + step]!) >> 31;
      const signed = f32(value * absolute);
      squares += Math.abs(signed);
      signedSquares += signed;
      absolutes += absolute;
    }
  }
  return {
    count: values.length,
    negatives,
    positives: counted - negatives,
    negativeSquares: (squares - signedSquares) / 2,
    positiveSquares: (squares + signedSquares) / 2,
    absolutes,
  };
}

/**
 * OpenCV's `resize` to half, rounded down, by cubic interpolation: across from left to right; down from
 * the last row to the first in whole groups of four columns, which SSE2 takes at once, and from the
 * first to the last in those that are left.
 */
export function halved({ width, height, values }: Plane): Plane {
  const small = { width: width >> 1, height: height >> 1 };
  const across = new Float32Array(small.width * height);
  for (const [column, { places, weights }] of cubicTaps(width, small.width).entries()) {
    const [p0, p1, p2, p3] = places;
    const [w0, w1, w2, w3] = weights;
    for (let row = 0; row < height; row++) {
      const start = row * width;
      let sum = f32(f32(values[start + p0]! * w0) + f32(values[start + p1]! * w1));
      sum = f32(sum + f32(values[start + p2]! * w2));
      across[row * small.width + column] = sum + f32(values[start + p3]! * w3);
    }
  }
  return { ...small, values: halvedDown({ ...small, height, values: across }, small.height) };
}

function halvedDown({ width, height, values }: Plane, wanted: number): Float32Array {
  const down = new Float32Array(width * wanted);
  const grouped = width & ~3;
  for (const [row, { places, weights }] of cubicTaps(height, wanted).entries()) {
    const [r0, r1, r2, r3] = places.map((place) => place * width) as unknown as Four;
    const [w0, w1, w2, w3] = weights;
    for (let at = 0; at < width; at++) {
      const [v0, v3] = [f32(values[r0 + at]! * w0), f32(values[r3 + at]! * w3)];
      const [v1, v2] = [f32(values[r1 + at]! * w1), f32(values[r2 + at]! * w2)];
      down[row * width + at] = at < grouped
        ? v0 + f32(v1 + f32(v2 + v3))
        : f32(f32(v0 + v1) + v2) + v3;
    }
  }
  return down;
}

type Four = readonly [number, number, number, number];

/** The four samples that each wanted one is made from, those outside being the nearest, and weights. */
function cubicTaps(count: number, wanted: number) {
  const scale = 1 / (wanted / count);
  return Array.from({ length: wanted }, (_, at) => {
    const centre = f32((at + 0.5) * scale - 0.5);
    const before = Math.floor(centre);
    const places = [-1, 0, 1, 2].map((offset) =>
      Math.max(0, Math.min(count - 1, before + offset))
    ) as unknown as Four;
    return { places, weights: cubicWeights(f32(centre - before)) };
  });
}

/** Keys' cubic convolution with A = −0.75, in 32 bits. */
function cubicWeights(x: number): Four {
  const first = outerWeight(x);
  const [second, third] = [innerWeight(x), innerWeight(f32(1 - x))];
  return [first, second, third, f32(f32(f32(1 - first) - second) - third)];
}

/** `((A (x + 1) − 5 A)(x + 1) + 8 A)(x + 1) − 4 A`. */
function outerWeight(x: number): number {
  const next = f32(x + 1);
  const inner = f32(f32(f32(f32(-0.75 * next) + 3.75) * next) - 6);
  return f32(f32(inner * next) + 3);
}

/** `((A + 2) x − (A + 3)) x² + 1`. */
function innerWeight(x: number): number {
  return f32(f32(f32(f32(f32(1.25 * x) - 2.25) * x) * x) + 1);
}
