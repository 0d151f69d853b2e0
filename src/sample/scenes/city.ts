import {
  add,
  blend,
  type Box,
  type Canvas,
  type Colour,
  colour,
  mixed,
  newCanvas,
  paint,
  paintEllipse,
  put,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";

const STREET = 0.64;
const LOW_SKY = colour("4a3350"), ZENITH = colour("0d1733"), HOUSES = colour("120f1e");
const SODIUM = colour("b06a4a");
const LAMPS: readonly [Colour, ...Colour[]] = [
  colour("ffb45e"),
  colour("ffcf8a"),
  colour("ff8a3c"),
  colour("ff4a34"),
  colour("7fd0ff"),
  colour("5dffb4"),
  colour("ff6fb0"),
];

/** City lights out of focus behind a wet window, mirrored in the street. */
export const city: Scene = {
  kind: "photo",
  grain: 4,
  develop: { exposure: 1.25, vignette: 0.35 },
  paint({ width, height }, tiles, random) {
    const canvas = newCanvas(width, height);
    paint(canvas, (x, y, out) => dusk(tiles, x, y, out));
    const aspect = width / height;
    for (let lamp = 0; lamp < 85; lamp++) {
      const up = Math.abs(random.normal()) * 0.2 + 0.01;
      paintLamp(canvas, random, { x: random.next() * aspect, y: STREET - up });
    }
    for (let drop = 0; drop < 260; drop++) paintDrop(canvas, random);
    return canvas;
  },
};

function dusk(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const up = smoothstep(STREET, 0, y);
  put(out, mixed(LOW_SKY, ZENITH, up));
  const blocks = sampleTile(tiles.smooth, x * 0.5, 0.4) * 0.18;
  blend(out, HOUSES, 0.75 * smoothstep(-0.05, 0.05, y - 0.3 - blocks) * smoothstep(0.75, 0.6, y));
  const wet = sampleTile(tiles.soft, x * 0.25, y * 1.7) * smoothstep(STREET, 1, y);
  add(out, SODIUM, 0.12 * Math.exp(-Math.abs(y - STREET) * 7) + Math.max(0, wet) * 0.1);
}

/** A disc as wide as the lens is open, brighter at its rim, and its streak on the wet street. */
function paintLamp(canvas: Canvas, random: Random, { x, y }: Pick<Box, "x" | "y">): void {
  const lamp = random.pick(LAMPS), power = random.between(0.12, 0.6);
  const radius = random.between(0.02, 0.062);
  paintEllipse(canvas, { x, y, radius, softness: 0.06 }, (cover, u, v, out) => {
    const distance = u * u + v * v;
    add(out, lamp, power * cover * (0.62 + 0.38 * smoothstep(0.6, 0.95, distance)));
  });
  const below = { x, y: 2 * STREET - y + 0.05, radius: radius * 0.9, aspect: 3, softness: 1.2 };
  paintEllipse(canvas, below, (cover, _u, v, out) => {
    const broken = 0.6 + 0.4 * Math.sin(v * 19 + x * 40);
    if (out[0]! < 9) add(out, lamp, power * 0.3 * cover * broken);
  });
}

/** A drop on the window shows the lights upside down: bright below, dark above. */
function paintDrop(canvas: Canvas, random: Random): void {
  const x = random.next() * canvas.width / canvas.height, y = random.next();
  const radius = 0.002 + random.next() ** 5 * 0.011;
  const tint = random.pick(LAMPS);
  paintEllipse(canvas, { x, y, radius, aspect: 1.15 }, (cover, u, v, out) => {
    const rim = smoothstep(0.5, 1, u * u + v * v);
    blend(out, [out[0]! * 0.75, out[1]! * 0.75, out[2]! * 0.78], cover * (0.5 + 0.4 * rim));
    add(out, tint, cover * 0.16 * smoothstep(-0.1, 0.8, v) * (1 - rim * 0.7));
    add(out, [1, 1, 1], cover * 0.5 * smoothstep(0.3, 0.08, Math.hypot(u + 0.3, v + 0.4)));
  });
}
