import { blend, colour, mixed, newCanvas, put, smoothstep } from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Scene } from "../scene.ts";
import { paintSky } from "../sky.ts";
import { paintTerrain, type Place } from "../terrain.ts";

const HORIZON = 0.36;
const SUNLIT = colour("e8b27a"), SHADED = colour("6a3f35"), RED = colour("c9763f");

/** Sand dunes late in the day: sharp crests, one side of each in shadow, ripples near by. */
export const dunes: Scene = {
  kind: "photo",
  grain: 2,
  develop: { exposure: 1.1 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paintSky(canvas, {
      zenith: colour("2f5f9e"),
      middle: colour("7fa8cf"),
      low: colour("f0d3ae"),
      horizon: HORIZON,
      clouds: {
        tile: tiles.soft,
        offset: [0.62, 0.11],
        scale: 0.05,
        cover: 0.42,
        lit: colour("fff4e4"),
        shaded: colour("b7b3bf"),
      },
    });
    paintTerrain(canvas, {
      height: (x, z) => sand(tiles, x, z),
      ground: (place, out) => ground(tiles, place, out),
      camera: { height: 24, horizon: HORIZON, focal: 1.1 },
      near: 5,
      far: 1500,
      sun: [-1, 0.42, 0.15],
      haze: { colour: colour("e3c4a6"), distance: 1500 },
    });
    return canvas;
  },
};

/** Long waves, steep on the lee side, bent by slow noise. */
function sand(tiles: NoiseTiles, x: number, z: number): number {
  const bend = sampleTile(tiles.smooth, x * 0.0011, z * 0.0011);
  const phase = x * 0.009 + z * 0.0045 + bend * 2.4;
  const wave = phase - Math.floor(phase);
  // Far crests are rounded over the distance between two looks along a ray, or they come out jagged.
  const profile = softMinimum(wave / 0.74, (1 - wave) / 0.26, 0.03 + z * 0.00025);
  const rounded = profile * profile * (2.2 - 1.2 * profile);
  const size = 20 + 26 * sampleTile(tiles.smooth, x * 0.0007 + 0.5, z * 0.0007 + 0.3);
  return rounded * size + bend * 10;
}

/** The smaller of two, rounded where they are within `width` of each other (Quilez, "smooth minimum"). */
function softMinimum(a: number, b: number, width: number): number {
  const overlap = Math.max(0, width - Math.abs(a - b)) / width;
  return Math.min(a, b) - overlap * overlap * width * 0.25;
}

function ground(tiles: NoiseTiles, place: Place, out: Float32Array): void {
  const { x, z, light } = place;
  const bend = sampleTile(tiles.smooth, x * 0.011, z * 0.011);
  const near = smoothstep(160, 8, z);
  const ripple = Math.sin((x * 0.5 + z) * 3.3 + bend * 16) * near;
  const speck = sampleTile(tiles.rough, x * 0.08, z * 0.08) * 0.16 * smoothstep(260, 20, z);
  const sun = smoothstep(0, 0.75, light) * (1 + ripple * 0.13) + speck * 0.5;
  put(out, mixed(SHADED, SUNLIT, Math.min(1.15, Math.max(0, sun))));
  blend(out, RED, 0.35 * smoothstep(-0.3, 0.5, bend) * (1 - sun * 0.5));
}
