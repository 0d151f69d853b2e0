import {
  add,
  blend,
  type Canvas,
  clamp01,
  type Colour,
  mixed,
  paint,
  put,
  smoothstep,
} from "./canvas.ts";
import { type NoiseTile, sampleTile } from "./noise.ts";

/** A sky from its top down to the horizon. Places are in picture heights, x from the left edge. */
export interface Sky {
  readonly zenith: Colour;
  readonly middle: Colour;
  readonly low: Colour;
  /** Row of the horizon, 0 (top) to 1. */
  readonly horizon: number;
  readonly sun?: Sun;
  readonly clouds?: Clouds;
}

/** The sun and the glow round it. `disc` is its radius; 0 leaves the disc out. */
export interface Sun {
  readonly x: number;
  readonly y: number;
  readonly colour: Colour;
  readonly disc: number;
  readonly glow: number;
}

/** A layer of clouds on a plane overhead. */
export interface Clouds {
  readonly tile: NoiseTile;
  /** Where in the tile, in tile widths: another place, another sky. */
  readonly offset: readonly [number, number];
  /** Tile widths that a picture height spans at 45° up. */
  readonly scale: number;
  /** How much is covered, 0 to 1. */
  readonly cover: number;
  readonly lit: Colour;
  readonly shaded: Colour;
}

/** Paints a sky on the rows above the horizon (and a little below, where land will cover it). */
export function paintSky(canvas: Canvas, sky: Sky): void {
  const { horizon, sun, clouds } = sky;
  const centre = canvas.width / canvas.height / 2;
  paint(
    canvas,
    (x, y, out) => {
      const up = clamp01(1 - y / horizon);
      put(out, mixed(sky.low, sky.middle, smoothstep(0, 0.45, up)));
      blend(out, sky.zenith, smoothstep(0.25, 1.1, up));
      if (sun !== undefined) addGlow(out, sun, Math.hypot(x - sun.x, y - sun.y));
      if (clouds !== undefined) layClouds(out, clouds, x - centre, horizon - y);
      if (sun !== undefined && sun.disc > 0) addDisc(out, sun, Math.hypot(x - sun.x, y - sun.y));
    },
    0,
    Math.min(1, horizon + 0.03),
  );
}

function addGlow(out: Float32Array, sun: Sun, distance: number): void {
  const near = Math.exp(-distance / (sun.glow * 0.25));
  const wide = Math.exp(-(distance * distance) / (sun.glow * sun.glow));
  add(out, sun.colour, 0.75 * near + 0.4 * wide);
}

function addDisc(out: Float32Array, sun: Sun, distance: number): void {
  add(out, sun.colour, 3 * smoothstep(sun.disc * 1.15, sun.disc * 0.9, distance));
}

function layClouds(out: Float32Array, clouds: Clouds, x: number, up: number): void {
  const { tile, offset, scale, cover } = clouds;
  const far = scale / (Math.max(0, up) + 0.16);
  const u = offset[0] + x * far, v = offset[1] + far;
  const billow = sampleTile(tile, u * 3.1 + 0.3, v * 3.1) * 0.3;
  const density = sampleTile(tile, u, v) + billow + (cover - 0.5) * 1.4;
  const body = smoothstep(0, 0.5, density);
  if (body <= 0) return;
  const towardsLight = sampleTile(tile, u + 0.004, v - 0.012) + billow;
  const shade = clamp01(
    0.55 + (density - towardsLight - (cover - 0.5) * 1.4) * 2.2 - density * 0.5,
  );
  blend(out, mixed(clouds.shaded, clouds.lit, shade), body * 0.92 * smoothstep(-0.02, 0.08, up));
}
