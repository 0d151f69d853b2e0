import type { Size } from "./proxy_size.ts";
import type { Colour, Raster } from "./raster.ts";

/**
 * Luma of a picture on a grid of square or oblong cells, row-major, 0 to 255. The cells of the last
 * column and row may reach beyond the picture, which is `extent` cells large, parts of cells counted.
 */
export interface LumaGrid extends Size {
  readonly extent: Size;
  readonly values: Float32Array;
}

/** The fewest cells a side of a picture that has so many pixels; less than twice as many. */
const FINE: Size = { width: 288, height: 256 };

/**
 * The same from 6 megapixels on, where the fine grid takes 10 ms, a tenth of the decode, and this one 3.
 * Of 14 photographs enlarged to 12 megapixels no hash is more than 2 bits off.
 */
const COARSE: Size = { width: 160, height: 144 };
const COARSE_FROM_PIXELS = 6_000_000;

/** Samples a side of a cell: the cells of 12 megapixels have 25 × 20 pixels, of which 16 are looked at. */
const SAMPLES = 4;

/** A picture's colour on white on the cells of a grid, three values a cell: red, green, blue, 0 to 255. */
export type ColourGrid = Pick<LumaGrid, keyof Size | "extent" | "values">;

/** What is in a row of a picture that is sampled: the same cells across, and which of them down. */
interface Sample {
  readonly row: number;
  readonly cellRow: number;
}

/**
 * A picture's luma, and its colour, on a grid fine enough for 32 × 32 hashes, row by row as somebody else
 * reads them: a row is looked at while it is in the cache. Cells are a whole number of pixels, and
 * samples lie symmetrically in them, so that nothing is displaced: with cells of 4.44 pixels of which 4
 * or 5 are taken, hashes come out up to 7 bits off.
 *
 * Luma is BT.601 in 8 bits, as Pillow has it; transparent pixels are on `ground`.
 */
export class GridSampler {
  readonly #raster: Raster;
  readonly #ground: Colour;
  readonly #size: Size;
  readonly #extent: Size;
  /** Where the samples of a row are, in its bytes: as many a cell as the cell has, in order. */
  readonly #columns: Int32Array;
  readonly #samples: readonly Sample[];
  readonly #luma: Float32Array;
  readonly #colour: Float32Array;
  readonly #samplesInCell: number;
  #next = 0;

  constructor(raster: Raster, ground: Colour) {
    this.#raster = raster;
    this.#ground = ground;
    const cells = raster.width * raster.height < COARSE_FROM_PIXELS ? FINE : COARSE;
    const cell = {
      width: Math.max(1, Math.floor(raster.width / cells.width)),
      height: Math.max(1, Math.floor(raster.height / cells.height)),
    };
    this.#extent = { width: raster.width / cell.width, height: raster.height / cell.height };
    const [width, height] = [Math.ceil(this.#extent.width), Math.ceil(this.#extent.height)];
    this.#size = { width, height };
    const across = sampled(raster.width, width, cell.width);
    this.#columns = Int32Array.from(across, ({ at }) => at * raster.channels);
    const down = sampled(raster.height, height, cell.height);
    this.#samples = down.map(({ at, cell }) => ({ row: at, cellRow: cell }));
    this.#samplesInCell = across.length / width * (down.length / height);
    this.#luma = new Float32Array(width * height);
    this.#colour = new Float32Array(width * height * 3);
  }

  /** Takes in a row. Rows come from the top down, each once. */
  take(row: number): void {
    for (; this.#samples[this.#next]?.row === row; this.#next++) {
      const { cellRow } = this.#samples[this.#next]!;
      if (this.#raster.channels === 3) this.#addOpaque(row, cellRow);
      else this.#addOnGround(row, cellRow);
    }
  }

  /** Means over the samples, when all rows were taken in. */
  finish(): { readonly luma: LumaGrid; readonly colour: ColourGrid } {
    const grid = { ...this.#size, extent: this.#extent };
    return {
      luma: { ...grid, values: divided(this.#luma, this.#samplesInCell) },
      colour: { ...grid, values: divided(this.#colour, this.#samplesInCell) },
    };
  }

  /** Adds a row's samples to the sums of its cells: whole numbers, exact in 32 bits. */
  #addOpaque(row: number, cellRow: number) {
    const { pixels, width } = this.#raster;
    const columns = this.#columns;
    const cells = this.#size.width;
    const each = columns.length / cells;
    const start = row * width * 3;
    for (let cell = 0, next = 0, to = cellRow * cells; cell < cells; cell++, to++) {
      let [levels, reds, greens, blues] = [0, 0, 0, 0];
      for (const end = next + each; next < end; next++) {
        const at = start + columns[next]!;
        const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
        levels += luma(red, green, blue);
        reds += red;
        greens += green;
        blues += blue;
      }
      this.#luma[to]! += levels;
      this.#colour[3 * to]! += reds;
      this.#colour[3 * to + 1]! += greens;
      this.#colour[3 * to + 2]! += blues;
    }
  }

  #addOnGround(row: number, cellRow: number) {
    const { width, pixels } = this.#raster;
    const start = row * width * 4;
    const each = this.#columns.length / this.#size.width;
    const ground = this.#ground;
    for (let sample = 0; sample < this.#columns.length; sample++) {
      const at = start + this.#columns[sample]!;
      const to = cellRow * this.#size.width + Math.floor(sample / each);
      const alpha = pixels[at + 3]!;
      const sum = (channel: 0 | 1 | 2) =>
        pixels[at + channel]! * alpha + ground[channel] * (255 - alpha);
      const mixed = (channel: 0 | 1 | 2) => Math.floor((sum(channel) + 127) / 255);
      this.#luma[to]! += luma(mixed(0), mixed(1), mixed(2));
      this.#colour[3 * to]! += sum(0) / 255;
      this.#colour[3 * to + 1]! += sum(1) / 255;
      this.#colour[3 * to + 2]! += sum(2) / 255;
    }
  }
}

function divided(sums: Float32Array, by: number): Float32Array {
  for (let at = 0; at < sums.length; at++) sums[at]! /= by;
  return sums;
}

function luma(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}

/** Which pixels of a side are looked at, in order, and in which cell. */
function sampled(
  pixels: number,
  cells: number,
  cellLength: number,
): readonly { readonly at: number; readonly cell: number }[] {
  const offsets = samplesOf(cellLength);
  return Array.from({ length: cells }, (_, cell) => cell).flatMap((cell) =>
    offsets.map((offset) => ({ at: Math.min(cell * cellLength + offset, pixels - 1), cell }))
  );
}

/**
 * Which pixels of a cell are looked at: all of a few, or four, symmetrically. Always odd and even ones,
 * since of stripes one pixel wide all of them would else be black, or all white.
 */
function samplesOf(length: number): readonly number[] {
  if (length <= SAMPLES) return Array.from({ length }, (_, at) => at);
  const inner = Math.floor(length * 3 / 8);
  const near = Math.floor(length / 8);
  const outer = length % 2 === 1 && (near + inner) % 2 === 0 ? near + 1 : near;
  return [outer, inner, length - 1 - inner, length - 1 - outer];
}
