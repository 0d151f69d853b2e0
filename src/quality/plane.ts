/** One channel of a picture: row-major, height × width, 32-bit. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Interleaved sRGB, 8 bits a channel; a fourth channel is left out of account. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly pixels: Uint8Array;
}

/** Standard deviation of the Gaussian, in pixels. */
const DEVIATION = 7 / 6;

const offsets = [-3, -2, -1, 0, 1, 2, 3] as const;

/**
 * Weights of the two-dimensional window from a corner to the middle, as they are stored with the
 * published parameters of NIQE: computed anew, they differ in the last bit, which NIQE can see.
 */
const windowOctant = [
  [0.0001577586358082699, 0.0009900950389243662, 0.0029804862989742742, 0.004303520521060793],
  [0.006213848015864077, 0.01870556678610541, 0.027008944999942323],
  [0.05630942821519818, 0.08130511451661487],
  [0.11739635539001349],
] as const;

/** Seven times seven weights, row-major, that add up to 1. */
export const gaussianWindow: readonly number[] = offsets.flatMap((y) =>
  offsets.map((x) => {
    const [near, far] = [Math.min(Math.abs(x), Math.abs(y)), Math.max(Math.abs(x), Math.abs(y))];
    return windowOctant[3 - far]![far - near]!;
  })
);

/** Of the seven weights of one dimension those from the outermost to the middle. */
export const gaussianTaps = normalized(
  offsets.map((x) => Math.exp(-(x ** 2) / (2 * DEVIATION ** 2))),
).slice(0, 4) as [number, number, number, number];

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Where rows from `row − 3` to `row + 3` begin; those outside are the first or the last. */
export function rowStarts(row: number, { width, height }: Omit<Plane, "values">): number[] {
  return offsets.map((offset) => Math.max(0, Math.min(height - 1, row + offset)) * width);
}
