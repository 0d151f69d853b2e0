import { blend, colour, newCanvas, put, smoothstep } from "../canvas.ts";
import { type NoiseTiles, sampleTile } from "../noise.ts";
import type { Scene } from "../scene.ts";
import { paintSky } from "../sky.ts";
import { paintTerrain, type Place } from "../terrain.ts";

const HORIZON = 0.7;
const ROCK = colour("3c3c40"), SNOW = colour("f4f4f4");

/** High rock and ice under a dark sky, meant for black and white. */
export const alpine: Scene = {
  kind: "photo",
  grain: 5,
  develop: { exposure: 1.2, vignette: 0.4 },
  paint({ width, height }, tiles) {
    const canvas = newCanvas(width, height);
    paintSky(canvas, {
      zenith: colour("1c1c1c"),
      middle: colour("4a4a4a"),
      low: colour("b0b0b0"),
      horizon: HORIZON,
      clouds: {
        tile: tiles.soft,
        offset: [0.85, 0.2],
        scale: 0.13,
        cover: 0.55,
        lit: colour("eeeeee"),
        shaded: colour("6a6a6a"),
      },
    });
    paintTerrain(canvas, {
      height: (x, z) => peaks(tiles, x, z),
      ground: (place, out) => ground(tiles, place, out),
      camera: { height: 40, horizon: HORIZON, focal: 1.5 },
      near: 6,
      far: 1600,
      sun: [1, 0.5, -0.25],
      haze: { colour: colour("a4a4a4"), distance: 1900 },
    });
    return canvas;
  },
};

function peaks(tiles: NoiseTiles, x: number, z: number): number {
  const crest = sampleTile(tiles.ridged, x * 0.0008 + 0.63, z * 0.0008 + 0.42);
  const edge = sampleTile(tiles.rough, x * 0.004, z * 0.004);
  const rise = smoothstep(10, 700, z);
  return (1 - Math.exp(-1.5 * crest)) * 330 * rise * rise + edge * 1.5 * rise - 12;
}

function ground(tiles: NoiseTiles, place: Place, out: Float32Array): void {
  const { x, z, height, light, flatness } = place;
  const fleck = sampleTile(tiles.rough, x * 0.02, z * 0.02);
  put(out, ROCK, 0.8 + fleck * 0.5);
  const holds = smoothstep(0.5, 0.72, flatness + fleck * 0.14 + height * 0.0002);
  blend(out, SNOW, holds);
  const sun = 0.07 + 1.0 * light;
  out[0]! *= sun;
  out[1]! *= sun;
  out[2]! *= sun;
}
