import assert from "node:assert/strict";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { type EncodeOptions, encodeRaster } from "../../src/imaging/encode.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { flattenRaster, type Raster } from "../../src/imaging/raster.ts";
import { stripPrivateSegments } from "../../src/imaging/segments.ts";
import { cpuTimer } from "../cpu_time.ts";
import { paint, photoLike, pixelAt, psnr } from "./pictures.ts";

const photo = photoLike(240, 160);

async function roundTrip(raster: Raster, options: EncodeOptions): Promise<Raster> {
  const bytes = await encodeRaster(raster, options);
  return await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
}

Deno.test("a PNG has the very pixels of the raster, with any effort", async () => {
  const clear = paint(40, 30, (x, y) => [x, y, 7, x * 6]);
  for (const effort of ["fast", "balanced", "small"] as const) {
    assert.deepEqual((await roundTrip(photo, { format: "png", effort })).pixels, photo.pixels);
    assert.deepEqual((await roundTrip(clear, { format: "png", effort })).pixels, clear.pixels);
  }
});

for (const format of ["jpeg", "webp"] as const) {
  Deno.test(`a ${format} is closer to the raster and larger the higher its quality`, async () => {
    let [ratio, length] = [0, 0];
    for (const quality of [20, 60, 85, 95]) {
      const better = psnr(await roundTrip(photo, { format, quality }), photo);
      const larger = (await encodeRaster(photo, { format, quality })).length;
      assert.ok(better > ratio && larger > length, `${quality}: ${better} dB, ${larger} bytes`);
      [ratio, length] = [better, larger];
    }
  });
}

Deno.test("more effort makes a JPEG smaller", async () => {
  const sizes = await Promise.all((["fast", "balanced", "small"] as const).map(async (effort) => {
    return (await encodeRaster(photo, { format: "jpeg", effort })).length;
  }));
  assert.ok(sizes[0]! > sizes[1]! && sizes[1]! > sizes[2]!, `${sizes}`);
});

Deno.test("chroma is halved unless asked to be full", async () => {
  const subsampling = async (options: EncodeOptions) =>
    (await readHeader(await encodeRaster(photo, options))).chroma_subsampling;
  assert.equal(await subsampling({ format: "jpeg" }), "4:2:0");
  assert.equal(await subsampling({ format: "jpeg", chroma: "4:4:4" }), "4:4:4");
});

Deno.test("encoded pictures are plain sRGB without metadata, and the same every time", async () => {
  for (const format of ["jpeg", "png", "webp"] as const) {
    const bytes = await encodeRaster(photo, { format });
    const header = await readHeader(bytes);
    assert.deepEqual([header.is_srgb, header.icc_profile, header.orientation], [true, null, 1]);
    assert.equal(stripPrivateSegments(bytes, format), bytes, "nothing to strip");
    assert.deepEqual(await encodeRaster(photo, { format }), bytes);
  }
});

Deno.test("a JPEG of a raster with alpha is put on white, or on what is asked for", async () => {
  const clear = paint(32, 32, () => [255, 0, 0, 51]);
  const seen = async (options: EncodeOptions) => pixelAt(await roundTrip(clear, options), 16, 16);
  const close = (colour: readonly number[], wanted: readonly number[]) =>
    colour.forEach((value, at) => assert.ok(Math.abs(value - wanted[at]!) <= 3, `${colour}`));
  close(await seen({ format: "jpeg", quality: 95 }), [255, 204, 204]);
  close(await seen({ format: "jpeg", quality: 95, background: [0, 0, 0] }), [51, 0, 0]);
});

Deno.test("flattening mixes exactly, and leaves opaque rasters alone", () => {
  const ramp = paint(256, 1, (x) => [255, 128, 0, x]);
  const flat = flattenRaster(ramp, [0, 255, 100]);
  for (let alpha = 0; alpha < 256; alpha++) {
    const share = alpha / 255;
    const wanted = [255 * share, 128 * share + 255 * (1 - share), 100 * (1 - share)];
    assert.deepEqual(pixelAt(flat, alpha, 0), wanted.map(Math.round));
  }
  assert.equal(flattenRaster(photo), photo);
});

Deno.test("the most effort for a WebP with a noisy alpha stays within seconds", async () => {
  let state = 1;
  const pixels = Uint8Array.from({ length: 600 * 400 * 4 }, () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state >>> 24;
  });
  const raster = { width: 600, height: 400, channels: 4 as const, pixels };
  const cpuMs = cpuTimer();
  const bytes = await encodeRaster(raster, { format: "webp", effort: "small" });
  assert.ok(bytes.length > 10_000);
  // libwebp's last degree of effort takes 12 s and more.
  assert.ok(cpuMs() < 5000);
});
