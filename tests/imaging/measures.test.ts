import assert from "node:assert/strict";
import { measureContent, type Measures } from "../../src/imaging/measures.ts";
import type { Raster } from "../../src/imaging/raster.ts";

type Rgb = readonly [red: number, green: number, blue: number];

function painted(width: number, height: number, at: (x: number, y: number) => Rgb): Raster {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(at(x, y), (y * width + x) * 3);
  }
  return { width, height, channels: 3, pixels };
}

const grey = (level: number): Rgb => [level, level, level];

/** Each measure by its definition, pixel by pixel, in floating point. */
function naive({ width, height, pixels }: Raster): Omit<Measures, "dominant_colours"> {
  const colours = Array.from(
    { length: width * height },
    (_, at) => [...pixels.subarray(at * 3, at * 3 + 3)] as unknown as Rgb,
  );
  const luma = colours.map(([r, g, b]) =>
    Math.floor((19595 * r + 38470 * g + 7471 * b + 32768) / 65536)
  );
  const mean = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0) / list.length;
  const deviation = (list: readonly number[]) =>
    Math.sqrt(mean(list.map((each) => (each - mean(list)) ** 2)));
  const edges: number[] = [];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const level = (dx: number, dy: number) => luma[(y + dy) * width + x + dx]!;
      edges.push(level(0, -1) + level(0, 1) + level(-1, 0) + level(1, 0) - 4 * level(0, 0));
    }
  }
  const rg = colours.map(([r, g]) => r - g);
  const yb = colours.map(([r, g, b]) => (r + g) / 2 - b);
  return {
    brightness: mean(luma) / 255,
    contrast: deviation(luma) / 255,
    sharpness: edges.length === 0 ? 0 : deviation(edges) ** 2,
    entropy: -mean(
      luma.map((level) => Math.log2(luma.filter((other) => other === level).length / luma.length)),
    ),
    colourfulness: Math.hypot(deviation(rg), deviation(yb)) + 0.3 * Math.hypot(mean(rg), mean(yb)),
    clipped_dark: luma.filter((level) => level <= 2).length / luma.length,
    clipped_bright: luma.filter((level) => level >= 253).length / luma.length,
  };
}

function noise(width: number, height: number): Raster {
  let state = 1;
  const next = () => (state = (state * 1664525 + 1013904223) >>> 0) >>> 24;
  return painted(width, height, () => [next(), next(), next()]);
}

Deno.test("every measure is what its definition says, pixel by pixel", () => {
  const pictures: Record<string, Raster> = {
    noise: noise(61, 47),
    gradient: painted(64, 40, (x, y) => [x * 4, y * 6, 255 - x * 3]),
    "3 × 3": noise(3, 3),
    "one row": noise(40, 1),
    stripes: painted(31, 33, (x) => x % 3 === 0 ? [255, 255, 255] : [0, 0, 0]),
  };
  for (const [name, raster] of Object.entries(pictures)) {
    const { dominant_colours: _, ...found } = measureContent(raster);
    for (const [measure, wanted] of Object.entries(naive(raster))) {
      const difference = Math.abs(found[measure as keyof typeof found] - wanted);
      assert.ok(difference <= 5.1e-4, `${measure} of ${name} is off by ${difference}`);
    }
  }
});

Deno.test("a flat grey has no contrast, detail, entropy or colour", () => {
  assert.deepEqual(measureContent(painted(300, 200, () => grey(128))), {
    brightness: 0.502,
    contrast: 0,
    sharpness: 0,
    entropy: 0,
    colourfulness: 0,
    clipped_dark: 0,
    clipped_bright: 0,
    dominant_colours: [{ colour: "#808080", share: 1 }],
  });
});

Deno.test("a chequerboard has the most contrast and detail, and one bit of entropy", () => {
  const found = measureContent(painted(100, 80, (x, y) => grey((x + y) % 2 * 255)));
  assert.equal(found.brightness, 0.5);
  assert.equal(found.contrast, 0.5);
  assert.equal(found.entropy, 1);
  // The Laplacian is 4 × 255 or −4 × 255 everywhere, half of each.
  assert.equal(found.sharpness, 1020 ** 2);
  assert.deepEqual([found.clipped_dark, found.clipped_bright], [0.5, 0.5]);
});

Deno.test("a ramp of all 256 levels has 8 bits of entropy and no curvature", () => {
  const found = measureContent(painted(256, 20, (x) => grey(x)));
  assert.equal(found.entropy, 8);
  assert.equal(found.sharpness, 0);
  assert.equal(found.clipped_dark, round(3 / 256));
  assert.equal(found.clipped_bright, round(3 / 256));
});

Deno.test("blurring lowers the sharpness", () => {
  const sharpOne = noise(80, 60);
  const blurred = painted(80, 60, (x, y) => {
    const near = [x - 1, x, x + 1].map((each) => Math.max(0, Math.min(79, each)));
    const level = (channel: number) =>
      near.reduce((sum, each) => sum + sharpOne.pixels[(y * 80 + each) * 3 + channel]!, 0) / 3;
    return [level(0), level(1), level(2)];
  });
  assert.ok(measureContent(blurred).sharpness < measureContent(sharpOne).sharpness / 2);
});

Deno.test("two colours are found with their shares, the larger first", () => {
  const found = measureContent(painted(400, 300, (x) => x < 300 ? [200, 30, 40] : [20, 60, 220]));
  assert.deepEqual(found.dominant_colours, [
    { colour: "#c81e28", share: 0.75 },
    { colour: "#143cdc", share: 0.25 },
  ]);
});

Deno.test("neighbouring shades are one colour, and noise names five at most", () => {
  const shades = measureContent(painted(400, 300, (x) => [120 + x % 16, 100, 90]));
  assert.equal(shades.dominant_colours.length, 1);
  const many = measureContent(noise(300, 300)).dominant_colours;
  assert.ok(many.length >= 1 && many.length <= 5);
});

Deno.test("what is invisible counts as the white behind it", () => {
  const pixels = new Uint8Array(20 * 20 * 4);
  const found = measureContent({ width: 20, height: 20, channels: 4, pixels });
  assert.equal(found.brightness, 1);
  assert.deepEqual(found.dominant_colours, [{ colour: "#ffffff", share: 1 }]);
});

Deno.test("pictures of a pixel or two are measured without NaN", () => {
  for (
    const [width, height] of [[1, 1], [2, 1], [2, 2], [1, 5], [3, 2], [1, 20_000], [
      20_000,
      1,
    ]] as const
  ) {
    const { dominant_colours, ...numbers } = measureContent(noise(width, height));
    assert.ok(Object.values(numbers).every(Number.isFinite), `${width} × ${height}`);
    assert.equal(numbers.sharpness, 0);
    assert.ok(dominant_colours.length > 0);
  }
});

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
