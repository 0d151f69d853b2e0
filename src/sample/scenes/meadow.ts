import {
  blend,
  type Canvas,
  clamp01,
  colour,
  fillEllipse,
  mixed,
  newCanvas,
  paint,
  paintBox,
  paintEllipse,
  put,
  scaled,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";
import { paintSky } from "../sky.ts";

const HORIZON = 0.34;
const PINE = colour("3b5a3c"), BEECH = colour("6d8f52");
const FAR_GRASS = colour("8aa548"), NEAR_GRASS = colour("3d5a1f");
const POPPY = colour("d8240f"), DEEP = colour("7d0f08"), STEM = colour("3c5220");
const CENTRE = colour("26221f"), WHITE = colour("f3f3ee"), YOLK = colour("e8b21c");
const YOUNG = colour("a9bd55"), OLD = colour("30481a"), STRAW = colour("cdbb7c");

/** Poppies in a meadow, seen from low down, woods behind out of focus. */
export const meadow: Scene = {
  kind: "photo",
  grain: 2,
  develop: { exposure: 1.2 },
  paint({ width, height }, tiles, random) {
    const canvas = newCanvas(width, height);
    paintSky(canvas, {
      zenith: colour("3c7cc4"),
      middle: colour("86b6e2"),
      low: colour("dbeaf0"),
      horizon: HORIZON,
      clouds: {
        tile: tiles.soft,
        offset: [0.53, 0.05],
        scale: 0.12,
        cover: 0.6,
        lit: colour("ffffff"),
        shaded: colour("a3b0c2"),
      },
    });
    paint(canvas, (x, y, out) => distantWoods(tiles, x, y, out), HORIZON - 0.14, HORIZON + 0.05);
    paint(canvas, (x, y, out) => lawn(tiles, x, y, out), HORIZON, 1);
    for (let row = 0; row < 46; row++) plantRow(canvas, random, (row / 46) ** 1.15);
    return canvas;
  },
};

function distantWoods(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const crowns = sampleTile(tiles.soft, x * 0.3, 0.6) * 0.06 +
    sampleTile(tiles.smooth, x * 1.5, 0.2) * 0.014;
  const cover = smoothstep(-0.008, 0.008, y - (HORIZON - 0.06 - crowns));
  if (cover <= 0) return;
  const clump = sampleTile(tiles.soft, x * 0.9, y * 1.1);
  const light = 0.75 + clump * 0.9 - (y - HORIZON) * 3;
  blend(out, scaled(mixed(PINE, BEECH, clamp01(0.5 + clump)), light), cover);
}

function lawn(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const far = 1 / (y - HORIZON + 0.03);
  const patch = sampleTile(tiles.soft, x * far * 0.02, far * 0.05);
  const blades = sampleTile(tiles.rough, x * 0.9, y * 0.22);
  const green = mixed(FAR_GRASS, NEAR_GRASS, clamp01((y - HORIZON) * 1.3 + patch * 0.6));
  put(out, green, 0.75 + blades * 0.35);
}

/** A row of grass and flowers; `near` is 0 at the far end and 1 at the camera's feet. */
function plantRow(canvas: Canvas, random: Random, near: number): void {
  const aspect = canvas.width / canvas.height;
  const ground = HORIZON + 0.02 + near * 0.78;
  const size = 0.012 + near ** 1.6 * 0.3;
  const blades = Math.round(150 - 105 * near);
  for (let blade = 0; blade < blades; blade++) {
    paintBlade(canvas, random, { x: random.next() * aspect, y: ground + size * 0.3, size, near });
  }
  const flowers = Math.round(random.between(2, 6) + (1 - near) * 12);
  for (let flower = 0; flower < flowers; flower++) {
    const place = { x: random.next() * aspect, y: ground - size * random.between(0.25, 0.75) };
    if (random.next() < 0.72) paintPoppy(canvas, random, { ...place, radius: size * 0.13 });
    else paintDaisy(canvas, random, { ...place, radius: size * 0.055 });
  }
}

interface Blade {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly near: number;
}

/** A bent blade of grass that narrows to its tip. */
function paintBlade(canvas: Canvas, random: Random, { x, y, size, near }: Blade): void {
  const length = size * random.between(0.45, 1.05), bend = random.normal() * size * 0.28;
  const thick = 0.0006 + size * 0.011;
  const fresh = mixed(YOUNG, OLD, clamp01(random.next() * 0.8 + near * 0.25));
  const tint = random.next() < 0.08 ? STRAW : fresh;
  const box = {
    x: x + bend / 2,
    y: y - length / 2,
    halfWidth: Math.abs(bend) / 2 + thick * 2,
    halfHeight: length / 2,
  };
  const pixel = 0.7 / canvas.height;
  paintBox(canvas, box, (px, py, out) => {
    const up = (y - py) / length;
    const offset = Math.abs(px - x - bend * up * up);
    const half = thick * (1 - up * 0.9);
    const cover = clamp01((half - offset) / (2 * pixel) + 0.5) * Math.min(1, half / pixel);
    if (cover > 0) blend(out, scaled(tint, 0.4 + up * 0.9), cover);
  });
}

interface Flower {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

function paintPoppy(canvas: Canvas, random: Random, { x, y, radius }: Flower): void {
  const lean = random.between(-0.25, 0.25), tone = random.between(0.8, 1.15);
  for (let petal = 0; petal < 4; petal++) {
    const angle = petal * 1.57 + lean;
    const place = {
      x: x + Math.cos(angle) * radius * 0.42,
      y: y + Math.sin(angle) * radius * 0.3,
      radius: radius * 0.78,
      aspect: 0.72,
      angle: lean,
    };
    paintEllipse(canvas, place, (cover, u, v, out) => {
      const fold = 0.1 * Math.sin(u * 9 + petal) + 0.12 * Math.sin(v * 7 - petal * 2);
      const light = tone * (0.8 - v * 0.35 + fold + (petal === 1 ? 0.12 : 0));
      const edge = smoothstep(0.55, 1, u * u + v * v) * 0.35;
      blend(out, mixed(scaled(POPPY, light), DEEP, edge), cover);
    });
  }
  fillEllipse(canvas, { x, y, radius: radius * 0.2, aspect: 0.8, softness: 0.4 }, CENTRE);
  fillEllipse(canvas, { x, y: y - radius * 0.03, radius: radius * 0.09 }, STEM);
}

function paintDaisy(canvas: Canvas, random: Random, { x, y, radius }: Flower): void {
  const turn = random.next();
  for (let petal = 0; petal < 9; petal++) {
    const angle = turn + petal * 0.698;
    const place = {
      x: x + Math.cos(angle) * radius * 0.6,
      y: y + Math.sin(angle) * radius * 0.42,
      radius: radius * 0.46,
      aspect: 0.36,
      angle,
    };
    fillEllipse(canvas, place, scaled(WHITE, 0.85 + 0.15 * Math.sin(angle)));
  }
  fillEllipse(canvas, { x, y, radius: radius * 0.3, aspect: 0.75 }, YOLK);
}
