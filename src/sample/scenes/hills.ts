import { blend, colour, newCanvas, put, smoothstep } from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Scene } from "../scene.ts";
import { paintSky } from "../sky.ts";
import { paintTerrain, type Place } from "../terrain.ts";

const HORIZON = 0.42;
const CROPS = ["9c9a3c", "c9b05a", "5f7d34", "7e8f3a", "a5824e", "4c6b30", "d0bd74"].map(colour);
const WOOD = colour("24381f");

/** Rolling farmland, wide: fields, hedges and woods under fair-weather clouds. */
export const hills: Scene = {
  kind: "photo",
  grain: 1.8,
  develop: { exposure: 1.15, vignette: 0.08 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paintSky(canvas, {
      zenith: colour("2c67b4"),
      middle: colour("7fb0e0"),
      low: colour("dce8ee"),
      horizon: HORIZON,
      clouds: {
        tile: tiles.soft,
        offset: [0.2, 0.73],
        scale: 0.11,
        cover: 0.6,
        lit: colour("ffffff"),
        shaded: colour("8f9cb0"),
      },
    });
    paintTerrain(canvas, {
      height: (x, z) => land(tiles, x, z) + canopy(tiles, x, z),
      ground: (place, out) => ground(tiles, place, out),
      camera: { height: 62, horizon: HORIZON, focal: 1.05 },
      near: 12,
      far: 4000,
      sun: [0.8, 0.75, -0.25],
      haze: { colour: colour("b9cde0"), distance: 2600 },
    });
    return canvas;
  },
};

function land(tiles: NoiseTiles, x: number, z: number): number {
  const roll = sampleTile(tiles.soft, x * 0.00042 + 0.2, z * 0.00042 + 0.6);
  const far = sampleTile(tiles.soft, x * 0.00012, z * 0.00012 + 0.1);
  return (roll + 0.25) * 52 * smoothstep(0, 120, z) +
    smoothstep(1200, 3600, z) * (far + 0.45) * 330;
}

/** How much of a wood stands here, 0 to 1: hedges between fields, and groves. */
function woodedness(tiles: NoiseTiles, x: number, z: number): number {
  const grove = sampleTile(tiles.soft, x * 0.0017 + 0.4, z * 0.0017);
  return smoothstep(0.26, 0.34, grove);
}

function canopy(tiles: NoiseTiles, x: number, z: number): number {
  const wooded = woodedness(tiles, x, z);
  if (wooded <= 0) return 0;
  return wooded * (5 + 5 * sampleTile(tiles.rough, x * 0.0035, z * 0.0035));
}

function ground(tiles: NoiseTiles, place: Place, out: Float32Array): void {
  const { x, z, light } = place;
  const field = fieldAt(tiles, x, z);
  put(out, CROPS[field.crop % CROPS.length]!);
  const rows = Math.sin((field.crop % 2 === 0 ? x + z * 0.3 : z - x * 0.2) * 1.6);
  const near = smoothstep(420, 40, z);
  const fleck = sampleTile(tiles.rough, x * 0.006, z * 0.006);
  const shade = 1 + rows * 0.12 * near + fleck * 0.28;
  blend(out, WOOD, 0.75 * smoothstep(1.6 + z * 0.002, 0.5, field.edge));
  blend(out, WOOD, woodedness(tiles, x, z));
  const drift = sampleTile(tiles.soft, x * 0.0004, z * 0.0004 + 0.5);
  const cloudShadow = 1 - 0.45 * smoothstep(0.05, 0.3, drift);
  const sun = (0.24 + 1.1 * light) * cloudShadow * shade;
  out[0]! *= sun;
  out[1]! *= sun;
  out[2]! *= sun * 0.9 + 0.06;
}

interface Field {
  readonly crop: number;
  /** Distance to the nearest border, about. */
  readonly edge: number;
}

/** Fields are bent squares of 90 units, each with its own crop. */
function fieldAt(tiles: NoiseTiles, x: number, z: number): Field {
  const bend = sampleTile(tiles.soft, x * 0.0006, z * 0.0006 + 0.25) * 1.1;
  const across = (x * 0.93 + z * 0.37) / 95 + bend, along = (z * 0.93 - x * 0.37) / 120 + bend;
  const column = Math.floor(across), row = Math.floor(along);
  const inX = across - column, inZ = along - row;
  const edge = Math.min(inX, 1 - inX, inZ, 1 - inZ) * 95;
  const crop = Math.imul(column * 374761393 + row * 668265263, 1274126177) >>> 16;
  return { crop, edge };
}
