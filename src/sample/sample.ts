import sharp, { type Sharp } from "sharp";
import { alteredPicture, encodePicture, formatTruth } from "./encode.ts";
import { makeNoiseTiles } from "./noise.ts";
import type { Altered, Copy, Original } from "./picture.ts";
import { PICTURES } from "./pictures.ts";
import { renderPicture } from "./render.ts";
import { SCENES } from "./scenes/mod.ts";
import type { PictureTruth, Sample } from "./truth.ts";

/** One picture file, its bytes with what is true of them. */
interface MadePicture {
  readonly truth: PictureTruth;
  readonly bytes: Uint8Array;
}

/** Pictures in work at once: while libvips encodes one, JavaScript paints the next. */
const LANES = 3;

/** Renders all pictures, the same bytes each time on the same machine; 5 s on two cores. */
export async function renderSample(): Promise<Sample> {
  const originals = PICTURES.filter((picture) => picture.from === "scene");
  const made = new Map<string, MadePicture>();
  const tiles = makeNoiseTiles();
  await inLanes(originals, async (picture) => {
    const upright = await renderPicture(picture, { sharp, tiles });
    made.set(picture.name, await finishedOriginal(picture, upright));
  });
  await inLanes(PICTURES, async (picture) => {
    if (picture.from === "copy") made.set(picture.name, copied(picture, made));
    if (picture.from === "altered") made.set(picture.name, await altered(picture, made));
  });
  const names = [...made.keys()].sort();
  const pictures = names.map((name) => madeBefore(made, name).truth);
  const files = new Map(names.map((name) => [name, madeBefore(made, name).bytes]));
  return { truth: { pictures }, files };
}

/** Works on a few at a time, started in order. */
async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function finishedOriginal(
  picture: Original,
  upright: Sharp,
): Promise<MadePicture> {
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

function copied(picture: Copy, made: ReadonlyMap<string, MadePicture>): MadePicture {
  const { bytes, truth } = madeBefore(made, picture.of);
  return { bytes, truth: { ...truth, name: picture.name, exact_duplicate_of: picture.of } };
}

async function altered(
  picture: Altered,
  made: ReadonlyMap<string, MadePicture>,
): Promise<MadePicture> {
  const original = madeBefore(made, picture.of);
  const { bytes, width, height } = await alteredPicture(original.bytes, picture, sharp);
  const dropped = { orientation: null, taken: null, camera: null, gps: null };
  return {
    bytes,
    truth: {
      ...original.truth,
      ...(picture.keepsExif ? { orientation: 1 } : dropped),
      name: picture.name,
      width_px: width,
      height_px: height,
      icc: null,
      near_duplicate_of: { name: picture.of, how: picture.how },
    },
  };
}

function madeBefore(made: ReadonlyMap<string, MadePicture>, name: string): MadePicture {
  const picture = made.get(name);
  if (picture === undefined) throw new Error(`Cannot find picture "${name}": not made before`);
  return picture;
}
