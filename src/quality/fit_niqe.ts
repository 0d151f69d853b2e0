import { covarianceOf, meanOf } from "./matrix.ts";
import { FEATURES, type NiqeModel } from "./niqe.ts";

/** The fewest blocks that a model is fitted to: five for each of its 36 features. */
export const LEAST_BLOCKS = 5 * FEATURES;

/** Blocks count that are sharper than this part of the sharpest of their picture; the paper's T. */
export const LEAST_SHARPNESS = 0.75;

/** A model of the blocks' features: their mean and covariance. There must be `LEAST_BLOCKS` or more. */
export function fitNiqeModel(blocks: readonly Float64Array[], name: string): NiqeModel {
  if (blocks.length < LEAST_BLOCKS) {
    throw new RangeError(`Cannot fit NIQE to ${blocks.length} blocks (${LEAST_BLOCKS} are wanted)`);
  }
  const { size, values } = covarianceOf(blocks);
  return {
    name,
    luma: "y",
    mu: [...meanOf(blocks)],
    cov: Array.from(
      { length: size },
      (_, row) => [...values.subarray(row * size, (row + 1) * size)],
    ),
  };
}
