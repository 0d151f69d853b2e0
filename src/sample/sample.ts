import sharp from "sharp";
import { WorkerPool } from "../services/worker_pool.ts";
import { alteredPicture } from "./encode.ts";
import type { MadePicture } from "./original.ts";
import type { Altered, Copy, Original } from "./picture.ts";
import { PICTURES } from "./pictures.ts";
import type { Sample } from "./truth.ts";

const original = new URL("./original.ts", import.meta.url);

/** One picture of 12 megapixels takes 150 MB while it is painted. */
const MOST_WORKERS = 4;

/** Renders all pictures, the same bytes each time on the same machine; 6 s on two cores. */
export async function renderSample(): Promise<Sample> {
  const made = new Map<string, MadePicture>();
  const pool = new WorkerPool({ size: Math.min(navigator.hardwareConcurrency, MOST_WORKERS) });
  try {
    await Promise.all(
      largestFirst(PICTURES).map(async (picture) => {
        made.set(picture.name, await pool.call<Original, MadePicture>(original, picture));
      }),
    );
  } finally {
    await pool.release();
  }
  await Promise.all(PICTURES.map(async (picture) => {
    if (picture.from === "copy") made.set(picture.name, copied(picture, made));
    if (picture.from === "altered") made.set(picture.name, await altered(picture, made));
  }));
  const names = [...made.keys()].sort();
  const pictures = names.map((name) => madeBefore(made, name).truth);
  const files = new Map(names.map((name) => [name, madeBefore(made, name).bytes]));
  return { truth: { pictures }, files };
}

/** What takes the longest is begun first, so that all workers end at about the same time. */
function largestFirst(pictures: typeof PICTURES): Original[] {
  const pixels = ({ size }: Original) => size.width * size.height;
  return pictures.filter((picture) => picture.from === "scene")
    .toSorted((a, b) => pixels(b) - pixels(a));
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
