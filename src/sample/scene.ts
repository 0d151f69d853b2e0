import type { Canvas } from "./canvas.ts";
import type { DevelopOptions } from "./develop.ts";
import type { NoiseTiles } from "./noise.ts";
import type { Random } from "./random.ts";
import type { PictureKind } from "./truth.ts";

/** Width and height in pixels, as seen upright. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A scene painted as light, then developed like a photo. */
export interface Scene {
  readonly kind: "photo";
  /** Sensor noise, in 8-bit levels. */
  readonly grain: number;
  readonly develop?: DevelopOptions;
  readonly paint: (size: Size, tiles: NoiseTiles, random: Random) => Canvas;
}

/** A page drawn with strokes and flat areas. */
export interface Drawing {
  readonly kind: Exclude<PictureKind, "photo">;
  /** The page as SVG, its lengths in its own units, scaled to the size that is wanted. */
  readonly svg: string;
}
