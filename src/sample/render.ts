import type { Sharp, SharpOptions } from "sharp";
import type { Canvas } from "./canvas.ts";
import { addGrain, developed16, developed8, type Raster8 } from "./develop.ts";
import type { NoiseTiles } from "./noise.ts";
import type { Original } from "./picture.ts";
import { seededRandom } from "./random.ts";
import type { Size } from "./scene.ts";
import { SCENES } from "./scenes/mod.ts";

/** The function that sharp exports. */
export type SharpFactory = (
  input: Uint8Array | Uint8ClampedArray | Uint16Array,
  options?: SharpOptions,
) => Sharp;

/**
 * Pixels painted one by one, at most: larger pictures are painted at this size, enlarged smoothly, and
 * only then get their grain, which is what keeps a 12-megapixel picture under a second. Pictures with
 * alpha or 16 bits are painted whole: alpha is not enlarged, and 8 bits would be a step on the way.
 */
const PAINTED_PIXELS = 700_000;

/** A picture's upright pixels: sRGB, 8 bits a channel unless the encoding wants 16. */
export async function renderPicture(
  picture: Original,
  tools: { readonly sharp: SharpFactory; readonly tiles: NoiseTiles },
): Promise<Sharp> {
  const { sharp, tiles } = tools;
  const { size } = picture;
  const scene = SCENES[picture.scene];
  if (scene.kind !== "photo") {
    const page = new TextEncoder().encode(scene.svg);
    return sharp(page).resize({ ...size, fit: "fill" }).removeAlpha();
  }
  const { as } = picture.encoding;
  const painted = as === "png" || as === "png-16" ? size : paintedSize(size);
  const canvas = scene.paint(painted, tiles, seededRandom(picture.scene));
  if (as === "png-16") {
    const pixels = developed16(canvas, { ...scene.develop, grain: scene.grain });
    return sharp(pixels, { raw: { ...size, channels: 3 } });
  }
  const raster = await enlarged(developed8(canvas, scene.develop), size, sharp);
  const enlargement = size.width / canvas.width;
  const grain = { deviation: scene.grain, texture: Math.min(0.3, (enlargement - 1) * 0.3) };
  addGrain(raster, grain, seededRandom(`${picture.scene} grain`));
  return asImage(raster, canvas, sharp);
}

function paintedSize({ width, height }: Size): Size {
  const ratio = Math.min(1, Math.sqrt(PAINTED_PIXELS / (width * height)));
  return { width: Math.round(width * ratio), height: Math.round(height * ratio) };
}

async function enlarged(raster: Raster8, size: Size, sharp: SharpFactory): Promise<Raster8> {
  const { width, height, pixels } = raster;
  if (width === size.width && height === size.height) return raster;
  const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize({ ...size, fit: "fill", kernel: "lanczos3" }).raw().toUint8Array();
  const { buffer, byteOffset, byteLength } = bytes.data;
  return { ...size, pixels: new Uint8ClampedArray(buffer, byteOffset, byteLength) };
}

function asImage(raster: Raster8, { alpha }: Canvas, sharp: SharpFactory): Sharp {
  const { width, height, pixels } = raster;
  if (alpha === undefined) return sharp(pixels, { raw: { width, height, channels: 3 } });
  const withAlpha = new Uint8ClampedArray(alpha.length * 4);
  for (let index = 0; index < alpha.length; index++) {
    if (alpha[index] === 0) continue;
    withAlpha.set(pixels.subarray(index * 3, index * 3 + 3), index * 4);
    withAlpha[index * 4 + 3] = alpha[index]! * 255;
  }
  return sharp(withAlpha, { raw: { width, height, channels: 4 } });
}
