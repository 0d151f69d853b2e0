import { z } from "zod";
import { rowKind } from "../../runtime/artifact.ts";

/** How alike two pictures are, strictest first. */
export const verdicts = ["exact", "same_picture", "similar"] as const;

export type Verdict = (typeof verdicts)[number];

/** Two pictures by their sha256, `a` < `b`, with what they were compared by. */
export const pairShape = z.object({
  a: z.string(),
  b: z.string(),
  /** The strictest that holds; null for a pair near the threshold that is not over it. */
  verdict: z.enum(verdicts).nullable(),
  /** Bits of 64, the larger on white and on black, at the nearest orientation; null for flat ones. */
  dhash_distance: z.int().nullable(),
  phash_distance: z.int().nullable(),
  /** Cosine of the embeddings, -1 to 1; null without a model. */
  cosine: z.number().nullable(),
});

export type Pair = z.output<typeof pairShape>;

/** Where a picture stands among the others. Groups are named by their content, `g` and 12 digits. */
export const verdict = rowKind(
  "verdict",
  "which other pictures are like this one",
  z.object({
    sha256: z.string(),
    /** The strictest verdict on it; null for a picture like no other. */
    verdict: z.enum(verdicts).nullable(),
    exact_group: z.string().nullable(),
    same_picture_group: z.string().nullable(),
    similar_group: z.string().nullable(),
    /** Taken with its group in one go, by camera and time. */
    is_burst: z.boolean(),
    /** The most alike other picture that was compared, and how alike. */
    nearest: pairShape.nullable(),
  }),
);

/** Groups and how they were found; JSON columns of one row. */
export const groups = rowKind(
  "groups",
  "groups of pictures that are alike",
  z.object({
    images: z.int(),
    /** What `similar` was judged by: a model's embedding, or hashes alone. */
    similar_by: z.enum(["embedding", "hashes"]),
    /** The cosine from which pictures are similar; null by hashes. */
    threshold: z.number().nullable(),
    /** How neighbours were searched for; an index tells its measured recall, 0 to 1. */
    search: z.object({ method: z.enum(["exact", "index"]), recall: z.number() }),
    counts: z.object({ exact: z.int(), same_picture: z.int(), similar: z.int() }),
    groups: z.array(z.object({
      id: z.string(),
      verdict: z.enum(verdicts),
      is_burst: z.boolean(),
      /** sha256 of each different file, ascending. */
      members: z.array(z.string()).readonly(),
      /** Items, copies counted one by one. */
      images: z.int(),
      /** The least alike two of the group. */
      widest: pairShape.nullable(),
    })).readonly(),
    /** Pairs over a threshold, and those nearest below it: what a person calibrates by. */
    pairs: z.array(pairShape).readonly(),
    /** How many compared pairs have a cosine in each bin of 0.01 from -1 to 1; null by hashes. */
    cosine_histogram: z.array(z.int()).readonly().nullable(),
    /** How many pairs have each hash distance, the larger of dHash's and pHash's, 0 to 16. */
    hash_histogram: z.array(z.int()).readonly(),
    warnings: z.array(z.string()).readonly(),
  }),
);

/** What becomes of a picture, and why. */
export const choice = rowKind(
  "keeper_choice",
  "what becomes of a picture, and why",
  z.object({
    action: z.enum(["keep", "set_aside"]),
    /** The group it was judged in; null for a picture like no other. */
    group: z.string().nullable(),
    verdict: z.enum(verdicts).nullable(),
    is_keeper: z.boolean(),
    /** The name of the picture that is kept in its place; null for one that is kept. */
    kept_instead: z.string().nullable(),
    /** Sentences with numbers, the deciding one first. */
    reasons: z.array(z.string()).readonly(),
    decided_by: z.enum(["rules", "person"]),
  }),
);
