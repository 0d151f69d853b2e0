import type { Baseline, Measure, OutlierRule, Quantiles } from "./baseline.ts";
import { blurryOfMedian, digitsDown } from "./distribution.ts";
import { type Policy, policyShape, type Reason } from "./policy.ts";
import { formatTitle } from "../imaging/wording.ts";
import { colourText, numberText, percentText } from "./wording.ts";

/** A policy, and why each of its settings is what it is. */
export interface RuledPolicy {
  readonly policy: Policy;
  readonly reasons: readonly Reason[];
}

/**
 * The policy that a baseline suggests by itself. It keeps most pictures as they are: sides are limited
 * to what nine of ten pictures have, quality to what three of four JPEGs have, and what is left out is
 * an outlier, at most one in twenty.
 *
 * A limit is a quantile as it is where many pictures share the value, else rounded down: sides to
 * multiples of 64 px, quality to multiples of 5, sharpness to two digits; a limit of clipping
 * is rounded up to steps of 5 %. So it neither jumps when a
 * picture is added, nor exceeds what was measured. A baseline of no pictures gives no limits.
 */
export function policyByRules(baseline: Baseline): RuledPolicy {
  const format = formatRule(baseline);
  const reasons = [
    sideRule(baseline, "long_side"),
    sideRule(baseline, "short_side"),
    format,
    qualityRule(baseline),
    colourRule(baseline),
    alphaRule(baseline, format.value === "jpeg"),
    smallRule(baseline),
    blurRule(baseline),
    clippingRule(baseline),
  ];
  return { policy: policyOf(reasons), reasons };
}

/** The settings that reasons give, and defaults for the rest. */
function policyOf(reasons: readonly Reason[]): Policy {
  const settings: Record<string, unknown> = {};
  const leaveOut: Record<string, unknown> = {};
  for (const { setting, value } of reasons) {
    const [name, part] = setting.split(".") as [string, string?];
    if (part === undefined) settings[name] = value;
    else leaveOut[part] = value;
  }
  return policyShape.parse({ ...settings, leave_out: leaveOut });
}

/** A number of the baseline, and where it stands there. */
interface Reading {
  readonly from: string;
  readonly measured: number;
}

function reading(baseline: Baseline, measure: Measure, quantile: keyof Quantiles) {
  const quantiles = baseline.quantiles[measure];
  if (quantiles === undefined) return undefined;
  return { from: `quantiles.${measure}.${quantile}`, measured: quantiles[quantile] };
}

function reason(
  setting: string,
  value: Reason["value"],
  read: Reading | undefined,
  because: string,
): Reason {
  return { setting, value, from: read?.from ?? null, measured: read?.measured ?? null, because };
}

const leastSide = 16;
const mostSide = 16_384;

function sideRule(baseline: Baseline, measure: "long_side" | "short_side"): Reason {
  const setting = `${measure}_px`;
  const side = measure === "long_side" ? "long side" : "short side";
  const read = reading(baseline, measure, "p90");
  if (read === undefined) return reason(setting, null, undefined, "there are no pictures");
  const measured = `nine of ten pictures have a ${side} of at most ${numberText(read.measured)} px`;
  const quantiles = baseline.quantiles[measure]!;
  const value = Math.min(
    mostSide,
    isPlateau(quantiles, "p75", "p90", "p95")
      ? Math.floor(read.measured)
      : steadySide(read.measured),
  );
  if (value < leastSide) {
    return reason(setting, null, read, `${measured}, too little for a limit`);
  }
  const rest = quantiles.max > value
    ? `larger ones are brought down to ${numberText(value)} px`
    : "so no picture is touched, and a larger one that comes later is brought down to it";
  return reason(setting, value, read, `${measured}; ${rest}`);
}

/** A quantile that has the value of the one beside it: many pictures share it, so it holds. */
function isPlateau(quantiles: Quantiles, ...[before, at, after]: (keyof Quantiles)[]): boolean {
  const value = quantiles[at!];
  return Number.isInteger(value) && (quantiles[before!] === value || quantiles[after!] === value);
}

/** Rounded down to a multiple of 64; below 640 px of 16, below 160 px of 1, so by a tenth at most. */
function steadySide(side: number): number {
  const step = side >= 640 ? 64 : side >= 160 ? 16 : 1;
  return Math.floor(side / step) * step;
}

/** Above it, files grow steeply and nothing more is seen (libjpeg's usage.txt, on -quality). */
const usefulQuality = 95;

function qualityRule(baseline: Baseline): Reason {
  const read = reading(baseline, "jpeg_quality", "p75");
  if (read === undefined) {
    const standard = policyShape.parse({}).quality;
    const because = `no JPEG of a known quality was measured; ${standard} is the default`;
    return reason("quality", standard, undefined, because);
  }
  const holds = isPlateau(baseline.quantiles["jpeg_quality"]!, "p50", "p75", "p90");
  const steady = holds ? read.measured : Math.floor(read.measured / 5) * 5;
  const value = Math.max(1, Math.min(usefulQuality, steady));
  const useful = read.measured > usefulQuality
    ? `, and above ${usefulQuality} files grow with nothing more to be seen`
    : "";
  const because =
    `three of four JPEGs have a quality of at most ${numberText(read.measured)}${useful}; ` +
    `better ones are brought down to ${value} where that saves bytes`;
  return reason("quality", value, read, because);
}

/** A format that so many pictures have already is what the others are brought to. */
const dominantShare = 0.9;

/** Transparency that fewer pictures have is an accident rather than a part of the set. */
const alphaShare = 0.01;

function formatRule(baseline: Baseline): Reason {
  const [commonest] = baseline.modes["format"] ?? [];
  if (commonest === undefined) return reason("format", "keep", undefined, "there are no pictures");
  const { value: format, share } = commonest;
  const read = { from: "modes.format.0.share", measured: share };
  const measured = `${percentText(share)} of the pictures are ${formatTitle(format)}`;
  if (share < dominantShare) {
    return reason("format", "keep", read, `${measured}, too few to bring all others to it`);
  }
  if (format !== "jpeg" && format !== "webp") {
    return reason("format", "keep", read, `${measured}, and others would take more bytes in it`);
  }
  const transparent = shareWithAlpha(baseline);
  if (format === "jpeg" && transparent > alphaShare) {
    const because = `${measured}, but ${
      percentText(transparent)
    } have transparency, which JPEG has not`;
    return reason("format", "keep", read, because);
  }
  return reason("format", format, read, `${measured}; the others are brought to it`);
}

function shareWithAlpha({ population, images }: Baseline): number {
  const transparent = population.filter(({ uses_alpha }) => uses_alpha);
  return transparent.reduce((sum, group) => sum + group.images, 0) / Math.max(1, images);
}

/** Of Hasler and Süsstrunk's measure, where 15 is "slightly colourful": grey but for rounding. */
const greyColourfulness = 1;

function colourRule(baseline: Baseline): Reason {
  const most = reading(baseline, "colourfulness", "max");
  const isMeasured = baseline.quantiles["colourfulness"]?.count === baseline.images;
  if (most !== undefined && isMeasured && most.measured < greyColourfulness) {
    const because = `the most colourful picture reaches ${numberText(most.measured)}, ` +
      "which is grey to the eye; three equal channels only cost bytes";
    return reason("colour", "grey", most, because);
  }
  const [commonest] = baseline.modes["colour_mode"] ?? [];
  if (commonest === undefined) return reason("colour", "keep", undefined, "there are no pictures");
  const { value, share } = commonest;
  const because = `${percentText(share)} of the pictures are ${colourText(value)}; ` +
    "grey pictures stay grey, since three equal channels only cost bytes, and others become RGB";
  return reason("colour", "keep", { from: "modes.colour_mode.0.share", measured: share }, because);
}

function alphaRule(baseline: Baseline, isJpeg: boolean): Reason {
  const share = shareWithAlpha(baseline);
  const measured = share === 0
    ? "no picture has transparency that shows"
    : `${percentText(share)} of the pictures have transparency that shows`;
  if (isJpeg) return reason("alpha", "flatten", undefined, `${measured}, and JPEG has none`);
  const because = share === 0 ? "" : ", which is part of them";
  return reason("alpha", "keep", undefined, measured + because);
}

function smallRule(baseline: Baseline): Reason {
  return leaveOutBelow(baseline, {
    setting: "leave_out.short_side_below_px",
    measure: "short_side",
    noun: "short side",
    unit: " px",
    atMost: 0.5,
    steady: steadySide,
  });
}

function blurRule(baseline: Baseline): Reason {
  return leaveOutBelow(baseline, {
    setting: "leave_out.sharpness_below",
    measure: "sharpness",
    noun: "sharpness",
    unit: "",
    atMost: blurryOfMedian,
    steady: (value) => digitsDown(value, 2),
  });
}

interface LowLimit {
  readonly setting: string;
  readonly measure: Measure;
  readonly noun: string;
  readonly unit: string;
  /** Of the median: what is nearer to it is like the others, however alike those are. */
  readonly atMost: number;
  steady(value: number): number;
}

function leaveOutBelow(baseline: Baseline, limit: LowLimit): Reason {
  const { setting, measure, noun, unit, atMost, steady } = limit;
  const read = reading(baseline, measure, "p50");
  if (read === undefined) return reason(setting, null, undefined, `no ${noun} was measured`);
  const rule = outlierRule(baseline, measure);
  const median = `the median ${noun} is ${numberText(read.measured)}${unit}`;
  if (rule?.low == null) {
    return reason(setting, null, read, `${median}, and no picture lies far below it`);
  }
  const value = steady(Math.min(rule.low, read.measured * atMost));
  if (value <= 0) return reason(setting, null, read, `${median}, too little for a limit below it`);
  if (baseline.quantiles[measure]!.p05 < value) {
    const group = `more than one in twenty pictures lie below ${numberText(value)}${unit}`;
    return reason(setting, null, read, `${median}; ${group}, a group of their own`);
  }
  const because = `${median}; below ${numberText(value)}${unit} a picture lies so far under it, ` +
    "by the robust rule for outliers, that it is unlike the others";
  return reason(setting, value, read, because);
}

/** Less than a quarter of the pixels clipped is common in good pictures, as a sky or a night. */
const commonClipping = 0.25;

function clippingRule(baseline: Baseline): Reason {
  const setting = "leave_out.clipped_above";
  const read = reading(baseline, "clipped", "max");
  if (read === undefined) return reason(setting, null, undefined, "no clipping was measured");
  const most = `the most clipped picture has ${percentText(read.measured)} of its pixels clipped`;
  const rule = outlierRule(baseline, "clipped");
  const value = Math.ceil(Math.max(rule?.high ?? 1, commonClipping) * 20) / 20;
  if (value >= read.measured) {
    return reason(setting, null, read, `${most}, which is not far from the others`);
  }
  if (baseline.quantiles["clipped"]!.p95 > value) {
    const group = `more than one in twenty pictures have over ${percentText(value)}`;
    return reason(setting, null, read, `${most}; ${group}, a group of their own`);
  }
  const because = `${most}; above ${percentText(value)} is unlike the others by the robust rule ` +
    "for outliers";
  return reason(setting, value, read, because);
}

function outlierRule({ outliers }: Baseline, measure: Measure): OutlierRule | undefined {
  return outliers.rules.find((rule) => rule.measure === measure);
}
