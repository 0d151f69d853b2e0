import assert from "node:assert/strict";
import sharp from "sharp";
import type { z } from "zod";
import { Image } from "../../src/imaging/image.ts";
import {
  feedsOf,
  type PictureModel,
  rasterFor,
  type View,
  viewOf,
} from "../../src/vision/preprocess.ts";
import { modelShape, type preprocessShape } from "../../src/vision/registry.ts";
import { corpusTest } from "./vision_rig.ts";

type Pixels = Partial<z.input<typeof preprocessShape>>;

const clipPixels: Pixels = {
  channels: "rgb",
  scale: 1 / 255,
  mean: [.48145466, .4578275, .40821073],
  std: [.26862954, .26130258, .27577711],
};

function model(
  preprocess: Pixels,
  inputs: readonly unknown[] = [{ name: "x", dims: ["n", 3, 224, 224] }],
): PictureModel {
  const entry = modelShape.parse({
    task: "image-embedding",
    about: "a test",
    licence: "MIT",
    source: { local: "nowhere" },
    file: "x.onnx",
    sha256: "0".repeat(64),
    bytes: 1,
    inputs,
    preprocess: {
      fit: "short_side",
      size: { width: 224, height: 224 },
      channels: "rgb",
      ...preprocess,
    },
  });
  return { ...entry, name: "x", preprocess: entry.preprocess! };
}

async function png(pixels: Uint8Array, width: number, channels: 3 | 4 = 3): Promise<Uint8Array> {
  const height = pixels.length / width / channels;
  return new Uint8Array(await sharp(pixels, { raw: { width, height, channels } }).png().toBuffer());
}

async function look(bytes: Uint8Array, model: PictureModel) {
  const opened = new Image(() => Promise.resolve(bytes));
  const header = await opened.header();
  const view: View = viewOf(header, model);
  const raster = await opened.raster(rasterFor(header, [{ view, model }]));
  const feeds = await feedsOf(raster, view, model);
  return { view, feeds, values: feeds["x"]!.values as Float32Array };
}

function meanAndDeviation(values: Float32Array): readonly [number, number] {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value ** 2;
  }
  const mean = sum / values.length;
  return [mean, Math.sqrt(squares / values.length - mean ** 2)];
}

/** One colour where `isInside`, black elsewhere. */
function painted(
  width: number,
  height: number,
  isInside: (x: number, y: number) => boolean,
  colour: readonly number[] = [250, 100, 50],
): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    if (isInside(at % width, Math.floor(at / width))) pixels.set(colour, at * 3);
  }
  return pixels;
}

Deno.test("short_side sees the middle of a picture, and nothing of its ends", async () => {
  const isMiddle = (x: number) => x >= 90 && x < 210;
  const bytes = await png(painted(300, 100, isMiddle), 300);
  const { values, view } = await look(bytes, model({}));
  assert.deepEqual(view.scaled, { width: 672, height: 224 });
  assert.equal(view.left, -224);
  assert.deepEqual(new Set(values.subarray(0, 224 * 224)), new Set([250]));
  assert.deepEqual(new Set(values.subarray(2 * 224 * 224)), new Set([50]));
});

Deno.test("letterbox lays the picture at the top left, in the order of the channels", async () => {
  const size = { width: 8, height: 8 };
  const bytes = await png(painted(16, 8, () => true), 16);
  const { values } = await look(bytes, model({ fit: "letterbox", size, channels: "bgr" }));
  const rowOf = (channel: number, y: number) => [
    ...new Set(
      values.subarray((channel * 8 + y) * 8, (channel * 8 + y + 1) * 8),
    ),
  ];
  assert.deepEqual([0, 3, 4, 7].map((y) => rowOf(0, y)), [[50], [50], [114], [114]]);
  assert.deepEqual([0, 3, 4, 7].map((y) => rowOf(2, y)), [[250], [250], [114], [114]]);
});

Deno.test("scale, mean and deviation are applied by channel, and nhwc is interleaved", async () => {
  const preprocess: Pixels = {
    fit: "stretch",
    size: { width: 2, height: 3 },
    layout: "nhwc",
    scale: 0.5,
    mean: [1, 2, 3],
    std: [2, 4, 1],
  };
  const bytes = await png(painted(10, 10, () => true), 10);
  const { values, feeds } = await look(
    bytes,
    model(preprocess, [{ name: "x", dims: ["n", 3, 2, 3] }]),
  );
  assert.deepEqual(feeds["x"]!.dims, [3, 2, 3]);
  assert.deepEqual([...values.subarray(0, 6)], [62, 12, 22, 62, 12, 22]);
});

Deno.test("a model with free sides gets the picture without margins, and masks of ones", async () => {
  const inputs = [
    { name: "x", dims: ["n", 3, "h", "w"] },
    { name: "mask", type: "int64", dims: ["n", 4, 4] },
  ];
  const size = { width: 80, height: 80 };
  const bytes = await png(painted(200, 100, () => true), 200);
  const { feeds, view } = await look(bytes, model({ fit: "letterbox", size }, inputs));
  assert.deepEqual(view.tensor, { width: 80, height: 40 });
  assert.deepEqual(feeds["x"]!.dims, [3, 40, 80]);
  assert.deepEqual(feeds["mask"]!.values, new BigInt64Array(16).fill(1n));
});

Deno.test("transparency is seen on white", async () => {
  const { values } = await look(await png(new Uint8Array(40 * 40 * 4), 40, 4), model({}));
  assert.deepEqual(new Set(values), new Set([255]));
});

Deno.test("one pixel and long strips give whole tensors in every fit", async () => {
  for (const [width, height] of [[1, 1], [1, 5000], [5000, 1], [4000, 3], [2, 300]] as const) {
    const bytes = await png(painted(width, height, () => true), width);
    for (const fit of ["short_side", "letterbox", "stretch"] as const) {
      const { values } = await look(bytes, model({ fit, size: { width: 32, height: 16 } }));
      const name = `${width}×${height} ${fit}`;
      assert.equal(values.length, 3 * 32 * 16, name);
      const allowed = fit === "letterbox" ? [250, 114] : [250];
      assert.ok(values.subarray(0, 512).every((value) => allowed.includes(value)), name);
      assert.equal(values[0], 250, name);
    }
  }
});

Deno.test("a large picture does not get darker on its way to a small tensor", async () => {
  const width = 2000;
  const pixels = new Uint8Array(width * width * 3);
  let state = 1;
  for (let at = 0; at < pixels.length; at++) {
    state = (state * 1664525 + 1013904223) >>> 0;
    pixels[at] = 60 + (state >>> 25);
  }
  const whole = pixels.reduce((sum, level) => sum + level, 0) / pixels.length;
  const { values } = await look(await png(pixels, width), model({}));
  const [mean] = meanAndDeviation(values);
  // 0.005 of CLIP's tensor is 0.33 levels; the decoder's own way to 224 is off by 0.5 and more.
  assert.ok(Math.abs(mean - whole) < 0.15, `${mean} of ${whole}`);
});

/** Pillow 9.4: bicubic from all pixels, short side to 224, centre crop, CLIP's normalisation. */
const pillow: Readonly<Record<string, readonly [mean: number, deviation: number]>> = {
  "Wine_by_Jakkub_Mede.jpg": [-0.17122, 0.83985],
  "retina.jpg": [-0.36241, 1.06002],
  "plasma_Autumn.jpg": [0.61433, 1.03098],
  "jxl_flower.jpg": [0.46494, 0.94770],
  "grass.png": [0.05221, 0.48278],
  "life_by_Aitzol_Berasategi.jpg": [-0.14582, 0.74021],
};

corpusTest("mean and deviation of CLIP's tensor are within 0.005 of Pillow's", async (corpus) => {
  const clip = model(clipPixels);
  for (const [name, wanted] of Object.entries(pillow)) {
    const bytes = await Deno.readFile(`${corpus}/corpus/photos/${name}`);
    for (const file of [bytes, new Uint8Array(await sharp(bytes).png().toBuffer())]) {
      const found = meanAndDeviation((await look(file, clip)).values);
      const off = found.map((value, at) => Math.abs(value - wanted[at]!));
      assert.ok(Math.max(...off) < 0.005, `${name}: ${found} (${wanted})`);
    }
  }
});
