import { z } from "zod";

const side = z.int().min(16).max(16384).nullable();

/**
 * What pictures are normalized to. Every number is a limit that pictures are brought down to, never up.
 */
export const policyShape = z.strictObject({
  /** Pixels of the long side at most; null for no limit. */
  long_side_px: side.default(null),
  /** Pixels of the short side at most; null for no limit. */
  short_side_px: side.default(null),
  /** `keep` leaves JPEG, PNG and WebP as they are, and turns others into the nearest of them. */
  format: z.enum(["keep", "jpeg", "png", "webp"]).default("keep"),
  /** JPEG and WebP quality at most. */
  quality: z.int().min(1).max(100).default(90),
  /** `rgb` and `grey` convert; `keep` leaves grey pictures grey. */
  colour: z.enum(["keep", "rgb", "grey"]).default("keep"),
  alpha: z.enum(["keep", "flatten"]).default("keep"),
  /** What `flatten` puts pictures on. */
  background: z.string().regex(/^#[0-9a-f]{6}$/).default("#ffffff"),
  /** Pictures to leave out; null for no limit. */
  leave_out: z.strictObject({
    short_side_below_px: z.int().min(1).nullable().default(null),
    sharpness_below: z.number().min(0).nullable().default(null),
    /** Share of clipped pixels, dark and bright together, 0 to 1. */
    clipped_above: z.number().min(0).max(1).nullable().default(null),
  }).prefault({}),
});

export type Policy = z.output<typeof policyShape>;

/** A setting's name as reasons and differences give it: `quality`, `leave_out.sharpness_below`. */
export type SettingPath = string;

const settingShape = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** Why a setting is what it is. */
const reasonShape = z.object({
  setting: z.string(),
  value: settingShape,
  /** Where in the baseline it was read: `quantiles.long_side.p90`; null where no number is behind it. */
  from: z.string().nullable(),
  /** The number there. */
  measured: z.number().nullable(),
  because: z.string(),
});

/** What a policy would do to the set of a baseline. */
export const effectShape = z.object({
  images: z.int(),
  left_out: z.int(),
  /** Pictures whose pixels are encoded anew, for whatever reason. */
  changed: z.int(),
  resized: z.int(),
  /** Brought to a lower quality at the same size. */
  recompressed: z.int(),
  converted: z.int(),
  pixels_before: z.int(),
  pixels_after: z.int(),
  bytes_before: z.int(),
  /** An estimate; the method is in the doc of `predictEffect`. */
  bytes_after: z.int(),
});

export type Effect = z.output<typeof effectShape>;

/** What a model said, and what became of it. */
export const adviceShape = z.object({
  /** `none`: nobody was asked. `failed`: the rules stand, `problem` says why. */
  status: z.enum(["none", "given", "failed"]),
  advisor: z.string(),
  model: z.string().nullable(),
  problem: z.string().nullable(),
  rationale: z.string().nullable(),
  /** What it advised, within the measured range. */
  policy: policyShape.nullable(),
  /** What had to be brought into the measured range. */
  clamped: z.array(
    z.object({
      setting: z.string(),
      said: settingShape,
      became: settingShape,
      because: z.string(),
    }),
  ),
  /** Settings in which it differs from the rules. */
  differences: z.array(
    z.object({ setting: z.string(), rules: settingShape, advisor: settingShape }),
  ),
  effect: effectShape.nullable(),
});

export type Advice = z.output<typeof adviceShape>;

/** A policy by rules, a model's beside it, and which of the two is applied. */
export const recommendationShape = z.object({
  rules: policyShape,
  reasons: z.array(reasonShape),
  effect: effectShape,
  advice: adviceShape,
  accepted: z.enum(["rules", "advisor"]),
});

export type Recommendation = z.output<typeof recommendationShape>;
export type Reason = z.output<typeof reasonShape>;
