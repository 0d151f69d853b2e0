import fc from "fast-check";
import type { PictureFacts } from "../../src/baseline/discover.ts";
import type { Population } from "../../src/baseline/baseline.ts";

type Metadata = PictureFacts["metadata"];
type Content = NonNullable<PictureFacts["content"]>;

/** An upright sRGB photo of 4000 × 3000 as JPEG of quality 90, but for what is given. */
export function picture(
  metadata: Partial<Metadata> = {},
  content: Partial<Content> | null = {},
): PictureFacts {
  const { width = 4000, height = 3000, bytes = 3_000_000 } = metadata;
  return {
    metadata: {
      format: "jpeg",
      orientation: 1,
      colour_space: "rgb",
      bit_depth: 8,
      has_alpha: false,
      uses_alpha: false,
      icc_profile: null,
      is_srgb: true,
      pages: 1,
      chroma_subsampling: "4:2:0",
      jpeg_quality: 90,
      camera_make: null,
      camera_model: null,
      ...metadata,
      width,
      height,
      bytes,
      bits_per_pixel: Math.round(bytes * 8e4 / (width * height)) / 1e4,
    },
    content: content === null ? undefined : {
      brightness: 0.5,
      contrast: 0.2,
      sharpness: 200,
      entropy: 7,
      colourfulness: 40,
      clipped_dark: 0.01,
      clipped_bright: 0,
      ...content,
    },
  };
}

/** A hundred pictures, of which no two are alike. */
export function mixedSet(count = 100): readonly PictureFacts[] {
  return Array.from({ length: count }, (_, index) => {
    const width = 900 + 37 * (index * 7 % count);
    const height = 700 + 23 * (index * 13 % count);
    return picture(
      { width, height, bytes: width * height / 4 + index, jpeg_quality: 70 + index % 29 },
      { sharpness: 50 + 5 * index, brightness: 0.3 + index / 300 },
    );
  });
}

const side = fc.integer({ min: 1, max: 9000 });
const ratio = fc.double({ min: 0, max: 0.5, noNaN: true });

/** Any set of pictures that headers and measures can describe. */
export const anySet = fc.array(
  fc.record({
    width: side,
    height: side,
    bytes: fc.integer({ min: 1, max: 50_000_000 }),
    format: fc.constantFrom("jpeg", "png", "webp", "tiff", "gif", "avif"),
    quality: fc.option(fc.integer({ min: 1, max: 100 })),
    colour_space: fc.constantFrom("rgb", "grey", "cmyk"),
    bit_depth: fc.constantFrom(8, 16),
    orientation: fc.integer({ min: 1, max: 8 }),
    uses_alpha: fc.boolean(),
    pages: fc.constantFrom(1, 12),
    sharpness: fc.double({ min: 0, max: 20_000, noNaN: true }),
    clipped_dark: ratio,
    clipped_bright: ratio,
    hasContent: fc.boolean(),
  }).map(({ quality, sharpness, clipped_dark, clipped_bright, hasContent, ...metadata }) =>
    picture(
      {
        ...metadata,
        jpeg_quality: metadata.format === "jpeg" ? quality : null,
        has_alpha: metadata.uses_alpha,
        is_srgb: metadata.colour_space === "rgb" && metadata.bit_depth === 8,
      },
      hasContent ? { sharpness, clipped_dark, clipped_bright } : null,
    )
  ),
  { maxLength: 40 },
);

/** A group of the population, of upright sRGB JPEGs but for what is given. */
export function group(part: Partial<Population> = {}): Population {
  return {
    format: "jpeg",
    width: 4000,
    height: 3000,
    jpeg_quality: 90,
    colour_mode: "rgb 8",
    has_alpha: false,
    uses_alpha: false,
    is_upright: true,
    is_multi_page: false,
    is_srgb: true,
    sharpness: 200,
    clipped: 0,
    images: 1,
    bytes: 3_000_000,
    ...part,
  };
}

/** The paths of numbers that are none: NaN, Infinity. Empty for anything that JSON can hold. */
export function notFinite(value: unknown, path = ""): string[] {
  if (typeof value === "number") return Number.isFinite(value) ? [] : [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => notFinite(part, `${path}.${key}`));
}
