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
import { paintTerrain, type Place, RAY_STEP } from "../terrain.ts";
import { paintWater } from "../water.ts";

const HORIZON = 0.52, FOCAL = 1.1, EYE = 14, FAR = 1600;
const MOSS = colour("4d6238"), ROCK = colour("5b5f63"), DEPTH = colour("17343c");

/** Steep walls over still water on an overcast day. */
export const fjord: Scene = {
  kind: "photo",
  grain: 3,
  develop: { exposure: 1.1 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paintView(canvas, tiles, EYE);
    const reflection = newCanvas(width >> 1, height >> 1);
    paintView(reflection, tiles, -EYE);
    const shores = Float32Array.from({ length: width }, (_, column) => {
      return shoreRow(tiles, (column + 0.5 - width / 2) / height / FOCAL);
    });
    paintWater(canvas, tiles, {
      horizon: HORIZON,
      reflection,
      shores,
      depth: DEPTH,
      ripple: 0.9,
      murk: 0.55,
    });
    return canvas;
  },
};

function paintView(canvas: Canvas, tiles: NoiseTiles, eye: number): void {
  paintSky(canvas, {
    zenith: colour("8fa0ae"),
    middle: colour("c3ccd2"),
    low: colour("eef0ee"),
    horizon: HORIZON,
    clouds: {
      tile: tiles.soft,
      offset: [0.35, 0.55],
      scale: 0.1,
      cover: 0.75,
      lit: colour("e6eaec"),
      shaded: colour("8b97a2"),
    },
  });
  paintTerrain(canvas, {
    height: (x, z) => walls(tiles, x, z),
    ground: (place, out) => ground(tiles, place, out),
    camera: { height: eye, horizon: HORIZON, focal: FOCAL },
    near: 20,
    far: FAR,
    sun: [0.7, 0.8, -0.5],
    haze: { colour: colour("c5d0d6"), distance: 2400 },
  });
}

/** Where the water ends, for a ray that goes `slope` sideways a unit ahead. */
function shoreRow(tiles: NoiseTiles, slope: number): number {
  let z = 20;
  while (z < FAR && walls(tiles, slope * z, z) < 0) z *= 1 + RAY_STEP;
  return HORIZON + FOCAL * EYE / z;
}

/** Far below where there is water, so that a camera under the water sees through. */
function walls(tiles: NoiseTiles, x: number, z: number): number {
  const course = 60 * sampleTile(tiles.smooth, 0.3, z * 0.0012 + 0.3);
  const straight = 20 * sampleTile(tiles.smooth, x * 0.003, z * 0.003);
  const away = Math.abs(x - course) - 55 - z * 0.06 + straight;
  const inland = Math.max(away, (z - 1100) * 0.5);
  if (inland < 0) return -1000;
  const crest = sampleTile(tiles.ridged, x * 0.0014 + 0.1, z * 0.0014 + 0.8);
  const trees = sampleTile(tiles.rough, x * 0.012, z * 0.012) * 2;
  return smoothstep(0, 190, inland) * (70 + crest * 230) + Math.min(1, inland * 0.3) * (trees + 2);
}

function ground(tiles: NoiseTiles, place: Place, out: Float32Array): void {
  const { x, z, height, light, flatness } = place;
  const fleck = sampleTile(tiles.rough, x * 0.017, z * 0.017);
  const streak = sampleTile(tiles.soft, x * 0.01 + z * 0.01, height * 0.002);
  const bare = smoothstep(0.62, 0.4, flatness + streak * 0.25 - height * 0.0008);
  put(out, mixed(scaled(MOSS, 0.8 + fleck * 0.6), scaled(ROCK, 0.8 + streak), bare));
  blend(out, ROCK, smoothstep(4, 1, height) * 0.7);
  const sun = 0.2 + 1.15 * light;
  out[0]! *= sun;
  out[1]! *= sun;
  out[2]! *= sun;
}
