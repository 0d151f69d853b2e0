/** A support vector regression with a Gaussian kernel. */
export interface SupportVectors {
  /** Of the kernel `exp(−gamma · |x − v|²)`. */
  readonly gamma: number;
  readonly rho: number;
  /** One a vector. */
  readonly coefficients: Float64Array;
  /** Row-major, one vector a row, as long as there are features. */
  readonly vectors: Float32Array;
}

/**
 * `Σ coefficient · kernel − rho`. OpenCV has kernels in 32 bits, which with coefficients of 1,024 makes
 * up to 0.001 of a difference.
 */
export function predict(model: SupportVectors, features: Float32Array): number {
  const { coefficients, vectors } = model;
  let sum = -model.rho;
  for (let vector = 0, at = 0; vector < coefficients.length; vector++) {
    let distance = 0;
    for (let feature = 0; feature < features.length; feature++, at++) {
      const difference = Math.fround(vectors[at]! - features[feature]!);
      distance += difference * difference;
    }
    sum += coefficients[vector]! * Math.exp(distance * -model.gamma);
  }
  return sum;
}
