import {
  blend,
  type Canvas,
  clamp01,
  type Colour,
  colour,
  mixed,
  newCanvas,
  paint,
  paintEllipse,
  put,
  scaled,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";

const SAND = colour("4b4238");
const STONES = ["7d7f82", "a39b8f", "5d6167", "c4bcae", "8a7566", "4a4c50", "b08f78", "94a0a3"]
  .map(colour) as [Colour, ...Colour[]];

/** Pebbles on a beach, seen from above. */
export const pebbles: Scene = {
  kind: "photo",
  grain: 2.2,
  develop: { exposure: 1.25 },
  paint({ width, height }, tiles, random) {
    const canvas = newCanvas(width, height);
    paint(canvas, (x, y, out) => {
      put(out, SAND, 0.6 + 0.5 * sampleTile(tiles.rough, x * 0.5, y * 0.5));
    });
    const aspect = width / height;
    for (const { radius, count } of stoneSizes(aspect)) {
      for (let stone = 0; stone < count; stone++) {
        paintStone(canvas, tiles, random, radius * random.between(0.65, 1.35));
      }
    }
    return canvas;
  },
};

interface StoneSize {
  readonly radius: number;
  readonly count: number;
}

/** Small ones at the bottom, a few big ones on top. */
function stoneSizes(aspect: number): readonly StoneSize[] {
  return [
    { radius: 0.016, count: Math.round(1500 * aspect) },
    { radius: 0.026, count: Math.round(420 * aspect) },
    { radius: 0.042, count: Math.round(110 * aspect) },
    { radius: 0.07, count: Math.round(16 * aspect) },
  ];
}

function paintStone(canvas: Canvas, tiles: NoiseTiles, random: Random, radius: number): void {
  const x = random.next() * canvas.width / canvas.height, y = random.next();
  const angle = random.between(0, Math.PI), aspect = random.between(0.55, 0.95);
  const base = mixed(random.pick(STONES), random.pick(STONES), random.between(0, 0.4));
  const vein = random.next() < 0.18 ? 1 : 0, seed = random.next();
  const shadow = {
    x: x + radius * 0.16,
    y: y + radius * 0.22,
    radius: radius * 1.12,
    aspect,
    angle,
  };
  paintEllipse(canvas, { ...shadow, softness: 0.4 }, (cover, _u, _v, out) => {
    blend(out, [0.012, 0.011, 0.012], cover * 0.62);
  });
  const cos = Math.cos(angle), sin = Math.sin(angle);
  const outline = { x, y, radius: radius * 1.08, aspect, angle, softness: 0.02 };
  paintEllipse(canvas, outline, (outer, u, v, out) => {
    const lump = 0.1 * sampleTile(tiles.smooth, seed + u * 0.11, seed * 3 + v * 0.11);
    const distance = Math.max(0, Math.sqrt(u * u + v * v) * 1.08 + lump);
    const cover = outer * smoothstep(1.01, 1.01 - 2.5 / (canvas.height * radius), distance);
    if (cover <= 0) return;
    const flat = distance ** 2.6;
    const tiltX = (u * cos - v * sin) * flat * 1.5, tiltY = (u * sin + v * cos) * flat * 1.5;
    const lit = (0.62 - tiltX * 0.45 - tiltY * 0.6) / Math.sqrt(1 + tiltX * tiltX + tiltY * tiltY);
    const fleck = sampleTile(tiles.rough, seed + u * radius * 1.6, v * radius * 1.6 + seed);
    const cloud = sampleTile(tiles.soft, seed + u * 0.16, seed + v * 0.16);
    const band = vein * smoothstep(0.1, 0.03, Math.abs(u * 0.4 + v + lump * 4 - 0.1));
    const skin = mixed(
      scaled(base, 0.9 + fleck * 0.5 + cloud * 0.35),
      [0.75, 0.72, 0.68],
      band * 0.8,
    );
    blend(out, scaled(skin, clamp01(lit + 0.08) * 1.35 + 0.03), cover);
  });
}
