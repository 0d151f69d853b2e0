import { blend, colour, mixed, newCanvas, paint, put, scaled, smoothstep } from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Scene } from "../scene.ts";

const PLANKS = 5;
const PALE = colour("c09a6c"), DARK = colour("5a3c24");
const GREY = colour("8d8478"), PAINT = colour("4f8a8b");

/** Weathered planks with the last of their paint. */
export const wood: Scene = {
  kind: "photo",
  grain: 2.4,
  develop: { exposure: 1.15, vignette: 0.25 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paint(canvas, (x, y, out) => plankAt(tiles, x, y, out));
    return canvas;
  },
};

function plankAt(tiles: NoiseTiles, x: number, y: number, out: Float32Array): void {
  const across = y * PLANKS + 0.02 * sampleTile(tiles.smooth, x * 0.1, 0.3);
  const plank = Math.floor(across), inside = across - plank;
  const shift = plank * 0.371;
  const rings = grainAt(tiles, x, inside, shift);
  const fibre = sampleTile(tiles.rough, x * 0.045 + shift, y * 1.4);
  put(out, mixed(DARK, PALE, 0.35 + 0.5 * rings + fibre * 0.35));
  const weather = sampleTile(tiles.soft, x * 0.2 + shift, y * 0.4);
  blend(out, GREY, 0.55 * smoothstep(-0.25, 0.35, weather));
  const peeling = sampleTile(tiles.soft, x * 0.28 + shift * 2, y * 0.6 + 0.5);
  const flake = peeling + fibre * 0.32 + rings * 0.12;
  const thick = smoothstep(0.06, 0.1, flake);
  blend(out, scaled(PAINT, 1 + fibre * 0.35), thick * 0.93);
  const lift = smoothstep(0.02, 0.06, flake) - thick;
  const light = (1 + fibre * 0.22) * (1 - 0.35 * lift) * edgeLight(inside) *
    (0.9 + 0.08 * Math.sin(plank * 4.1));
  const split = Math.abs(sampleTile(tiles.smooth, x * 0.06 + shift, inside * 0.9 + shift));
  const crack = smoothstep(0.035, 0, split) * smoothstep(0.1, 0.5, weather);
  const dark = light * (1 - 0.7 * crack) * nailAt(x, inside, plank);
  out[0]! *= dark;
  out[1]! *= dark;
  out[2]! *= dark;
}

/** Growth rings cut lengthwise, 0 to 1, flowing round a knot. */
function grainAt(tiles: NoiseTiles, x: number, inside: number, shift: number): number {
  const knotX = 0.25 + ((shift * 3.7) % 1) * 0.9, knotY = 0.35 + ((shift * 5.3) % 1) * 0.3;
  const dx = (x - knotX) * 5, dy = (inside - knotY) * 2.2;
  const away = Math.sqrt(dx * dx * 0.35 + dy * dy);
  const flow = sampleTile(tiles.smooth, x * 0.07 + shift, inside * 0.11 + shift) * 2.2;
  const bulge = Math.exp(-away * 2.2) * 2.4;
  const ring =
    (inside * 2.4 + flow + bulge * Math.sign(dy || 1) * (1 - Math.exp(-Math.abs(dy) * 6))) * 5;
  const wave = ring - Math.floor(ring);
  const knot = smoothstep(0.2, 0.08, away);
  return (1 - wave ** 2.5) * (1 - knot * 0.85);
}

/** Dark in the gap between planks, with a lit edge under it. */
function edgeLight(inside: number): number {
  const gap = smoothstep(0, 0.022, inside) * smoothstep(1, 0.985, inside);
  return (0.12 + 0.88 * gap) * (1 + 0.3 * smoothstep(0.05, 0.025, inside) * gap);
}

/** Two nail heads at each end of a plank. */
function nailAt(x: number, inside: number, plank: number): number {
  const place = x - 0.08 - 0.01 * Math.sin(plank * 7);
  const column = place - Math.round(place / 1.12) * 1.12;
  const row = Math.min(Math.abs(inside - 0.25), Math.abs(inside - 0.75)) / PLANKS;
  const distance = Math.hypot(column, row);
  return 1 - 0.75 * smoothstep(0.0085, 0.006, distance) - 0.2 * smoothstep(0.03, 0.006, distance);
}
