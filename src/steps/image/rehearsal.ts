import type { EncodeOptions } from "../../imaging/encode.ts";
import type { Raster } from "../../imaging/raster.ts";

/** A multiple of the blocks of JPEG and WebP, so that they fall alike in strips and in the picture. */
const stripRows = 16;

/** What encoding one picture may take, by the estimate of `encodingSeconds`. */
export const mostSeconds = 3;

/**
 * Strips of 16 rows from all over a picture of more than `over` pixels, about so many `pixels` in all;
 * undefined for other pictures.
 */
export function stripsOf(
  raster: Raster,
  { over, pixels }: { readonly over: number; readonly pixels: number },
): Raster | undefined {
  const { width, height, channels } = raster;
  const strips = Math.ceil(pixels / (width * stripRows));
  const apart = Math.floor(height / strips);
  if (width * height <= over || apart <= stripRows) return undefined;
  const stripBytes = width * stripRows * channels;
  const taken = new Uint8Array(strips * stripBytes);
  for (let strip = 0; strip < strips; strip++) {
    const top = strip * apart + Math.floor((apart - stripRows) / 2);
    const start = top * width * channels;
    taken.set(raster.pixels.subarray(start, start + stripBytes), strip * stripBytes);
  }
  return { width, height: strips * stripRows, channels, pixels: taken };
}

/**
 * Of a picture of more than 8 megapixels what its encodings are judged by; smaller ones are encoded in
 * all ways there are until one takes few bytes enough.
 */
export function rehearsalOf(raster: Raster): Raster | undefined {
  return stripsOf(raster, { over: 2 ** 23, pixels: 2 ** 19 });
}

/**
 * Nanoseconds a pixel and a byte written, on one core: what photographs, noise and plain areas of 9 to
 * 121 megapixels took with libvips 8.18, within a factor of two. MozJPEG's trellis and the search for a
 * palette take most of all for pictures with much in them: 366 and 1,319 ns a pixel.
 */
const costs = {
  jpeg: { fast: [8, 3], balanced: [16, 8], small: [45, 600] },
  webp: { fast: [18, 120], balanced: [60, 350], small: [110, 700] },
  png: { stored: [3, 1], least: [3, 10], fast: [5, 17], balanced: [5, 17], small: [10, 22] },
  filteredPng: { least: [28, 12], fast: [28, 25], balanced: [28, 25], small: [30, 70] },
  palette: [50, 5000],
} as const;

/** How long a picture of so many pixels takes to encode into about so many bytes, in seconds. */
export function encodingSeconds(
  { format, effort = "balanced", isFiltered, palette }: EncodeOptions,
  pixels: number,
  bytes: number,
): number {
  const name = format === "png" && isFiltered ? "filteredPng" : format;
  const byEffort: Readonly<Record<string, readonly [number, number]>> = costs[name];
  const [aPixel, aByte] = palette === undefined
    ? byEffort[effort] ?? byEffort["fast"]!
    : costs.palette;
  return (aPixel * pixels + aByte * bytes) / 1e9;
}
