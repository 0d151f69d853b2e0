import {
  add,
  blend,
  type Canvas,
  colour,
  mixed,
  newCanvas,
  paint,
  put,
  scaled,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Scene } from "../scene.ts";
import { paintSky, type Sky } from "../sky.ts";

const HORIZON = 0.48;
const SUN = colour("ffb24a");

/** The sun going down over the sea, its path of light on the waves. */
export const sea: Scene = {
  kind: "photo",
  grain: 1.8,
  develop: { exposure: 1.05, vignette: 0.3 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    const sunX = 0.62 * width / height;
    paintSky(canvas, eveningSky(tiles, sunX));
    paint(canvas, (x, y, out) => water(tiles, { x, y, sunX, canvas }, out), HORIZON, 1);
    return canvas;
  },
};

function eveningSky(tiles: NoiseTiles, sunX: number): Sky {
  return {
    zenith: colour("2b3a6b"),
    middle: colour("b0688a"),
    low: colour("ff9a55"),
    horizon: HORIZON,
    sun: { x: sunX, y: 0.425, colour: SUN, disc: 0.022, glow: 0.42 },
    clouds: {
      tile: tiles.soft,
      offset: [0.07, 0.9],
      scale: 0.12,
      cover: 0.55,
      lit: colour("ff8f5c"),
      shaded: colour("57406c"),
    },
  };
}

interface Spot {
  readonly x: number;
  readonly y: number;
  readonly sunX: number;
  readonly canvas: Canvas;
}

/** Waves tilt the mirror: each place shows another part of the sky, and now and then the sun. */
function water(tiles: NoiseTiles, { x, y, sunX, canvas }: Spot, out: Float32Array): void {
  const far = 1 / (y - HORIZON + 0.006);
  const across = (x - sunX) * far, along = far * 1.9;
  const swell = sampleTile(tiles.soft, across * 0.012 + along * 0.01, along * 0.035);
  const waves = sampleTile(tiles.rough, across * 0.012, along * 0.016);
  const fine = sampleTile(tiles.rough, across * 0.05, along * 0.075);
  const tilt = swell * 0.5 + waves * 0.6 + fine * 0.35;
  const skyRow = Math.min(0.98, Math.max(0.02, 0.16 + (y - HORIZON) * 0.9 + tilt * 0.22));
  const row = Math.floor((1 - skyRow) * HORIZON * canvas.height);
  const column = Math.min(canvas.width - 1, Math.floor(x * canvas.height));
  const at = (row * canvas.width + column) * 3;
  const facing = smoothstep(-0.35, 0.5, tilt);
  put(out, lightAt(canvas, at), 0.25 + 0.5 * facing);
  blend(out, [0.012, 0.022, 0.05], 0.62 - facing * 0.45);
  const spread = 0.035 + (y - HORIZON) * 0.3;
  const path = Math.exp(-(((x - sunX) / spread) ** 2));
  const glint = smoothstep(0.08, 0.42, fine * 0.7 + waves * 0.6 + path * 0.12);
  add(out, SUN, path * (0.1 + 2.4 * glint));
  blend(out, scaled(mixed(SUN, [1, 0.5, 0.4], 0.5), 0.6), 0.5 * Math.exp(-(y - HORIZON) * 60));
}

function lightAt(canvas: Canvas, at: number): readonly [number, number, number] {
  return [canvas.pixels[at]!, canvas.pixels[at + 1]!, canvas.pixels[at + 2]!];
}
