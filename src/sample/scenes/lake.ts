import {
  blend,
  type Canvas,
  colour,
  mixed,
  newCanvas,
  put,
  scaled,
  smoothstep,
} from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Scene } from "../scene.ts";
import { paintSky } from "../sky.ts";
import { paintTerrain, type Place } from "../terrain.ts";
import { paintWater } from "../water.ts";

const HORIZON = 0.54, EYE = 1.8;
const GRASS = colour("4f5f34"), FOREST = colour("1d3328"), ROCK = colour("8d847c");
const SNOW = colour("f6f2f0"), DEPTH = colour("1e3a4c");

/** A mountain lake in the first light, the peaks mirrored in it. */
export const lake: Scene = {
  kind: "photo",
  grain: 3,
  develop: { exposure: 1.15 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paintView(canvas, tiles, EYE);
    const reflection = newCanvas(width >> 1, height >> 1);
    paintView(reflection, tiles, -EYE);
    const shores = new Float32Array(width).fill(HORIZON + 0.043);
    paintWater(canvas, tiles, {
      horizon: HORIZON,
      reflection,
      shores,
      depth: DEPTH,
      ripple: 1,
      murk: 0.5,
    });
    return canvas;
  },
};

function paintView(canvas: Canvas, tiles: NoiseTiles, eye: number): void {
  paintSky(canvas, {
    zenith: colour("3f6fa8"),
    middle: colour("9fbfdc"),
    low: colour("f8d8bc"),
    horizon: HORIZON,
    sun: { x: 0.2, y: 0.42, colour: colour("ffc890"), disc: 0, glow: 0.3 },
    clouds: {
      tile: tiles.soft,
      offset: [0.45, 0.37],
      scale: 0.09,
      cover: 0.6,
      lit: colour("fff0e0"),
      shaded: colour("a9a5b8"),
    },
  });
  paintTerrain(canvas, {
    height: (x, z) => mountains(tiles, x, z),
    ground: (place, out) => ground(tiles, place, out),
    camera: { height: eye, horizon: HORIZON, focal: 1.15 },
    near: 30,
    far: 900,
    sun: [-0.9, 0.55, -0.45],
    haze: { colour: colour("c9cfdc"), distance: 1100 },
  });
}

/** Far below where there is water, so that a camera under the water sees through. */
function mountains(tiles: NoiseTiles, x: number, z: number): number {
  const away = Math.sqrt(x * x + 900);
  const shore = 46 + 10 * sampleTile(tiles.soft, x * 0.004, 0.2) - away * 0.1;
  const inland = z - shore;
  if (inland < 0) return -1000;
  const rise = smoothstep(30, 420, inland) + 0.22 * smoothstep(20, 140, away + inland * 0.15);
  const crest = sampleTile(tiles.ridged, x * 0.00095 + 0.31, z * 0.00095 + 0.12);
  const peaks = 1 - Math.exp(-1.5 * crest);
  const bumps = inland < 160 ? sampleTile(tiles.rough, x * 0.02, z * 0.02) * 1.1 : 0;
  return Math.min(inland * 0.3, 1) * (peaks * 150 * rise * (0.35 + 0.65 * rise) + 0.4 + bumps) -
    0.2;
}

function ground(tiles: NoiseTiles, place: Place, out: Float32Array): void {
  const { x, z, height, light, flatness } = place;
  const fleck = sampleTile(tiles.rough, x * 0.013, z * 0.013);
  const drift = sampleTile(tiles.soft, x * 0.006, z * 0.006);
  put(out, mixed(GRASS, FOREST, smoothstep(-0.4, 0.2, drift + fleck * 0.7)));
  const bare = smoothstep(20, 44, height + drift * 30 + fleck * 14);
  blend(out, scaled(ROCK, 0.75 + fleck * 0.3), bare);
  const snow = smoothstep(42, 66, height + drift * 40) *
    smoothstep(0.45, 0.72, flatness + fleck * 0.2);
  blend(out, SNOW, snow);
  const sun = 0.1 + 1.35 * light;
  out[0]! *= sun * 1.18 + 0.06;
  out[1]! *= sun * 0.98 + 0.12;
  out[2]! *= sun * 0.75 + 0.2;
}
