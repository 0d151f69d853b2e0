import {
  type Baseline,
  type Characteristic,
  characteristics,
  type Measure,
  measures,
  type Mode,
  type OutlierRule,
  type Population,
  type Standing,
} from "./baseline.ts";
import { clustersOf } from "./clusters.ts";
import {
  blurryOfMedian,
  digitsDown,
  histogramOf,
  natureOf,
  quantile,
  quantilesOf,
  type Sorted,
  sorted,
  tenDigits,
} from "./distribution.ts";
import { outlierMethod, outlierRule } from "./outliers.ts";
import { summaryOf } from "./summary.ts";
import { measureText } from "./wording.ts";

/** What is read of a picture's header. */
export interface PictureMetadata {
  readonly format: string;
  /** Pixels, upright, at least 1. */
  readonly width: number;
  readonly height: number;
  /** EXIF, 1 to 8. */
  readonly orientation: number;
  readonly colour_space: string;
  readonly bit_depth: number;
  readonly has_alpha: boolean;
  readonly uses_alpha: boolean;
  readonly icc_profile: string | null;
  readonly is_srgb: boolean;
  readonly pages: number;
  readonly chroma_subsampling: string | null;
  readonly bytes: number;
  readonly bits_per_pixel: number;
  readonly jpeg_quality: number | null;
  readonly camera_make: string | null;
  readonly camera_model: string | null;
}

/** What is measured of its pixels. */
export interface PictureContent {
  readonly brightness: number;
  readonly contrast: number;
  readonly sharpness: number;
  readonly entropy: number;
  readonly colourfulness: number;
  readonly clipped_dark: number;
  readonly clipped_bright: number;
}

export interface PictureFacts {
  readonly metadata: PictureMetadata;
  /** Undefined where the pixels were not measured. */
  readonly content: PictureContent | undefined;
}

export interface Discovery {
  readonly baseline: Baseline;
  /** One a picture, in the order that they were given in. */
  readonly standings: readonly Standing[];
}

/**
 * What a set of pictures is like, and where each of them stands in it. The order of the pictures does
 * not count. No pictures give a baseline of no images, whose summary says so.
 */
export async function discover(pictures: readonly PictureFacts[]): Promise<Discovery> {
  const columns = columnsOf(pictures);
  const headers = pictures.map(({ metadata }) => metadata);
  const { clusters, assigned } = await clustersOf(headers);
  const rules = outlierMeasures.flatMap((measure) => {
    const values = columns.get(measure);
    return values === undefined ? [] : [outlierRule(measure, values, natureOf(measure))];
  });
  const standings = pictures.map((picture, at) => standingOf(picture, assigned[at]!, rules));
  const baseline: Omit<Baseline, "summary"> = {
    images: pictures.length,
    bytes: sumOf(headers, ({ bytes }) => bytes),
    pixels: sumOf(headers, ({ width, height }) => width * height),
    quantiles: byMeasure(columns, (values) => quantilesOf(values)!),
    histograms: byMeasure(columns, (values, measure) => histogramOf(values, natureOf(measure))),
    modes: modesOf(headers),
    clusters,
    outliers: {
      method: outlierMethod,
      images: standings.filter(({ is_outlier }) => is_outlier).length,
      rules,
    },
    population: populationOf(pictures, columns.get("sharpness")),
  };
  return { baseline: { ...baseline, summary: summaryOf(baseline) }, standings };
}

function sumOf<Value>(values: readonly Value[], read: (value: Value) => number): number {
  return values.reduce((sum, value) => sum + read(value), 0);
}

type Read<Value> = (picture: PictureFacts) => Value;

const readMeasure: Readonly<Record<Measure, Read<number | null | undefined>>> = {
  width: ({ metadata }) => metadata.width,
  height: ({ metadata }) => metadata.height,
  long_side: ({ metadata: { width, height } }) => Math.max(width, height),
  short_side: ({ metadata: { width, height } }) => Math.min(width, height),
  megapixels: ({ metadata: { width, height } }) => width * height / 1e6,
  aspect_ratio: ({ metadata: { width, height } }) =>
    tenDigits(Math.max(width, height) / Math.min(width, height)),
  bytes: ({ metadata }) => metadata.bytes,
  bits_per_pixel: ({ metadata }) => metadata.bits_per_pixel,
  jpeg_quality: ({ metadata }) => metadata.jpeg_quality,
  brightness: ({ content }) => content?.brightness,
  contrast: ({ content }) => content?.contrast,
  sharpness: ({ content }) => content?.sharpness,
  entropy: ({ content }) => content?.entropy,
  colourfulness: ({ content }) => content?.colourfulness,
  clipped_dark: ({ content }) => content?.clipped_dark,
  clipped_bright: ({ content }) => content?.clipped_bright,
  clipped: clippedOf,
};

/** To four digits, as normalizing judges it. */
function clippedOf({ content }: PictureFacts): number | undefined {
  return content && Math.round((content.clipped_dark + content.clipped_bright) * 1e4) / 1e4;
}

type Columns = ReadonlyMap<Measure, Sorted>;

/** The values of each measure that some picture has, ascending. */
function columnsOf(pictures: readonly PictureFacts[]): Columns {
  const columns = new Map<Measure, Sorted>();
  for (const measure of measures) {
    const values = sorted(pictures.map(readMeasure[measure]));
    if (values.length > 0) columns.set(measure, values);
  }
  return columns;
}

function byMeasure<Value>(columns: Columns, make: (values: Sorted, measure: Measure) => Value) {
  return Object.fromEntries(
    [...columns].map(([measure, values]) => [measure, make(values, measure)]),
  );
}

// Outliers.

/** Measures that outliers are looked for in: those that others follow from are not asked again. */
const outlierMeasures: readonly Measure[] = [
  "long_side",
  "short_side",
  "aspect_ratio",
  "bytes",
  "bits_per_pixel",
  "jpeg_quality",
  "brightness",
  "contrast",
  "sharpness",
  "entropy",
  "colourfulness",
  "clipped",
];

function standingOf(
  picture: PictureFacts,
  cluster: number,
  rules: readonly OutlierRule[],
): Standing {
  const outlier_of: string[] = [];
  for (const { measure, low, high } of rules) {
    const value = readMeasure[measure as Measure](picture);
    if (value == null) continue;
    const isLow = low !== null && value < low;
    if (!isLow && !(high !== null && value > high)) continue;
    outlier_of.push(outlierText(measure, value, { low: isLow ? low : null, high }));
  }
  return { cluster, is_outlier: outlier_of.length > 0, outlier_of };
}

/** `sharpness 3.1 is below 12.5`; with all digits where rounding would make both the same. */
function outlierText(
  measure: string,
  value: number,
  { low, high }: Pick<OutlierRule, "low" | "high">,
): string {
  const bound = low ?? high!;
  const [said, wanted] = [measureText(measure, value), measureText(measure, bound)];
  const texts = said === wanted ? [value, bound] : [said, wanted];
  return `${measure} ${texts[0]} is ${low === null ? "above" : "below"} ${texts[1]}`;
}

// Modes.

const mostModes = 10;

const readCharacteristic: Readonly<
  Record<Characteristic, (header: PictureMetadata) => string | null>
> = {
  resolution: ({ width, height }) => `${width} × ${height}`,
  aspect_ratio: ({ width, height }) => aspectName(width, height),
  format: ({ format }) => format,
  jpeg_quality: ({ jpeg_quality }) => jpeg_quality === null ? null : String(jpeg_quality),
  colour_mode: colourMode,
  bit_depth: ({ bit_depth }) => String(bit_depth),
  chroma_subsampling: ({ chroma_subsampling }) => chroma_subsampling,
  orientation: ({ orientation }) => orientationNames[orientation] ?? String(orientation),
  icc_profile: ({ icc_profile }) => icc_profile ?? "none",
  camera: cameraName,
};

function modesOf(headers: readonly PictureMetadata[]): Record<string, Mode[]> {
  return Object.fromEntries(
    characteristics.map((characteristic) =>
      [characteristic, commonest(headers, readCharacteristic[characteristic])] as const
    ).filter(([, modes]) => modes.length > 0),
  );
}

function commonest(
  headers: readonly PictureMetadata[],
  read: (header: PictureMetadata) => string | null,
): Mode[] {
  const counts = new Map<string, number>();
  for (const header of headers) {
    const value = read(header);
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, mostModes)
    .map(([value, count]) => ({ value, count, share: tenDigits(count / headers.length) }));
}

/** Long to short; a picture within 1 % of one is called so. */
const aspects: readonly (readonly [long: number, short: number])[] = [
  [1, 1],
  [5, 4],
  [4, 3],
  [3, 2],
  [16, 10],
  [16, 9],
  [2, 1],
  [21, 9],
  [3, 1],
];

function aspectName(width: number, height: number): string {
  const ratio = Math.max(width, height) / Math.min(width, height);
  const known = aspects.find(([long, short]) => Math.abs(ratio * short / long - 1) <= 0.01);
  const [long, short] = known ?? [Number(ratio.toFixed(2)), 1];
  return width >= height ? `${long}:${short}` : `${short}:${long}`;
}

function colourMode({ colour_space, bit_depth }: PictureMetadata): string {
  return `${colour_space} ${bit_depth}`;
}

/** EXIF orientations by what turns the stored picture upright. */
const orientationNames: Readonly<Record<number, string>> = {
  1: "1 (upright)",
  2: "2 (mirrored)",
  3: "3 (turned by 180°)",
  4: "4 (mirrored, turned by 180°)",
  5: "5 (mirrored, turned by 270°)",
  6: "6 (turned by 90°)",
  7: "7 (mirrored, turned by 90°)",
  8: "8 (turned by 270°)",
};

/** The model with its make in front, where it does not begin with it; null where neither is known. */
function cameraName({ camera_make, camera_model }: PictureMetadata): string | null {
  const [make, model] = [camera_make?.trim() ?? "", camera_model?.trim() ?? ""];
  const first = make.split(" ")[0]!.toLowerCase();
  const name = model.toLowerCase().startsWith(first) ? model : `${make} ${model}`.trim();
  return name || make || null;
}

// Population.

/** Pictures by all that a policy acts on, the largest group first. */
function populationOf(
  pictures: readonly PictureFacts[],
  sharpness: Sorted | undefined,
): Population[] {
  const blur = sharpness === undefined ? 0 : quantile(sharpness, 0.5) * blurryOfMedian;
  const groups = new Map<string, Population>();
  for (const picture of pictures) {
    const group = groupOf(picture, blur);
    const { images: _, bytes, ...alike } = group;
    const key = Object.values(alike).join("\0");
    const known = groups.get(key);
    if (known === undefined) {
      groups.set(key, group);
    } else {
      known.images++;
      known.bytes += bytes;
    }
  }
  return [...groups].sort(([a, m], [b, n]) => n.images - m.images || (a < b ? -1 : 1))
    .map(([, group]) => group);
}

function groupOf(picture: PictureFacts, blur: number): Population {
  const { metadata, content } = picture;
  const { colour_space, bit_depth, icc_profile, is_srgb } = metadata;
  const isPlainGrey = colour_space === "grey" && bit_depth <= 8 && icc_profile === null;
  const clipped = clippedOf(picture);
  return {
    format: metadata.format,
    width: metadata.width,
    height: metadata.height,
    jpeg_quality: metadata.jpeg_quality,
    colour_mode: colourMode(metadata),
    has_alpha: metadata.has_alpha,
    uses_alpha: metadata.uses_alpha,
    is_upright: metadata.orientation === 1,
    is_multi_page: metadata.pages > 1,
    is_srgb: is_srgb || isPlainGrey,
    sharpness: content === undefined ? null : sharpnessDown(content.sharpness, blur),
    clipped: clipped === undefined ? null : clippedUp(clipped),
    images: 1,
    bytes: metadata.bytes,
  };
}

/** To two digits below `blur`, else to one, but not to less than `blur`. */
function sharpnessDown(sharpness: number, blur: number): number {
  if (sharpness < blur) return digitsDown(sharpness, 2);
  return Math.max(digitsDown(sharpness, 1), digitsDown(blur, 2));
}

/** Up to steps of 5 %; 0.15 / 0.05 is 2.9999999999999996, and yet three steps. */
function clippedUp(ratio: number): number {
  return Math.ceil(ratio * 20 - 1e-6) / 20;
}
