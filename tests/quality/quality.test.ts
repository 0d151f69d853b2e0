import assert from "node:assert/strict";
import { fitAsymmetricGaussian } from "../../src/quality/asymmetric_gaussian.ts";
import { brisque, halved } from "../../src/quality/brisque.ts";
import { opencvModel } from "../../src/quality/brisque_model.ts";
import { fitNiqeModel, LEAST_BLOCKS } from "../../src/quality/fit_niqe.ts";
import { gamma } from "../../src/quality/gamma.ts";
import { covarianceOf, inverseForm } from "../../src/quality/matrix.ts";
import { niqe, niqeBlocks } from "../../src/quality/niqe.ts";
import { parseNiqeModel } from "../../src/quality/niqe_model.ts";
import { defaultNiqeModel } from "../../src/quality/niqe_model_file.ts";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { readHeader } from "../../src/imaging/header.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import {
  bytesOf,
  corpusFile,
  corpusTest,
  expectedTable,
  paint,
  photoLike,
  pipelineOf,
  randomNumbers,
} from "../imaging/pictures.ts";

const own = defaultNiqeModel().model;
const opencv = opencvModel();

Deno.test("gamma is what tables say", () => {
  const known = [[1, 1], [5, 24], [0.5, Math.sqrt(Math.PI)], [0.2, 4.5908437119988], [10, 362880]];
  for (const [x, expected] of known) assert.ok(Math.abs(gamma(x!) / expected! - 1) < 1e-12, `${x}`);
});

Deno.test("the shape of normal samples is 2, of doubly exponential ones 1, sides keep apart", () => {
  const random = randomNumbers(7);
  const sumsOf = (samples: readonly number[]) => {
    const negative = samples.filter((value) => value < 0);
    const positive = samples.filter((value) => value > 0);
    const squares = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value ** 2, 0);
    return {
      count: samples.length,
      negatives: negative.length,
      positives: positive.length,
      negativeSquares: squares(negative),
      positiveSquares: squares(positive),
      absolutes: samples.reduce((sum, value) => sum + Math.abs(value), 0),
    };
  };
  const normal = Array.from(
    { length: 200_000 },
    () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random()),
  );
  const bell = fitAsymmetricGaussian(sumsOf(normal));
  assert.ok(
    Math.abs(bell.shape - 2) < 0.05 && Math.abs(bell.left - 1) < 0.01,
    JSON.stringify(bell),
  );
  const lopsided = fitAsymmetricGaussian(
    sumsOf(normal.map((value) => value < 0 ? value / 2 : value)),
  );
  assert.ok(Math.abs(lopsided.left - 0.5) < 0.01 && Math.abs(lopsided.right - 1) < 0.01);
  const laplace = Array.from(
    { length: 200_000 },
    () => Math.sign(random() - 0.5) * Math.log(random() + 1e-12),
  );
  assert.ok(Math.abs(fitAsymmetricGaussian(sumsOf(laplace)).shape - 1) < 0.03);
});

Deno.test("halving by cubic interpolation keeps a constant and a ramp", () => {
  const plane = (width: number, height: number, at: (x: number) => number) => ({
    width,
    height,
    values: Float32Array.from({ length: width * height }, (_, index) => at(index % width)),
  });
  const flat = halved(plane(13, 9, () => 0.5));
  assert.deepEqual([flat.width, flat.height], [6, 4]);
  assert.ok(flat.values.every((value) => Math.abs(value - 0.5) < 1e-6));
  const ramp = halved(plane(16, 8, (x) => x));
  for (let x = 1; x < 7; x++) assert.ok(Math.abs(ramp.values[8 + x]! - (2 * x + 0.5)) < 1e-5);
});

Deno.test("the inverse of a covariance is that of its eigenvalues, and of 0 for none", () => {
  const rows = [[1, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -2, 0]].map((row) => Float64Array.from(row));
  const covariance = covarianceOf(rows);
  assert.ok(Math.abs(covariance.values[0]! - 2 / 3) < 1e-12);
  // Variances 2/3 and 8/3; the third column has none and does not count.
  const form = inverseForm(covariance, Float64Array.of(1, 1, 5));
  assert.ok(Math.abs(form - (3 / 2 + 3 / 8)) < 1e-12, `${form}`);
});

Deno.test("pictures too small, flat or nearly so have no measure, and never one that is no number", () => {
  const pictures = [
    paint(1, 1, () => [9, 9, 9]),
    paint(7, 300, (x, y) => [x * y % 255, 0, 0]),
    paint(95, 400, (x, y) => [x * y % 255, x, y % 255]),
    paint(96, 191, (x, y) => [x * y % 255, x, y]),
    paint(300, 300, () => [255, 255, 255]),
    paint(300, 300, () => [12, 200, 77, 0]),
    paint(300, 300, (x) => [x < 150 ? 0 : 255, 0, 0]),
    paint(300, 300, (x) => Array(3).fill(Math.floor(x / 2))),
    paint(300, 300, (x, y) => Array(3).fill((x + y) % 2 * 255)),
    paint(9, 8, (x, y) => [x * 20, y * 20, 0]),
  ];
  for (const picture of pictures) {
    for (const value of [brisque(picture, opencv), niqe(picture, own)]) {
      assert.ok(value === null || Number.isFinite(value) && value >= 0, `${value}`);
    }
  }
  assert.equal(brisque(pictures[4]!, opencv), null);
  assert.equal(niqe(pictures[4]!, own), null);
  assert.equal(niqe(pictures[2]!, own), null);
  assert.equal(niqe(pictures[3]!, own), null);
});

Deno.test("an alpha channel changes nothing", () => {
  const picture = photoLike(220, 200);
  const withAlpha = paint(220, 200, (x, y) => {
    const at = (y * 220 + x) * 3;
    return [...picture.pixels.subarray(at, at + 3), x % 256];
  });
  assert.equal(brisque(withAlpha, opencv), brisque(picture, opencv));
  assert.equal(niqe(withAlpha, own), niqe(picture, own));
  assert.notEqual(niqe(picture, own), null);
});

Deno.test("a model is refused with what is wrong, and fitted to enough blocks only", () => {
  assert.throws(() => parseNiqeModel("mu: 1"), /it is not JSON/);
  assert.throws(() => parseNiqeModel('{"mu": [1], "cov": []}'), /mu/);
  const cov = own.cov.map((row) => [...row]);
  cov[3]![5]! += 1;
  assert.throws(() => parseNiqeModel(JSON.stringify({ ...own, cov })), /not symmetric/);
  const blocks = niqeBlocks(photoLike(960, 960), "y").map(({ features }) => features);
  assert.throws(() => fitNiqeModel(blocks, "few"), RangeError);
  const enough = [
    ...blocks,
    ...niqeBlocks(photoLike(960, 960, 2), "y").map((each) => each.features),
  ];
  assert.ok(enough.length >= LEAST_BLOCKS);
  const fitted = parseNiqeModel(JSON.stringify(fitNiqeModel(enough, "noise")));
  // What it was fitted to is as pristine as can be, other pictures are not.
  const near = niqe(photoLike(960, 960), fitted)!;
  const far = niqe(paint(960, 960, (x, y) => Array(3).fill((x * 5 ^ y * 3) % 256)), fitted)!;
  assert.ok(near < 2 && far > 10 * near, `${near}, ${far}`);
});

async function decoded(bytes: Uint8Array): Promise<Raster> {
  return await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
}

interface Expected {
  readonly brisque_opencv?: number;
  readonly niqe_y?: number;
  readonly niqe_gray?: number;
}

corpusTest(
  "BRISQUE is within 0.003 of OpenCV's, NIQE within 0.001 of the published one's",
  async () => {
    const root = Deno.env.get("TINTYPE_CORPUS")!;
    const published = parseNiqeModel(
      Deno.readTextFileSync(`${root}/models/niqe_pristine_basicsr.json`),
    );
    let count = 0;
    for (
      const [name, expected] of Object.entries(
        expectedTable<Record<string, Expected>>("photos.json"),
      )
    ) {
      if (expected.brisque_opencv === undefined) continue;
      const picture = await decoded(corpusFile(`photos/${name}`));
      const offBy = {
        brisque: Math.abs(brisque(picture, opencv)! - expected.brisque_opencv),
        niqe: Math.abs(niqe(picture, published)! - expected.niqe_y!),
        grey: Math.abs(niqe(picture, { ...published, luma: "grey" })! - expected.niqe_gray!),
      };
      assert.ok(offBy.brisque < 0.003, `${name}: ${offBy.brisque}`);
      assert.ok(offBy.niqe < 0.001, `${name}: ${offBy.niqe}`);
      assert.ok(offBy.grey < 0.01, `${name}: ${offBy.grey}`);
      count++;
    }
    assert.equal(count, 19);
  },
);

corpusTest("our own NIQE gets worse with blur, noise and compression", async () => {
  for (const name of ["astronaut.png", "leuvenB.jpg", "retina.jpg", "graf1.png"]) {
    const picture = await decoded(corpusFile(`photos/${name}`));
    const random = randomNumbers(1);
    const noisy = picture.pixels.map((value) =>
      Math.max(0, Math.min(255, value + (random() + random() + random() - 1.5) * 60))
    );
    const score = niqe(picture, own)!;
    const opaque = () => pipelineOf(picture).removeAlpha();
    const worse = {
      blurred: await decoded(await bytesOf(opaque().blur(3).png())),
      compressed: await decoded(await bytesOf(opaque().jpeg({ quality: 10 }))),
      noisy: { ...picture, pixels: noisy },
    };
    for (const [what, raster] of Object.entries(worse)) {
      const found = niqe(raster, own)!;
      assert.ok(found > score + 1, `${name} ${what}: ${score} → ${found}`);
    }
  }
});
