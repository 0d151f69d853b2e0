import { type Random, seededRandom } from "./random.ts";

/** A square of fractal noise that repeats without a seam: row-major, `SIDE` × `SIDE`. */
export type NoiseTile = Float32Array;

/** Side of every noise tile, a power of two so that wrapping is a mask. */
export const SIDE = 1024;
const MASK = SIDE - 1;

/** What a noise tile is made of. */
export interface NoiseOptions {
  /** Cells across the tile in the coarsest octave, a power of two. */
  readonly cells: number;
  readonly octaves: number;
  /** How strong each octave is beside the one before, 0 to 1. */
  readonly gain: number;
  /** True turns valleys into sharp crests: mountains, veins of light. */
  readonly isRidged?: boolean;
}

/** Fractal gradient noise (Perlin 2002), about -1 to 1; ridged noise is 0 to 1, crests high. */
export function fractalTile(random: Random, options: NoiseOptions): NoiseTile {
  const tile = new Float32Array(SIDE * SIDE);
  let amplitude = 1;
  let total = 0;
  for (let octave = 0; octave < options.octaves; octave++) {
    addOctave(
      tile,
      gradients(random, options.cells << octave),
      amplitude,
      options.isRidged ?? false,
    );
    total += amplitude;
    amplitude *= options.gain;
  }
  const scale = (options.isRidged ? 1 : 1.6) / total;
  for (let index = 0; index < tile.length; index++) tile[index]! *= scale;
  return tile;
}

interface Gradients {
  readonly cells: number;
  readonly dx: Float32Array;
  readonly dy: Float32Array;
}

function gradients(random: Random, cells: number): Gradients {
  const dx = new Float32Array(cells * cells);
  const dy = new Float32Array(cells * cells);
  for (let index = 0; index < dx.length; index++) {
    const angle = random.next() * 2 * Math.PI;
    dx[index] = Math.cos(angle);
    dy[index] = Math.sin(angle);
  }
  return { cells, dx, dy };
}

function addOctave(tile: NoiseTile, lattice: Gradients, amplitude: number, isRidged: boolean) {
  const { cells, dx, dy } = lattice;
  const step = SIDE / cells;
  for (let cellY = 0; cellY < cells; cellY++) {
    for (let cellX = 0; cellX < cells; cellX++) {
      const right = (cellX + 1) % cells;
      const top = cellY * cells;
      const bottom = ((cellY + 1) % cells) * cells;
      const [a, b, c, d] = [top + cellX, top + right, bottom + cellX, bottom + right];
      for (let row = 0; row < step; row++) {
        const v = row / step;
        const fadeV = fade(v);
        // The value along a row is a polynomial in u whose corners are linear: start and slope each.
        const a0 = dy[a]! * v, b0 = dy[b]! * v - dx[b]!;
        const c0 = dy[c]! * (v - 1), d0 = dy[d]! * (v - 1) - dx[d]!;
        const left = a0 + (c0 - a0) * fadeV, leftSlope = dx[a]! + (dx[c]! - dx[a]!) * fadeV;
        const end = b0 + (d0 - b0) * fadeV, endSlope = dx[b]! + (dx[d]! - dx[b]!) * fadeV;
        let index = (cellY * step + row) * SIDE + cellX * step;
        for (let column = 0; column < step; column++, index++) {
          const u = column / step;
          const start = left + leftSlope * u;
          const value = start + (end + endSlope * u - start) * fade(u);
          tile[index]! += amplitude * (isRidged ? crest(value) : value);
        }
      }
    }
  }
}

function fade(t: number): number {
  return t * t * t * (t * (t * 6 - 15) + 10);
}

function crest(value: number): number {
  const folded = 1 - Math.abs(value) * 1.5;
  return folded > 0 ? folded * folded : 0;
}

/** The tile at a place in tile widths (1 is the whole tile, then it repeats), bilinear. */
export function sampleTile(tile: NoiseTile, u: number, v: number): number {
  const x = u * SIDE, y = v * SIDE;
  const floorX = Math.floor(x), floorY = Math.floor(y);
  const fractionX = x - floorX, fractionY = y - floorY;
  const left = floorX & MASK, right = (floorX + 1) & MASK;
  const top = (floorY & MASK) * SIDE, bottom = ((floorY + 1) & MASK) * SIDE;
  const above = tile[top + left]! + (tile[top + right]! - tile[top + left]!) * fractionX;
  const below = tile[bottom + left]! + (tile[bottom + right]! - tile[bottom + left]!) * fractionX;
  return above + (below - above) * fractionY;
}

/** The tiles that the scenes share; each looks at its own part, at its own scale. */
export interface NoiseTiles {
  /** Clouds, colour drift, warps: 4 cells, 7 octaves. */
  readonly soft: NoiseTile;
  /** Grass, sand, bark: 32 cells, 5 octaves, with much fine structure. */
  readonly rough: NoiseTile;
  /** Mountains: 4 cells, 7 octaves, ridged. */
  readonly ridged: NoiseTile;
  /** Sand, slow drift: 4 cells, 2 octaves. */
  readonly smooth: NoiseTile;
}

/** Makes the shared tiles, about 200 ms. */
export function makeNoiseTiles(): NoiseTiles {
  const random = seededRandom("noise tiles");
  return {
    soft: fractalTile(random, { cells: 4, octaves: 7, gain: 0.5 }),
    rough: fractalTile(random, { cells: 32, octaves: 5, gain: 0.75 }),
    ridged: fractalTile(random, { cells: 4, octaves: 7, gain: 0.46, isRidged: true }),
    smooth: fractalTile(random, { cells: 4, octaves: 2, gain: 0.3 }),
  };
}
