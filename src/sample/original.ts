import sharp from "sharp";
import { encodePicture, formatTruth } from "./encode.ts";
import { makeNoiseTiles, type NoiseTiles } from "./noise.ts";
import type { Original } from "./picture.ts";
import { renderPicture } from "./render.ts";
import { SCENES } from "./scenes/mod.ts";
import type { PictureTruth } from "./truth.ts";

/** One picture file, its bytes with what is true of them. */
export interface MadePicture {
  readonly truth: PictureTruth;
  readonly bytes: Uint8Array;
}

let tiles: NoiseTiles | undefined;

/** Makes a picture's file from its scene. Called by `WorkerPool`. */
export async function compute(picture: Original): Promise<MadePicture> {
  const upright = await renderPicture(picture, { sharp, tiles: tiles ??= makeNoiseTiles() });
  const whole = await encodePicture(upright, picture, sharp);
  const { exif, size, keptRatio } = picture;
  const bytes = keptRatio === undefined
    ? whole
    : whole.subarray(0, Math.floor(whole.length * keptRatio));
  return {
    bytes,
    truth: {
      name: picture.name,
      scene: picture.scene,
      kind: SCENES[picture.scene].kind,
      width_px: size.width,
      height_px: size.height,
      orientation: exif === undefined ? null : picture.orientation ?? 1,
      ...formatTruth(picture),
      taken: exif?.taken ?? null,
      camera: exif?.camera ?? null,
      gps: exif?.gps ?? null,
      exact_duplicate_of: null,
      near_duplicate_of: null,
      broken: bytes.length === whole.length ? null : endsEarly(bytes.length, whole.length),
    },
  };
}

function endsEarly(kept: number, whole: number): string {
  return `JPEG ends after ${kept.toLocaleString("en")} of ${whole.toLocaleString("en")} bytes`;
}
