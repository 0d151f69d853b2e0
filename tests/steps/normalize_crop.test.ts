import assert from "node:assert/strict";
import sharp from "sharp";
import { policyShape } from "../../src/baseline/policy.ts";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { Image } from "../../src/imaging/image.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { ssim } from "../../src/imaging/ssim.ts";
import { normalize } from "../../src/steps/image/normalize.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { normalized, type NormalizeOptions, published } from "./normalize_rig.ts";

/** The size and the raw pixels of a published picture. */
async function pixels(rig: PictureRig, name: string) {
  const bytes = published(rig, name);
  return await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
}

Deno.test("a picture is cropped to its box, from its own pixels, and the change says how", async () => {
  await using rig = new PictureRig();
  const png = await photo(300, 100, { format: "png" });
  rig.write({ "photos/a.png": png });
  const given = { "a.png": { boxes: { dog: [210, 20, 40, 60] as const } } };
  const { rows } = await normalized(rig, {}, { given, aspects: ["1:1"] });
  const row = rows.get("a.png")!;
  assert.deepEqual(row.steps.slice(0, 1), [
    "cropped 300 × 100 → 100 × 100 at 180, 0 (keeps all of 1 object)",
  ]);
  assert.equal(row.because, "it is cropped to its box");
  assert.deepEqual([row.action, row.ssim], ["resized", 1]);
  assert.deepEqual([Number(row.width_before), Number(row.width_after)], [300, 100]);
  const expected = await sharp(png).extract({ left: 180, top: 0, width: 100, height: 100 })
    .removeAlpha().raw().toBuffer();
  assert.ok(expected.equals((await pixels(rig, "a.png")).pixels));
});

Deno.test("the crop is of the upright picture, comes before the size limit, and is compared as cropped", async () => {
  await using rig = new PictureRig();
  const upright = await sharp(await photo(600, 1800)).png().toBuffer();
  const sideways = await sharp(upright).rotate(270).jpeg({ quality: 95 })
    .withMetadata({ orientation: 6 }).toBuffer();
  rig.write({ "photos/a.jpg": new Uint8Array(sideways) });
  const given = { "a.jpg": { boxes: { cat: [0, 1123, 600, 200] as const } } };
  const options = { given, aspects: ["1:1"] };
  const { rows } = await normalized(rig, { long_side_px: 256, quality: 95 }, options);
  const row = rows.get("a.jpg")!;
  assert.deepEqual(row.steps.slice(0, 3), [
    "cropped 600 × 1800 → 600 × 600 at 0, 923 (keeps all of 1 object)",
    "resized 600 × 600 → 256 × 256",
    "turned upright (EXIF orientation 6)",
  ]);
  assert.equal(row.because, "it is cropped to its box, and the policy asks for the rest");
  assert.ok(row.ssim! > 0.9 && row.ssim! < 1);
  const expected = await sharp(upright).extract({ left: 0, top: 923, width: 600, height: 600 })
    .resize(256, 256).raw().toBuffer();
  const made = await pixels(rig, "a.jpg");
  const wanted = { ...made, pixels: new Uint8Array(expected) };
  assert.deepEqual([made.width, made.height], [256, 256]);
  const likeness = ssim(made, wanted);
  assert.ok(likeness > 0.9, `SSIM ${likeness}`);
});

Deno.test("a crop that is not made smaller has every pixel of its part", async () => {
  const [width, height] = [3000, 1000];
  const stripes = new Uint8Array(width * height * 3).map((_, at) =>
    Math.floor(at / 3) % width % 2 === 0 ? 40 : 210
  );
  const png = await sharp(stripes, { raw: { width, height, channels: 3 } }).png().toBuffer();
  await using rig = new PictureRig();
  rig.write({ "photos/a.png": new Uint8Array(png) });
  const given = { "a.png": { boxes: { cat: [2100, 0, 500, 500] as const } } };
  await normalized(rig, { long_side_px: 1000 }, { given, aspects: ["1:1"] });
  const made = await pixels(rig, "a.png");
  assert.deepEqual([made.width, made.height], [1000, 1000]);
  // Finest stripes are still there: nothing was made smaller on the way.
  assert.ok(made.pixels.every((value) => value === 40 || value === 210));
});

Deno.test("a picture whose crop is all of it stays byte for byte", async () => {
  await using rig = new PictureRig();
  const bytes = await photo(80, 80);
  rig.write({ "photos/a.jpg": bytes });
  const { rows } = await normalized(rig, { quality: 100 }, { aspects: ["1:1"] });
  assert.equal(rows.get("a.jpg")!.action, "unchanged");
  assert.equal(rows.get("a.jpg")!.because, "it is within the policy");
  assert.deepEqual(published(rig, "a.jpg"), bytes);
});

Deno.test("no picture becomes smaller than its smallest face needs, and the change says why", async () => {
  await using rig = new PictureRig();
  const names = ["none", "large", "medium", "small"];
  for (const [index, name] of names.entries()) {
    rig.write({ [`photos/${name}.jpg`]: await photo(800, 600, { seed: index + 1 }) });
  }
  const given = {
    "large.jpg": { faces: [[0, 0, 200, 240]] as const },
    "medium.jpg": { faces: [[0, 0, 300, 300], [10, 10, 90, 80]] as const },
    "small.jpg": { faces: [[10, 10, 30, 40]] as const },
  };
  const policy = { long_side_px: 400, quality: 100 };
  const { rows } = await normalized(rig, policy, { given, minFacePx: 60 });
  const outcome = (name: string) => {
    const { action, width_after, because } = rows.get(`${name}.jpg`)!;
    return [action, Number(width_after), because];
  };
  const asked = "the policy asks for it";
  assert.deepEqual(outcome("none"), ["resized", 400, asked]);
  assert.deepEqual(outcome("large"), ["resized", 400, asked]);
  assert.deepEqual(outcome("medium"), [
    "resized",
    600,
    `${asked}; not smaller, since at 400 × 300 its smallest face of 80 px would be left with 40 px ` +
    "(60 px are wanted)",
  ]);
  assert.deepEqual(outcome("small"), [
    "unchanged",
    800,
    "it is within the policy but for its size: at 400 × 300 its smallest face of 30 px would be " +
    "left with 15 px (60 px are wanted)",
  ]);
});

Deno.test("only faces in the crop count, and without a limit for faces objects change nothing", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(900, 300) });
  const given = {
    "a.jpg": { boxes: { cat: [600, 0, 300, 300] }, faces: [[0, 0, 20, 20]] },
  } as const;
  const [policy, options] = [{ long_side_px: 100 }, { given, aspects: ["1:1"] }];
  const width = async (more: NormalizeOptions) =>
    Number((await normalized(rig, policy, more)).rows.get("a.jpg")!.width_after);
  assert.equal(await width({ ...options, minFacePx: 20 }), 100);
  assert.equal(await width({ given, minFacePx: 20 }), 900);
  assert.equal(await width({ given }), 100);
  const moved = { "a.jpg": { faces: [[0, 0, 10, 10]] } } as const;
  assert.equal((await normalized(rig, policy, { given: moved })).ran, 0);
});

Deno.test("a limit for faces with nothing wired fails and says so", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(90, 60) });
  const { rows } = await normalized(rig, {}, { minFacePx: 20 });
  const { status, reason } = rows.get("a.jpg")!;
  assert.deepEqual([status, reason], [
    "failed",
    'Cannot keep faces large enough for "min_face_px": nothing is wired to "objects" ' +
    "(the output of inspect.objects is wanted)",
  ]);
});

/** Calls the step by itself, and notes what is decoded. */
async function cropped(bytes: Uint8Array, part: readonly number[], longSide: number) {
  const decodes: unknown[] = [];
  const opened = new Image(() => Promise.resolve(bytes), {
    onDecode: (size) => decodes.push(size),
  });
  const facts = await opened.header();
  const [x, y, width, height] = part as [number, number, number, number];
  const row = { x, y, width, height, aspect: "1:1", score: 1, method: "objects", reason: "." };
  const settings = policyShape.parse({ long_side_px: longSide, quality: 80 });
  const handle = (value: unknown) => ({
    ref: { kind: "image", hash: "", byteLength: bytes.length },
    read: () => Promise.resolve(value),
    bytes: () => Promise.resolve(bytes),
  });
  const inputs = {
    image: handle(opened),
    metadata: handle({ ...facts, jpeg_quality: 92 }),
    policy: handle(settings),
    box: handle(row),
  };
  // deno-lint-ignore no-explicit-any
  const result = await normalize.run!(inputs as any, normalize.params.parse({}), {} as any);
  return { result, decodes };
}

Deno.test("a cropped picture is decoded once, at the size at which its part has its own", async () => {
  const { result, decodes } = await cropped(await photo(1200, 400), [300, 0, 400, 400], 100);
  assert.equal(result.status, "produced");
  assert.deepEqual(decodes, [{ width: 300, height: 100 }]);
});

Deno.test("a box of another picture fails", async () => {
  const { result, decodes } = await cropped(await photo(120, 80), [100, 0, 80, 80], 100);
  assert.deepEqual(result, {
    status: "failed",
    reason: "Cannot crop the picture to 80 × 80 at 100, 0: it is 120 × 80 " +
      "(a box of the same picture is wanted)",
  });
  assert.deepEqual(decodes, []);
});
