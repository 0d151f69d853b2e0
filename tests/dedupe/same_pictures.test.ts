import assert from "node:assert/strict";
import type { Sharp } from "sharp";
import { type Content, hashDistance, largest } from "../../src/dedupe/content.ts";
import { samePictures } from "../../src/dedupe/same_pictures.ts";
import { thumbnailOf } from "../../src/dedupe/thumbnail.ts";
import { fingerprintOf, passOver } from "../../src/imaging/fingerprint.ts";
import { Image } from "../../src/imaging/image.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import {
  bytesOf,
  corpusFile,
  corpusNames,
  corpusTest,
  paint,
  photoLike,
  pipelineOf,
  randomNumbers,
} from "../imaging/pictures.ts";

type Colour = readonly number[];

/** A picture that rectangles are drawn on. */
class Sheet {
  readonly #pixels: Uint8Array;

  constructor(readonly width: number, readonly height: number, ground: Colour | Sheet) {
    this.#pixels = ground instanceof Sheet
      ? ground.#pixels.slice()
      : paint(width, height, () => [...ground]).pixels;
  }

  box(x: number, y: number, [width, height]: readonly [number, number], colour: Colour): this {
    for (let row = y; row < Math.min(this.height, y + height); row++) {
      for (let column = x; column < Math.min(this.width, x + width); column++) {
        this.#pixels.set(colour, (row * this.width + column) * 3);
      }
    }
    return this;
  }

  /** Strokes as words are made of, others for each seed; 10 × 16 px a letter. */
  words(x: number, y: number, letters: number, seed: number, colour: Colour = [0, 0, 0]): this {
    const random = randomNumbers(seed + 1);
    for (let letter = 0; letter < letters; letter++) {
      if (random() < 0.15) continue;
      const left = x + letter * 10;
      this.box(left + Math.floor(random() * 5), y, [2, 14], colour);
      this.box(left, y + Math.floor(random() * 12), [8, 2], colour);
    }
    return this;
  }

  raster(): Raster {
    return { width: this.width, height: this.height, channels: 3, pixels: this.#pixels };
  }
}

const white = [255, 255, 255];
const seeds = [1, 2, 3, 4, 5, 6];

/** One form, with a dozen fields to fill in. */
function form(): Sheet {
  const sheet = new Sheet(850, 1100, white).box(40, 30, [770, 80], [20, 60, 140]);
  for (let field = 0; field < 12; field++) {
    sheet.box(60, 150 + field * 75, [730, 1], [0, 0, 0]).words(66, 120 + field * 75, 14, field);
  }
  return sheet;
}

/** Pictures that have the most in common, and are not the same. */
const families: Readonly<Record<string, readonly Raster[]>> = {
  "one form, filled in with other words": seeds.map((seed) =>
    new Sheet(850, 1100, form()).words(300, 195, 20, 100 + seed).words(300, 345, 12, 200 + seed)
      .raster()
  ),
  "one form, one field filled in": seeds.map((seed) =>
    new Sheet(850, 1100, form()).words(300, 495, 10, 300 + seed, [0, 0, 120]).raster()
  ),
  "a message with another number": seeds.map((seed) =>
    new Sheet(1280, 800, [60, 90, 130]).box(400, 300, [480, 200], [240, 240, 240])
      .words(430, 330, 11, 9).words(550, 330, 4, 400 + seed).box(760, 440, [100, 40], [
        200,
        200,
        200,
      ]).raster()
  ),
  "one box with another label": seeds.map((seed) =>
    new Sheet(800, 800, white).box(250, 150, [300, 500], [180, 30, 30])
      .words(340, 390, 12, 500 + seed, white).raster()
  ),
  "one box in another colour of the same luma": [[200, 0, 0], [0, 102, 0], [60, 60, 60], [
    0,
    70,
    163,
  ]].map((colour) => new Sheet(800, 800, white).box(250, 150, [300, 500], colour).raster()),
  "one letter on a page": seeds.map((seed) =>
    new Sheet(640, 640, white).words(310, 310, 2, 600 + seed).raster()
  ),
  "bars of which one is higher": seeds.map((seed) =>
    new Sheet(800, 600, white).box(60, 200, [60, 360], [40, 90, 200])
      .box(200, 300, [60, 260], [40, 90, 200]).box(340, 330 + 9 * seed, [60, 230 - 9 * seed], [
        40,
        90,
        200,
      ]).raster()
  ),
  "stripes of other widths": [2, 3, 4, 5, 6, 7].map((wide) =>
    paint(640, 480, (x) => Array(3).fill(Math.floor(x / wide) % 2 * 255))
  ),
  "other plain colours": [[120, 130, 140], [122, 130, 140], [200, 0, 0], [255, 255, 255]].map(
    (colour) => paint(320, 240, () => colour),
  ),
  "slopes of other colours": [[255, 0, 0], [0, 130, 0], [76, 76, 76], [29, 29, 29]].map((colour) =>
    paint(640, 480, (x) => colour.map((level) => Math.floor(level * x / 640)))
  ),
  "a photo with another caption": seeds.map((seed) => captioned(photoLike(512, 384, 3), seed)),
  "one drawing on nothing, and its holes": [0, 1, 2].map((hole) =>
    paint(64, 64, (x, y) => {
      const isInside = Math.hypot(x - 32, y - 32) < 28;
      const isHole = hole > 0 && Math.hypot(x - 20 - 12 * hole, y - 32) < 6;
      return [...(isHole ? [255, 255, 255] : [200, 40, 30]), isInside ? 255 : 0];
    })
  ),
};

function captioned(picture: Raster, seed: number): Raster {
  const caption = new Sheet(picture.width, picture.height, [0, 0, 0]).words(
    180,
    350,
    15,
    seed,
    white,
  );
  const strokes = caption.raster().pixels;
  return { ...picture, pixels: picture.pixels.map((level, at) => Math.max(level, strokes[at]!)) };
}

async function decoded(bytes: Uint8Array): Promise<Raster> {
  return await new Image(() => Promise.resolve(bytes)).raster({ size: "full" });
}

function contentOf(raster: Raster, name: string): Content {
  const pass = passOver(raster);
  return {
    sha256: name,
    fingerprint: fingerprintOf(pass),
    thumbnail: thumbnailOf(pass),
    embedding: undefined,
    shot: undefined,
    copies: 1,
  };
}

/** Groups of two and more, by names. */
function sameOf(contents: readonly Content[]): string[][] {
  const { pictures } = samePictures(contents, {
    distance: 4,
    orientations: false,
    apart: [],
    decided: new Set(),
  });
  return pictures.filter(({ length }) => length > 1).map((places) =>
    places.map((place) => contents[place]!.sha256)
  );
}

function areSame(one: Raster, other: Raster): boolean {
  return sameOf([contentOf(one, "a"), contentOf(other, "b")]).length === 1;
}

for (const [what, pictures] of Object.entries(families)) {
  Deno.test(`not the same picture: ${what}`, () => {
    assert.deepEqual(sameOf(pictures.map((each, at) => contentOf(each, String(at)))), []);
  });
}

Deno.test("hashes alone would take pages for the same that differ in a word", () => {
  const near = Object.values(families).filter((pictures) => {
    const [one, other] = pictures.map((each) => contentOf(each, ""));
    const distance = hashDistance(one!, other!, false);
    return distance !== null && largest(distance) <= 4;
  });
  assert.ok(near.length >= 6, `${near.length} families have near hashes`);
});

Deno.test("pages that differ in a word are not the same where one is recompressed as well", async () => {
  for (const what of ["one form, filled in with other words", "one box with another label"]) {
    const [one, other] = families[what]!;
    for (const quality of [40, 75, 90]) {
      const file = await bytesOf(pipelineOf(other!).jpeg({ quality }));
      assert.equal(areSame(one!, await decoded(file)), false, `${what}, quality ${quality}`);
    }
  }
});

const half = (pipeline: Sharp) => pipeline.resize({ width: 384, height: 288, fit: "fill" });

const copies: Readonly<Record<string, (pipeline: Sharp) => Sharp>> = {
  "halved": (pipeline) => half(pipeline).png(),
  "halved, JPEG at 50": (pipeline) => half(pipeline).jpeg({ quality: 50 }),
  "JPEG at 30": (pipeline) => pipeline.jpeg({ quality: 30 }),
  "WebP": (pipeline) => pipeline.webp({ quality: 80 }),
  "turned, and back by EXIF": (pipeline) =>
    pipeline.rotate(270).withMetadata({ orientation: 6 }).jpeg({ quality: 90 }),
};

for (const [what, made] of Object.entries(copies)) {
  Deno.test(`the same picture: a photo ${what}`, async () => {
    for (const seed of seeds) {
      const picture = photoLike(768, 576, seed);
      assert.ok(
        areSame(picture, await decoded(await bytesOf(made(pipelineOf(picture))))),
        `${seed}`,
      );
    }
  });
}

Deno.test("the same picture: a page that is recompressed, and one that is scaled", async () => {
  const [page] = families["one form, filled in with other words"]!;
  for (const quality of [40, 75, 90]) {
    const file = await bytesOf(pipelineOf(page!).jpeg({ quality }));
    assert.ok(areSame(page!, await decoded(file)), `quality ${quality}`);
  }
  const scaled = await bytesOf(pipelineOf(page!).resize({ width: 700 }).png());
  assert.ok(areSame(page!, await decoded(scaled)));
});

corpusTest("no two of the photos are the same picture, and halves of them are", async () => {
  const names = corpusNames("photos");
  const contents: Content[] = [];
  let found = 0;
  for (const name of names) {
    const raster = await new Image(() => Promise.resolve(corpusFile(`photos/${name}`)))
      .raster({ max_side_px: 800 });
    const copy = await bytesOf(
      pipelineOf(raster).resize({
        width: Math.round(raster.width / 2),
        height: Math.round(raster.height / 2),
        fit: "fill",
      }).jpeg({ quality: 60 }),
    );
    contents.push(contentOf(raster, name));
    if (areSame(raster, await decoded(copy))) found++;
  }
  assert.deepEqual(sameOf(contents), []);
  assert.ok(found >= 0.9 * names.length, `${found} of ${names.length} halves are found`);
});
