import assert from "node:assert/strict";
import fc from "fast-check";
import sharp from "sharp";
import { decodeRaster } from "../../src/imaging/decode.ts";
import {
  fingerprintOf,
  type FingerprintOptions,
  passOver,
  structure,
} from "../../src/imaging/fingerprint.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { dHash, hammingDistance, pHash } from "../../src/imaging/perceptual_hash.ts";
import { pixelHash } from "../../src/imaging/pixel_hash.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import {
  bytesOf,
  corpusFile,
  corpusNames,
  corpusTest,
  expectedTable,
  paint,
  photoLike,
  pipelineOf,
} from "./pictures.ts";

async function decoded(bytes: Uint8Array): Promise<Raster> {
  return await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
}

function fingerprintRaster(raster: Raster, options?: FingerprintOptions) {
  return fingerprintOf(passOver(raster), options);
}

/** A picture of shapes on nothing: the colour of the shape, and of what cannot be seen. */
function icon(shape: readonly number[], isInside: (x: number, y: number) => boolean, hidden = 0) {
  return paint(64, 64, (x, y) => isInside(x, y) ? [...shape, 255] : [hidden, hidden, hidden, 0]);
}

Deno.test("the same pixels in PNG, lossless WebP and TIFF have the same pixel hash", async () => {
  const picture = photoLike(97, 61);
  const files = await Promise.all([
    bytesOf(pipelineOf(picture).png()),
    bytesOf(pipelineOf(picture).webp({ lossless: true })),
    bytesOf(pipelineOf(picture).tiff({ compression: "lzw" })),
  ]);
  for (const file of files) assert.equal(pixelHash(await decoded(file)), pixelHash(picture));
});

Deno.test("an alpha channel counts where something can be seen through it, hidden colours never", () => {
  const opaque = photoLike(40, 30);
  const withAlpha = (alpha: number, hidden = 0) =>
    paint(40, 30, (x, y) => {
      const at = (y * 40 + x) * 3;
      if (x > 0) return [...opaque.pixels.subarray(at, at + 3), 255];
      return alpha === 0
        ? [hidden, hidden, hidden, 0]
        : [...opaque.pixels.subarray(at, at + 3), alpha];
    });
  assert.equal(pixelHash(withAlpha(255)), pixelHash(opaque));
  assert.notEqual(pixelHash(withAlpha(254)), pixelHash(opaque));
  assert.notEqual(pixelHash(withAlpha(254)), pixelHash(withAlpha(253)));
  assert.equal(pixelHash(withAlpha(0, 10)), pixelHash(withAlpha(0, 200)));
});

Deno.test("any change of one sample, and another shape of the same samples, is another pixel hash", () => {
  const picture = photoLike(36, 20);
  const hash = pixelHash(picture);
  fc.assert(
    fc.property(
      fc.nat(picture.pixels.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (at, change) => {
        const pixels = picture.pixels.slice();
        pixels[at]! ^= change;
        assert.notEqual(pixelHash({ ...picture, pixels }), hash);
      },
    ),
    { numRuns: 200 },
  );
  assert.notEqual(pixelHash({ ...picture, width: 20, height: 36 }), hash);
});

Deno.test("dHash has a bit for each pixel that is brighter than the one to its left", () => {
  const grey = new Uint8Array(72);
  grey[1] = 9; // first row: up, then down
  grey[71] = 1; // the last pixel of all
  assert.equal(dHash(grey), "8000000000000001");
});

Deno.test("pHash of a cosine is its coefficient and the mean", () => {
  const cosine = Uint8Array.from(
    { length: 1024 },
    (_, at) => Math.round(128 + 100 * Math.cos(Math.PI * 3 * (2 * (at % 32) + 1) / 64)),
  );
  // Rounding to whole levels leaves little besides; the median of the others is next to 0.
  const first = BigInt(`0x${pHash(cosine)}`) >> 56n;
  assert.equal(first & 0b10010000n, 0b10010000n);
  assert.equal(pHash(new Uint8Array(1024).fill(7)), "f".repeat(16));
});

Deno.test("a file turned by its orientation tag has the fingerprint of the upright one", async () => {
  const picture = photoLike(120, 80);
  const upright = fingerprintRaster(picture);
  const stored = [
    pipelineOf(picture),
    pipelineOf(picture).flop(),
    pipelineOf(picture).rotate(180),
    pipelineOf(picture).flip(),
    pipelineOf(picture).flip().rotate(90),
    pipelineOf(picture).rotate(270),
    pipelineOf(picture).flop().rotate(90),
    pipelineOf(picture).rotate(90),
  ];
  for (const [index, pipeline] of stored.entries()) {
    const raw = await pipeline.png().toBuffer();
    const file = await bytesOf(sharp(raw).withMetadata({ orientation: index + 1 }).png());
    assert.deepEqual(fingerprintRaster(await decoded(file)), upright, `orientation ${index + 1}`);
  }
});

Deno.test("the eight orientations are the hashes of the picture turned and mirrored", async () => {
  const picture = photoLike(120, 80, 5);
  const { dhash, phash, dhash_orientations, phash_orientations } = fingerprintRaster(picture, {
    withOrientations: true,
  });
  assert.deepEqual([dhash_orientations[0], phash_orientations[0]], [dhash, phash]);
  const shown = [
    pipelineOf(picture),
    pipelineOf(picture).flop(),
    pipelineOf(picture).rotate(180),
    pipelineOf(picture).flip(),
    pipelineOf(picture).flip().rotate(90),
    pipelineOf(picture).rotate(90),
    pipelineOf(picture).flop().rotate(90),
    pipelineOf(picture).rotate(270),
  ];
  for (const [index, pipeline] of shown.entries()) {
    const turned = fingerprintRaster(await decoded(await bytesOf(pipeline.png())));
    const distances = [
      hammingDistance(turned.dhash, dhash_orientations[index]!),
      hammingDistance(turned.phash, phash_orientations[index]!),
    ];
    assert.ok(Math.max(...distances) <= 2, `orientation ${index + 1}: ${distances}`);
  }
  assert.equal(new Set(dhash_orientations).size, 8);
  assert.deepEqual(fingerprintRaster(picture).dhash_orientations, []);
});

Deno.test("hashes hardly change with the size of the picture, also beyond what is sampled", () => {
  const at = (width: number, height: number) =>
    fingerprintRaster(
      paint(width, height, (x, y) => {
        const [u, v] = [x / width, y / height];
        const level = 128 + 60 * Math.sin(9 * u + 4 * v) + 50 * Math.cos(13 * v - 5 * u * v);
        return [level, level, level];
      }),
    );
  const small = at(300, 270);
  for (const [width, height] of [[577, 300], [1499, 1301], [2600, 1900]] as const) {
    const large = at(width, height);
    assert.ok(hammingDistance(small.dhash, large.dhash) <= 2, `dHash of ${width} × ${height}`);
    assert.ok(hammingDistance(small.phash, large.phash) <= 2, `pHash of ${width} × ${height}`);
  }
});

Deno.test("stripes one pixel wide come out grey at all sizes where pixels are left out", () => {
  for (const width of [1450, 1800, 2100, 2600]) {
    const across = fingerprintRaster(paint(width, 300, (x) => Array(3).fill(x % 2 * 255)));
    const down = fingerprintRaster(paint(300, width, (_, y) => Array(3).fill(y % 2 * 255)));
    assert.ok(across.is_flat && down.is_flat, `${width}: ${across.detail}, ${down.detail}`);
  }
});

Deno.test("icons that differ only where one ground hides them are told apart on the other", () => {
  const disc = (x: number, y: number) => (x - 32) ** 2 + (y - 32) ** 2 < 400;
  const bar = (x: number, y: number) => x > 10 && x < 24 && y > 6 && y < 58;
  for (const [shade, ground] of [[255, "dhash_black"], [0, "dhash"]] as const) {
    const [one, other] = [disc, bar].map((shape) =>
      fingerprintRaster(icon([shade, shade, shade], shape))
    );
    assert.ok(hammingDistance(one![ground]!, other![ground]!) > 4);
    // On the other ground there is nothing to see, which the guard says.
    assert.deepEqual([one!.is_flat, other!.is_flat], [true, true]);
  }
  const [one, other] = [disc, bar].map((shape) => fingerprintRaster(icon([200, 60, 40], shape)));
  assert.equal(one!.is_flat, false);
  assert.ok(hammingDistance(one!.dhash, other!.dhash) > 4);
  assert.equal(fingerprintRaster(photoLike(64, 64)).dhash_black, null);
});

Deno.test("flat, faintly noisy and smoothly shaded pictures are flat; photos and text are not", () => {
  const noise = photoLike(200, 200, 3);
  const flat = [
    paint(200, 100, () => [255, 255, 255]),
    paint(200, 100, (x) => [x, x, 255 - x]),
    paint(300, 300, (x, y) => Array(3).fill(Math.min(255, (x * x + y * y) / 800))),
    paint(200, 200, (x, y) => [100 + noise.pixels[y * 600 + x]! % 9, 100, 100]),
    paint(1, 1, () => [3, 2, 1]),
  ];
  for (const picture of flat) {
    const { detail, is_flat } = fingerprintRaster(picture);
    assert.ok(is_flat && Number.isFinite(detail), `detail ${detail}`);
  }
  // Ten lines of words as bars of ink, a seventh of the page.
  const text = paint(600, 800, (x, y) => {
    const isInk = x > 50 && x < 500 && y > 60 && y < 260 && y % 20 < 9 && (x * 7 ^ y) % 5 < 2 &&
      x % 37 > 6;
    return Array(3).fill(isInk ? 0 : 255);
  });
  for (const picture of [text, photoLike(300, 200)]) {
    const { detail, is_flat } = fingerprintRaster(picture);
    assert.ok(!is_flat, `detail ${detail}`);
  }
});

Deno.test("detail is what is left of a plane with a quadratic surface in it", () => {
  const surface = (x: number, y: number) =>
    90 + 2 * x - y + 0.03 * x * y + 0.04 * x * x - 0.02 * y * y;
  const grey = Float64Array.from({ length: 1024 }, (_, at) => surface(at % 32, at >> 5));
  assert.equal(structure(grey), 0);
  // A checkerboard of ±10 has no share in any of the surfaces.
  assert.equal(structure(grey.map((value, at) => value + ((at + (at >> 5)) % 2 * 20 - 10))), 10);
});

interface Expected {
  readonly dhash: string;
  readonly mode: string;
}

corpusTest(
  "dHash is within 2 bits of Pillow's",
  async () => {
    const photos = expectedTable<Record<string, Expected>>("photos.json");
    const off: string[] = [];
    for (const name of corpusNames("photos")) {
      const { dhash } = fingerprintRaster(await decoded(corpusFile(`photos/${name}`)));
      const distance = hammingDistance(dhash, photos[name]!.dhash);
      if (distance > 2) off.push(`${name}: ${distance}`);
    }
    // One of 94, a scene of little contrast, is 3 bits off.
    assert.ok(off.length <= 1, off.join(", "));
  },
);

/** By Pillow 9.4 and SciPy 1.10 as imagededup does it: RGB resized by Lanczos, made grey, DCT. */
const imagededup = {
  "astronaut.png": "c2924c5d32bddfc8",
  "chelsea.png": "b15fe6465121975e",
  "coffee.png": "bb8320376c0f3677",
  "camera.png": "bff1c1c0434e8cbe",
  "aero1.jpg": "85a227fd854ceaad",
  "messi5.jpg": "976be132b14ee5e0",
  "home.jpg": "ad770a60d6b9e352",
  "plasma_Autumn.jpg": "cc3593d537ba04b6",
  "picosdeeuropa_by_Aitzol_Berasategi.jpg": "a0e6583d3f4f87e0",
  "scenetext01.jpg": "de0cf0f34114efb1",
  "hubble_deep_field.jpg": "84cc4f96ba4d333e",
};

corpusTest("pHash is within 2 bits of imagededup's", async () => {
  for (const [name, expected] of Object.entries(imagededup)) {
    const { phash } = fingerprintRaster(await decoded(corpusFile(`photos/${name}`)));
    assert.ok(hammingDistance(phash, expected) <= 2, name);
  }
});

corpusTest("a scene under all EXIF orientations has one fingerprint", async () => {
  for (const scene of ["Landscape", "Portrait"]) {
    const upright = fingerprintRaster(await decoded(corpusFile(`orientation/${scene}_1.jpg`)));
    for (let orientation = 2; orientation <= 8; orientation++) {
      const file = corpusFile(`orientation/${scene}_${orientation}.jpg`);
      const { dhash, phash } = fingerprintRaster(await decoded(file));
      assert.ok(hammingDistance(dhash, upright.dhash) <= 2, `${scene} ${orientation}`);
      assert.ok(hammingDistance(phash, upright.phash) <= 2, `${scene} ${orientation}`);
    }
  }
});

corpusTest("no photo is flat, and every odd picture has a finite fingerprint", async () => {
  for (const name of corpusNames("photos")) {
    const { is_flat, detail } = fingerprintRaster(await decoded(corpusFile(`photos/${name}`)));
    assert.ok(!is_flat, `${name}: ${detail}`);
  }
  for (const name of corpusNames("odd")) {
    const made = fingerprintRaster(await decoded(corpusFile(`odd/${name}`)), {
      withOrientations: true,
    });
    assert.ok(Number.isFinite(made.detail));
    for (const hash of [made.dhash, made.phash, ...made.phash_orientations]) {
      assert.match(hash, /^[0-9a-f]{16}$/);
    }
  }
});
