import { blend, type Canvas, type Colour, paint, put, smoothstep } from "./canvas.ts";
import { type NoiseTiles, sampleTile } from "./noise.ts";

/** Still water that mirrors what stands above it. */
export interface Water {
  /** Row of the horizon, 0 (top) to 1, in the picture and in the reflection. */
  readonly horizon: number;
  /**
   * What a camera as far below the water as the real one is above would see, upright and of the same
   * aspect: turned over at the horizon it is the exact mirror image. Half the size is enough.
   */
  readonly reflection: Canvas;
  /** Row where the water meets the far shore, for each column of pixels; 1 or more: no water. */
  readonly shores: Float32Array;
  /** What the water shows where one looks down into it. */
  readonly depth: Colour;
  /** 0 is a mirror, 1 a breeze. */
  readonly ripple: number;
  /** How much of the mirror image is lost at the bottom of the picture, 0 to 1. */
  readonly murk: number;
}

/** Turns everything below the shores into water. */
export function paintWater(canvas: Canvas, tiles: NoiseTiles, water: Water): void {
  const { horizon, reflection, shores, ripple } = water;
  const centre = canvas.width / canvas.height / 2;
  const light: [number, number, number] = [0, 0, 0];
  paint(
    canvas,
    (x, y, out) => {
      if (y < shores[Math.floor(x * canvas.height)]!) return;
      const down = y - horizon;
      const far = 1 / (y - horizon + 0.004);
      const swell = sampleTile(tiles.soft, (x - centre) * far * 0.036, far * 0.5);
      const fine = sampleTile(tiles.rough, (x - centre) * far * 0.03, far * 0.11);
      const sway = (swell * 0.5 + fine * 0.35) * down * 0.2 * ripple;
      pickLight(reflection, x + sway * 0.15, 2 * horizon - y + sway, light);
      put(out, light, 0.92);
      blend(out, water.depth, (0.1 + 0.9 * down / (1 - horizon)) * water.murk);
      blend(out, [0.5, 0.55, 0.62], smoothstep(0.4, 0.9, fine) * 0.1 * ripple);
    },
    horizon,
    1,
  );
}

/** The light at a place, mixed between rows so that smooth water has no steps. */
function pickLight(canvas: Canvas, x: number, y: number, light: [number, number, number]): void {
  const { width, height, pixels } = canvas;
  const row = Math.min(height - 1.001, Math.max(0, y * height - 0.5));
  const column = Math.min(width - 1.001, Math.max(0, x * height - 0.5));
  const top = Math.floor(row), left = Math.floor(column);
  const down = row - top, right = column - left;
  const at = (top * width + left) * 3;
  const below = at + width * 3;
  for (let channel = 0; channel < 3; channel++) {
    const upper = pixels[at + channel]! * (1 - right) + pixels[at + 3 + channel]! * right;
    const lower = pixels[below + channel]! * (1 - right) + pixels[below + 3 + channel]! * right;
    light[channel] = upper + (lower - upper) * down;
  }
}
