import assert from "node:assert/strict";
import { encodeRaster } from "../../src/imaging/encode.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import type { Treatment } from "../../src/baseline/treatment.ts";
import { smallest } from "../../src/steps/image/encodings.ts";
import { encodingSeconds, mostSeconds, stripsOf } from "../../src/steps/image/rehearsal.ts";

/** Waves with grain, each row marked by its number in the first two bytes. */
function waves(width: number, height: number): Raster {
  const pixels = new Uint8Array(width * height * 3);
  let state = 7;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width * 3; x++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      pixels[at++] = 128 + 90 * Math.sin(x / 900) * Math.cos(y / 230) + (state >>> 29);
    }
    pixels[y * width * 3] = y >> 8;
    pixels[y * width * 3 + 1] = y & 255;
  }
  return { width, height, channels: 3, pixels };
}

const treatment = (formats: Treatment["formats"]) =>
  ({ formats, quality: 80, isGrey: false }) as Treatment;

Deno.test("strips are whole rows from all over the picture, in their order", () => {
  const raster = waves(1000, 2000);
  const strips = stripsOf(raster, { over: 1e6, pixels: 64_000 })!;
  assert.deepEqual([strips.width, strips.height, strips.pixels.length], [1000, 64, 192_000]);
  const rows = Array.from({ length: 64 }, (_, row) => strips.pixels.subarray(row * 3000))
    .map(([high, low]) => high! * 256 + low!);
  assert.deepEqual([0, 16, 32, 48].map((row) => rows[row]), [242, 742, 1242, 1742]);
  rows.forEach((row, at) => assert.equal(row, rows[at - at % 16]! + at % 16));
});

Deno.test("small pictures and flat strips of them are taken whole", () => {
  const raster = waves(500, 40);
  assert.equal(stripsOf(raster, { over: 20_000, pixels: 1000 }), undefined);
  assert.equal(stripsOf(raster, { over: 1000, pixels: 24_000 }), undefined);
});

Deno.test("a large picture takes the first encoding that is small enough, judged by its strips", async () => {
  const raster = waves(3200, 3000);
  const within = (mostBytes: number, formats: Treatment["formats"] = ["png", "jpeg", "webp"]) =>
    smallest(raster, { treatment: treatment(formats), effort: "balanced", mostBytes });
  const free = await within(Infinity);
  assert.deepEqual([free.format, free.quality], ["png", null]);
  const jpeg = await encodeRaster(raster, { format: "jpeg", quality: 80, effort: "balanced" });
  const first = await within(jpeg.length * 1.2);
  assert.deepEqual([first.format, first.quality], ["jpeg", 80]);
  assert.deepEqual(first.bytes, jpeg, "made of the whole picture");
  const lower = await encodeRaster(raster, { format: "jpeg", quality: 60, effort: "small" });
  const second = await within(lower.length * 1.1, ["jpeg"]);
  assert.ok(second.bytes.length <= lower.length * 1.1, `${second.bytes.length}`);
  assert.ok(second.quality! >= 50 && second.quality! <= 80, `${second.quality}`);
  assert.ok(
    (await within(100)).bytes.length < jpeg.length,
    "the smallest where none is small enough",
  );
});

Deno.test("a large picture whose strips are plain takes no more bytes than it may all the same", async () => {
  const [width, height] = [4096, 3000];
  const noisy = waves(width, height);
  const apart = Math.floor(height / Math.ceil(2 ** 19 / (width * 16)));
  for (let y = 0; y < height; y++) {
    const fromStrip = Math.abs(y % apart - apart / 2);
    if (fromStrip < 30) noisy.pixels.fill(120, y * width * 3, (y + 1) * width * 3);
  }
  const low = await encodeRaster(noisy, { format: "jpeg", quality: 50, effort: "small" });
  const made = await smallest(noisy, {
    treatment: treatment(["jpeg"]),
    effort: "balanced",
    mostBytes: low.length,
  });
  assert.ok(made.bytes.length <= low.length, `${made.bytes.length} of ${low.length}`);
});

Deno.test("121 megapixels get the effort that there is time for", () => {
  const pixels = 121e6;
  const seconds = (options: Parameters<typeof encodingSeconds>[0], bytesAPixel: number) =>
    encodingSeconds(options, pixels, bytesAPixel * pixels);
  assert.ok(seconds({ format: "webp", effort: "small" }, 0.002) > mostSeconds);
  assert.ok(seconds({ format: "webp", effort: "fast" }, 0.002) < mostSeconds);
  assert.ok(seconds({ format: "jpeg", effort: "small" }, 0.04) > mostSeconds);
  assert.ok(seconds({ format: "jpeg", effort: "balanced" }, 0.07) < mostSeconds);
  assert.ok(seconds({ format: "png", effort: "small" }, 0.004) < mostSeconds);
  assert.ok(seconds({ format: "png", effort: "least" }, 3) > mostSeconds);
  assert.ok(seconds({ format: "png", effort: "stored" }, 3) < mostSeconds);
  assert.ok(seconds({ format: "png", effort: "small", palette: "exact" }, 0) > mostSeconds);
});
