import {
  add,
  blend,
  type Canvas,
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

const ZENITH = colour("0b1430"), LOW = colour("2f4a63"), GLOW = colour("7c8a5a");
const BAND = colour("8f8fb4"), CORE = colour("d9b48c");
const HOT = colour("9fc0ff"), COOL = colour("ffd9b0");

/** The Milky Way above black ridges. */
export const night: Scene = {
  kind: "photo",
  grain: 2.5,
  develop: { exposure: 1.6, vignette: 0.3 },
  paint({ width, height }, tiles, random) {
    const canvas = newCanvas(width, height);
    paint(canvas, (x, y, out) => sky(tiles, x, y, out));
    addStars(canvas, random);
    addRidges(canvas, tiles);
    return canvas;
  },
};

/** How near a place is to the middle of the Milky Way, which leans to the right: 0 is on it. */
function acrossBand(x: number, y: number): number {
  return (x - 0.42 - (1 - y) * 0.62) * 0.85;
}

function sky(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  put(out, mixed(ZENITH, LOW, smoothstep(0.1, 0.95, y)));
  add(out, GLOW, 0.5 * smoothstep(0.55, 0.95, y));
  const warp = sampleTile(tiles.soft, x * 0.2, y * 0.2) * 0.08;
  const across = acrossBand(x, y) + warp;
  const cloud = sampleTile(tiles.soft, x * 0.34 + 0.3, y * 0.34) * 0.5 + 0.5;
  const band = Math.exp(-((across / 0.15) ** 2)) * (0.35 + cloud);
  const lane = 0.35 * Math.exp(-((across / 0.035) ** 2));
  const dust = smoothstep(0.05, 0.5, sampleTile(tiles.soft, x * 0.3 + 0.7, y * 0.55 + 0.1) + lane);
  const light = band * (1 - 0.8 * dust * Math.exp(-((across / 0.12) ** 2)));
  const core = Math.exp(-((across / 0.07) ** 2)) * smoothstep(0.1, 0.9, y);
  add(out, mixed(BAND, CORE, core), light * 0.5);
}

function addStars(canvas: Canvas, random: Random): void {
  const aspect = canvas.width / canvas.height;
  for (let star = 0; star < 6500; star++) {
    const x = random.next() * aspect, y = random.next() * 0.93;
    const inBand = Math.exp(-((acrossBand(x, y) / 0.16) ** 2));
    if (random.next() > 0.3 + inBand * 0.7) continue;
    const magnitude = random.next() ** 12;
    const tint = mixed(HOT, COOL, random.next());
    const radius = 0.0005 + magnitude * 0.0013;
    paintEllipse(canvas, { x, y, radius, softness: 2 }, (cover, _u, _v, out) => {
      add(out, tint, cover * (0.16 + magnitude * 2.4));
    });
  }
}

function addRidges(canvas: Canvas, tiles: NoiseTiles): void {
  const layers = [{ y: 0.95, size: 0.32, shade: 0.016 }, { y: 1.02, size: 0.2, shade: 0.004 }];
  for (const [index, { y: base, size, shade }] of layers.entries()) {
    paint(
      canvas,
      (x, y, out) => {
        const crest = base -
          size * sampleTile(tiles.ridged, x * 0.09 + index * 0.37, 0.31 + index * 0.2);
        const trees = 0.012 * index * sampleTile(tiles.rough, x * 0.5, 0.4);
        const cover = smoothstep(-0.0012, 0.0012, y - crest - trees);
        if (cover > 0) blend(out, [shade * 0.8, shade, shade * 1.5], cover);
      },
      base - size - 0.03,
      1,
    );
  }
}
