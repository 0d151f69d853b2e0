import assert from "node:assert/strict";
import sharp, { type Sharp } from "sharp";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { Image } from "../../src/imaging/image.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import { libheifVersion } from "../../src/imaging/tools.ts";
import { Rejection } from "../../src/runtime/rejection.ts";
import {
  codedColours,
  crop,
  gridOf,
  heicOf,
  heicTest,
  mirror,
  rotation,
  sampleOf,
  withProperties,
} from "./heic_files.ts";
import { bytesOf, paint, photoLike, pipelineOf, pixelAt, psnr, randomNumbers } from "./pictures.ts";
import { P3_COLORANTS, rgbProfile, SRGB_CURVE } from "./profiles.ts";

const photo = photoLike(320, 240);
const jpeg = await bytesOf(pipelineOf(photo).jpeg({ quality: 95, chromaSubsampling: "4:4:4" }));
const heic = await sampleOf(() => heicOf(jpeg));

async function decoded(bytes: Uint8Array): Promise<Raster> {
  return await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
}

heicTest("a HEIC has the size and the pixels of the JPEG that it was made from", async () => {
  const header = await readHeader(heic);
  assert.deepEqual(
    [header.format, header.width, header.height, header.orientation, header.is_srgb],
    ["heic", 320, 240, 1, true],
  );
  const raster = await decoded(heic);
  assert.deepEqual([raster.width, raster.height, raster.channels], [320, 240, 3]);
  assert.ok(psnr(raster, await decoded(jpeg)) > 36, `${psnr(raster, await decoded(jpeg))} dB`);
});

heicTest("odd sizes are kept", async () => {
  const odd = await bytesOf(pipelineOf(photoLike(131, 77)).jpeg({ quality: 95 }));
  const raster = await decoded(await heicOf(odd));
  assert.deepEqual([raster.width, raster.height], [131, 77]);
  assert.ok(psnr(raster, await decoded(odd)) > 30);
});

heicTest(
  "the container's crop is applied where it is a margin, and else said to be too much",
  async () => {
    const large = await heicOf(
      await bytesOf(pipelineOf(photoLike(600, 400)).jpeg({ quality: 95 })),
    );
    const whole = await decoded(large);
    const cropped = await decoded(withProperties(large, [crop(580, 384)], { without: "clap" }));
    const middle = pipelineOf(whole).extract({ left: 10, top: 8, width: 580, height: 384 });
    const wanted = new Uint8Array(await middle.raw().toBuffer());
    assert.deepEqual([cropped.width, cropped.height], [580, 384]);
    assert.ok(psnr(cropped, { ...cropped, pixels: wanted }) > 40);
    await assert.rejects(
      () => decoded(withProperties(large, [crop(200, 100)], { without: "clap" })),
      /^Rejection: HEIC with a crop of more than a margin, which this build cannot decode/,
    );
  },
);

heicTest("the container's rotation and mirror are applied, EXIF's is ignored", async () => {
  const upright = await decoded(heic);
  const turns = [
    [[rotation(1)], (pipeline: Sharp) => pipeline.rotate(270)],
    [[rotation(2)], (pipeline: Sharp) => pipeline.rotate(180)],
    [[rotation(3)], (pipeline: Sharp) => pipeline.rotate(90)],
    [[mirror(0)], (pipeline: Sharp) => pipeline.flip()],
    [[mirror(1)], (pipeline: Sharp) => pipeline.flop()],
  ] as const;
  for (const [properties, turn] of turns) {
    const { data, info } = await turn(pipelineOf(upright)).raw().toBuffer({
      resolveWithObject: true,
    });
    const raster = await decoded(withProperties(heic, properties));
    assert.deepEqual([raster.width, raster.height], [info.width, info.height]);
    const wanted = { ...raster, pixels: new Uint8Array(data) };
    assert.ok(psnr(raster, wanted) > 45, `${psnr(raster, wanted)} dB`);
  }
  const sideways = await bytesOf(sharp(jpeg).withMetadata({ orientation: 6 }).jpeg());
  const header = await readHeader(await heicOf(sideways));
  assert.deepEqual([header.width, header.height, header.orientation], [320, 240, 1]);
});

/** Patches of 16 × 16 that no conversion from Display P3 clips. */
const vivid = paint(96, 96, (x, y) => {
  const level = (patch: number) => 70 + (patch % 6) * 24;
  return [level(x >> 4), level(y >> 4), level((x ^ y) >> 4)];
});
const p3 = rgbProfile(P3_COLORANTS, SRGB_CURVE);

async function jpegWithProfile(raster: Raster): Promise<Uint8Array> {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/p3.icc`;
  await Deno.writeFile(path, p3);
  const pipeline = pipelineOf(raster).jpeg({ quality: 98, chromaSubsampling: "4:4:4" });
  return await bytesOf(pipeline.withIccProfile(path, { attach: true }));
}

/** The same pixels, taken for sRGB. */
async function withoutProfile(source: Uint8Array): Promise<Uint8Array> {
  const pipeline = sharp(source, { ignoreIcc: true });
  return await bytesOf(pipeline.jpeg({ quality: 98, chromaSubsampling: "4:4:4" }));
}

async function temporaryFolder() {
  const path = await Deno.makeTempDir({ prefix: "tintype-heic-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The largest difference at the middle of each patch of 16 × 16. */
function largestDifference(left: Raster, right: Raster): number {
  let largest = 0;
  for (let y = 8; y < left.height; y += 16) {
    for (let x = 8; x < left.width; x += 16) {
      const [a, b] = [pixelAt(left, x, y), pixelAt(right, x, y)];
      a.forEach((value, at) => largest = Math.max(largest, Math.abs(value - b[at]!)));
    }
  }
  return largest;
}

heicTest("an ICC profile is applied as that of a JPEG is", async () => {
  const source = await jpegWithProfile(vivid);
  const bytes = await heicOf(source, { options: ["-p", "chroma=444"] });
  const header = await readHeader(bytes);
  assert.deepEqual([header.icc_profile, header.is_srgb], [
    (await readHeader(source)).icc_profile,
    false,
  ]);
  assert.ok(largestDifference(await decoded(bytes), await decoded(source)) <= 3);
  const ignored = await decoded(await withoutProfile(source));
  assert.ok(largestDifference(await decoded(bytes), ignored) > 10, "it does make a difference");
});

heicTest("code points of Display P3 count as its profile does", async () => {
  const source = await jpegWithProfile(vivid);
  const plain = await heicOf(await withoutProfile(source), { options: ["-p", "chroma=444"] });
  const coded = withProperties(plain, [codedColours(12, 13)], { without: "colr" });
  const header = await readHeader(coded);
  assert.deepEqual([header.icc_profile, header.is_srgb], ["Display P3", false]);
  const bytes = await heicOf(source, { options: ["-p", "chroma=444"] });
  assert.ok(largestDifference(await decoded(coded), await decoded(bytes)) <= 3);
});

heicTest("HDR's brightness is taken for sRGB's, with a warning", async () => {
  const coded = withProperties(heic, [codedColours(9, 16)], { without: "colr" });
  const header = await readHeader(coded);
  assert.equal(header.icc_profile, "Rec. 2020");
  assert.deepEqual(header.warnings, ["its HDR brightness (PQ) is taken for that of sRGB"]);
  assert.equal((await decoded(coded)).width, 320);
});

heicTest("ten bits a channel become eight", async () => {
  const wide = sharp(photo.pixels, { raw: { width: 320, height: 240, channels: 3 } })
    .toColourspace("rgb16").png();
  const bytes = await heicOf(await bytesOf(wide), { ending: "png", options: ["-b", "10"] });
  const header = await readHeader(bytes);
  assert.equal(header.bit_depth, 10);
  assert.ok(psnr(await decoded(bytes), photo) > 36);
});

heicTest("alpha is kept", async () => {
  const seeThrough = paint(128, 96, (x, y) => [x * 2, y * 2, 128, x < 64 ? 255 : y]);
  const bytes = await heicOf(await bytesOf(pipelineOf(seeThrough).png()), { ending: "png" });
  assert.equal((await readHeader(bytes)).has_alpha, true);
  const raster = await decoded(bytes);
  assert.equal(raster.channels, 4);
  assert.ok(psnr(raster, seeThrough) > 36, `${psnr(raster, seeThrough)} dB`);
});

heicTest("a grey HEIC is read", async () => {
  const grey = await bytesOf(pipelineOf(photo).greyscale().jpeg({ quality: 95 }));
  const raster = await decoded(await heicOf(grey));
  assert.ok(psnr(raster, await decoded(grey)) > 36);
});

heicTest("a thumbnail is not taken for the picture", async () => {
  const { width, height } = await decoded(await heicOf(jpeg, { options: ["-t", "64"] }));
  assert.deepEqual([width, height], [320, 240]);
});

heicTest("tiles are put together, as phones have them", async () => {
  const tiles: Uint8Array[] = [];
  for (const [left, top] of [[0, 0], [128, 0], [0, 128], [128, 128]] as const) {
    const part = pipelineOf(photo).extract({ left, top, width: 128, height: 112 });
    const padded = part.extend({ bottom: 16, extendWith: "copy" });
    tiles.push(await heicOf(await bytesOf(padded.png()), { ending: "png" }));
  }
  const shape = { tile: [128, 128], width: 250, height: 240 } as const;
  const grid = gridOf(tiles, shape);
  const wanted = await pipelineOf(photo).extract({ left: 0, top: 0, width: 250, height: 112 })
    .raw().toBuffer();
  const raster = await decoded(grid);
  assert.deepEqual([raster.width, raster.height], [250, 240]);
  const top = { ...raster, height: 112, pixels: raster.pixels.subarray(0, wanted.length) };
  assert.ok(psnr(top, { ...top, pixels: new Uint8Array(wanted) }) > 36);

  const damaged = grid.slice();
  damaged.fill(0, grid.length - 900, grid.length - 600);
  await assert.rejects(decoded(damaged), Rejection);
});

heicTest("of several pictures the primary one is read", async () => {
  const [small, large] = [photoLike(64, 64), photoLike(160, 96)];
  const both = await heicOf(await bytesOf(pipelineOf(small).png()), {
    ending: "png",
    others: [await bytesOf(pipelineOf(large).png())],
  });
  const at = new TextDecoder("latin1").decode(both).indexOf("pitm") + 9;
  assert.deepEqual([(await readHeader(both)).width, (await decoded(both)).width], [64, 64]);
  const other = both.slice();
  other[at] = 2;
  assert.deepEqual([(await readHeader(other)).width, (await decoded(other)).width], [160, 160]);
});

heicTest("a HEIC is decoded once, whatever sizes are asked for", async () => {
  let decodes = 0;
  const image = new Image(() => Promise.resolve(heic), { onDecode: () => decodes++ });
  const [whole, small] = await Promise.all([
    image.raster({ size: "full" }),
    image.raster({ short_side_px: 60 }),
  ]);
  const least = await image.raster({ max_side_px: 32 });
  assert.deepEqual([whole.width, small.width, least.width, decodes], [320, 80, 32, 1]);
  const wanted = await decodeRaster(heic, await readHeader(heic), { short_side_px: 60 });
  assert.ok(psnr(small, wanted) > 45);
  image.release();
  assert.equal(whole.pixels.length, 0);
});

heicTest("a HEIC of more pixels than allowed is left out by its header", async () => {
  await assert.rejects(
    readHeader(heic, { maxPixels: 70_000 }),
    (error) =>
      error instanceof Rejection &&
      error.message === "320 × 240 pixels is over the limit of 70,000",
  );
});

/** How decoding ends: in pixels, or with what reason. */
async function endOf(bytes: Uint8Array): Promise<string> {
  try {
    await decoded(bytes);
    return "decoded";
  } catch (error) {
    if (error instanceof Rejection) return error.message;
    throw error;
  }
}

heicTest("a HEIC that is cut short is left out, wherever it ends", async () => {
  for (let part = 0; part < 40; part++) {
    const length = Math.floor(heic.length * part / 40);
    const end = await endOf(heic.subarray(0, length));
    assert.notEqual(end, "decoded", `${length} of ${heic.length} bytes`);
  }
  const reason = await endOf(heic.subarray(0, heic.length - 1));
  assert.match(reason, /^HEIC ends after [\d,]+ of at least [\d,]+ bytes$/);
});

heicTest("flipped bytes end in pixels or in a reason", async () => {
  const random = randomNumbers(7);
  const ends = new Map<string, number>();
  for (let round = 0; round < 200; round++) {
    const damaged = heic.slice();
    // Half of them in the boxes, which are few of the bytes.
    const within = round % 2 === 0 ? 700 : damaged.length;
    damaged[Math.floor(random() * within)]! ^= 1 + Math.floor(random() * 255);
    const end = await endOf(damaged);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const kept = ends.get("decoded") ?? 0;
  assert.ok(kept < 40, `${kept} of 200 were taken for whole`);
  assert.ok(psnr(await decoded(heic), photo) > 36, "the next one is decoded as ever");
});

Deno.test("the version of libheif that keys know is the one that is locked", () => {
  const lock = JSON.parse(Deno.readTextFileSync(new URL("../../deno.lock", import.meta.url)));
  const locked = Object.keys(lock.npm).filter((name) => name.startsWith("libheif-js@"));
  assert.deepEqual(locked, [`libheif-js@${libheifVersion}`]);
});
