import { blend, type Canvas, type Colour } from "./canvas.ts";

/** Land as seen by a camera that looks along +z, level. Lengths in one unit of your choosing. */
export interface Terrain {
  /** Height of the ground at a place. */
  readonly height: (x: number, z: number) => number;
  /** Writes the ground's colour before haze. `light` is 0 (turned away from the sun) to 1. */
  readonly ground: (place: Place, out: Float32Array) => void;
  readonly camera: {
    readonly height: number;
    /** Row of the horizon, 0 (top) to 1. */
    readonly horizon: number;
    /** Focal length in picture heights: 1.2 is a normal lens held upright. */
    readonly focal: number;
  };
  readonly near: number;
  readonly far: number;
  /** Direction to the sun, not normalised. */
  readonly sun: readonly [x: number, y: number, z: number];
  readonly haze: { readonly colour: Colour; readonly distance: number };
}

/** A visible place on the ground. The same object is reused for every call. */
export interface Place {
  x: number;
  z: number;
  height: number;
  /** 0 to 1, with shadows. */
  light: number;
  /** Upward part of the unit normal: 1 is flat ground, 0 a wall. */
  flatness: number;
}

/** Step along a ray beside the distance: 1/170 is about a pixel of ground in a 1,000-pixel picture. */
export const RAY_STEP = 1 / 170;

/**
 * Draws land over what is on the canvas, column by column from near to far ("voxel space", NovaLogic
 * 1992), each span of a column weighted by the part of a pixel that it covers, which smooths crests.
 */
export function paintTerrain(canvas: Canvas, terrain: Terrain): void {
  const column = new Float32Array(canvas.height * 3);
  for (let index = 0; index < canvas.width; index++) {
    column.fill(0);
    const crest = traceColumn(canvas, terrain, index, column);
    mergeColumn(canvas, index, column, crest);
  }
}

/** Adds the land in one column of pixels to `column`, and gives the row where it ends. */
function traceColumn(
  canvas: Canvas,
  terrain: Terrain,
  index: number,
  column: Float32Array,
): number {
  const { width, height: rows } = canvas;
  const { camera, near, far, haze } = terrain;
  const slope = (index + 0.5 - width / 2) / rows / camera.focal;
  const place: Place = { x: 0, z: 0, height: 0, light: 1, flatness: 1 };
  const colour = new Float32Array(3), previous = new Float32Array(3);
  let top = rows;
  let isContinued = false;
  for (let z = near; z < far; z *= 1 + RAY_STEP) {
    const height = terrain.height(slope * z, z);
    const row = (camera.horizon - camera.focal * (height - camera.height) / z) * rows;
    if (row >= top) {
      isContinued = false;
      continue;
    }
    place.x = slope * z;
    place.z = z;
    place.height = height;
    lightPlace(terrain, place);
    terrain.ground(place, colour);
    blend(colour, haze.colour, 1 - Math.exp(-z / haze.distance));
    fillSpan(column, { top: row, bottom: top, from: isContinued ? previous : colour, to: colour });
    previous.set(colour);
    isContinued = true;
    top = row;
    if (top <= 0) break;
  }
  return top;
}

function lightPlace(terrain: Terrain, place: Place): void {
  const { x, z, height } = place;
  const [sunX, sunY, sunZ] = terrain.sun;
  const reach = z * 0.003 + 0.004;
  const slopeX = (terrain.height(x + reach, z) - height) / reach;
  const slopeZ = (terrain.height(x, z + reach) - height) / reach;
  const length = Math.sqrt(slopeX * slopeX + slopeZ * slopeZ + 1);
  const sunLength = Math.sqrt(sunX * sunX + sunY * sunY + sunZ * sunZ);
  const lambert = (-slopeX * sunX - slopeZ * sunZ + sunY) / (length * sunLength);
  place.flatness = 1 / length;
  place.light = lambert > 0 ? lambert * shadow(terrain, place) : 0;
}

/** 1 in the sun, down to 0 in the shadow of a crest between here and the sun. */
function shadow(terrain: Terrain, place: Place): number {
  const [sunX, sunY, sunZ] = terrain.sun;
  let clearance = 1;
  let reach = place.z * 0.015;
  for (let step = 0; step < 5; step++, reach *= 2.1) {
    const ray = place.height + sunY * reach;
    const over = terrain.height(place.x + sunX * reach, place.z + sunZ * reach) - ray;
    if (over > 0) clearance = Math.min(clearance, 1 - over / (reach * 0.12));
  }
  return clearance < 0 ? 0 : clearance;
}

interface Span {
  readonly top: number;
  readonly bottom: number;
  readonly from: Float32Array;
  readonly to: Float32Array;
}

/** Adds a span's colour to a column, by how much of each pixel it covers; `from` is at the bottom. */
function fillSpan(column: Float32Array, span: Span): void {
  const { from, to, bottom } = span;
  const top = Math.max(0, span.top);
  const length = bottom - span.top;
  const last = Math.min(column.length / 3, Math.ceil(bottom));
  for (let row = Math.floor(top); row < last; row++) {
    const cover = Math.min(row + 1, bottom) - Math.max(row, top);
    const middle = length < 1 ? 0.5 : Math.min(1, Math.max(0, (bottom - row - 0.5) / length));
    for (let channel = 0; channel < 3; channel++) {
      const value = from[channel]! + (to[channel]! - from[channel]!) * middle;
      column[row * 3 + channel]! += value * cover;
    }
  }
}

/** Puts a column on the canvas; the pixel at the crest keeps its share of what was behind. */
function mergeColumn(canvas: Canvas, index: number, column: Float32Array, crest: number): void {
  const first = Math.max(0, Math.floor(crest));
  for (let row = first; row < canvas.height; row++) {
    const behind = row === first && crest > 0 ? crest - first : 0;
    const at = (row * canvas.width + index) * 3;
    for (let channel = 0; channel < 3; channel++) {
      canvas.pixels[at + channel] = canvas.pixels[at + channel]! * behind +
        column[row * 3 + channel]!;
    }
  }
}
