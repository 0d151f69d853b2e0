import assert from "node:assert/strict";
import { readHeader } from "../../src/imaging/header.ts";
import { readIcc } from "../../src/imaging/icc.ts";
import { Rejection } from "../../src/runtime/rejection.ts";
import {
  bigEndian,
  bytesOf,
  corpusFile,
  corpusNames,
  corpusTest,
  expectedTable,
  joined,
  paint,
  photoLike,
  pipelineOf,
  segment,
  withSegments,
} from "./pictures.ts";
import { gammaCurve, P3_COLORANTS, rgbProfile, SRGB_COLORANTS, SRGB_CURVE } from "./profiles.ts";

const photo = photoLike(120, 80);
const jpeg = await bytesOf(pipelineOf(photo).jpeg());
const png = await bytesOf(pipelineOf(photo).png());

/** What readHeader rejects the bytes with. */
async function rejectionOf(bytes: Uint8Array, maxPixels?: number): Promise<string> {
  const error = await readHeader(bytes, { maxPixels }).then(() => undefined, (error) => error);
  assert.ok(error instanceof Rejection, `rejected by ${error}`);
  return error.message;
}

Deno.test("a JPEG's header says size, colours, coding and resolution", async () => {
  const bytes = await bytesOf(
    pipelineOf(photo).jpeg({ progressive: true, chromaSubsampling: "4:2:0" })
      .withMetadata({ density: 300 }),
  );
  assert.deepEqual(await readHeader(bytes), {
    format: "jpeg",
    width: 120,
    height: 80,
    orientation: 1,
    channels: 3,
    bit_depth: 8,
    colour_space: "rgb",
    has_alpha: false,
    icc_profile: "sRGB",
    is_srgb: true,
    pages: 1,
    is_progressive: true,
    chroma_subsampling: "4:2:0",
    dpi: 300,
    warnings: [],
  });
});

Deno.test("a 16-bit PNG with alpha is not taken for plain sRGB", async () => {
  const clear = paint(8, 8, () => [1, 2, 3, 4]);
  const bytes = await bytesOf(pipelineOf(clear).toColourspace("rgb16").png());
  const header = await readHeader(bytes);
  assert.deepEqual(
    [header.bit_depth, header.channels, header.has_alpha, header.is_srgb],
    [16, 4, true, false],
  );
});

for (const format of ["jpeg", "png", "webp", "tiff"] as const) {
  Deno.test(`width and height of a ${format} are those of the upright picture`, async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const pipeline = pipelineOf(photo).toFormat(format).withMetadata({ orientation });
      const header = await readHeader(await bytesOf(pipeline));
      const upright = orientation >= 5 ? [80, 120] : [120, 80];
      assert.deepEqual([header.width, header.height], upright);
      assert.equal(header.orientation, orientation);
    }
  });
}

Deno.test("an AVIF's rotation is its container's, which is already applied", async () => {
  const pipeline = pipelineOf(photo).avif({ effort: 0 }).withMetadata({ orientation: 6 });
  const header = await readHeader(await bytesOf(pipeline));
  assert.deepEqual([header.format, header.width, header.height], ["avif", 80, 120]);
  assert.equal(header.orientation, 1);
});

Deno.test("what is no image says what it starts with and what is wanted", async () => {
  const wanted = "(JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC is wanted)";
  assert.equal(await rejectionOf(new Uint8Array()), "file is empty");
  assert.equal(
    await rejectionOf(joined("hello world")),
    `not an image: starts with "hello wo" ${wanted}`,
  );
  assert.equal(
    await rejectionOf(joined([0, 1, 2])),
    `not an image: starts with bytes 00 01 02 ${wanted}`,
  );
});

Deno.test("images that this build cannot decode are named, with the way out", async () => {
  const cases: readonly (readonly [start: Uint8Array, reason: string])[] = [
    [
      joined('<?xml version="1.0"?>\n<svg xmlns="x"/>'),
      "an SVG drawing, which this build cannot " +
      "decode (convert it to PNG or JPEG)",
    ],
    [
      joined("8BPS", [0, 1]),
      "a Photoshop document, which this build cannot decode (convert it to " +
      "PNG or JPEG)",
    ],
    [
      joined([0, 0, 0, 32], "ftypisom", [0, 0, 2, 0]),
      "a video, which this build cannot decode " +
      "(convert it to PNG or JPEG)",
    ],
  ];
  for (const [start, reason] of cases) assert.equal(await rejectionOf(start), reason);
});

Deno.test("a camera raw file is not taken for its thumbnail", async () => {
  const entry = [0, 0xfe, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1];
  const raw = joined("MM", [0, 42, 0, 0, 0, 8, 0, 1], entry, [0, 0, 0, 0]);
  assert.match(await rejectionOf(raw), /^a camera raw file/);
});

Deno.test("a picture over the pixel limit is rejected with its size, and no pixel is decoded", async () => {
  const claim = joined(bigEndian(65_535, 4), bigEndian(60_000, 4));
  const bomb = png.slice();
  bomb.set(claim, 16);
  const { crc32 } = await import("node:zlib");
  bomb.set(bigEndian(crc32(bomb.subarray(12, 29)), 4), 29);
  assert.equal(
    await rejectionOf(bomb),
    "65,535 × 60,000 pixels is over the limit of 268,435,456",
  );
  assert.equal(await rejectionOf(jpeg, 9_599), "120 × 80 pixels is over the limit of 9,599");
  assert.equal((await readHeader(jpeg, { maxPixels: 9_600 })).width, 120);
});

Deno.test("a JPEG that ends before its picture data says where", async () => {
  const cut = withSegments(jpeg, segment(0xe1, "Exif\0\0", new Uint8Array(5000))).subarray(0, 1024);
  assert.equal(await rejectionOf(cut), "JPEG ends after 1,024 bytes, inside its APP1 segment");
  assert.equal(
    await rejectionOf(jpeg.subarray(0, 21)),
    "JPEG ends after 21 bytes, inside its DQT segment",
  );
});

Deno.test("kinds of JPEG that libjpeg does not decode are rejected", async () => {
  const frame = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xc0);
  const lossless = jpeg.with(frame + 1, 0xc3);
  assert.equal(await rejectionOf(lossless), "JPEG of kind SOF3, which this build cannot decode");
  const deep = jpeg.with(frame + 4, 12);
  assert.equal(await rejectionOf(deep), "JPEG has 12 bits a sample (this build decodes 8)");
});

Deno.test("broken EXIF in a fine picture is a warning that names what is broken", async () => {
  const cases: readonly (readonly [exif: Uint8Array, warning: string])[] = [
    [
      joined([255, 255, 255, 255, 0, 0, 0, 8]),
      "it starts with bytes ff ff ff ff (49 49 2a 00 or " +
      "4d 4d 00 2a is wanted)",
    ],
    [joined("MM", [0, 42]), "it ends after 4 bytes, before its first directory"],
    [joined("MM", [0, 42, 0, 0, 0, 99]), "directory IFD0 at byte 99 reaches beyond its 8 bytes"],
    [
      joined("MM", [0, 42, 0, 0, 0, 8, 0, 1], [1, 0x1a, 0, 5, 0, 0, 0, 1, 0, 0, 9, 9], [
        0,
        0,
        0,
        0,
      ]),
      "tag XResolution in IFD0 reaches beyond its 26 bytes",
    ],
    [
      joined("II", [42, 0, 8, 0, 0, 0, 1, 0], [0x12, 1, 2, 0, 1, 0, 0, 0, 65, 0, 0, 0], [
        0,
        0,
        0,
        0,
      ]),
      "tag Orientation has type 2 (SHORT is wanted)",
    ],
  ];
  for (const [exif, warning] of cases) {
    const header = await readHeader(withSegments(jpeg, segment(0xe1, "Exif\0\0", exif)));
    assert.deepEqual(header.warnings, [`EXIF is broken: ${warning}`]);
    assert.equal(header.orientation, 1);
  }
});

Deno.test("resolution is in dots per inch, also where EXIF has it per centimetre", async () => {
  const exif = joined(
    "MM",
    [0, 42, 0, 0, 0, 8, 0, 2],
    [1, 0x1a, 0, 5, 0, 0, 0, 1, 0, 0, 0, 38],
    [1, 0x28, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 200, 0, 0, 0, 2],
  );
  const header = await readHeader(withSegments(jpeg, segment(0xe1, "Exif\0\0", exif)));
  assert.deepEqual([header.dpi, header.warnings], [254, []]);
});

Deno.test("bytes between segments and odd parameters are warnings", async () => {
  const stray = joined(segment(0xed, "Photoshop"), [1, 2, 3]);
  assert.deepEqual((await readHeader(withSegments(jpeg, stray))).warnings, [
    "JPEG is odd: 3 bytes after APP13 belong to no segment",
  ]);
  const future = segment(0xe0, "JFIF\0", [3, 0, 0, 0, 1, 0, 1, 0, 0]);
  assert.deepEqual((await readHeader(withSegments(jpeg, future))).warnings, [
    "JPEG is odd: JFIF segment has the unknown version 3",
  ]);
});

Deno.test("a PNG whose end is missing is a warning as long as its pixels may be whole", async () => {
  const header = await readHeader(png.subarray(0, -12));
  assert.match(header.warnings[0]!, /^PNG ends after [\d,]+ bytes, before its IEND chunk$/);
});

Deno.test("sRGB is recognised by its numbers, not by its name", () => {
  const isSrgb = (profile: Uint8Array) => readIcc(profile)?.isSrgb;
  assert.equal(isSrgb(rgbProfile(SRGB_COLORANTS, SRGB_CURVE)), true);
  assert.equal(isSrgb(rgbProfile(P3_COLORANTS, SRGB_CURVE)), false);
  assert.equal(isSrgb(rgbProfile(SRGB_COLORANTS, gammaCurve(1.8))), false);
  assert.equal(readIcc(rgbProfile(P3_COLORANTS, SRGB_CURVE))?.description, "Made here");
});

Deno.test("a profile for other colours, or a broken one, is left out with a warning", async () => {
  const icc = (profile: Uint8Array) =>
    withSegments(jpeg, segment(0xe2, "ICC_PROFILE\0", [1, 1], profile));
  const grey = (await import("./profiles.ts")).greyProfile(gammaCurve(2.2));
  const mismatched = await readHeader(icc(grey));
  assert.deepEqual(mismatched.warnings, ["ICC profile is for grey colours and is left out"]);
  const broken = await readHeader(icc(new Uint8Array(200)));
  assert.deepEqual(broken.warnings, ["ICC profile cannot be read and is left out"]);
  assert.deepEqual([broken.icc_profile, broken.is_srgb], [null, true]);
});

interface Measured {
  readonly width: number;
  readonly height: number;
}

corpusTest("every photo's size is the one that Pillow found", async () => {
  const expected = expectedTable<Readonly<Record<string, Measured>>>("photos.json");
  for (const [name, { width, height }] of Object.entries(expected)) {
    const header = await readHeader(corpusFile(`photos/${name}`));
    assert.deepEqual([name, header.width, header.height], [name, width, height]);
    assert.deepEqual([name, header.warnings], [name, []]);
  }
});

corpusTest("sizes and orientations are those that exiftool found", async () => {
  const rows = expectedTable<readonly Readonly<Record<string, number>>[]>("exiftool.json");
  let compared = 0;
  for (const row of rows) {
    const path = String(row.SourceFile).replace("corpus/", "");
    if (!/^(photos|odd|orientation|broken_exif)\//.test(path)) continue;
    const width = row["File:ImageWidth"] ?? row["PNG:ImageWidth"] ?? row["GIF:ImageWidth"];
    if (width === undefined) continue;
    const header = await readHeader(corpusFile(path));
    const stored = header.orientation >= 5 ? header.height : header.width;
    assert.deepEqual([path, stored], [path, width]);
    assert.deepEqual([path, header.orientation], [path, row["IFD0:Orientation"] || 1]);
    compared++;
  }
  assert.ok(compared > 100, `${compared} compared`);
});

corpusTest("every file with broken EXIF has a warning that says so", async () => {
  const seen = new Map<string, readonly string[]>();
  for (const name of corpusNames("broken_exif")) {
    seen.set(name, (await readHeader(corpusFile(`broken_exif/${name}`))).warnings);
  }
  const wrongType = (tag: string) => `EXIF is broken: tag ${tag} has type 2 (RATIONAL is wanted)`;
  const resolution = [wrongType("XResolution"), wrongType("YResolution")];
  assert.deepEqual([...seen], [
    ["broken_exif_dpi.jpg", resolution],
    ["invalid-exif-without-x-resolution.jpg", resolution],
    ["invalid-exif.jpg", [
      "EXIF is broken: it starts with bytes ff ff ff ff (49 49 2a 00 or 4d 4d 00 2a is wanted)",
    ]],
    ["photoshop-200dpi-broken.jpg", ["JPEG is odd: 16 bytes after APP13 belong to no segment"]],
    ["truncated_exif_dpi.jpg", [
      "EXIF is broken: it ends after 7 bytes, before its first directory",
    ]],
  ]);
});

corpusTest("bombs are rejected from the header, memory flat", async () => {
  const reasons: string[] = [];
  await rejectionOf(corpusFile("bombs/65536-uint32-limit.png"));
  const before = Deno.memoryUsage().rss;
  for (const name of corpusNames("bombs")) {
    const bytes = corpusFile(`bombs/${name}`);
    for (let round = 0; round < 10; round++) {
      const reason = await rejectionOf(bytes);
      if (round === 0) reasons.push(`${name}: ${reason}`);
    }
  }
  assert.deepEqual(reasons, [
    "65536-uint32-limit.png: 65,536 × 65,536 pixels is over the limit of 268,435,456",
    "decompression_bomb.gif: GIF ends after 44 bytes, before its trailer",
    "giant-image.jpg: 20,000 × 14,000 pixels is over the limit of 268,435,456",
  ]);
  const grown = Deno.memoryUsage().rss - before;
  assert.ok(grown < 32e6, `grew by ${grown} bytes (the smallest of them has 840 MB of pixels)`);
});
