import type { OutputTensor } from "../services/inference.ts";

/**
 * The vector divided by its L2 norm, which is then 1 within 1e-6: summed in float64, rounded once.
 * Undefined where there is no direction: all 0, or not all finite.
 */
export function unitVector(values: ArrayLike<number>): Float32Array | undefined {
  let squares = 0;
  for (let at = 0; at < values.length; at++) squares += values[at]! ** 2;
  const norm = Math.sqrt(squares);
  if (!(norm > 0) || norm === Infinity) return undefined;
  return Float32Array.from(values, (value) => value / norm);
}

/** Of [channels, height, width], the mean of each channel, in float64. */
export function meanOverSpace({ dims, values }: OutputTensor): Float64Array {
  const channels = dims[0] ?? 1;
  const area = values.length / channels;
  return Float64Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (let at = channel * area; at < (channel + 1) * area; at++) sum += values[at]!;
    return sum / area;
  });
}

/** The cosine of the angle between two unit-length vectors of one length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
