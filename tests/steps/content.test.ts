import assert from "node:assert/strict";
import sharp, { type Sharp } from "sharp";
import { Image } from "../../src/imaging/image.ts";
import { inspectContent } from "../../src/steps/inspect/content.ts";
import { photo, PictureRig } from "../picture_rig.ts";

const recipe = `
recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  content: { use: inspect.content, from: photos }
`;

Deno.test("content is a table with a row a picture", async () => {
  await using rig = new PictureRig();
  const flat = (background: string) =>
    sharp({ create: { width: 400, height: 300, channels: 3, background } }).png().toBuffer();
  rig.write({
    "photos/black.png": new Uint8Array(await flat("#000000")),
    "photos/noise.jpg": await photo(1200, 1000),
    "photos/red.png": new Uint8Array(await flat("#ff0000")),
  });
  assert.equal((await rig.run(recipe)).status, "complete");
  const rows = await rig.query(`
    SELECT item, brightness, entropy > 5 AS rich, clipped_dark,
      dominant_colours->0->>'colour' AS first FROM content ORDER BY item`);
  assert.deepEqual(rows, [
    { item: "black.png", brightness: 0, rich: false, clipped_dark: 1, first: "#000000" },
    {
      item: "noise.jpg",
      brightness: rows[1]!.brightness,
      rich: true,
      clipped_dark: 0,
      first: rows[1]!.first,
    },
    { item: "red.png", brightness: 0.298, rich: false, clipped_dark: 0, first: "#ff0000" },
  ]);
});

Deno.test("tiny, thin, flat and invisible pictures have numbers in every column", async () => {
  await using rig = new PictureRig();
  const sizes = [[1, 1], [2, 1], [1, 2], [2, 2], [3, 3], [1, 20_000], [20_000, 1], [300, 300]];
  for (const [width, height] of sizes as [number, number][]) {
    for (const alpha of [0, 0.5, 1]) {
      const background = { r: 200, g: 30, b: 40, alpha };
      const flat = sharp({ create: { width, height, channels: 4, background } });
      rig.write({ [`photos/${width}x${height}_${alpha}.png`]: await bytesOf(flat.png()) });
      rig.write({ [`photos/${width}x${height}_${alpha}.jpg`]: await bytesOf(flat.jpeg()) });
    }
  }
  const { status, counts } = await rig.run(`${recipe}
  metadata: { use: inspect.metadata, from: photos }`);
  assert.equal(status, "complete");
  assert.deepEqual([counts.rejected, counts.failed], [0, 0]);
  const rows = await rig.query(`
    SELECT brightness, contrast, sharpness, entropy, colourfulness, clipped_dark, clipped_bright,
      bits_per_pixel, dominant_colours FROM content JOIN metadata USING (item)`);
  assert.equal(rows.length, sizes.length * 6);
  for (const { dominant_colours, ...numbers } of rows) {
    for (const [name, value] of Object.entries(numbers)) {
      assert.ok(typeof value === "number" && Number.isFinite(value) && value >= 0, name);
    }
    assert.deepEqual([numbers.sharpness, numbers.entropy, numbers.contrast], [0, 0, 0]);
    assert.equal((JSON.parse(String(dominant_colours)) as unknown[]).length, 1);
  }
});

async function bytesOf(image: Sharp): Promise<Uint8Array> {
  return new Uint8Array(await image.toBuffer());
}

Deno.test("content and proxy share one decode", async () => {
  const sizes: string[] = [];
  const bytes = await photo(1400, 1000);
  const opened = new Image(() => Promise.resolve(bytes), {
    onDecode: ({ width, height }) => sizes.push(`${width}x${height}`),
  });
  const handle = { ref: { byteLength: bytes.length }, read: () => Promise.resolve(opened) };
  const params = inspectContent.params.parse({});
  await inspectContent.run!({ image: handle } as never, params, {} as never);
  await opened.raster({ short_side_px: 896 });
  assert.deepEqual(sizes, ["1254x896"]);
});
