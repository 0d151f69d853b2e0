import assert from "node:assert/strict";
import sharp from "sharp";
import { contentStatistics, hasRealTransparency, isGraphics } from "../../src/imaging/content.ts";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { encodeRaster } from "../../src/imaging/encode.ts";
import { readHeader } from "../../src/imaging/header.ts";
import type { Raster } from "../../src/imaging/raster.ts";
import { cpuTimer } from "../cpu_time.ts";
import {
  corpusFile,
  corpusNames,
  corpusTest,
  paint,
  photoLike,
  randomNumbers,
} from "./pictures.ts";

async function decoded(bytes: Uint8Array, short_side_px = 896): Promise<Raster> {
  return await decodeRaster(bytes, await readHeader(bytes), { short_side_px });
}

async function drawn(svg: string): Promise<Raster> {
  const page = `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="900">
    <rect width="1200" height="900" fill="#fdfdfb"/>${svg}</svg>`;
  return await decoded(await sharp(Buffer.from(page)).flatten().png().toBuffer());
}

/** Marks as wide as letters in lines as long as text, so that no font is needed. */
function textLines(): string {
  const random = randomNumbers(7);
  let marks = "";
  for (let y = 60; y < 860; y += 22) {
    for (let x = 60; x < 1100; x += 6 + random() * 9) {
      const height = 6 + random() * 9;
      marks += `<path d="M${x} ${y}v${-height}m4 0v${height}" stroke="#222" stroke-width="1.6"/>`;
    }
  }
  return marks;
}

const drawings: Readonly<Record<string, string>> = {
  "a page of text": textLines(),
  "a page of set text": Array.from(
    { length: 30 },
    (_, line) =>
      `<text x="60" y="${
        60 + line * 27
      }" font-size="20">The quick brown fox jumps over the lazy dog, ` +
      `and ${line} more words follow it.</text>`,
  ).join(""),
  "line art": Array.from(
    { length: 60 },
    (_, at) =>
      `<path d="M${at * 20} 100q200 300 0 700" fill="none" stroke="#000" stroke-width="2"/>`,
  ).join(""),
  "a bar chart": Array.from(
    { length: 12 },
    (_, at) =>
      `<rect x="${80 + at * 90}" y="${800 - at * 55}" width="60" height="${at * 55 + 20}" ` +
      `fill="hsl(${at * 30} 60% 50%)"/>`,
  ).join(""),
  "a dark window": '<rect width="1200" height="900" fill="#1e1e2e"/>' +
    textLines().replaceAll("#222", "#cdd6f4"),
  "one flat colour": "",
};

for (const [name, svg] of Object.entries(drawings)) {
  Deno.test(`${name} is graphics, as PNG, shrunk, and as JPEG of quality 60 to 90`, async () => {
    const raster = await drawn(svg);
    assert.ok(isGraphics(raster), JSON.stringify(contentStatistics(raster)));
    for (const quality of [60, 75, 90]) {
      const jpeg = await decoded(await encodeRaster(raster, { format: "jpeg", quality }));
      assert.ok(isGraphics(jpeg), `quality ${quality}: ${JSON.stringify(contentStatistics(jpeg))}`);
    }
    const small = await decoded(await encodeRaster(raster, { format: "png" }), 448);
    assert.ok(isGraphics(small), `small: ${JSON.stringify(contentStatistics(small))}`);
  });
}

Deno.test("what looks like a photograph is none, also on white", () => {
  const photo = photoLike(1195, 896);
  assert.equal(isGraphics(photo), false);
  const product = paint(1195, 896, (x, y) => {
    const isInside = ((x - 600) / 380) ** 2 + ((y - 448) / 300) ** 2 < 1;
    const at = (y * 1195 + x) * 3;
    return isInside ? [...photo.pixels.subarray(at, at + 3)] : [255, 255, 255];
  });
  assert.equal(isGraphics(product), false);
});

Deno.test("sides of one pixel are no trouble", () => {
  assert.equal(isGraphics(paint(1, 1, () => [1, 2, 3])), true);
  assert.equal(isGraphics(paint(1, 500, (_, y) => [y % 256, 2, 3])), true);
});

Deno.test("the content of 1195 × 896 pixels is judged in 2 ms", () => {
  const photo = photoLike(1195, 896);
  for (let round = 0; round < 20; round++) isGraphics(photo);
  const cpuMs = cpuTimer();
  for (let round = 0; round < 20; round++) isGraphics(photo);
  const meanMs = cpuMs() / 20;
  assert.ok(meanMs < 2, `${meanMs} ms`);
});

Deno.test("an alpha channel counts only when something can be seen through", () => {
  const withAlpha = (alphaAt: (x: number, y: number) => number) =>
    hasRealTransparency(paint(100, 100, (x, y) => [9, 9, 9, alphaAt(x, y)]));
  assert.equal(hasRealTransparency(paint(9, 9, () => [0, 0, 0])), false);
  assert.equal(withAlpha(() => 255), false);
  assert.equal(withAlpha(() => 254), false, "rounding");
  assert.equal(withAlpha((x, y) => x === 0 && y < 90 ? 191 : 255), false, "a soft edge");
  assert.equal(withAlpha((x, y) => x + y === 0 ? 31 : 255), true, "a hole");
  assert.equal(withAlpha(() => 200), true, "a veil");
  assert.equal(withAlpha((_, y) => y < 2 ? 128 : 255), true, "two rows of a hundred");
});

corpusTest(
  "all photographs are photographs, also at half size and heavily compressed",
  async () => {
    for (const name of corpusNames("photos")) {
      const bytes = corpusFile(`photos/${name}`);
      for (const short of [896, 448, 224]) {
        const raster = await decoded(bytes, short);
        const numbers = JSON.stringify(contentStatistics(raster));
        assert.equal(isGraphics(raster), false, `${name} at ${short}: ${numbers}`);
        assert.equal(hasRealTransparency(raster), false, name);
      }
    }
  },
);

corpusTest("drawn odd files are graphics, photographed ones are not", async () => {
  const graphics = [
    "2x2_fdcce6.png",
    "8bit_depth.tiff",
    "Flag_of_the_Netherlands-16bit.png",
    "Flag_of_the_Netherlands-alpha.png",
    "alpha-premultiply-1024x768-paper.png",
    "animated-loop-3.gif",
    "animated-loop-3.webp",
    "big-height.webp",
    "blackbug.png",
    "full-transparent.png",
    "grey-plus-alpha.gif",
    "p3.png",
    "prophoto.png",
    "rotating-squares.gif",
    "rotating-squares.webp",
    "tbgn2c16.png",
  ];
  const seen: string[] = [];
  for (const name of corpusNames("odd")) {
    if (isGraphics(await decoded(corpusFile(`odd/${name}`)))) seen.push(name);
  }
  assert.deepEqual(seen, graphics);
});
