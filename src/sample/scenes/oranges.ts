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
  paintEllipse,
  put,
  scaled,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";

const TABLE = 0.58;
const WALL = colour("8fa39a"), CORNER = colour("2a322f");
const OAK = colour("8a5a34"), WALNUT = colour("5a3519");
const LIGHT = [-0.52, -0.66, 0.54] as const;
/** The farthest first: the nearer ones stand before them. */
const FRUITS: readonly Fruit[] = [
  { x: 0.42, y: 0.5, radius: 0.15 },
  { x: 0.98, y: 0.53, radius: 0.155 },
  { x: 0.69, y: 0.62, radius: 0.17 },
  { x: 1.13, y: 0.72, radius: 0.145 },
];
const PEEL = colour("f08a12"), RIPE = colour("e0600a"), BOUNCE = colour("6b4526");
const DIMPLE = colour("8a4a08"), SEPAL = colour("55662c"), STALK = colour("a58d55");
const SHADOW: Colour = [0.02, 0.012, 0.008];

/** Oranges on a table by a window. */
export const oranges: Scene = {
  kind: "photo",
  grain: 1.8,
  develop: { exposure: 1.2, vignette: 0.3 },
  paint({ width, height }, tiles, random) {
    const canvas = newCanvas(width, height);
    paint(canvas, (x, y, out) => room(tiles, x, y, out));
    paintWindowGlow(canvas, random);
    paint(canvas, (x, y, out) => table(tiles, x, y, out), TABLE, 1);
    for (const fruit of FRUITS) paintFruit(canvas, tiles, fruit);
    return canvas;
  },
};

function room(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const drift = sampleTile(tiles.smooth, x * 0.2, y * 0.2) * 0.15;
  put(out, mixed(WALL, CORNER, clamp01(x * 0.75 + y * 0.3 + drift)));
}

function paintWindowGlow(canvas: Canvas, random: Random): void {
  for (let spot = 0; spot < 26; spot++) {
    const place = {
      x: random.between(-0.05, 1.35),
      y: random.between(0, TABLE - 0.12),
      radius: random.between(0.03, 0.075),
      softness: 0.12,
    };
    const tint = random.pick([colour("e9f2d8"), colour("b9cf8a"), colour("f7e3b0")]);
    const power = random.between(0.04, 0.2) * clamp01(1.3 - place.x);
    paintEllipse(canvas, place, (cover, _u, _v, out) => add(out, tint, cover * power));
  }
}

function table(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const far = 1 / (y - TABLE + 0.22);
  const across = (x - 0.66) * far, along = far;
  const fibre = sampleTile(tiles.rough, across * 0.035 + 0.2, along * 0.32);
  const rings = Math.sin(along * 34 + sampleTile(tiles.smooth, across * 0.05, along * 0.3) * 14);
  const board = Math.abs(((along * 1.6) % 1) - 0.5);
  const grain = mixed(OAK, WALNUT, clamp01(0.5 + rings * 0.22 + fibre * 0.5));
  const light = (0.55 + 0.6 * smoothstep(1.3, 0.1, x)) *
    (1 - 0.5 * smoothstep(0.02, 0, board * 0.3));
  blend(out, scaled(grain, light), smoothstep(TABLE - 0.001, TABLE + 0.012, y));
}

interface Fruit {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

function paintFruit(canvas: Canvas, tiles: NoiseTiles, fruit: Fruit): void {
  const { x, y, radius } = fruit;
  const foot = y + radius * 0.86;
  const cast = { x: x + radius * 0.55, y: foot, radius: radius * 1.35, aspect: 0.3, softness: 0.7 };
  const contact = { x, y: foot, radius: radius * 0.75, aspect: 0.22, softness: 0.5 };
  fillEllipse(canvas, cast, SHADOW, 0.7);
  fillEllipse(canvas, contact, SHADOW, 0.85);
  const lit = new Float32Array(3);
  paintEllipse(canvas, { x, y, radius, aspect: 0.97 }, (cover, u, v, out) => {
    skin(tiles, fruit, u, v, lit);
    blend(out, [lit[0]!, lit[1]!, lit[2]!], cover);
  });
  paintStalk(canvas, { x: x - radius * 0.1, y: y - radius * 0.62, radius });
}

/** Light from a place on the peel; u and v are -1 to 1 over the fruit. */
function skin(tiles: NoiseTiles, fruit: Fruit, u: number, v: number, out: Float32Array): void {
  const { x, y, radius } = fruit;
  const depth = Math.sqrt(Math.max(0, 1 - u * u - v * v));
  const scale = radius * 1.5 / (0.45 + 0.55 * depth);
  const pore = sampleTile(tiles.rough, x + u * scale, y + v * scale);
  const poreX = sampleTile(tiles.rough, x + (u + 0.02) * scale, y + v * scale) - pore;
  const poreY = sampleTile(tiles.rough, x + u * scale, y + (v + 0.02) * scale) - pore;
  const nx = u - poreX * 0.16, ny = v - poreY * 0.16;
  const facing = nx * LIGHT[0] + ny * LIGHT[1] + depth * LIGHT[2];
  const patch = sampleTile(tiles.smooth, x + u * 0.1, y + v * 0.1);
  const peel = mixed(PEEL, RIPE, clamp01(0.45 + patch * 0.7 + v * 0.2));
  const light = 0.06 + 0.95 * smoothstep(-0.2, 1.05, facing) + pore * 0.06;
  const bounce = smoothstep(0.2, 1, v) * 0.3;
  const shine = clamp01(nx * -0.3 + ny * -0.42 + depth * 0.857) ** 42 * 0.55;
  for (let channel = 0; channel < 3; channel++) {
    out[channel] = peel[channel]! * (light + BOUNCE[channel]! * bounce) + shine;
  }
}

function paintStalk(canvas: Canvas, { x, y, radius }: Fruit): void {
  fillEllipse(canvas, { x, y, radius: radius * 0.16, aspect: 0.5, softness: 0.9 }, DIMPLE, 0.6);
  for (let point = 0; point < 5; point++) {
    const angle = point * 1.257 + x * 9;
    const place = {
      x: x + Math.cos(angle) * radius * 0.06,
      y: y + Math.sin(angle) * radius * 0.03,
      radius: radius * 0.055,
      aspect: 0.5,
      angle,
    };
    fillEllipse(canvas, place, SEPAL);
  }
  fillEllipse(canvas, { x, y, radius: radius * 0.035, aspect: 0.7 }, STALK);
}
