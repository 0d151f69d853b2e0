import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { readHeader } from "../../src/imaging/header.ts";
import type { Raster, RasterRequest } from "../../src/imaging/raster.ts";
import { resizeRaster } from "../../src/imaging/resize.ts";
import { Rejection } from "../../src/runtime/rejection.ts";
import {
  bytesOf,
  corpusFile,
  corpusNames,
  corpusTest,
  joined,
  paint,
  photoLike,
  pipelineOf,
  pixelAt,
  psnr,
  segment,
  withSegments,
} from "./pictures.ts";
import { gammaCurve, greyProfile, P3_COLORANTS, rgbProfile, SRGB_COLORANTS } from "./profiles.ts";

const full: RasterRequest = { size: "full" };
const photo = photoLike(403, 301);

async function decoded(bytes: Uint8Array, request: RasterRequest = full): Promise<Raster> {
  return await decodeRaster(bytes, await readHeader(bytes), request);
}

/** The reason that header or decoder give for rejecting; undefined when the picture is fine. */
async function reasonAgainst(bytes: Uint8Array, request: RasterRequest = full) {
  const error = await decoded(bytes, request).then(() => undefined, (error) => error);
  assert.ok(error === undefined || error instanceof Rejection, `${error?.stack}`);
  return error?.message;
}

/**
 * How an upright raster is stored under an orientation. EXIF 2.32, tag 0x0112: the sides of the
 * picture where the stored row 0 and column 0 are.
 */
function stored(upright: Raster, orientation: number): Raster {
  const sides = ["", "TL", "TR", "BR", "BL", "LT", "RT", "RB", "LB"][orientation]!;
  const { width, height } = upright;
  const isSideways = orientation >= 5;
  return paint(isSideways ? height : width, isSideways ? width : height, (column, row) => {
    const [alongX, alongY] = isSideways ? [row, column] : [column, row];
    const x = sides.includes("R") ? width - 1 - alongX : alongX;
    const y = sides.includes("B") ? height - 1 - alongY : alongY;
    return pixelAt(upright, x, y);
  });
}

Deno.test("each EXIF orientation is applied exactly once, with and without shrinking", async () => {
  const upright = paint(60, 36, (x, y) => [x * 4, y * 7, (x * 13 + y * 29) % 64]);
  const small = await decoded(await bytesOf(pipelineOf(upright).png()), { max_side_px: 20 });
  for (let orientation = 1; orientation <= 8; orientation++) {
    const turned = stored(upright, orientation);
    const bytes = await bytesOf(pipelineOf(turned).png().withMetadata({ orientation }));
    assert.deepEqual((await decoded(bytes)).pixels, upright.pixels);
    const shrunk = await decoded(bytes, { max_side_px: 20 });
    assert.deepEqual([shrunk.width, shrunk.height], [20, 12]);
    // Columns are reduced before rows, so a turned picture rounds in another order.
    shrunk.pixels.forEach((value, at) => assert.ok(Math.abs(value - small.pixels[at]!) <= 1));
  }
});

Deno.test("a JPEG's orientation is applied exactly once where it is shrunk while loading", async () => {
  const upright = photoLike(800, 480);
  const small = await decoded(await bytesOf(pipelineOf(upright).png()), { short_side_px: 60 });
  for (let orientation = 1; orientation <= 8; orientation++) {
    const turned = pipelineOf(stored(upright, orientation));
    const bytes = await bytesOf(turned.jpeg({ quality: 95 }).withMetadata({ orientation }));
    // 30 dB: one of the two is reduced by libjpeg by 8, the other by Lanczos.
    assert.ok(psnr(await decoded(bytes, { short_side_px: 60 }), small) > 30);
  }
});

Deno.test("pictures are never enlarged", async () => {
  const bytes = await bytesOf(pipelineOf(photo).png());
  for (const request of [{ short_side_px: 900 }, { max_side_px: 900 }]) {
    const { width, height } = await decoded(bytes, request);
    assert.deepEqual([width, height], [403, 301]);
  }
  const { width, height } = await decoded(bytes, { size: { width: 900, height: 9 } });
  assert.deepEqual([width, height], [403, 9]);
});

Deno.test("grey, palette and 16-bit pictures come out as 8-bit colour with three channels", async () => {
  const ramp = paint(16, 4, (x) => [x * 17, x * 17, x * 17]);
  const variants = [
    pipelineOf(ramp).extractChannel(0).png(),
    pipelineOf(ramp).toColourspace("rgb16").png(),
    pipelineOf(ramp).extractChannel(0).tiff({ compression: "lzw" }),
  ];
  for (const variant of variants) {
    const raster = await decoded(await bytesOf(variant));
    assert.equal(raster.channels, 3);
    assert.deepEqual(raster.pixels, ramp.pixels);
  }
  const cards = paint(16, 4, (x) => x < 8 ? [0, 0, 0] : [255, 255, 255]);
  const palette = await decoded(await bytesOf(pipelineOf(cards).png({ palette: true })));
  assert.deepEqual([palette.channels, palette.pixels], [3, cards.pixels]);
});

/** IEC 61966-2-1. */
const toLinear = (value: number) =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const fromLinear = (value: number) =>
  value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;

Deno.test("Display P3 is converted to sRGB, in 8 and in 16 bits", async () => {
  const P3_CURVE = (await import("./profiles.ts")).SRGB_CURVE;
  const colours = [[200, 100, 50], [40, 120, 90], [128, 128, 128]] as const;
  const raster = paint(3, 1, (x) => colours[x]!);
  const profile = rgbProfile(P3_COLORANTS, P3_CURVE);
  // Rows of the matrix from linear P3 to linear sRGB (CSS Color 4, section 10.2).
  const matrix = [[1.2249, -0.2249, 0], [-0.0421, 1.0421, 0], [-0.0196, -0.0786, 1.0983]];
  const wanted = colours.flatMap((colour) => {
    const linear = colour.map((value) => toLinear(value / 255));
    return matrix.map((row) => {
      const mixed = row.reduce((sum, factor, at) => sum + factor * linear[at]!, 0);
      return Math.round(255 * fromLinear(Math.max(0, mixed)));
    });
  });
  for (const space of ["srgb", "rgb16"]) {
    const bytes = await withProfile(pipelineOf(raster).toColourspace(space), profile);
    assert.equal((await readHeader(bytes)).is_srgb, false);
    const { pixels } = await decoded(bytes);
    // ±1 for rounding, once more for 16 bits that were brought to 8 first.
    pixels.forEach((value, at) =>
      assert.ok(Math.abs(value - wanted[at]!) <= 2, `${pixels}, ${wanted}`)
    );
  }
});

Deno.test("a linear grey profile is applied, in 8 and in 16 bits", async () => {
  const ramp = paint(14, 1, (x) => [x * 19 + 8, x * 19 + 8, x * 19 + 8]);
  for (const space of ["b-w", "grey16"]) {
    const bytes = await withProfile(
      pipelineOf(ramp).extractChannel(0).toColourspace(space),
      greyProfile(gammaCurve(1)),
    );
    const { pixels } = await decoded(bytes);
    pixels.forEach((value, at) => {
      const wanted = 255 * fromLinear(ramp.pixels[at]! / 255);
      assert.ok(Math.abs(value - wanted) <= 1, `${value}, wanted ${wanted}`);
    });
  }
});

/** Encodes as PNG and puts an ICC profile in, without converting anything. */
async function withProfile(pipeline: ReturnType<typeof pipelineOf>, profile: Uint8Array) {
  const { crc32, deflateSync } = await import("node:zlib");
  const png = await bytesOf(pipeline.png());
  const content = joined("iCCPmade here\0\0", new Uint8Array(deflateSync(profile)));
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, content.length - 4);
  view.setUint32(4, crc32(content));
  const [length, checksum] = [new Uint8Array(view.buffer, 0, 4), new Uint8Array(view.buffer, 4)];
  return joined(png.subarray(0, 33), length, content, checksum, png.subarray(33));
}

Deno.test("an sRGB profile changes no pixel", async () => {
  const SRGB_CURVE = (await import("./profiles.ts")).SRGB_CURVE;
  const bytes = await withProfile(pipelineOf(photo), rgbProfile(SRGB_COLORANTS, SRGB_CURVE));
  assert.deepEqual((await decoded(bytes)).pixels, photo.pixels);
});

Deno.test("CMYK without a profile keeps paper white and ink dark", async () => {
  const cards = paint(64, 32, (x) => x < 32 ? [255, 255, 255] : [10, 10, 10]);
  const bytes = await bytesOf(pipelineOf(cards).toColourspace("cmyk").jpeg({ quality: 95 }));
  assert.equal((await readHeader(bytes)).colour_space, "cmyk");
  const raster = await decoded(bytes);
  assert.equal(raster.channels, 3);
  assert.ok(pixelAt(raster, 8, 8).every((value) => value > 245), `${pixelAt(raster, 8, 8)}`);
  assert.ok(pixelAt(raster, 56, 8).every((value) => value < 70), `${pixelAt(raster, 56, 8)}`);
});

Deno.test("the colour of invisible pixels does not bleed when alpha is resized", async () => {
  const halves = paint(64, 64, (x, y) => (x + y) % 2 === 0 ? [255, 0, 0, 255] : [0, 255, 0, 0]);
  const raster = await decoded(await bytesOf(pipelineOf(halves).png()), { max_side_px: 8 });
  assert.equal(raster.channels, 4);
  const [red, green, blue, alpha] = pixelAt(raster, 4, 4);
  assert.deepEqual([red, green, blue], [255, 0, 0]);
  assert.ok(Math.abs(alpha! - 128) <= 2, `alpha ${alpha}`);
});

Deno.test("a raster that is resized again is close to one decoded to that size", async () => {
  const bytes = await bytesOf(pipelineOf(photo).png());
  const shared = await decoded(bytes, { short_side_px: 200 });
  const direct = await decoded(bytes, { size: { width: 32, height: 24 } });
  const resized = await resizeRaster(shared, { width: 32, height: 24 });
  // 40 dB: two passes of Lanczos instead of one.
  assert.ok(psnr(resized, direct) > 40, `${psnr(resized, direct)} dB`);
  assert.equal(await resizeRaster(resized, { width: 32, height: 24 }), resized);
});

Deno.test("an animation gives its first frame", async () => {
  const frames = paint(20, 40, (_, y) => y < 20 ? [200, 0, 0] : [0, 0, 200]);
  const { width, height, channels, pixels } = frames;
  const sharp = (await import("sharp")).default;
  const animation = () => sharp(pixels, { raw: { width, height, channels, pageHeight: 20 } });
  for (const format of ["gif", "webp"] as const) {
    const bytes = await bytesOf(
      animation().toFormat(format, { lossless: true, delay: [100, 100] }),
    );
    assert.equal((await readHeader(bytes)).pages, 2);
    const raster = await decoded(bytes);
    assert.deepEqual([raster.width, raster.height], [20, 20]);
    assert.deepEqual(pixelAt(raster, 10, 10).slice(0, 3), [200, 0, 0]);
  }
});

const encodings = {
  jpeg: await bytesOf(pipelineOf(photo).jpeg({ quality: 90 })),
  progressive: await bytesOf(pipelineOf(photo).jpeg({ progressive: true })),
  png: await bytesOf(pipelineOf(photo).png()),
  interlaced: await bytesOf(pipelineOf(photo).png({ progressive: true })),
  gif: await bytesOf(pipelineOf(photo).gif()),
  webp: await bytesOf(pipelineOf(photo).webp()),
  lossless: await bytesOf(pipelineOf(photo).webp({ lossless: true })),
  tiff: await bytesOf(pipelineOf(photo).tiff({ compression: "lzw" })),
  tiles: await bytesOf(pipelineOf(photo).tiff({ compression: "deflate", tile: true })),
  avif: await bytesOf(pipelineOf(photo).avif({ effort: 0 })),
};
/** What may be missing at the end of a file whose pixels are whole: PNG's IEND, GIF's trailer. */
const dispensable: Readonly<Record<string, number>> = { png: 12, interlaced: 12, gif: 1 };

for (const [name, bytes] of Object.entries(encodings)) {
  Deno.test(`${name} data that ends early is rejected, also where only a thumbnail is asked for`, async () => {
    const lengths = fc.integer({ min: 200, max: bytes.length - 1 - (dispensable[name] ?? 0) });
    const requests = fc.constantFrom<RasterRequest>(full, { max_side_px: 100 }, { max_side_px: 9 });
    await fc.assert(
      fc.asyncProperty(lengths, requests, async (length, request) => {
        assert.ok(await reasonAgainst(bytes.slice(0, length), request));
      }),
      { numRuns: 25 },
    );
    assert.equal(await reasonAgainst(bytes), undefined);
  });
}

Deno.test("the reason tells what is missing, in one sentence", async () => {
  const cut = (name: keyof typeof encodings) => encodings[name].slice(0, 5000);
  assert.deepEqual(
    await Promise.all(
      [cut("jpeg"), cut("png"), cut("gif"), cut("webp")].map((bytes) => reasonAgainst(bytes)),
    ),
    [
      "JPEG ends after 5,000 bytes, inside its picture data",
      "PNG ends after 5,000 of at least 8,258 bytes, inside chunk IDAT",
      "GIF ends after 5,000 bytes, before its trailer",
      `WebP ends after 5,000 of ${encodings.webp.length.toLocaleString("en-US")} bytes`,
    ],
  );
});

Deno.test("the reason is the file's own, also while others fail beside it", async () => {
  const flipped = encodings.png.with(20_000, encodings.png[20_000]! ^ 0x55);
  const alone = await reasonAgainst(flipped);
  assert.match(alone!, /^PNG chunk IDAT at byte [\d,]+ is damaged: its checksum does not match$/);
  const cut = encodings.jpeg.slice(0, -500);
  const beside = await Promise.all(
    [flipped, cut, flipped, cut].map((bytes) => reasonAgainst(bytes)),
  );
  assert.deepEqual([beside[0], beside[2]], [alone, alone]);
  assert.equal(beside[1], beside[3]);
});

Deno.test("what surrounds the picture data may be broken", async () => {
  const { jpeg } = encodings;
  const pixels = (await decoded(jpeg)).pixels;
  const scan = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xda);
  const variants = {
    stray: withSegments(jpeg, segment(0xed, "Photoshop"), joined([1, 2, 3])),
    exif: withSegments(jpeg, segment(0xe1, "Exif\0\0", "nonsense")),
    version: withSegments(jpeg, segment(0xe0, "JFIF\0", [3, 0, 0, 0, 1, 0, 1, 0, 0])),
    spectrum: jpeg.with(scan + 12, 5),
    trailing: joined(jpeg, new Uint8Array(1000)),
  };
  for (const [name, bytes] of Object.entries(variants)) {
    assert.deepEqual((await decoded(bytes)).pixels, pixels, name);
  }
  assert.match((await reasonAgainst(variants.stray.slice(0, -2000)))!, /inside its picture data/);
});

corpusTest("every broken file is rejected with its reason, at any size", async () => {
  const reasons: string[] = [];
  for (const name of corpusNames("broken")) {
    const bytes = corpusFile(`broken/${name}`);
    const reason = await reasonAgainst(bytes);
    assert.equal(await reasonAgainst(bytes, { max_side_px: 16 }), reason);
    reasons.push(`${name}: ${reason}`);
  }
  assert.deepEqual(reasons, [
    "broken.png: PNG has no chunk where one is wanted, at byte 8",
    "broken_data_stream.png: PNG has no chunk where one is wanted, at byte 30,154",
    "corrupt-header.jpg: JPEG ends after 1,024 bytes, inside its APP1 segment",
    "empty.jpg: file is empty",
    'text_named.jpg: not an image: starts with "this is " (JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC is wanted)',
    "truncated.jpg: JPEG ends after 10,000 bytes, inside its picture data",
    "truncated.png: PNG ends after 10,000 of at least 32,813 bytes, inside chunk IDAT",
    "truncated_image.png: PNG ends after 81,920 of at least 105,559 bytes, inside chunk IDAT",
    "truncated_jpeg.jpg: JPEG ends after 6,698 bytes, inside its picture data",
  ]);
});

corpusTest("every odd file, every photo and every file with broken EXIF decodes", async () => {
  for (const folder of ["odd", "photos", "broken_exif"]) {
    for (const name of corpusNames(folder)) {
      const bytes = corpusFile(`${folder}/${name}`);
      const header = await readHeader(bytes);
      const raster = await decodeRaster(bytes, header, { short_side_px: 256 });
      assert.equal(raster.pixels.length, raster.width * raster.height * raster.channels);
      assert.equal(
        Math.min(raster.width, raster.height),
        Math.min(256, header.width, header.height),
      );
      assert.deepEqual([name, raster.channels], [name, header.has_alpha ? 4 : 3]);
    }
  }
});

corpusTest("every orientation of the same scene gives the same upright picture", async () => {
  for (const scene of ["Landscape", "Portrait"]) {
    for (const request of [full, { short_side_px: 300 }]) {
      const first = await decoded(corpusFile(`orientation/${scene}_1.jpg`), request);
      for (let orientation = 0; orientation <= 8; orientation++) {
        const raster = await decoded(
          corpusFile(`orientation/${scene}_${orientation}.jpg`),
          request,
        );
        assert.deepEqual([raster.width, raster.height], [first.width, first.height]);
        const ratio = psnr(raster, first);
        // The files with the invalid orientation 0 were compressed once less than the others.
        const least = orientation === 0 ? 25 : 28;
        assert.ok(ratio >= least, `${scene}_${orientation}: ${ratio} dB`);
      }
    }
  }
});

corpusTest("wide-gamut, CMYK and 16-bit colours agree with lcms and ImageMagick", async () => {
  // Of Pillow 9.4 with ImageCms (perceptual, sRGB); the TIFF's of ImageMagick 6.9 with 16 bits.
  const expected: Readonly<Record<string, readonly number[]>> = {
    "p3.png": [255, 0, 0, 255],
    "prophoto.png": [117, 160, 210],
    "Channel_digital_image_CMYK_color.jpg": [195, 211, 237],
    "tifftag-photoshop.tiff": [11, 27, 10],
  };
  for (const [name, colour] of Object.entries(expected)) {
    const seen = pixelAt(await decoded(corpusFile(`odd/${name}`)), 0, 0);
    const difference = Math.max(...seen.map((value, at) => Math.abs(value - colour[at]!)));
    assert.ok(difference <= 2, `${name}: ${seen}, wanted ${colour}`);
  }
});
