import {
  add,
  blend,
  type Canvas,
  clamp01,
  type Colour,
  colour,
  fillEllipse,
  mixed,
  newCanvas,
  paint,
  paintBox,
  put,
  scaled,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";

const MIST = colour("dfe6c8"), SHADE = colour("27351f"), LIGHT = { x: 0.42, y: 0.3 };
const DISTANT = colour("7f9468"), SUNBEAM = colour("fff0c4");
/** Trunks in each layer, the farthest first. */
const TRUNKS = [9, 8, 7, 5, 3, 2];

/** Tall trunks in morning mist, the light coming from behind. */
export const forest: Scene = {
  kind: "photo",
  grain: 2.6,
  develop: { exposure: 1.05, vignette: 0.35 },
  paint({ width, height }, tiles, random) {
    const canvas = newCanvas(width, height);
    paint(canvas, (x, y, out) => backdrop(tiles, x, y, out));
    for (const [layer, trunks] of TRUNKS.entries()) {
      const near = (layer + 1) / TRUNKS.length;
      paintFloor(canvas, tiles, near);
      for (let trunk = 0; trunk < trunks; trunk++) paintTrunk(canvas, tiles, random, near);
      paintLeaves(canvas, random, near);
    }
    paint(canvas, (x, y, out) => sunbeams(tiles, x, y, out));
    return canvas;
  },
};

function backdrop(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const glow = Math.exp(-Math.hypot(x - LIGHT.x, (y - LIGHT.y) * 0.8) * 2.4);
  const leaves = sampleTile(tiles.soft, x * 0.9, y * 0.9) * 0.25;
  put(out, mixed(DISTANT, MIST, clamp01(glow * 1.3 + leaves)), 0.75 + glow * 0.9);
}

/** What is far is the colour of the mist. */
function misted(base: Colour, near: number): Colour {
  return mixed(scaled(mixed(MIST, colour("90a878"), 0.5), 0.8), base, near ** 1.1);
}

function paintFloor(canvas: Canvas, tiles: NoiseTiles, near: number): void {
  const top = 0.66 + near * 0.2;
  const moss = misted(colour("4a5c26"), near), litter = misted(colour("5a4127"), near);
  paint(
    canvas,
    (x, y, out) => {
      const edge = top + 0.03 * sampleTile(tiles.soft, x * 0.4 + near, near);
      const fern = sampleTile(tiles.rough, x * 0.7 + near, y * 0.55 / near);
      const cover = smoothstep(0, 0.012, y - edge + fern * 0.03);
      if (cover <= 0) return;
      const drift = sampleTile(tiles.soft, x * 0.8, y * 1.6 + near);
      const patch = smoothstep(-0.2, 0.3, drift + fern * 0.5);
      blend(out, scaled(mixed(litter, moss, patch), 0.62 + fern * 0.8), cover);
    },
    top - 0.07,
    1,
  );
}

function paintTrunk(canvas: Canvas, tiles: NoiseTiles, random: Random, near: number): void {
  const aspect = canvas.width / canvas.height;
  const x = random.next() * aspect, lean = random.between(-0.05, 0.05), seed = random.next();
  const halfWidth = (0.006 + 0.034 * near ** 1.7) * random.between(0.7, 1.2);
  const foot = 0.69 + near * 0.22 + random.between(-0.015, 0.015);
  const bark = misted(random.pick([colour("4a3a2c"), colour("5d5040"), colour("3b3a2e")]), near);
  const fromLeft = x > LIGHT.x;
  const box = { x, y: foot / 2, halfWidth: halfWidth * 2 + 0.07, halfHeight: foot / 2 + 0.03 };
  paintBox(canvas, box, (px, y, out) => {
    if (Math.abs(px - x - lean * (foot - y)) > halfWidth * 2.3 + 0.015) return;
    const bend = lean * (foot - y) + 0.012 * sampleTile(tiles.soft, seed, y * 0.12);
    const flare = 1 + 1.1 * Math.exp(-(foot - y) / 0.03) - 0.3 * (1 - y / foot);
    const ridge = sampleTile(tiles.rough, (px - bend) * 1.5 + seed, y * 0.16);
    const across = (px - x - bend) / (halfWidth * flare) + ridge * 0.07;
    const edge = 1.5 / (canvas.height * halfWidth);
    const cover = smoothstep(1 + edge, 1 - edge, Math.abs(across)) * smoothstep(0.012, 0, y - foot);
    if (cover <= 0) return;
    const rim = smoothstep(0.45, 1, fromLeft ? -across : across) * 0.9;
    blend(out, scaled(bark, 0.5 + ridge * 0.85 + rim + 0.25 * (1 - Math.abs(across))), cover);
  });
}

function paintLeaves(canvas: Canvas, random: Random, near: number): void {
  const aspect = canvas.width / canvas.height;
  const clusters = 10;
  for (let cluster = 0; cluster < clusters; cluster++) {
    const cx = random.next() * aspect, cy = random.between(-0.05, 0.36) - near * 0.08;
    const spread = 0.05 + near * 0.06;
    for (let leaf = 0; leaf < 80; leaf++) {
      const x = cx + random.normal() * spread, y = cy + random.normal() * spread * 0.55;
      const through = Math.exp(-Math.hypot(x - LIGHT.x, y - LIGHT.y) * 3) +
        random.between(-0.2, 0.3);
      const green = mixed(SHADE, colour("b9c94a"), clamp01(through));
      const radius = (0.002 + near * 0.0042) * random.between(0.6, 1.3);
      const angle = random.between(0, Math.PI);
      fillEllipse(canvas, { x, y, radius, aspect: 0.5, angle }, misted(green, near), 0.9);
    }
  }
}

function sunbeams(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const angle = Math.atan2(x - LIGHT.x, y - LIGHT.y + 0.5);
  const beam = smoothstep(0, 0.5, sampleTile(tiles.soft, angle * 0.55 + 0.2, 0.77));
  const fade = Math.exp(-Math.hypot(x - LIGHT.x, y - LIGHT.y) * 1.9);
  add(out, SUNBEAM, (0.05 + beam * 0.5) * fade * 0.8);
}
