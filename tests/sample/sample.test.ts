import assert from "node:assert/strict";
import exifr from "exifr";
import sharp from "sharp";
import { renderSample } from "../../src/sample/sample.ts";
import { cameraIn, gpsIn, type Tags, tagsOf, takenIn, withSeconds } from "./exif_tags.ts";
import { filesIn, pictureNamed, type SampleRig, sampleRig } from "./rig.ts";

let rig: SampleRig;
Deno.test.beforeAll(async () => {
  rig = await sampleRig();
});
Deno.test.afterAll(() => Deno.remove(rig.folder, { recursive: true }));

Deno.test("a sample is 24 pictures and truth.json, and no temporary file is left", async () => {
  const names = rig.truth.pictures.map((picture) => picture.name);
  assert.equal(names.length, 24);
  assert.deepEqual(await filesIn(rig.folder), [...names, "truth.json"].sort());
});

Deno.test("truth.json is what makeSample gives, sorted by name, with a last line end", async () => {
  const text = new TextDecoder().decode(await rig.read("truth.json"));
  assert.equal(text, `${JSON.stringify(rig.truth, null, 2)}\n`);
  const names = rig.truth.pictures.map((picture) => picture.name);
  assert.deepEqual(names, [...names].sort());
});

Deno.test("two runs give the same bytes", async () => {
  const again = await renderSample();
  assert.deepEqual(again.truth, rig.truth);
  for (const [name, bytes] of again.files) {
    assert.ok(Buffer.from(bytes).equals(await rig.read(name)), `"${name}" differs`);
  }
});

Deno.test("names have a space, a letter outside ASCII in NFC, an upper-case extension, folders", () => {
  const names = rig.truth.pictures.map((picture) => picture.name);
  assert.ok(names.some((name) => name.includes(" ")));
  assert.ok(names.some((name) => /[^\x20-\x7e]/.test(name)));
  assert.ok(names.every((name) => name === name.normalize("NFC")));
  assert.ok(names.some((name) => name.endsWith(".JPG")));
  assert.ok(names.some((name) => name.includes("/")));
});

Deno.test("truth agrees with what sharp reads: format, upright size, channels, depth, colours", async () => {
  const spaces = { srgb: "srgb", "display-p3": "srgb", grey: "b-w", cmyk: "cmyk" } as const;
  for (const truth of rig.truth.pictures) {
    const found = await sharp(await rig.read(truth.name)).metadata();
    assert.deepEqual({
      format: found.format,
      width: found.autoOrient.width,
      height: found.autoOrient.height,
      orientation: found.orientation ?? null,
      channels: found.channels,
      depth: found.depth,
      hasAlpha: found.hasAlpha,
      space: found.space,
      isProgressive: found.isProgressive,
      hasProfile: found.hasProfile,
    }, {
      format: truth.format,
      width: truth.width_px,
      height: truth.height_px,
      orientation: truth.orientation,
      channels: truth.channels,
      depth: truth.bit_depth === 16 ? "ushort" : "uchar",
      hasAlpha: truth.has_alpha,
      space: truth.bit_depth === 16 ? "rgb16" : spaces[truth.colour_space],
      isProgressive: truth.is_progressive,
      hasProfile: truth.icc !== null,
    }, truth.name);
  }
});

Deno.test("what exifr reads of every file is the truth: dates, camera, place", async () => {
  for (const { name, taken, camera, gps } of rig.truth.pictures) {
    const { exif } = await sharp(await rig.read(name)).metadata();
    assert.equal(exif !== undefined, taken !== null, name);
    if (taken === null || camera === null) continue;
    const tags = await exifTagsOf(name);
    assert.deepEqual(takenIn(tags), taken, name);
    assert.deepEqual(cameraIn(tags), withSeconds(camera), name);
    if (gps !== null) assert.deepEqual(gpsIn(tags), gps, name);
    else assert.equal(tags.GPSLatitude, undefined);
  }
});

/** exifr cannot open WebP, so it gets the EXIF block alone, without its "Exif" label. */
async function exifTagsOf(name: string): Promise<Tags> {
  const bytes = await rig.read(name);
  if (!name.endsWith(".webp")) return await tagsOf(bytes);
  const { exif } = await sharp(bytes).metadata();
  return await tagsOf(exif!.subarray("Exif\0\0".length));
}

Deno.test("the profiles that the truth names are in the files", async () => {
  for (const { name, icc } of rig.truth.pictures) {
    if (icc === null) continue;
    const tags = await exifr.parse(await rig.read(name), { icc: { multiSegment: true } });
    assert.equal(tags.ProfileDescription, icc, name);
  }
});

Deno.test("every kind of file that a step must cope with is there", () => {
  const { pictures } = rig.truth;
  const orientations = new Set(pictures.map((picture) => picture.orientation));
  for (const wanted of [null, 1, 2, 3, 6, 8] as const) assert.ok(orientations.has(wanted));
  const kinds = new Set(pictures.map((picture) => picture.kind));
  assert.deepEqual([...kinds].sort(), ["graphics", "line_art", "photo", "text"]);
  const formats = new Set(pictures.map((picture) => picture.format));
  assert.deepEqual([...formats].sort(), ["jpeg", "png", "webp"]);
  const spaces = new Set(pictures.map((picture) => picture.colour_space));
  assert.deepEqual([...spaces].sort(), ["cmyk", "display-p3", "grey", "srgb"]);
  assert.equal(pictures.filter((picture) => picture.has_alpha).length, 1);
  assert.equal(pictures.filter((picture) => picture.bit_depth === 16).length, 1);
  assert.equal(pictures.filter((picture) => picture.is_progressive).length, 1);
});

Deno.test("exact duplicates are equal bytes, and no other two files are", async () => {
  const copies = rig.truth.pictures.filter((picture) => picture.exact_duplicate_of !== null);
  assert.equal(copies.length, 2);
  for (const { name, exact_duplicate_of } of copies) {
    assert.ok(Buffer.from(await rig.read(name)).equals(await rig.read(exact_duplicate_of!)));
  }
  const hashes = new Set<string>();
  for (const { name } of rig.truth.pictures) {
    const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(await rig.read(name)));
    hashes.add(Buffer.from(digest).toString("hex"));
  }
  assert.equal(hashes.size, 22);
});

Deno.test("near duplicates look alike without being equal; other scenes do not look alike", async () => {
  const { pictures } = rig.truth;
  const near = pictures.flatMap((picture) => picture.near_duplicate_of ?? []);
  const ways = near.map(({ how }) => how).sort();
  assert.deepEqual(ways, ["brightened", "cropped", "recompressed", "resized"]);
  for (const { name } of near) assert.equal(pictureNamed(rig.truth, name).near_duplicate_of, null);
  const looks = new Map<string, Float64Array>();
  for (const { name } of pictures) looks.set(name, await lookOf(await rig.read(name)));
  for (const [index, a] of pictures.entries()) {
    for (const b of pictures.slice(index + 1)) {
      const alike = correlation(looks.get(a.name)!, looks.get(b.name)!);
      assert.equal(alike > 0.93, a.scene === b.scene, `${a.name}, ${b.name}: ${alike}`);
    }
  }
});

Deno.test("the truncated picture fails a strict decode, its header can be read, all others decode", async () => {
  for (const { name, broken } of rig.truth.pictures) {
    const decoding = sharp(await rig.read(name), { failOn: "warning" }).raw().toBuffer();
    if (broken === null) await decoding;
    else await assert.rejects(decoding, /VipsJpeg|premature end/i);
  }
  const broken = rig.truth.pictures.filter((picture) => picture.broken !== null);
  assert.equal(broken.length, 1);
  assert.match(broken[0]!.broken!, /^JPEG ends after [\d,]+ of [\d,]+ bytes$/);
});

Deno.test("the cut-out has pixels that are clear, solid, and in between", async () => {
  const { data } = await sharp(await rig.read("cutout/leaf.png")).extractChannel(3).raw()
    .toBuffer({ resolveWithObject: true });
  const share = (isWanted: (alpha: number) => boolean) =>
    data.filter(isWanted).length / data.length;
  assert.ok(share((alpha) => alpha === 0) > 0.3);
  assert.ok(share((alpha) => alpha === 255) > 0.2);
  assert.ok(share((alpha) => alpha > 0 && alpha < 255) > 0.02);
});

Deno.test("the 16-bit picture has levels between those of 8 bits", async () => {
  const raw = await sharp(await rig.read("night_sky.png")).toColourspace("rgb16")
    .raw({ depth: "ushort" }).toBuffer();
  const levels = new Uint16Array(new Uint8Array(raw).buffer);
  const between = levels.filter((level) => level % 257 !== 0).length;
  assert.ok(between > levels.length * 0.9);
});

Deno.test("the wide-gamut picture has colours that sRGB cannot show", async () => {
  const bytes = await rig.read("mer en été.jpg");
  const pixels = await sharp(bytes, { ignoreIcc: true }).resize(200).raw().toBuffer();
  const linear = (encoded: number) => ((encoded / 255 + 0.055) / 1.055) ** 2.4;
  let outside = 0;
  for (let index = 0; index < pixels.length; index += 3) {
    // First row of Display P3 to sRGB, both D65 (CSS Color 4, section 18): the red that is needed.
    const red = 1.2249 * linear(pixels[index]!) - 0.2249 * linear(pixels[index + 1]!);
    if (red > 1.02) outside++;
  }
  assert.ok(outside > pixels.length / 3 * 0.005, `${outside} of ${pixels.length / 3}`);
});

/** A picture as 24 × 24 grey values. */
async function lookOf(bytes: Uint8Array): Promise<Float64Array> {
  const small = await sharp(bytes, { failOn: "none" }).autoOrient().flatten({ background: "#fff" })
    .resize(24, 24, { fit: "fill" }).toColourspace("b-w").raw().toBuffer();
  return Float64Array.from(small);
}

/** Pearson's correlation, -1 to 1: brighter or flatter pictures of the same thing stay at 1. */
function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let together = 0, squareA = 0, squareB = 0;
  for (let index = 0; index < a.length; index++) {
    const [dA, dB] = [a[index]! - meanA, b[index]! - meanB];
    together += dA * dB;
    squareA += dA * dA;
    squareB += dB * dB;
  }
  return together / Math.sqrt(squareA * squareB);
}
