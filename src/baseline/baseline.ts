import { z } from "zod";

/** The measures that a baseline has distributions of, in the order of reports. */
export const measures = [
  "width",
  "height",
  "long_side",
  "short_side",
  "megapixels",
  /** Long to short side, 1 or more. */
  "aspect_ratio",
  "bytes",
  "bits_per_pixel",
  "jpeg_quality",
  "brightness",
  "contrast",
  "sharpness",
  "entropy",
  "colourfulness",
  "clipped_dark",
  "clipped_bright",
  /** Dark and bright together, which is what a policy limits. */
  "clipped",
] as const;

export type Measure = (typeof measures)[number];

/** The characteristics whose commonest values a baseline lists. */
export const characteristics = [
  "resolution",
  "aspect_ratio",
  "format",
  "jpeg_quality",
  "colour_mode",
  "bit_depth",
  "chroma_subsampling",
  "orientation",
  "icc_profile",
  "camera",
] as const;

export type Characteristic = (typeof characteristics)[number];

const quantilesShape = z.object({
  /** Pictures that have the measure; a PNG has no JPEG quality. */
  count: z.int(),
  min: z.number(),
  p01: z.number(),
  p05: z.number(),
  p10: z.number(),
  p25: z.number(),
  p50: z.number(),
  p75: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
  mean: z.number(),
});

const histogramShape = z.object({
  scale: z.enum(["linear", "log"]),
  /** Counts of `from ≤ value < to`; the last bin has its end too. */
  bins: z.array(z.object({ from: z.number(), to: z.number(), count: z.int() })),
});

const modeShape = z.object({
  value: z.string(),
  count: z.int(),
  /** Of all pictures, 0 to 1. */
  share: z.number(),
});

const clusterShape = z.object({
  /** From 1, the largest first; what the standing of a picture refers to. */
  cluster: z.int(),
  count: z.int(),
  share: z.number(),
  /** The size of the member that is the median by pixels, so one that a picture has. */
  width: z.int(),
  height: z.int(),
  /** The lower median of the members. */
  bytes: z.int(),
});

const outlierRuleShape = z.object({
  measure: z.string(),
  scale: z.enum(["linear", "log"]),
  median: z.number(),
  /** What the distance from the median is divided by; null where all values are alike. */
  spread: z.number().nullable(),
  /** Values outside are outliers, in the measure's own unit; null where there is no bound. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  below: z.int(),
  above: z.int(),
});

/** Pictures that are alike in everything that a policy acts on. */
const populationShape = z.object({
  format: z.string(),
  width: z.int(),
  height: z.int(),
  jpeg_quality: z.int().nullable(),
  /** `rgb`, `grey`, `cmyk` …, with the bits a channel: `rgb 8`. */
  colour_mode: z.string(),
  has_alpha: z.boolean(),
  uses_alpha: z.boolean(),
  is_upright: z.boolean(),
  /** More than one frame or page. */
  is_multi_page: z.boolean(),
  /** Its numbers mean sRGB; also grey of at most 8 bits without a profile. */
  is_srgb: z.boolean(),
  /**
   * Rounded down: to two significant digits below a quarter of the median, else to one, so that limits
   * of as many digits count the pictures below them exactly. Null where content was not measured.
   */
  sharpness: z.number().nullable(),
  /** Share of clipped pixels, dark and bright together, rounded up to steps of 0.05. */
  clipped: z.number().nullable(),
  images: z.int(),
  /** Of all of them. */
  bytes: z.int(),
});

/** What a set of pictures is like: distributions, and nothing of a single picture. */
export const baselineShape = z.object({
  images: z.int(),
  bytes: z.int(),
  pixels: z.int(),
  /** By measure; a measure that no picture has is left out. */
  quantiles: z.record(z.string(), quantilesShape),
  histograms: z.record(z.string(), histogramShape),
  /** By characteristic, the commonest first, at most ten. */
  modes: z.record(z.string(), z.array(modeShape)),
  clusters: z.object({
    /** In words, with library and numbers. */
    method: z.string(),
    /** Mean silhouette, −1 to 1; null with a single cluster. */
    silhouette: z.number().nullable(),
    clusters: z.array(clusterShape),
  }),
  outliers: z.object({
    method: z.string(),
    /** Pictures that are an outlier of some measure. */
    images: z.int(),
    rules: z.array(outlierRuleShape),
  }),
  population: z.array(populationShape),
  /** Plain sentences, for a person and for a model. */
  summary: z.array(z.string()),
});

export type Baseline = z.output<typeof baselineShape>;
export type Quantiles = z.output<typeof quantilesShape>;
export type Histogram = z.output<typeof histogramShape>;
export type Population = z.output<typeof populationShape>;
export type OutlierRule = z.output<typeof outlierRuleShape>;
export type Mode = z.output<typeof modeShape>;
export type Cluster = z.output<typeof clusterShape>;

/** Where one picture stands in the set. */
export const standingShape = z.object({
  cluster: z.int(),
  is_outlier: z.boolean(),
  /** `sharpness 3.1 is below 12.5`, one for each measure it is an outlier of. */
  outlier_of: z.array(z.string()),
});

export type Standing = z.output<typeof standingShape>;
