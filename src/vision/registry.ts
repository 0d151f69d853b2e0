import { z } from "zod";

/** What a model is for; a step refuses a model of another task. */
export const tasks = [
  "image-embedding",
  "text-embedding",
  "tokenizer",
  "object-detection",
  "face-detection",
] as const;

export type ModelTask = (typeof tasks)[number];

/** How a picture becomes a tensor, in the order of the properties. */
export const preprocessShape = z.strictObject({
  /**
   * `short_side`: scaled so that the short side has the input's size, then cropped in the centre;
   * `letterbox`: scaled to fit, the rest at the right and at the bottom filled with `fill`;
   * `stretch`: both sides to the input's size.
   */
  fit: z.enum(["short_side", "letterbox", "stretch"]),
  /** Pixels; the tensor is height × width of this. */
  size: z.strictObject({ width: z.int().min(1), height: z.int().min(1) }),
  kernel: z.enum(["cubic", "linear", "lanczos3"]).default("cubic"),
  channels: z.enum(["rgb", "bgr"]),
  layout: z.enum(["nchw", "nhwc"]).default("nchw"),
  /** Samples of 0 to 255 are multiplied by this, then less `mean`, then divided by `std`. */
  scale: z.number().positive().default(1),
  /** By channel in the tensor's order. */
  mean: z.tuple([z.number(), z.number(), z.number()]).default([0, 0, 0]),
  std: z.tuple([z.number(), z.number(), z.number()]).default([1, 1, 1]),
  /** 0 to 255, where the picture does not reach. */
  fill: z.int().min(0).max(255).default(114),
});

export type Preprocess = z.output<typeof preprocessShape>;

const tensorShape = z.strictObject({
  name: z.string(),
  type: z.enum(["float32", "float16", "int64", "int32"]).default("float32"),
  /** Dimensions; "n" is the batch, other names are free ("h", "w"). */
  dims: z.array(z.union([z.int().min(1), z.string()])),
});

/** Where the file comes from. */
const sourceShape = z.union([
  z.strictObject({ url: z.url() }),
  /** A file inside a published npm package. */
  z.strictObject({ npm: z.string(), path: z.string() }),
  /** Nobody publishes it in a place to rely on: words on where a person finds it. */
  z.strictObject({ local: z.string() }),
]);

/** How outputs become what a step gives. */
const decodeShape = z.discriminatedUnion("as", [
  /** The output is the vector. */
  z.strictObject({ as: z.literal("vector") }),
  /** [n, c, h, w]: the mean over h and w. */
  z.strictObject({ as: z.literal("mean_over_space") }),
  z.strictObject({ as: z.literal("yolox"), classes: z.literal("coco80") }),
  z.strictObject({ as: z.literal("detr"), classes: z.literal("coco91") }),
  z.strictObject({ as: z.literal("yunet") }),
]);

const sha256Shape = z.string().regex(/^[0-9a-f]{64}$/);

/** One model of `models.yaml`. */
export const modelShape = z.strictObject({
  task: z.enum(tasks),
  about: z.string(),
  /** SPDX. */
  licence: z.string(),
  source: sourceShape,
  /** Below the folder of model files, with "/" between names. */
  file: z.string().regex(/^(?!\.)[\w.-]+(\/(?!\.)[\w.-]+)*$/),
  sha256: sha256Shape,
  bytes: z.int().min(1),
  /** Files that hold the same in other words (a tokenizer saved by another version): as good. */
  equivalents: z.array(z.strictObject({ sha256: sha256Shape, bytes: z.int().min(1) })).optional(),
  inputs: z.array(tensorShape).default([]),
  outputs: z.array(tensorShape).default([]),
  preprocess: preprocessShape.optional(),
  decode: decodeShape.optional(),
  /** Other models that it works with: the text side of CLIP, its tokenizer. */
  companions: z.record(z.string(), z.string()).default({}),
  /** Of an image-embedding: the cosine from which pictures are similar, where a recipe gives none. */
  similar_from: z.number().gt(0).max(1).optional(),
});

export type ModelEntry = z.output<typeof modelShape> & { readonly name: string };
