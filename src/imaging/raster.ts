import { fittedSize, proxySize, type Size } from "./proxy_size.ts";

/**
 * Decoded pixels: interleaved sRGB, 8 bits a channel, row-major, height × width × channels, upright.
 * With 4 channels the last is alpha, not premultiplied. Shared between steps: never write to it.
 */
export interface Raster extends Size {
  readonly channels: 3 | 4;
  readonly pixels: Uint8Array;
}

/** The pixels a step asks for. Pictures are never enlarged, whatever is asked. */
export type RasterRequest =
  /** Exactly this size, or every pixel that the file has. */
  | { readonly size: Size | "full" }
  /** The short side this long, the other in proportion. */
  | { readonly short_side_px: number }
  /** No side longer than this, in proportion. */
  | { readonly max_side_px: number };

/**
 * The exact pixels of a request for a picture of the given upright size. Requests that mean the same
 * have the same target, which is what rasters are shared by.
 */
export function targetSize(picture: Size, request: RasterRequest): Size {
  const { width, height } = picture;
  if ("short_side_px" in request) {
    return proxySize(width, height, wholePixels(request.short_side_px));
  }
  if ("max_side_px" in request) return fittedSize(width, height, wholePixels(request.max_side_px));
  if (request.size === "full") return { width, height };
  return {
    width: Math.min(width, wholePixels(request.size.width)),
    height: Math.min(height, wholePixels(request.size.height)),
  };
}

function wholePixels(length: number): number {
  if (Number.isInteger(length) && length >= 1) return length;
  throw new RangeError(`Cannot make a raster ${length} px long (a whole number from 1 is wanted)`);
}

/** Red, green and blue, 0 to 255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

export const WHITE: Colour = [255, 255, 255];

/**
 * The raster on an opaque background: a channel becomes `(c × alpha + b × (255 − alpha)) / 255`,
 * rounded to the nearest. A raster without alpha comes back as it is.
 */
export function flattenRaster(raster: Raster, background: Colour = WHITE): Raster {
  if (raster.channels === 3) return raster;
  const { width, height, pixels } = raster;
  const flat = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < flat.length; from += 4) {
    const alpha = pixels[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const mixed = pixels[from + channel]! * alpha + background[channel]! * (255 - alpha);
      flat[to++] = Math.floor((mixed + 127) / 255);
    }
  }
  return { width, height, channels: 3, pixels: flat };
}
