import type { Baseline, Population } from "./baseline.ts";
import type { Effect, Policy } from "./policy.ts";
import {
  leftOut,
  type Picture,
  type TargetFormat,
  type Treatment,
  treatmentOf,
} from "./treatment.ts";

/**
 * What a policy would do to the set of a baseline.
 *
 * Counts and pixels are exact, but for `recompressed`: they come from the same `treatmentOf` that
 * normalizing uses, for every group of the population. A limit of sharpness counts exactly with as many
 * digits as the population has, a limit of clipping in steps of 5 %; between them too many are counted
 * as left out. `recompressed`, and `changed` with it, leaves out pictures that would save less than 5 %
 * by the estimate, as normalizing leaves them as they are; for 94 photographs it was off by 2 at most.
 *
 * `bytes_after` is an estimate. A picture is taken to have `c × curve(quality) × pixels^e` bytes, with
 * `e` of its format (`pixelExponents`) and `curve` as measured (`qualityCurves`). So one that stays in
 * its format has
 *
 *     bytes × curve(quality after) / curve(quality before) × (pixels after / pixels before)^e
 *
 * and one that changes format has a `c` in the new format that follows from its own (`likeness`); where
 * that is not known either, from TIFF, GIF, AVIF and HEIC, it is that of the set's own pictures in the new
 * format, or `photographFactors`. Taking colours out leaves `greyShares` of the bytes. A picture within
 * the policy keeps its bytes, and none is estimated at more bytes than it has. What metadata takes is
 * not told apart.
 *
 * Measured by normalizing 94 photographs under ten policies (limits of size, quality, format, colour,
 * sharpness), and copies of them, scaled and saved as JPEG, PNG and WebP by Pillow, under five others:
 * pixels were exact, and the sum of bytes was estimated at 0.95 to 1.14 times what it became.
 */
export function predictEffect(baseline: Pick<Baseline, "population">, policy: Policy): Effect {
  const factors = factorsOf(baseline.population);
  const effect = { ...nothing };
  for (const group of baseline.population) {
    effect.images += group.images;
    effect.pixels_before += group.images * group.width * group.height;
    effect.bytes_before += group.bytes;
    if (isLeftOut(group, policy)) effect.left_out += group.images;
    else addKept(effect, group, foreseen(group, policy, factors));
  }
  return effect;
}

const nothing: Effect = {
  images: 0,
  left_out: 0,
  changed: 0,
  resized: 0,
  recompressed: 0,
  converted: 0,
  pixels_before: 0,
  pixels_after: 0,
  bytes_before: 0,
  bytes_after: 0,
};

/** What becomes of a group of pictures. */
interface Foreseen {
  readonly isResized: boolean;
  readonly isConverted: boolean;
  readonly isRecompressed: boolean;
  readonly pixels: number;
  readonly bytes: number;
}

function addKept(effect: Effect, { images }: Population, foreseen: Foreseen): void {
  const { isResized, isConverted, isRecompressed, pixels, bytes } = foreseen;
  if (isResized) effect.resized += images;
  if (isConverted) effect.converted += images;
  if (isRecompressed) effect.recompressed += images;
  if (isResized || isConverted || isRecompressed) effect.changed += images;
  effect.pixels_after += images * pixels;
  effect.bytes_after += bytes;
}

function foreseen(group: Population, policy: Policy, factors: Factors): Foreseen {
  const treatment = treatmentOf(pictureOf(group), policy);
  const { isResized, required, isQualityAbove } = treatment;
  const isConverted = required.length > (isResized ? 1 : 0);
  const encoded = bytesEncoded(group, treatment, factors);
  const isRecompressed = isQualityAbove && encoded <= group.bytes * (1 - leastSaving);
  const isChanged = isResized || isConverted || isRecompressed;
  return {
    isResized,
    isConverted,
    isRecompressed,
    pixels: treatment.width * treatment.height,
    bytes: isChanged ? encoded : group.bytes,
  };
}

/** A lower quality alone is applied where it saves so much of the bytes. */
const leastSaving = 0.05;

function isLeftOut(group: Population, policy: Policy): boolean {
  const { sharpness, clipped } = group;
  const measured = {
    sharpness: sharpness ?? Infinity,
    clipped_dark: clipped ?? 0,
    clipped_bright: 0,
  };
  return leftOut(group, measured, policy) !== undefined;
}

/** A picture of the group, as far as its treatment depends on it. */
function pictureOf(group: Population): Picture {
  const { format, width, height, has_alpha, uses_alpha, is_srgb, jpeg_quality } = group;
  const [colour_space = "rgb", bits] = group.colour_mode.split(" ");
  return {
    format,
    width,
    height,
    jpeg_quality,
    has_alpha,
    uses_alpha,
    is_srgb,
    orientation: group.is_upright ? 1 : 6,
    colour_space,
    bit_depth: Number(bits),
    icc_profile: is_srgb ? null : "not sRGB",
    pages: group.is_multi_page ? 2 : 1,
  };
}

/** `c` by format. */
type Factors = ReadonlyMap<string, number>;

/** The `c` with which the estimates of a format's pictures add up to the bytes that they have. */
function factorsOf(population: readonly Population[]): Factors {
  const bytes = new Map<string, number>();
  const expected = new Map<string, number>();
  const add = (sums: Map<string, number>, format: string, value: number) =>
    sums.set(format, (sums.get(format) ?? 0) + value);
  for (const { format, jpeg_quality, width, height, images, ...group } of population) {
    if (!isTarget(format)) continue;
    const quality = jpeg_quality ?? usualQuality;
    add(bytes, format, group.bytes);
    add(expected, format, images * relativeBytes(format, quality, width * height));
  }
  return new Map([...bytes].map(([format, sum]) => [format, sum / expected.get(format)!]));
}

/** Of all pictures of a group once they are encoded anew; at most what they have. */
function bytesEncoded(group: Population, treatment: Treatment, factors: Factors): number {
  const { formats: [wanted], quality, width, height } = treatment;
  const format = wanted!;
  const after = relativeBytes(format, quality, width * height);
  const before = relativeBytes(format, group.jpeg_quality ?? quality, group.width * group.height);
  const inColour = format === group.format
    ? group.bytes * rewriting[format] * after / before
    : group.images * factorAfter(group, format, factors) * after;
  const isTakenOut = treatment.isGrey && !group.colour_mode.startsWith("grey");
  const estimate = isTakenOut ? inColour * greyShares[format] : inColour;
  return Math.min(group.bytes, Math.max(1, Math.round(estimate)));
}

/** The `c` in the new format of pictures of another. */
function factorAfter(group: Population, to: TargetFormat, factors: Factors): number {
  const { format: from, jpeg_quality, width, height, images, bytes } = group;
  if (!isTarget(from)) return factors.get(to) ?? photographFactors[to];
  const quality = jpeg_quality ?? usualQuality;
  const own = bytes / images / relativeBytes(from, quality, width * height);
  const { factor, power } = likeness[from][to];
  return factor * own ** power;
}

/** Bytes but for the factor `c`: `curve(quality) × pixels^e`. */
function relativeBytes(format: TargetFormat, quality: number, pixels: number): number {
  return curveAt(qualityCurves[format], quality) * pixels ** pixelExponents[format];
}

/** Taken where a file does not say its quality: the default of most programs that write WebP. */
const usualQuality = 80;

type Curve = readonly (readonly [quality: number, relativeBytes: number])[];

/**
 * Bytes by quality, relative to quality 90: geometric means over 94 photographs of at most 1600 px
 * that were scaled down to a third less, encoded by libjpeg-turbo (4:2:0) and libwebp through sharp 0.35.
 * For half of the JPEGs the ratio lies within 8 % of it at quality 75, and within 10 % at 97.
 */
const qualityCurves: Readonly<Record<TargetFormat, Curve>> = {
  jpeg: [
    [1, 0.1],
    [5, 0.121],
    [10, 0.162],
    [20, 0.229],
    [30, 0.286],
    [40, 0.334],
    [50, 0.382],
    [60, 0.434],
    [70, 0.516],
    [75, 0.569],
    [80, 0.654],
    [85, 0.778],
    [90, 1],
    [92, 1.106],
    [95, 1.476],
    [97, 1.882],
    [98, 2.15],
    [100, 3.101],
  ],
  webp: [
    [1, 0.1],
    [10, 0.157],
    [30, 0.248],
    [50, 0.34],
    [70, 0.438],
    [75, 0.469],
    [80, 0.578],
    [85, 0.729],
    [90, 1],
    [95, 1.554],
    [100, 2.223],
  ],
  png: [[1, 1], [100, 1]],
};

/** On a straight line between the two points beside it. */
function curveAt(curve: Curve, quality: number): number {
  const next = Math.max(1, curve.findIndex(([q]) => q >= quality));
  const [[q0, y0], [q1, y1]] = [curve[next - 1]!, curve[next]!];
  return y0 + (y1 - y0) * (quality - q0) / (q1 - q0);
}

/**
 * How bytes grow with pixels when a picture is scaled, at quality 90: medians over the same
 * photographs at half their sides (tenths and nine tenths: JPEG 0.75 to 0.94, WebP 0.67 to 0.95, PNG
 * 0.85 to 0.99). Less than 1, since a smaller picture has more detail a pixel.
 */
const pixelExponents: Readonly<Record<TargetFormat, number>> = { jpeg: 0.84, webp: 0.8, png: 0.95 };

/**
 * What writing a picture's format anew takes, compared with the file that was there. PNGs of others
 * have their rows filtered, which normalizing does only where a file would grow without.
 */
const rewriting: Readonly<Record<TargetFormat, number>> = { jpeg: 1, webp: 1, png: 1.4 };

/** `c` of the same photographs, a mean, where neither the picture nor its set has one. */
const photographFactors: Readonly<Record<TargetFormat, number>> = {
  jpeg: 1.9,
  webp: 2.5,
  png: 3.9,
};

/** A format's `c` from another's: `factor × c ^ power`. */
interface Likeness {
  readonly factor: number;
  readonly power: number;
}

/**
 * How a picture's `c` in one format follows from that in another, fitted to the sums of bytes that
 * normalizing 75 of the photographs from JPEG and 19 from PNG gave, under five policies. Half of the
 * estimates from JPEG to WebP are then within 26 %, those from PNG within 27 %, instead of 49 % by a
 * mean for all. From WebP, which does not say its quality, it is fitted to 18 copies made by Pillow.
 */
const likeness: Readonly<Record<TargetFormat, Readonly<Record<TargetFormat, Likeness>>>> = {
  jpeg: { jpeg: same(), webp: { factor: 1.106, power: 1 }, png: { factor: 2.6, power: 0.5 } },
  webp: { jpeg: { factor: 0.75, power: 1 }, webp: same(), png: { factor: 2.5, power: 0.5 } },
  png: { jpeg: { factor: 1.36, power: 0.5 }, webp: { factor: 1.97, power: 0.5 }, png: same() },
};

function same(): Likeness {
  return { factor: 1, power: 1 };
}

/** What is left of the bytes without colours: sums over the same photographs at 800 px. */
const greyShares: Readonly<Record<TargetFormat, number>> = { jpeg: 0.87, webp: 0.82, png: 0.32 };

const targets: ReadonlySet<string> = new Set(Object.keys(qualityCurves));

function isTarget(format: string): format is TargetFormat {
  return targets.has(format);
}
