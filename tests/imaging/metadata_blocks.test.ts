import assert from "node:assert/strict";
import exifr from "exifr";
import sharp from "sharp";
import { safeExif, uprightExif } from "../../src/imaging/exif_writer.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { readMetadataBlocks, withMetadata } from "../../src/imaging/metadata_blocks.ts";
import { type SegmentedFormat, stripPrivateSegments } from "../../src/imaging/segments.ts";
import { photo } from "../picture_rig.ts";

const secrets = /SERIAL-1234|Jane Doe|private remark/;

/** A picture whose EXIF says how, where and by whom it was taken. */
async function tagged(format: SegmentedFormat): Promise<Uint8Array> {
  const encoded = await sharp(await photo(60, 40))
    .withExif({
      IFD0: { Make: "Ricoh", Model: "GR III", Copyright: "CC0", Artist: "Jane Doe" },
      IFD2: {
        ExposureTime: "1/250",
        FNumber: "28/10",
        ISOSpeedRatings: "400",
        DateTimeOriginal: "2021:05:01 12:00:00",
        LensModel: "GR LENS 18.3mm",
        BodySerialNumber: "SERIAL-1234",
        UserComment: "private remark",
      },
      IFD3: {
        GPSLatitudeRef: "S",
        GPSLatitude: "33/1 51/1 35/1",
        GPSLongitudeRef: "E",
        GPSLongitude: "151/1 12/1 0/1",
      },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>Jane Doe</a></x:xmpmeta>')
    .toFormat(format).toBuffer();
  return new Uint8Array(encoded);
}

for (const format of ["jpeg", "png", "webp"] as const) {
  Deno.test(`what is safe of a ${format}'s EXIF stays, what is private goes, and no pixel changes`, async () => {
    const before = await tagged(format);
    const { exif } = await readMetadataBlocks(before, { format });
    assert.match(new TextDecoder("latin1").decode(exif), secrets);
    const safe = safeExif(exif!)!;
    const after = withMetadata(stripPrivateSegments(before, format), format, { exif: safe });
    assert.doesNotMatch(new TextDecoder("latin1").decode(after), secrets);
    const tags = await exifr.parse(safe.buffer, { gps: true, ifd0: {}, exif: true });
    assert.equal(tags.Make, "Ricoh");
    assert.equal(tags.LensModel, "GR LENS 18.3mm");
    assert.equal(tags.ExposureTime, 1 / 250);
    assert.equal(tags.ISO, 400);
    assert.equal(tags.Copyright, "CC0");
    assert.equal(tags.latitude, undefined);
    const read = await readMetadataBlocks(after, { format });
    assert.deepEqual(new Uint8Array(read.exif!), safe);
    assert.deepEqual((await readHeader(after)).warnings, []);
    const [was, is] = [await sharp(before).raw().toBuffer(), await sharp(after).raw().toBuffer()];
    assert.ok(was.equals(is));
  });

  Deno.test(`XMP put into a ${format} is read back as it was`, async () => {
    const xmp = new TextEncoder().encode("<x:xmpmeta>ä</x:xmpmeta>");
    const bytes = new Uint8Array(await sharp(await photo(31, 17)).toFormat(format).toBuffer());
    const read = await readMetadataBlocks(withMetadata(bytes, format, { xmp }), { format });
    assert.equal(new TextDecoder().decode(read.xmp), "<x:xmpmeta>ä</x:xmpmeta>");
  });
}

Deno.test("a WebP with alpha keeps it when metadata is put in", async () => {
  for (const lossless of [true, false]) {
    const bytes = new Uint8Array(
      await sharp({ create: { width: 9, height: 5, channels: 4, background: "#ff000080" } })
        .webp({ lossless }).toBuffer(),
    );
    const after = withMetadata(bytes, "webp", { exif: uprightExif(await exifOf()) });
    const { data, info } = await sharp(after).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [9, 5, 4]);
    assert.equal(data[3], 128);
  }
});

Deno.test("EXIF for turned pixels says upright, in either byte order", async () => {
  const block = await exifOf(6);
  assert.equal((await exifr.orientation(block)) ?? 1, 6);
  assert.equal((await exifr.orientation(uprightExif(block))) ?? 1, 1);
  assert.equal(uprightExif(block).length, block.length);
});

Deno.test("of a block with a name in it the name is left out", async () => {
  const { exif } = await readMetadataBlocks(
    new Uint8Array(
      await sharp(await photo(8, 8)).withExif({ IFD0: { Artist: "Jane Doe" } }).jpeg().toBuffer(),
    ),
    { format: "jpeg" },
  );
  assert.match(new TextDecoder("latin1").decode(exif), secrets);
  const safe = safeExif(exif!) ?? new Uint8Array();
  assert.doesNotMatch(new TextDecoder("latin1").decode(safe), secrets);
});

async function exifOf(orientation = 1): Promise<Uint8Array> {
  const bytes = await sharp(await photo(8, 8)).withMetadata({ orientation }).jpeg().toBuffer();
  const { exif } = await readMetadataBlocks(new Uint8Array(bytes), { format: "jpeg" });
  return exif!.slice();
}
