import type { Baseline, Measure, Quantiles } from "./baseline.ts";
import type { SettingPath } from "./policy.ts";

export type Setting = string | number | boolean | null;

export type Range =
  | {
    readonly type: "range";
    readonly low: number;
    readonly high: number;
    readonly grain: Grain;
    readonly because: string;
  }
  /** There is nothing to choose from: the setting can only be null. */
  | { readonly type: "absent"; readonly because: string };

/** What a value is rounded to; with digits and percents a predicted effect counts exactly. */
type Grain = "whole" | "two-digits" | "percent";

const rangedSettings = [
  "long_side_px",
  "short_side_px",
  "quality",
  "leave_out.short_side_below_px",
  "leave_out.sharpness_below",
  "leave_out.clipped_above",
] as const;

type RangedSetting = (typeof rangedSettings)[number];
export type Ranges = Readonly<Record<RangedSetting, Range>>;

/**
 * What a model may choose from, so that it can neither enlarge nor throw the set away: sides from
 * the 5th percentile to the largest there is, quality from 70, or
 * the lowest there is, up to the highest there is, and limits for
 * leaving out that no more than a quarter of the pictures are beyond.
 */
export function rangesOf(baseline: Baseline): Ranges {
  return {
    long_side_px: sideRange(baseline, "long_side"),
    short_side_px: sideRange(baseline, "short_side"),
    quality: qualityRange(baseline),
    "leave_out.short_side_below_px": belowRange(baseline, "short_side", "whole"),
    "leave_out.sharpness_below": belowRange(baseline, "sharpness", "two-digits"),
    "leave_out.clipped_above": clippedRange(baseline),
  };
}

/** The sides that a policy can have, as in `policyShape`. */
const leastSide = 16;
const largestSide = 16384;

function sideRange(baseline: Baseline, measure: Measure): Range {
  const quantiles = quantilesOf(baseline, measure);
  if (quantiles === undefined) return absent(`the baseline has no ${named(measure)}`);
  const high = Math.floor(Math.min(quantiles.max, largestSide));
  if (high < leastSide) {
    return absent(
      `no ${named(measure)} is over ${short(quantiles.max)} px, and no limit is that low`,
    );
  }
  const low = Math.min(Math.ceil(Math.max(quantiles.p05, leastSide)), high);
  const because = `the ${named(measure)} of this set goes from ${short(quantiles.p05)} (p05) to ` +
    `${short(quantiles.max)} px (max)`;
  return { type: "range", low, high, grain: "whole", because };
}

/** Below this a photo shows its blocks; lower only where the set itself has it. */
const leastQuality = 70;

function qualityRange(baseline: Baseline): Range {
  const quantiles = quantilesOf(baseline, "jpeg_quality");
  const high = Math.max(1, Math.min(100, Math.floor(quantiles?.max ?? 100)));
  const least = Math.max(1, Math.floor(quantiles?.min ?? leastQuality));
  const low = Math.min(leastQuality, least, high);
  const top = quantiles === undefined ? "100" : `${short(quantiles.max)} (max)`;
  const bottom = low === leastQuality ? String(low) : `${short(low)} (min)`;
  const because = `quality goes from ${bottom} to ${top}`;
  return { type: "range", low, high, grain: "whole", because };
}

function belowRange(baseline: Baseline, measure: Measure, grain: Grain): Range {
  const quantiles = quantilesOf(baseline, measure);
  if (quantiles === undefined) return absent(`the baseline has no ${named(measure)}`);
  const high = grain === "whole" ? Math.floor(quantiles.p25) : digitsDown(quantiles.p25);
  const low = grain === "whole" ? 1 : 0;
  const because = `a quarter of this set has a ${named(measure)} below ${
    short(quantiles.p25)
  } (p25)`;
  return high < low ? absent(because) : { type: "range", low, high, grain, because };
}

function clippedRange(baseline: Baseline): Range {
  const quantiles = quantilesOf(baseline, "clipped");
  if (quantiles === undefined) return absent("the baseline has no shares of clipped pixels");
  const { p75 } = quantiles;
  const low = Math.min(1, percentUp(p75));
  const because = `a quarter of this set has a share of clipped pixels over ${short(p75)} (p75)`;
  return { type: "range", low, high: 1, grain: "percent", because };
}

/** `long_side` as prose has it. */
function named(measure: Measure): string {
  return measure.replaceAll("_", " ");
}

function absent(because: string): Range {
  return { type: "absent", because };
}

function quantilesOf(baseline: Baseline, measure: Measure): Quantiles | undefined {
  const quantiles = baseline.quantiles[measure];
  return quantiles === undefined || quantiles.count === 0 ? undefined : quantiles;
}

/** A setting within its range, with the reason where it had to be changed for that. */
export function fitted(
  value: Setting,
  range: Range | undefined,
): { readonly became: Setting; readonly because?: string } {
  if (typeof value !== "number" || range === undefined) return { became: value };
  if (range.type === "absent") return { became: null, because: range.because };
  const nearest = rounded(value, range.grain);
  const became = Math.min(Math.max(nearest, range.low), range.high);
  if (became === value) return { became };
  return { became, because: became === nearest ? grainWords[range.grain] : range.because };
}

const grainWords: Readonly<Record<Grain, string>> = {
  whole: "it is a whole number",
  "two-digits": "it is given with two digits",
  percent: "it is given in whole percents",
};

function rounded(value: number, grain: Grain): number {
  switch (grain) {
    case "whole":
      return Math.round(value);
    case "two-digits":
      return Number(value.toPrecision(2));
    case "percent":
      return Math.round(value * 100) / 100;
  }
}

/** The least share in whole percents that is not below it. */
function percentUp(share: number): number {
  const nearest = Math.round(share * 100);
  return (nearest / 100 < share ? nearest + 1 : nearest) / 100;
}

/** The two digits that a positive number begins with: 12.98 gives 12. */
function digitsDown(value: number): number {
  const nearest = Number(value.toPrecision(2));
  if (nearest <= value) return nearest;
  return Number((nearest - 10 ** (Math.floor(Math.log10(value)) - 1)).toPrecision(2));
}

export function isRanged(setting: SettingPath): setting is RangedSetting {
  return (rangedSettings as readonly string[]).includes(setting);
}

/** A number with four digits that count; a model needs no more. */
export function short(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
