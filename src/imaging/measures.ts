import { flattenRaster, type Raster } from "./raster.ts";

/** A colour that a picture has much of. */
export interface DominantColour {
  /** The mean sRGB colour of what was put together, `#rrggbb`. */
  readonly colour: string;
  /** Part of the pixels looked at, 0 to 1. */
  readonly share: number;
}

/** What a picture looks like in numbers. All are finite, for any raster. */
export interface Measures {
  /** Mean luma, 0 (black) to 1 (white). */
  readonly brightness: number;
  /** Root mean square contrast: the standard deviation of luma, 0 to 0.5 (Peli 1990). */
  readonly contrast: number;
  /** Variance of the Laplacian of luma, 0 for a flat picture (Pech-Pacheco et al. 2000, LAPV). */
  readonly sharpness: number;
  /** Shannon entropy of the 256 levels of luma, 0 to 8 bits. */
  readonly entropy: number;
  /** M3 of Hasler and Süsstrunk (2003), 0 for grey, about 15 slightly, 59 quite, 109 extremely. */
  readonly colourfulness: number;
  /** Pixels with a luma of at most 2, of all pixels; 0 to 1. */
  readonly clipped_dark: number;
  /** Pixels with a luma of at least 253, of all pixels; 0 to 1. */
  readonly clipped_bright: number;
  /** At most five, the largest share first. */
  readonly dominant_colours: readonly DominantColour[];
}

/**
 * Measures a raster; one with alpha as it looks on white. Sums are of whole numbers, and results are
 * rounded, so that they are the same on any machine.
 *
 * Luma is BT.601 in 8 bits, `(19595 R + 38470 G + 7471 B + 32768) / 65536` rounded down, as Pillow has
 * it and OpenCV to within rounding.
 */
export function measureContent(raster: Raster): Measures {
  const opaque = flattenRaster(raster);
  const luma = lumaOf(opaque);
  return {
    ...tones(histogramOf(luma), luma.length),
    sharpness: rounded(laplacianVariance(luma, opaque.width, opaque.height), 3),
    ...colours(opaque),
  };
}

function lumaOf({ pixels }: Raster): Uint8Array {
  const luma = new Uint8Array(pixels.length / 3);
  for (let at = 0, from = 0; at < luma.length; at++, from += 3) {
    const weighted = 19595 * pixels[from]! + 38470 * pixels[from + 1]! + 7471 * pixels[from + 2]!;
    luma[at] = (weighted + 32768) >> 16;
  }
  return luma;
}

/** How many pixels have each level. Two counters take turns, as equal neighbours would wait. */
function histogramOf(luma: Uint8Array): Uint32Array {
  const [even, odd] = [new Uint32Array(256), new Uint32Array(256)];
  const paired = luma.length & ~1;
  for (let at = 0; at < paired; at += 2) {
    even[luma[at]!]!++;
    odd[luma[at + 1]!]!++;
  }
  if (paired < luma.length) even[luma[paired]!]!++;
  return even.map((count, level) => count + odd[level]!);
}

/** What the levels of luma alone tell. */
function tones(histogram: Uint32Array, count: number) {
  let [sum, squares, entropy, dark, bright] = [0, 0, 0, 0, 0];
  histogram.forEach((pixels, level) => {
    if (pixels === 0) return;
    sum += pixels * level;
    squares += pixels * level * level;
    entropy -= pixels / count * Math.log2(pixels / count);
    if (level <= 2) dark += pixels;
    if (level >= 253) bright += pixels;
  });
  return {
    brightness: rounded(sum / count / 255, 4),
    contrast: rounded(Math.sqrt(variance(sum, squares, count)) / 255, 4),
    entropy: rounded(entropy, 4),
    clipped_dark: rounded(dark / count, 6),
    clipped_bright: rounded(bright / count, 6),
  };
}

/** Of a population, from its sums; never below 0. */
function variance(sum: number, squares: number, count: number): number {
  return Math.max(0, squares / count - (sum / count) ** 2);
}

/**
 * The variance of `up + down + left + right − 4 × centre` over the pixels that have all four
 * neighbours; 0 where no pixel has.
 */
function laplacianVariance(luma: Uint8Array, width: number, height: number): number {
  if (width < 3 || height < 3) return 0;
  let [sum, squares] = [0, 0];
  for (let row = 1; row < height - 1; row++) {
    let [rowSum, rowSquares] = [0, 0];
    const end = (row + 1) * width - 1;
    let [left, centre] = [luma[row * width]!, luma[row * width + 1]!];
    for (let at = row * width + 1; at < end; at++) {
      const right = luma[at + 1]!;
      const edge = luma[at - width]! + luma[at + width]! + left + right - 4 * centre;
      rowSum += edge;
      rowSquares += edge * edge;
      left = centre;
      centre = right;
    }
    sum += rowSum;
    squares += rowSquares;
  }
  return variance(sum, squares, (width - 2) * (height - 2));
}

/**
 * Colours are measured on a grid: each `step`-th pixel of each `step`-th row, where `step` is the short
 * side divided by 224, at least 1. That is 67,000 pixels of 1195 × 896.
 */
const GRID = 224;

function gridStep({ width, height }: Raster): number {
  return Math.max(1, Math.floor(Math.min(width, height) / GRID));
}

/** Sums over pixels that fall into the same cell of the RGB cube. */
interface Cells {
  readonly counts: Uint32Array;
  readonly reds: Float64Array;
  readonly greens: Float64Array;
  readonly blues: Float64Array;
}

/** Levels a channel that the RGB cube is cut into. */
const SIDE = 16;

function colours(raster: Raster) {
  const { width, height, pixels } = raster;
  const step = gridStep(raster);
  const cells = emptyCells();
  let [count, rg, rgSquares, yb, ybSquares] = [0, 0, 0, 0, 0];
  for (let row = step >> 1; row < height; row += step) {
    const end = (row + 1) * width * 3;
    for (let at = (row * width + (step >> 1)) * 3; at < end; at += step * 3) {
      const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
      const redGreen = red - green;
      const yellowBlue = red + green - 2 * blue;
      rg += redGreen;
      rgSquares += redGreen * redGreen;
      yb += yellowBlue;
      ybSquares += yellowBlue * yellowBlue;
      const cell = red >> 4 << 8 | green >> 4 << 4 | blue >> 4;
      cells.counts[cell]!++;
      cells.reds[cell]! += red;
      cells.greens[cell]! += green;
      cells.blues[cell]! += blue;
      count++;
    }
  }
  return {
    colourfulness: rounded(colourfulness({ count, rg, rgSquares, yb, ybSquares }), 3),
    dominant_colours: dominantColours(cells, count),
  };
}

function emptyCells(): Cells {
  const sums = () => new Float64Array(SIDE ** 3);
  return { counts: new Uint32Array(SIDE ** 3), reds: sums(), greens: sums(), blues: sums() };
}

/** Sums of `R − G` and of `R + G − 2 B`, which is twice the paper's yellow-blue axis. */
interface OpponentSums {
  readonly count: number;
  readonly rg: number;
  readonly rgSquares: number;
  readonly yb: number;
  readonly ybSquares: number;
}

/** D. Hasler, S. Süsstrunk, "Measuring colourfulness in natural images" (2003): `σ + 0.3 μ`. */
function colourfulness({ count, rg, rgSquares, yb, ybSquares }: OpponentSums): number {
  const spread = variance(rg, rgSquares, count) + variance(yb, ybSquares, count) / 4;
  const distance = (rg / count) ** 2 + (yb / count / 2) ** 2;
  return Math.sqrt(spread) + 0.3 * Math.sqrt(distance);
}

/** How many colours are named, and the least share that is worth naming after the first. */
const MOST_COLOURS = 5;
const LEAST_SHARE = 0.01;

/**
 * The cube's fullest cell with all cells at most two away from it on each axis gives a colour, then the
 * fullest of what is left, and so on; of two equally full cells, the darker in red, green, blue.
 */
function dominantColours(cells: Cells, count: number): DominantColour[] {
  const left = cells.counts.slice();
  const found: DominantColour[] = [];
  while (found.length < MOST_COLOURS) {
    const fullest = fullestOf(left);
    if (left[fullest] === 0) break;
    const { red, green, blue, pixels } = takeAround(fullest, cells, left);
    if (found.length > 0 && pixels / count < LEAST_SHARE) break;
    const channels = [red, green, blue].map((sum) => Math.round(sum / pixels));
    const colour = channels.map((level) => level.toString(16).padStart(2, "0")).join("");
    found.push({ colour: `#${colour}`, share: rounded(pixels / count, 4) });
  }
  return found.sort((a, b) => b.share - a.share || (a.colour < b.colour ? -1 : 1));
}

function fullestOf(counts: Uint32Array): number {
  let fullest = 0;
  for (let cell = 1; cell < counts.length; cell++) {
    if (counts[cell]! > counts[fullest]!) fullest = cell;
  }
  return fullest;
}

/** Sums up a cell and its neighbours that are still there, and takes them out of `left`. */
function takeAround(cell: number, cells: Cells, left: Uint32Array) {
  let [red, green, blue, pixels] = [0, 0, 0, 0];
  for (const r of around(cell >> 8)) {
    for (const g of around(cell >> 4 & 15)) {
      for (const b of around(cell & 15)) {
        const at = r << 8 | g << 4 | b;
        if (left[at] === 0) continue;
        pixels += left[at]!;
        red += cells.reds[at]!;
        green += cells.greens[at]!;
        blue += cells.blues[at]!;
        left[at] = 0;
      }
    }
  }
  return { red, green, blue, pixels };
}

function around(level: number): number[] {
  return [-2, -1, 0, 1, 2].map((step) => level + step).filter((near) => near >= 0 && near < SIDE);
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
