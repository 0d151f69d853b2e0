import { type Baseline, baselineShape } from "../../src/baseline/baseline.ts";

/** The canary: what no output, message or log may ever hold. */
export const canaryKey = "canary-5d2f9e-never-shown";

interface Sizes {
  readonly width: number;
  readonly height: number;
  readonly quality: number | null;
  readonly sharpness: number;
}

const pictures: readonly Sizes[] = Array.from({ length: 20 }, (_, index) => ({
  width: 800 + 200 * index,
  height: 600 + 100 * index,
  quality: 75 + index,
  sharpness: 20 + 10 * index,
}));

/** A baseline of twenty JPEGs: widths 800 to 4,600 px, heights 600 to 2,500 px, quality 75 to 94. */
export function exampleBaseline(): Baseline {
  return baselineOf(pictures);
}

/** The same without any lossy file, and without content. */
export function losslessBaseline(): Baseline {
  const { quantiles, ...baseline } = baselineOf(
    pictures.map((each) => ({ ...each, quality: null })),
  );
  const { sharpness: _, clipped: __, ...rest } = quantiles;
  return { ...baseline, quantiles: rest };
}

function baselineOf(pictures: readonly Sizes[]): Baseline {
  const bytes = ({ width, height }: Sizes) => Math.round(width * height / 4);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const measured: Record<string, readonly number[]> = {
    long_side: pictures.map(({ width }) => width),
    short_side: pictures.map(({ height }) => height),
    jpeg_quality: pictures.flatMap(({ quality }) => quality ?? []),
    sharpness: pictures.map(({ sharpness }) => sharpness),
    clipped: pictures.map((_, index) => index / 100),
  };
  const quantiles = Object.entries(measured).filter(([, values]) => values.length > 0)
    .map(([measure, values]) => [measure, quantilesOf(values)] as const);
  return baselineShape.parse({
    images: pictures.length,
    bytes: sum(pictures.map(bytes)),
    pixels: sum(pictures.map(({ width, height }) => width * height)),
    quantiles: Object.fromEntries(quantiles),
    histograms: {},
    modes: {},
    clusters: { method: "none", silhouette: null, clusters: [] },
    outliers: { method: "none", images: 0, rules: [] },
    population: pictures.map((each, index) => ({
      format: each.quality === null ? "png" : "jpeg",
      width: each.width,
      height: each.height,
      jpeg_quality: each.quality,
      colour_mode: "rgb 8",
      has_alpha: false,
      uses_alpha: false,
      is_upright: true,
      is_multi_page: false,
      is_srgb: true,
      sharpness: each.sharpness,
      clipped: index / 100,
      images: 1,
      bytes: bytes(each),
    })),
    summary: ["20 images were read.", "Half of them have a long side of at least 2,600 px."],
  });
}

function quantilesOf(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return {
    count: sorted.length,
    min: at(0),
    p01: at(0.01),
    p05: at(0.05),
    p10: at(0.1),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    mean: sorted.reduce((total, value) => total + value, 0) / sorted.length,
  };
}

/** An answer as a good model gives it. */
export const goodAnswer = {
  settings: {
    long_side_px: 2048,
    short_side_px: null,
    format: "keep",
    quality: 85,
    colour: "keep",
    alpha: "keep",
    leave_out: { short_side_below_px: null, sharpness_below: null, clipped_above: null },
  },
  rationale: "Half of the images are larger than 2,048 px, and 85 is enough for training.",
} as const;

/** The same with some settings changed. */
export function answerWith(settings: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...goodAnswer, settings: { ...goodAnswer.settings, ...settings } });
}

export const goodText = JSON.stringify(goodAnswer);
