import assert from "node:assert/strict";
import sharp from "sharp";
import { exifTags, type ExifTruth, gpsAt, takenAt } from "../../src/sample/exif.ts";
import { type Tags, tagsOf } from "./exif_tags.ts";

/** What exifr reads of a small JPEG that carries these tags. */
async function readBack(truth: ExifTruth): Promise<Tags> {
  const image = sharp(new Uint8Array(300), { raw: { width: 10, height: 10, channels: 3 } });
  return await tagsOf(await image.withExif(exifTags(truth)).jpeg().toBuffer());
}

Deno.test("a time without offset and sub-seconds writes neither", async () => {
  const tags = await readBack({ taken: takenAt("2004:10:30 17:59:41"), camera: null, gps: null });
  assert.equal(tags.DateTimeOriginal, "2004:10:30 17:59:41");
  assert.equal(tags.OffsetTimeOriginal, undefined);
  assert.equal(tags.SubSecTimeOriginal, undefined);
});

Deno.test("sub-seconds keep their zeros: 07 is not 7", async () => {
  const tags = await readBack({
    taken: takenAt("2023:11:03 17:21:09.07 +01:00"),
    camera: null,
    gps: null,
  });
  assert.equal(tags.SubSecTimeOriginal, "07");
  assert.equal(tags.OffsetTimeOriginal, "+01:00");
});

Deno.test("south and west are negative in decimals and positive as written", () => {
  const gps = gpsAt("41 28 20.07 S", "72 56 11.31 W", 3);
  assert.deepEqual(gps.latitude, [41, 28, 20.07]);
  assert.deepEqual([gps.latitude_ref, gps.longitude_ref], ["S", "W"]);
  assert.ok(Math.abs(gps.latitude_deg + 41.4722417) < 1e-7);
  assert.ok(Math.abs(gps.longitude_deg + 72.9364750) < 1e-7);
});
