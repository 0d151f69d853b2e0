import {
  blend,
  type Canvas,
  clamp01,
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

const GREEN = colour("5f7a26"), YELLOW = colour("e0a92c"), RED = colour("b23a1a");
const VEIN = colour("e9d08a"), STALK = colour("8a5a2c");
/** Side veins along the leaf. */
const VEINS = 9;

/** An autumn leaf cut out, with its soft shadow: nothing round it, half of something under it. */
export const leaf: Scene = {
  kind: "photo",
  grain: 1.5,
  develop: { vignette: 0 },
  paint({ width, height }, tiles) {
    const alpha = new Float32Array(width * height);
    const canvas: Canvas = { ...newCanvas(width, height), alpha };
    paint(canvas, (x, y, out) => {
      const centre = width / height / 2;
      const body = placeOn(tiles, x - centre, y - 0.5);
      const below = placeOn(tiles, x - centre - 0.016, y - 0.524);
      const solid = smoothstep(-1 / height, 1 / height, body.inside);
      const shadow = 0.42 * smoothstep(-0.035, 0.03, below.inside);
      alpha[Math.floor(y * height) * width + Math.floor(x * height)] = solid + (1 - solid) * shadow;
      if (solid > 0) skin(tiles, body, out);
      // Not multiplied by alpha: an edge holds leaf and shadow in the shares in which they show.
      const share = solid / Math.max(1e-6, solid + (1 - solid) * shadow);
      put(out, [out[0]!, out[1]!, out[2]!], share);
    });
    return canvas;
  },
};

interface LeafPlace {
  /** Along the midrib: 0 at the stalk, 1 at the tip. */
  readonly along: number;
  /** To the side of the midrib, right is positive. */
  readonly aside: number;
  /** Distance to the outline, about; negative is outside. */
  readonly inside: number;
  /** Place between two side veins: whole numbers are on a vein. */
  readonly vein: number;
}

function placeOn(tiles: NoiseTiles, x: number, y: number): LeafPlace {
  const cos = Math.cos(0.62), sin = Math.sin(0.62);
  const along = (x * sin - y * cos) / 0.86 + 0.44;
  const bend = 0.05 * Math.sin(along * 2.6);
  const aside = x * cos + y * sin - bend;
  const side = Math.abs(aside);
  const vein = (along - side * 0.75 + side * side * 0.5 + (aside > 0 ? 0.035 : 0)) * VEINS;
  const ripple = 0.008 * sampleTile(tiles.soft, along * 0.6, aside > 0 ? 0.2 : 0.7);
  const tooth = vein * 3 - Math.floor(vein * 3);
  const body = along <= 0 || along >= 1 ? -1 : 0.335 * Math.sin(Math.PI * along ** 0.82);
  const blade = body - side + ripple - 0.011 * tooth * smoothstep(0, 0.12, body);
  const stalk = along < 0.1 && along > -0.17 ? 0.009 - along * 0.012 - side : -1;
  return { along, aside, inside: Math.max(blade, stalk), vein };
}

function skin(tiles: NoiseTiles, place: LeafPlace, out: Float32Array): void {
  const { along, aside, inside, vein } = place;
  const side = Math.abs(aside);
  const offVein = Math.abs(vein - Math.round(vein));
  const patch = sampleTile(tiles.soft, along * 0.35 + 0.1, aside * 0.35 + 0.4);
  const fine = sampleTile(tiles.rough, along * 0.4, aside * 0.4);
  const autumn = clamp01(0.42 + patch * 0.9 + offVein * 0.5 - inside * 1.3 + fine * 0.15);
  const base = autumn < 0.5 ? mixed(GREEN, YELLOW, autumn * 2) : mixed(YELLOW, RED, autumn * 2 - 1);
  const cells = sampleTile(tiles.ridged, along * 2.6, aside * 2.6);
  const bulge = Math.sin((vein - Math.floor(vein)) * 2 * Math.PI) * (aside > 0 ? 1 : -1);
  const fold = aside > 0 ? 0.86 : 1.1;
  const light = fold * (0.82 + 0.13 * bulge + fine * 0.1 - cells * 0.24 + side * 0.3);
  const thin = smoothstep(0.06, 0.015, offVein + side * 0.12) * smoothstep(0, 0.03, inside);
  const midrib = smoothstep(0.011 - along * 0.008, 0.004 - along * 0.004, side);
  put(out, mixed(base, VEIN, Math.max(thin * 0.55, midrib * 0.8)), light);
  const stalk = smoothstep(0.03, -0.02, along);
  if (stalk > 0) blend(out, scaled(mixed(STALK, VEIN, clamp01(0.3 - aside * 20)), 0.8), stalk);
}
