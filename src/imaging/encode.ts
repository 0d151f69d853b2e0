import type { Sharp } from "sharp";
import { type Colour, flattenRaster, type Raster, WHITE } from "./raster.ts";
import { loadSharp } from "./sharp.ts";

/** How to encode a raster. */
export interface EncodeOptions {
  readonly format: "jpeg" | "png" | "webp";
  /** 1 to 100, default 85. JPEG and WebP; PNG is lossless. */
  readonly quality?: number;
  /**
   * Time spent on making the file small; the default is `fast` for JPEG, else `balanced`. For a raster
   * of 1195 × 896, bytes relative to `balanced`:
   *
   * | | fast | balanced | small |
   * |---|---|---|---|
   * | JPEG of photographs | 4 ms, +2 % | 9 ms | 86 ms, −18 % |
   * | PNG of graphics | 4 ms, +16 % | 9 ms | 38 ms, −6 % |
   * | WebP of photographs | 26 ms, +17 % | 90 ms | 217 ms, −3 % |
   *
   * JPEG: standard Huffman tables, then tables made for the picture, then MozJPEG's trellis
   * quantisation and progressive scans. The pixels of a PNG are the same for all.
   *
   * The rest is for giants: with `least` a PNG of a photograph takes two thirds of the time of `fast`
   * and 7 % more bytes, with `stored` it is not compressed, which takes fewer bytes where there is a lot
   * of grain; JPEG and WebP are as with `fast`.
   */
  readonly effort?: "stored" | "least" | "fast" | "balanced" | "small";
  /**
   * Colour resolution of a JPEG, default `4:2:0`: half in both directions. `4:4:4` is full, for fine
   * coloured detail. WebP is always halved; `4:4:4` asks it to keep edges sharper.
   */
  readonly chroma?: "4:2:0" | "4:4:4";
  /** What a JPEG, which has no alpha, is put on; default white. */
  readonly background?: Colour;
  /** Write one channel of grey (BT.709 luminance by libvips) instead of colour. */
  readonly isGrey?: boolean;
  /** Choose a PNG's filter row by row: photographs take a quarter less, drawings often more. */
  readonly isFiltered?: boolean;
  /**
   * Write a PNG of at most 256 colours, `exact` if the raster has no more and else close, or dithered
   * from as many as look good (libimagequant, quality 90).
   */
  readonly palette?: "exact" | "dithered";
}

/**
 * Encodes a raster as sRGB without metadata or profile. The same raster and options give the same
 * bytes, for one version of sharp.
 */
export async function encodeRaster(raster: Raster, options: EncodeOptions): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const isFlat = options.format === "jpeg";
  const shown = isFlat ? flattenRaster(raster, options.background ?? WHITE) : raster;
  const { width, height, channels, pixels } = shown;
  const source = sharp(pixels, { raw: { width, height, channels }, limitInputPixels: false });
  const coloured = options.isGrey ? source.toColourspace("b-w") : source;
  const hasAlpha = channels === 4;
  const encoded = await encoders[options.format](coloured, { ...options, hasAlpha }).toBuffer();
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

const palettes = {
  exact: { palette: true, quality: 100, dither: 0 },
  dithered: { palette: true, quality: 90 },
} as const;

/**
 * libwebp's last degree tries every way to pack alpha: 3.6 s instead of 0.1 s for a noisy one of 301 × 222,
 * for 1 % fewer bytes.
 */
const mostAlphaEffort = 5;

type Encoder = (
  pipeline: Sharp,
  options: EncodeOptions & { readonly hasAlpha: boolean },
) => Sharp;

const encoders: Readonly<Record<EncodeOptions["format"], Encoder>> = {
  jpeg: (pipeline, { quality = 85, effort = "fast", chroma = "4:2:0" }) =>
    pipeline.jpeg({
      quality,
      chromaSubsampling: chroma,
      optimiseCoding: effort === "balanced" || effort === "small",
      mozjpeg: effort === "small",
    }),
  png: (pipeline, { effort = "balanced", isFiltered = false, palette }) =>
    pipeline.png({
      compressionLevel: { stored: 0, least: 1, fast: 2, balanced: 6, small: 9 }[effort],
      ...isFiltered ? { adaptiveFiltering: true } : {},
      ...palette === undefined ? {} : palettes[palette],
    }),
  webp: (pipeline, { quality = 85, effort = "balanced", chroma = "4:2:0", hasAlpha }) =>
    pipeline.webp({
      quality,
      effort: {
        stored: 0,
        least: 0,
        fast: 0,
        balanced: 4,
        small: hasAlpha ? mostAlphaEffort : 6,
      }[effort],
      smartSubsample: chroma === "4:4:4",
    }),
};
