import assert from "node:assert/strict";
import sharp, { type Sharp } from "sharp";
import { encodePicture } from "../../src/sample/encode.ts";
import type { Original } from "../../src/sample/picture.ts";
import type { Orientation } from "../../src/sample/mod.ts";

const WIDTH = 48, HEIGHT = 32;

/** Grey, wider than high, with a white top left quarter: no two orientations of it are the same. */
function marked(): Sharp {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3).fill(90);
  for (let row = 0; row < HEIGHT / 2; row++) {
    pixels.fill(255, row * WIDTH * 3, (row * WIDTH + WIDTH / 2) * 3);
  }
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

function picture(orientation: Orientation): Original {
  return {
    from: "scene",
    name: "marked.jpg",
    scene: "lake",
    size: { width: WIDTH, height: HEIGHT },
    encoding: { as: "jpeg", quality: 95 },
    orientation,
    exif: {},
  };
}

/** Brightness in the middle of each quarter: top left, top right, bottom left, bottom right. */
async function quarters(image: Sharp): Promise<readonly number[]> {
  const { data, info } = await image.greyscale().raw().toBuffer({ resolveWithObject: true });
  return [[1, 1], [3, 1], [1, 3], [3, 3]].map(([x, y]) => {
    const [column, row] = [Math.floor(info.width * x! / 4), Math.floor(info.height * y! / 4)];
    return data[(row * info.width + column) * info.channels]!;
  });
}

Deno.test("pixels are stored turned, so that turning by the EXIF tag gives the upright picture", async () => {
  // The white quarter as it is stored, by orientation (EXIF 2.32, tag 0x0112).
  const stored = { 1: 0, 2: 1, 3: 3, 4: 2, 6: 2, 8: 1 } as const;
  for (const orientation of [1, 2, 3, 4, 6, 8] as const) {
    const bytes = await encodePicture(marked(), picture(orientation), sharp);
    const asStored = await quarters(sharp(bytes));
    assert.equal(asStored.indexOf(Math.max(...asStored)), stored[orientation], `${orientation}`);
    const upright = await quarters(sharp(bytes).autoOrient());
    assert.equal(upright.indexOf(Math.max(...upright)), 0, `${orientation}`);
    const { autoOrient, width } = await sharp(bytes).metadata();
    assert.deepEqual(autoOrient, { width: WIDTH, height: HEIGHT });
    assert.equal(width, orientation >= 5 ? HEIGHT : WIDTH);
  }
});

Deno.test("embedding the P3 profile leaves the pixels as they were painted", async () => {
  const p3 = { ...picture(1), encoding: { as: "jpeg-p3", quality: 95 } } as const;
  const plain = await encodePicture(marked(), picture(1), sharp);
  const profiled = await encodePicture(marked(), p3, sharp);
  const pixels = (bytes: Uint8Array) => sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
  assert.ok((await pixels(plain)).equals(await pixels(profiled)));
  assert.equal((await sharp(plain).metadata()).hasProfile, false);
  assert.equal((await sharp(profiled).metadata()).hasProfile, true);
});
