import { rowKind } from "../../runtime/artifact.ts";
import { baselineShape, standingShape } from "../../baseline/baseline.ts";
import { policyShape, recommendationShape } from "../../baseline/policy.ts";

/** What a set of pictures is like; nested values are JSON columns of its one row. */
export const baseline = rowKind("baseline", "what a set of pictures is like", baselineShape);

/** Where a picture stands in its set: its cluster, and what it is an outlier of. */
export const standing = rowKind("standing", "where a picture stands in its set", standingShape);

/** What pictures are normalized to. */
export const policy = rowKind("policy", "what pictures are normalized to", policyShape);

/** A policy by rules with its reasons and its effect, a model's beside it, and which is applied. */
export const recommendation = rowKind(
  "recommendation",
  "an advised policy, with reasons and predicted effect",
  recommendationShape,
);
