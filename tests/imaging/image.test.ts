import assert from "node:assert/strict";
import { encodeRaster } from "../../src/imaging/encode.ts";
import { Image } from "../../src/imaging/image.ts";
import { Rejection } from "../../src/runtime/rejection.ts";
import { bytesOf, photoLike, pipelineOf } from "./pictures.ts";

const jpeg = await bytesOf(pipelineOf(photoLike(400, 300)).jpeg());

/** An image whose reads and decodes are counted. */
function counted(bytes: Uint8Array) {
  const counts = { reads: 0, decodes: 0 };
  const image = new Image(() => {
    counts.reads++;
    return Promise.resolve(bytes);
  }, { onDecode: () => counts.decodes++ });
  return { image, counts };
}

Deno.test("nothing is read before it is asked for", async () => {
  const { image, counts } = counted(jpeg);
  assert.deepEqual(counts, { reads: 0, decodes: 0 });
  await image.header();
  assert.deepEqual(counts, { reads: 1, decodes: 0 });
});

Deno.test("whoever asks for the same pixels, at once or later, gets the same memory", async () => {
  const { image, counts } = counted(jpeg);
  const [first, second, third] = await Promise.all([
    image.raster({ short_side_px: 96 }),
    image.raster({ max_side_px: 128 }),
    image.raster({ size: { width: 128, height: 96 } }),
  ]);
  assert.equal(first, second);
  assert.equal(second, third);
  assert.equal(await image.raster({ short_side_px: 96 }), first);
  assert.deepEqual(counts, { reads: 1, decodes: 1 });
});

Deno.test("all requests beyond the picture's size are one", async () => {
  const { image, counts } = counted(jpeg);
  const whole = await image.raster({ size: "full" });
  assert.equal(await image.raster({ short_side_px: 300 }), whole);
  assert.equal(await image.raster({ max_side_px: 5000 }), whole);
  assert.deepEqual([whole.width, whole.height, counts.decodes], [400, 300, 1]);
});

Deno.test("another size is another decode", async () => {
  const { image, counts } = counted(jpeg);
  await image.raster({ short_side_px: 96 });
  await image.raster({ short_side_px: 64 });
  assert.deepEqual(counts, { reads: 1, decodes: 2 });
});

Deno.test("after a release bytes and pixels are fetched again, the header is not", async () => {
  const { image, counts } = counted(jpeg);
  const before = await image.raster({ short_side_px: 96 });
  const pixels = before.pixels.slice();
  image.release();
  assert.equal(before.pixels.length, 0, "its memory is free at once");
  await image.header();
  assert.deepEqual(counts, { reads: 1, decodes: 1 });
  const after = await image.raster({ short_side_px: 96 });
  assert.notEqual(after, before);
  assert.deepEqual(after.pixels, pixels);
  assert.deepEqual(counts, { reads: 2, decodes: 2 });
});

Deno.test("a release does not disturb who is still waiting", async () => {
  const { image, counts } = counted(jpeg);
  await image.header();
  const waiting = image.raster({ short_side_px: 96 });
  image.release();
  assert.equal((await waiting).pixels.length, 128 * 96 * 3);
  assert.equal((await image.raster({ short_side_px: 96 })).height, 96);
  assert.ok(counts.decodes >= 1);
});

Deno.test("pixels that native code still reads outlive a release", async () => {
  const { image } = counted(jpeg);
  const raster = await image.raster({ size: "full" });
  const whole = await encodeRaster(raster, { format: "png" });
  const encoding = encodeRaster(raster, { format: "png" });
  await Promise.resolve(); // the call has begun
  image.release();
  assert.deepEqual(await encoding, whole);
});

Deno.test("what could not be decoded once is not decoded again, at any size", async () => {
  const { image, counts } = counted(jpeg.slice(0, -200));
  const failure = (request: Parameters<Image["raster"]>[0]) =>
    image.raster(request).then(() => assert.fail("decoded"), (error) => error);
  const first = await failure({ short_side_px: 96 });
  assert.ok(first instanceof Rejection);
  assert.equal(await failure({ size: "full" }), first);
  image.release();
  assert.equal(await failure({ short_side_px: 96 }), first);
  assert.equal(counts.decodes, 1);
});

Deno.test("what is rejected by its header is never decoded", async () => {
  const { image, counts } = counted(new Uint8Array());
  await assert.rejects(image.header(), Rejection);
  await assert.rejects(image.raster({ size: "full" }), Rejection);
  assert.deepEqual(counts, { reads: 1, decodes: 0 });
});

Deno.test("a read that failed is tried again", async () => {
  let reads = 0;
  const image = new Image(() => {
    reads++;
    return reads === 1 ? Promise.reject(new Error("disk asleep")) : Promise.resolve(jpeg);
  });
  await assert.rejects(image.header(), /disk asleep/);
  assert.equal((await image.header()).width, 400);
  assert.equal(reads, 2);
});

Deno.test("the pixel limit is the caller's", async () => {
  const image = new Image(() => Promise.resolve(jpeg), { maxPixels: 1000 });
  await assert.rejects(image.header(), /400 × 300 pixels is over the limit of 1,000/);
});

Deno.test("a request for no pixels is a bug", async () => {
  const { image } = counted(jpeg);
  for (const short_side_px of [0, -1, 1.5, NaN]) {
    await assert.rejects(image.raster({ short_side_px }), RangeError);
  }
});
