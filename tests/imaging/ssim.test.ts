import assert from "node:assert/strict";
import { encodeRaster } from "../../src/imaging/encode.ts";
import { Image } from "../../src/imaging/image.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import { ssim } from "../../src/imaging/ssim.ts";
import { paint, photoLike, randomNumbers } from "./pictures.ts";

const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

function grey(width: number, height: number, level: (x: number, y: number) => number): Raster {
  return paint(width, height, (x, y) => [level(x, y), level(x, y), level(x, y)]);
}

function near(actual: number, wanted: number, tolerance = 1e-12) {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${actual} is not ${wanted}`);
}

Deno.test("a picture is wholly similar to itself, at any size", () => {
  for (const [width, height] of [[1, 1], [3, 2], [7, 9], [8, 8], [13, 21], [200, 133]] as const) {
    assert.equal(ssim(photoLike(width, height), photoLike(width, height)), 1);
  }
});

Deno.test("two plain greys have the similarity of their means alone", () => {
  for (const [a, b] of [[100, 110], [0, 255], [7, 7], [200, 90]] as const) {
    const wanted = (2 * a * b + C1) / (a * a + b * b + C1);
    near(ssim(grey(31, 18, () => a), grey(31, 18, () => b)), wanted);
  }
});

Deno.test("one window of 8 × 8 has the similarity that its definition gives", () => {
  const random = randomNumbers(5);
  const x = Array.from({ length: 64 }, () => Math.floor(random() * 256));
  const y = Array.from({ length: 64 }, () => Math.floor(random() * 256));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / 64;
  const [mx, my] = [mean(x), mean(y)];
  const cov = (a: readonly number[], ma: number, b: readonly number[], mb: number) =>
    a.reduce((sum, value, index) => sum + (value - ma) * (b[index]! - mb), 0) / 63;
  const wanted = (2 * mx * my + C1) * (2 * cov(x, mx, y, my) + C2) /
    ((mx * mx + my * my + C1) * (cov(x, mx, x, mx) + cov(y, my, y, my) + C2));
  const a = grey(8, 8, (column, row) => x[row * 8 + column]!);
  const b = grey(8, 8, (column, row) => y[row * 8 + column]!);
  near(ssim(a, b), wanted);
});

Deno.test("a change in one corner counts in the windows that hold it, of all windows", () => {
  // 16 × 16 has 3 × 3 windows; the first pixel is in one of them alone.
  const dot = grey(16, 16, (x, y) => x === 0 && y === 0 ? 255 : 128);
  const plain = grey(16, 16, () => 128);
  const one = ssim(grey(8, 8, (x, y) => x === 0 && y === 0 ? 255 : 128), grey(8, 8, () => 128));
  near(ssim(dot, plain), (8 + one) / 9);
});

Deno.test("the last row and column count where the size is no multiple of four", () => {
  const plain = grey(19, 23, () => 128);
  assert.ok(ssim(plain, grey(19, 23, (x) => x === 18 ? 0 : 128)) < 0.95);
  assert.ok(ssim(plain, grey(19, 23, (_, y) => y === 22 ? 0 : 128)) < 0.95);
});

Deno.test("the order of two pictures does not matter", () => {
  const [a, b] = [photoLike(90, 61, 1), photoLike(90, 61, 2)];
  assert.equal(ssim(a, b), ssim(b, a));
  assert.ok(ssim(a, b) < 0.5);
});

Deno.test("a negative is dissimilar", () => {
  const board = grey(64, 64, (x, y) => (x + y) % 2 === 0 ? 60 : 195);
  const negative = { ...board, pixels: board.pixels.map((value) => 255 - value) };
  assert.ok(ssim(board, negative) < -0.98);
});

Deno.test("the lower the JPEG quality, the less similar", async () => {
  const photo = photoLike(320, 240);
  const similar: number[] = [];
  for (const quality of [95, 75, 40, 10]) {
    const bytes = await encodeRaster(photo, { format: "jpeg", quality });
    const decoded = await new Image(() => Promise.resolve(bytes)).raster({ size: "full" });
    similar.push(ssim(photo, decoded));
  }
  assert.deepEqual(similar, [...similar].sort((a, b) => b - a));
  assert.ok(similar[0]! > 0.9 && similar[3]! < similar[0]!, String(similar));
});

Deno.test("what is wholly transparent is compared as white", () => {
  const clear = paint(9, 9, () => [10, 200, 30, 0]);
  assert.equal(ssim(clear, grey(9, 9, () => 255)), 1);
});

Deno.test("pictures of different size are refused", () => {
  assert.throws(
    () => ssim(photoLike(8, 8), photoLike(9, 8)),
    /Cannot compare a raster of 8 × 8 with one of 9 × 8 \(equal sizes are wanted\)/,
  );
});
