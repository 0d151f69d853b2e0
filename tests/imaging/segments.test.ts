import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import exifr from "exifr";
import fc from "fast-check";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { type SegmentedFormat, stripPrivateSegments } from "../../src/imaging/segments.ts";
import { Rejection } from "../../src/runtime/rejection.ts";
import {
  bigEndian,
  bytesOf,
  corpusFile,
  corpusNames,
  corpusTest,
  joined,
  photoLike,
  pipelineOf,
  segment,
  withSegments,
} from "./pictures.ts";

const photo = photoLike(120, 80);
const formats = ["jpeg", "png", "webp"] as const;

/** Everything that names a person or a place. */
const exif = {
  IFD0: { Artist: "Ada", Copyright: "Ada", Software: "Camera 1" },
  IFD3: { GPSLatitudeRef: "N", GPSLatitude: "52/1 31/1 0/1", GPSLongitude: "13/1 24/1 0/1" },
};
const xmp =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-' +
  'syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="Ada"/>' +
  "</rdf:RDF></x:xmpmeta>";

async function privatePicture(format: SegmentedFormat, orientation = 1): Promise<Uint8Array> {
  const pipeline = pipelineOf(photo).toFormat(format).withMetadata({ orientation });
  return await bytesOf(pipeline.withExifMerge(exif).withXmp(xmp));
}

async function pixelsOf(bytes: Uint8Array): Promise<Uint8Array> {
  return (await decodeRaster(bytes, await readHeader(bytes), { size: "full" })).pixels;
}

function contains(bytes: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

for (const format of formats) {
  Deno.test(`a ${format} loses EXIF, GPS and XMP, and keeps its pixels and its profile`, async () => {
    const before = await privatePicture(format);
    assert.ok(contains(before, "Ada"));
    const after = stripPrivateSegments(before, format);
    assert.ok(after.length < before.length);
    for (const name of ["Ada", "Camera 1", "xmpmeta", "Exif"]) {
      assert.ok(!contains(after, name), name);
    }
    assert.deepEqual(await pixelsOf(after), await pixelsOf(before));
    assert.equal((await readHeader(after)).icc_profile, "sRGB");
    if (format === "webp") return; // exifr does not read WebP
    assert.ok(await exifr.gps(before));
    assert.equal(await exifr.parse(after, { icc: false, ihdr: false, jfif: false }), undefined);
  });

  Deno.test(`of a ${format} with an orientation only that is left, and it still counts`, async () => {
    for (let orientation = 2; orientation <= 8; orientation++) {
      const before = await privatePicture(format, orientation);
      const after = stripPrivateSegments(before, format);
      assert.ok(!contains(after, "Ada"));
      assert.equal((await readHeader(after)).orientation, orientation);
      assert.deepEqual((await readHeader(after)).warnings, []);
      assert.deepEqual(await pixelsOf(after), await pixelsOf(before));
      assert.equal(stripPrivateSegments(after, format), after);
    }
  });

  Deno.test(`a ${format} with nothing private comes back as the very same array`, async () => {
    const bytes = await bytesOf(pipelineOf(photo).toFormat(format));
    assert.equal(stripPrivateSegments(bytes, format), bytes);
  });

  Deno.test(`a ${format} that is cut anywhere is rejected, never mangled`, async () => {
    const bytes = await privatePicture(format);
    const lengths = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(fc.property(lengths, (length) => {
      assert.throws(() => stripPrivateSegments(bytes.slice(0, length), format), Rejection);
    }));
  });

  Deno.test(`a ${format} with any byte changed is stripped or rejected, and never grows`, async () => {
    const bytes = await privatePicture(format, 6);
    const places = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(fc.property(places, fc.integer({ min: 0, max: 255 }), (at, value) => {
      try {
        const after = stripPrivateSegments(bytes.with(at, value), format);
        assert.ok(after.length <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof Rejection, `${error}`);
      }
    }));
  });
}

Deno.test("every private segment of a JPEG goes, in any order, and the scan stays byte for byte", async () => {
  const jpeg = await bytesOf(pipelineOf(photo).jpeg({ progressive: true }));
  const needed = [
    segment(0xe2, "ICC_PROFILE\0", [1, 1], new Uint8Array(140)),
    segment(0xee, "Adobe", [0, 100, 0, 0, 0, 0, 1]),
  ];
  const hidden = [
    segment(0xe1, "http://ns.adobe.com/xap/1.0/\0", xmp),
    segment(0xe2, "MPF\0", "secret"),
    segment(0xe0, "JFXX\0", [0x10], "secret"),
    segment(0xe3, "secret"),
    segment(0xec, "Ducky"),
    segment(0xed, "Photoshop 3.0\0", "secret"),
    segment(0xef, "secret"),
    segment(0xfe, "a secret comment"),
  ];
  const trailers = fc.constantFrom("", "secret film", "\xff\xd8\xff\xd9");
  const shuffled = fc.shuffledSubarray(hidden, { minLength: 1 });
  fc.assert(fc.property(shuffled, trailers, (segments, trailer) => {
    const before = joined(withSegments(jpeg, ...segments, ...needed), trailer);
    const after = stripPrivateSegments(before, "jpeg");
    assert.deepEqual(after, withSegments(jpeg, ...needed));
    assert.equal(stripPrivateSegments(after, "jpeg"), after);
  }));
});

Deno.test("a thumbnail inside the JFIF segment goes", async () => {
  const jpeg = await bytesOf(pipelineOf(photo).jpeg());
  const jfif = segment(0xe0, "JFIF\0", [1, 1, 0, 0, 1, 0, 1, 1, 1], [9, 9, 9]);
  const after = stripPrivateSegments(withSegments(jpeg.subarray(0), jfif), "jpeg");
  const plain = segment(0xe0, "JFIF\0", [1, 1, 0, 0, 1, 0, 1, 0, 0]);
  assert.deepEqual(after, withSegments(jpeg, plain));
});

function chunk(type: string, content: string | Uint8Array): Uint8Array {
  const body = joined(type, content);
  return joined(bigEndian(body.length - 4, 4), body, bigEndian(crc32(body), 4));
}

Deno.test("text, time, unknown chunks, frames and trailing bytes of a PNG go, colours stay", async () => {
  const png = await bytesOf(pipelineOf(photo).png());
  const kept = [
    chunk("gAMA", new Uint8Array(bigEndian(45455, 4))),
    chunk("tRNS", new Uint8Array(6)),
  ];
  const hidden = ["tEXt", "zTXt", "iTXt", "tIME", "acTL", "fcTL", "fdAT", "caBX", "prVt"]
    .map((type) => chunk(type, "secret"));
  const [head, rest] = [png.subarray(0, 33), png.subarray(33)];
  const before = joined(head, ...hidden, ...kept, rest, "secret film");
  assert.deepEqual(stripPrivateSegments(before, "png"), joined(head, ...kept, rest));
});

Deno.test("the sizes and flags of a WebP are put right, and its animation stays", async () => {
  const sharp = (await import("sharp")).default;
  const { width, channels, pixels } = photo;
  const frames = sharp(pixels, { raw: { width, height: 80, channels, pageHeight: 40 } });
  const bytes = await bytesOf(
    frames.webp().withMetadata({ orientation: 1 }).withExifMerge(exif).withXmp(xmp),
  );
  const after = stripPrivateSegments(joined(bytes, "secret film"), "webp");
  assert.equal(new DataView(after.buffer).getUint32(4, true), after.length - 8);
  assert.equal(bytes[20]! & 0x0c, 0x0c);
  assert.equal(after[20]! & 0x0c, 0);
  assert.equal((await readHeader(after)).pages, 2);
  assert.deepEqual(await pixelsOf(after), await pixelsOf(bytes));
});

corpusTest("stripped corpus files have the same pixels, no position, and are stable", async () => {
  let changed = 0;
  for (const folder of ["photos", "odd", "orientation", "broken_exif"]) {
    for (const name of corpusNames(folder)) {
      const before = corpusFile(`${folder}/${name}`);
      const header = await readHeader(before);
      const format = formats.find((known) => known === header.format);
      if (format === undefined) continue;
      const after = stripPrivateSegments(before, format);
      assert.equal(stripPrivateSegments(after, format), after);
      if (after === before) continue;
      changed++;
      assert.deepEqual(await pixelsOf(after), await pixelsOf(before), name);
      if (format !== "webp") assert.equal(await exifr.gps(after).catch(() => undefined), undefined);
    }
  }
  assert.ok(changed > 60, `${changed} had something private`);
});
