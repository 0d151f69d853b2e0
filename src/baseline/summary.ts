import type { Baseline, Measure, Mode } from "./baseline.ts";
import { formatTitle, grouping } from "../imaging/wording.ts";
import {
  bytesText,
  colourText,
  countText,
  measureText,
  numberText,
  percentText,
} from "./wording.ts";

type Measured = Omit<Baseline, "summary">;

/**
 * A baseline in plain sentences, for a person and for a model: nothing in them comes from a single
 * picture's name or place. What was not measured is not spoken of.
 */
export function summaryOf(baseline: Measured): string[] {
  if (baseline.images === 0) return ["There are no pictures to read a baseline from."];
  return [
    sizeSentence(baseline),
    resolutionSentence(baseline),
    formatSentence(baseline),
    qualitySentence(baseline),
    colourSentence(baseline),
    alphaSentence(baseline),
    uprightSentence(baseline),
    lightSentence(baseline),
    sharpnessSentence(baseline),
    cameraSentence(baseline),
    clusterSentence(baseline),
    outlierSentence(baseline),
  ].filter((sentence) => sentence !== undefined);
}

function sizeSentence({ images, bytes, pixels, quantiles }: Measured): string {
  const total = `${countText(images)} with ${numberText(pixels / 1e6)} megapixels in ` +
    bytesText(bytes);
  if (images === 1) return `${total}.`;
  const middle = quantiles["bytes"] === undefined
    ? ""
    : `; ${spanText(quantiles, "bytes", "file")}`;
  return `${total}${middle}.`;
}

function resolutionSentence({ images, quantiles, modes }: Measured): string | undefined {
  const sizes = modes["resolution"];
  if (sizes === undefined) return undefined;
  const [first] = sizes;
  if (first!.count === images) {
    return images === 1 ? `It is ${first!.value} pixels.` : `All are ${first!.value} pixels.`;
  }
  const common = sizes.filter(({ count, share }) => count > 1 && share >= 0.01).slice(0, 3);
  const listed = common.length === 0
    ? "No size is common"
    : `The commonest sizes are ${listText(common)}`;
  return `${listed}; ${spanText(quantiles, "long_side", "long side")}, ` +
    `${spanText(quantiles, "short_side", "short side")}.`;
}

function formatSentence({ images, modes }: Measured): string | undefined {
  const formats = modes["format"];
  if (formats === undefined) return undefined;
  const [first] = formats;
  if (first!.count === images) {
    return `${images === 1 ? "It is" : "All are"} ${formatTitle(first!.value)}.`;
  }
  const named = formats.map((mode) => ({ ...mode, value: formatTitle(mode.value) }));
  return `The formats are ${listText(named)}.`;
}

function qualitySentence({ quantiles, modes }: Measured): string | undefined {
  const [first] = modes["jpeg_quality"] ?? [];
  if (first === undefined) return undefined;
  const { count } = quantiles["jpeg_quality"]!;
  const measured = `${countText(count, "JPEG")} of a known quality`;
  if (first.count === count) return `${measured}: ${first.value}.`;
  return `${measured}: ${spanText(quantiles, "jpeg_quality", "quality")}; the commonest is ` +
    `${first.value} (${countText(first.count)}).`;
}

function colourSentence({ images, modes }: Measured): string | undefined {
  const colours = modes["colour_mode"];
  if (colours === undefined) return undefined;
  const named = colours.map((mode) => ({ ...mode, value: colourText(mode.value) }));
  const profiles = modes["icc_profile"] ?? [];
  const embedded = profiles.filter(({ value }) => value !== "none").slice(0, 3);
  const profile = embedded.length === 0 ? "" : `; embedded profiles: ${listText(embedded)}`;
  return named[0]!.count === images
    ? `Colour is ${named[0]!.value}${profile}.`
    : `Colour is ${listText(named)}${profile}.`;
}

function alphaSentence({ images, population }: Measured): string | undefined {
  const used = countWhere(population, ({ uses_alpha }) => uses_alpha);
  const idle = countWhere(population, ({ has_alpha, uses_alpha }) => has_alpha && !uses_alpha);
  if (used + idle === 0) return undefined;
  const shown = used === 0
    ? "No picture has transparency that shows"
    : `Transparency shows in ${countText(used)} (${percentText(used / images)})`;
  return `${shown}${
    idle === 0 ? "" : `; ${countText(idle)} with an alpha channel that says nothing`
  }.`;
}

function uprightSentence({ population }: Measured): string | undefined {
  const turned = countWhere(population, ({ is_upright }) => !is_upright);
  return turned === 0
    ? undefined
    : `${countText(turned)} stored turned or mirrored (EXIF orientation).`;
}

function countWhere(
  population: Baseline["population"],
  isCounted: (group: Baseline["population"][number]) => boolean,
): number {
  return population.filter(isCounted).reduce((sum, { images }) => sum + images, 0);
}

function lightSentence({ quantiles }: Measured): string | undefined {
  if (quantiles["brightness"] === undefined) return undefined;
  return `On a scale of 0 to 1, ${spanText(quantiles, "brightness", "brightness")}, ` +
    `${spanText(quantiles, "contrast", "contrast")}; ` +
    `${spanText(quantiles, "clipped", "share of clipped pixels")}.`;
}

function sharpnessSentence({ quantiles }: Measured): string | undefined {
  if (quantiles["sharpness"] === undefined) return undefined;
  const sharpness = spanText(quantiles, "sharpness", "sharpness (variance of the Laplacian)");
  return `${capitalised(sharpness)}; ` +
    `${spanText(quantiles, "colourfulness", "colourfulness (0 grey, 109 extreme)")}.`;
}

function cameraSentence({ modes }: Measured): string | undefined {
  const cameras = modes["camera"]?.slice(0, 3);
  return cameras === undefined ? undefined : `The commonest cameras are ${listText(cameras)}.`;
}

function clusterSentence({ images, clusters: { clusters } }: Measured): string | undefined {
  if (images === 1) return undefined;
  if (clusters.length < 2) return "By resolution and file size they are one group.";
  const groups = clusters.map(({ count, width, height, bytes }) =>
    `${countText(count)} around ${width} × ${height} and ${bytesText(bytes)}`
  );
  return `By resolution and file size they are ${clusters.length} groups: ${groups.join("; ")}.`;
}

function outlierSentence({ images, outliers }: Measured): string | undefined {
  if (images === 1) return undefined;
  if (outliers.images === 0) return "No picture is an outlier.";
  const named = outliers.rules.filter(({ below, above }) => below + above > 0)
    .map(({ measure, below, above, low, high }) => {
      const noun = measure.replaceAll("_", " ");
      const parts = [
        ...below > 0 ? [`${grouping(below)} below ${measureText(measure, low!)}`] : [],
        ...above > 0 ? [`${grouping(above)} above ${measureText(measure, high!)}`] : [],
      ];
      return `${noun}: ${parts.join(", ")}`;
    });
  const share = percentText(outliers.images / images);
  return `Outliers of some measure: ${countText(outliers.images)} (${share}); ${named.join("; ")}.`;
}

/** `the median long side is 4,000 px (nine tenths from 800 px to 6,000 px)`. */
function spanText(quantiles: Baseline["quantiles"], measure: Measure, noun: string): string {
  const { min, p05, p50, p95, max } = quantiles[measure]!;
  if (min === max) return `the ${noun} is ${measureText(measure, p50)} throughout`;
  const [low, middle, high] = [p05, p50, p95].map((value) => measureText(measure, value));
  return `the median ${noun} is ${middle} (nine tenths from ${low} to ${high})`;
}

function listText(modes: readonly Mode[]): string {
  return modes.map(({ value, share }) => `${value} (${percentText(share)})`).join(", ");
}

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
