import assert from "node:assert/strict";
import sharp from "sharp";
import { photo, PictureRig } from "../picture_rig.ts";
import { inspected } from "./inspected.ts";

const exif = {
  IFD0: { Make: "Canon", Model: "EOS R5" },
  IFD2: {
    DateTimeOriginal: "2021:05:01 12:00:00",
    OffsetTimeOriginal: "+02:00",
    SubSecTimeOriginal: "12",
    ISOSpeedRatings: "320",
    ExposureTime: "1/250",
    FNumber: "28/10",
    FocalLength: "35/1",
  },
  IFD3: {
    GPSLatitudeRef: "S",
    GPSLatitude: "33/1 51/1 2442/100",
    GPSLongitudeRef: "E",
    GPSLongitude: "151/1 12/1 5507/100",
  },
};

Deno.test("a JPEG's row has header, quality and camera, and nothing is decoded", async () => {
  const bytes = await sharp(await photo(64, 48)).jpeg({ quality: 77 }).withExif(exif).toBuffer();
  const { row, warnings, decodes } = await inspected(new Uint8Array(bytes));
  assert.deepEqual(warnings, []);
  assert.equal(decodes, 0);
  const { format, width, height, jpeg_quality, uses_alpha, iso, exposure_s } = row;
  assert.deepEqual({ format, width, height, jpeg_quality, uses_alpha, iso, exposure_s }, {
    format: "jpeg",
    width: 64,
    height: 48,
    jpeg_quality: 77,
    uses_alpha: false,
    iso: 320,
    exposure_s: 0.004,
  });
  assert.equal(row.taken_at, "2021-05-01T12:00:00.12");
  assert.equal(row.taken_at_offset, "+02:00");
  assert.equal(row.latitude, -33.85678333);
  assert.equal(row.longitude, 151.21529722);
});

Deno.test("PNG, WebP, TIFF and AVIF say the same of camera, date and place", async () => {
  const source = await photo(64, 48);
  for (const format of ["png", "webp", "avif"] as const) {
    const bytes = await sharp(source).toFormat(format).withExif(exif).toBuffer();
    const { row } = await inspected(new Uint8Array(bytes));
    const { camera_model, f_number, taken_at_from, latitude, jpeg_quality } = row;
    assert.deepEqual({ camera_model, f_number, taken_at_from, latitude, jpeg_quality }, {
      camera_model: "EOS R5",
      f_number: 2.8,
      taken_at_from: "EXIF:DateTimeOriginal",
      latitude: -33.85678333,
      jpeg_quality: null,
    }, format);
  }
});

Deno.test("alpha is used when a pixel can be seen through, and only then", async () => {
  const rgba = (alpha: (at: number) => number, width = 1500, height = 1100) => {
    const pixels = new Uint8Array(width * height * 4).fill(90);
    for (let at = 3; at < pixels.length; at += 4) pixels[at] = alpha(at);
    return sharp(pixels, { raw: { width, height, channels: 4 } }).png().toBuffer();
  };
  const opaque = await inspected(new Uint8Array(await rgba(() => 255)));
  assert.deepEqual([opaque.row.has_alpha, opaque.row.uses_alpha, opaque.decodes], [true, false, 1]);
  const holed = await inspected(new Uint8Array(await rgba((at) => at < 40_000 ? 100 : 255)));
  assert.deepEqual([holed.row.has_alpha, holed.row.uses_alpha], [true, true]);
  const without = await inspected(await photo(64, 48, { format: "png" }));
  assert.deepEqual([without.row.has_alpha, without.row.uses_alpha, without.decodes], [
    false,
    false,
    0,
  ]);
});

Deno.test("a broken tag is null in the table, with a warning of the run", async () => {
  await using rig = new PictureRig();
  const broken = { ...exif, IFD2: { ...exif.IFD2, DateTimeOriginal: "2021:13:01 12:00:00" } };
  const bytes = await sharp(await photo(64, 48)).jpeg().withExif(broken).toBuffer();
  rig.write({ "photos/a.jpg": new Uint8Array(bytes) });
  const { events, status } = await rig.run(`
recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  metadata: { use: inspect.metadata, from: photos }
`);
  assert.equal(status, "complete");
  const messages = events.flatMap((event) => event.type === "warning" ? event.message : []);
  assert.deepEqual(messages, [
    'EXIF tag DateTimeOriginal is broken: "2021:13:01 12:00:00" is no date',
  ]);
  const rows = await rig.query("SELECT taken_at, iso, camera_make FROM metadata");
  assert.equal(
    JSON.stringify(rows, (_, value) => typeof value === "bigint" ? +`${value}` : value),
    JSON.stringify([
      { taken_at: null, iso: 320, camera_make: "Canon" },
    ]),
  );
});
