import { add, blend, type Canvas, colour, mixed, newCanvas, paintBox, scaled } from "../canvas.ts";
import type { NoiseTiles } from "../noise.ts";
import { type Random, seededRandom } from "../random.ts";
import type { Scene } from "../scene.ts";
import { paintSky } from "../sky.ts";
import { paintWater } from "../water.ts";

const QUAY = 0.7;
const LAMP = colour("ffcf86"), TUBE = colour("fff3d6");
const HAZE = colour("a07a8c"), NEAR = colour("1d2136");

/** Towers across a river at dusk, the first windows lit. */
export const skyline: Scene = {
  kind: "photo",
  grain: 5,
  develop: { exposure: 1.1, vignette: 0.3 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paintView(canvas, tiles);
    const shores = new Float32Array(width).fill(QUAY);
    const reflection = newCanvas(width, height);
    paintView(reflection, tiles);
    paintWater(canvas, tiles, {
      horizon: QUAY - 0.02,
      reflection,
      shores,
      depth: colour("1a2238"),
      ripple: 1.6,
      murk: 0.6,
    });
    return canvas;
  },
};

function paintView(canvas: Canvas, tiles: NoiseTiles): void {
  paintSky(canvas, {
    zenith: colour("243a6b"),
    middle: colour("8a7aa6"),
    low: colour("ffb27d"),
    horizon: QUAY,
    sun: { x: 0.25, y: QUAY - 0.02, colour: colour("ff9a5a"), disc: 0, glow: 0.4 },
    clouds: {
      tile: tiles.soft,
      offset: [0.8, 0.6],
      scale: 0.12,
      cover: 0.5,
      lit: colour("ffb08a"),
      shaded: colour("5d5a86"),
    },
  });
  const random = seededRandom("towers");
  for (let layer = 0; layer < 3; layer++) {
    for (let x = -0.05; x < canvas.width / canvas.height + 0.05;) {
      const width = random.between(0.04, 0.1);
      paintTower(canvas, random, { x: x + width / 2, width, layer });
      x += width * random.between(0.75, 1.15);
    }
  }
}

interface Tower {
  readonly x: number;
  readonly width: number;
  /** 0 is the farthest row of towers, 2 the nearest. */
  readonly layer: number;
}

function paintTower(canvas: Canvas, random: Random, { x, width, layer }: Tower): void {
  const tall = random.between(0.1, 0.24) + (random.next() < 0.25 ? random.between(0.08, 0.2) : 0);
  const top = QUAY - tall * (1.25 - layer * 0.22);
  const wall = mixed(HAZE, NEAR, 0.3 + layer * 0.32);
  const box = { x, y: (top + QUAY) / 2, halfWidth: width / 2, halfHeight: (QUAY - top) / 2 };
  const floors = 0.0135,
    bays = 0.011,
    lights = random.between(0.15, 0.5),
    seed = random.next() * 1000;
  paintBox(canvas, box, (px, y, out) => {
    const side = px < x - width * 0.22 ? 1.25 : 0.9;
    blend(out, scaled(wall, side * (1 + (QUAY - y) * 0.5)), 1);
    const column = Math.floor((px - x) / bays), row = Math.floor((y - top) / floors);
    const inX = (px - x) / bays - column, inY = (y - top) / floors - row;
    if (inX < 0.25 || inX > 0.8 || inY < 0.3 || inY > 0.8) return;
    const chance = fraction(Math.sin(column * 12.99 + row * 78.23 + seed) * 43758.5);
    if (chance < lights) add(out, mixed(LAMP, TUBE, chance * 2), 0.25 + layer * 0.22);
    else blend(out, NEAR, 0.25);
  });
}

function fraction(value: number): number {
  return value - Math.floor(value);
}
