import { flattenRaster, type Raster } from "./raster.ts";

/** Windows are two blocks wide and high, and begin at every block: 8 × 8 pixels, 4 apart. */
const BLOCK = 4;

/** Wang et al. 2004, section III.B: `(K1 L)²` and `(K2 L)²` with K1 = 0.01, K2 = 0.03, L = 255. */
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/**
 * The mean structural similarity of two rasters of the same size: 1 for equal ones, near 0 for
 * unrelated ones, −1 at the least; the order of the two does not matter.
 *
 * `((2 μx μy + C1)(2 σxy + C2)) / ((μx² + μy² + C1)(σx² + σy² + C2))`, with the unbiased variances of
 * formulas 14 to 16, averaged over windows (formula 17): Wang, Bovik, Sheikh, Simoncelli, "Image
 * quality assessment: from error visibility to structural similarity", IEEE TIP 13(4), 2004. Taken on
 * BT.601 luma rounded to 8 bits, in uniform windows of 8 × 8 pixels that begin every 4; the last of a
 * row and of a column reach to the edge (up to 11 pixels), so that every pixel counts. Pictures with
 * alpha are compared on white. Throws RangeError when the sizes differ.
 */
export function ssim(a: Raster, b: Raster): number {
  if (a.width !== b.width || a.height !== b.height) {
    throw new RangeError(
      `Cannot compare a raster of ${a.width} × ${a.height} with one of ${b.width} × ${b.height} ` +
        "(equal sizes are wanted)",
    );
  }
  const [first, second] = [flattenRaster(a), flattenRaster(b)];
  const columns = blocksAlong(a.width);
  const rows = blocksAlong(a.height);
  let above = new Float64Array(columns * SUMS);
  let current = new Float64Array(columns * SUMS);
  sumBlocks(first, second, 0, current);
  // One row of blocks alone is a row of windows by itself: the other is all zeros.
  if (rows === 1) return addWindows(above, current) / windowsAlong(columns);
  let total = 0;
  for (let row = 1; row < rows; row++) {
    [above, current] = [current, above];
    sumBlocks(first, second, row, current);
    total += addWindows(above, current);
  }
  return total / (windowsAlong(columns) * (rows - 1));
}

/** Kept of a block: pixels, Σx, Σy, Σx² + Σy², Σxy. */
const SUMS = 5;

function blocksAlong(length: number): number {
  return Math.max(1, Math.floor(length / BLOCK));
}

function windowsAlong(blocks: number): number {
  return Math.max(1, blocks - 1);
}

/** The sums of a row of blocks; the last block of a row or column takes the rest too. */
function sumBlocks(a: Raster, b: Raster, row: number, sums: Float64Array): void {
  const { width, height } = a;
  const columns = sums.length / SUMS;
  const top = row * BLOCK;
  const bottom = row + 1 === blocksAlong(height) ? height : top + BLOCK;
  const [p, q] = [a.pixels, b.pixels];
  for (let column = 0; column < columns; column++) {
    const left = column * BLOCK;
    const right = column + 1 === columns ? width : left + BLOCK;
    let [x, y, squares, products] = [0, 0, 0, 0];
    for (let line = top; line < bottom; line++) {
      const end = (line * width + right) * 3;
      for (let at = (line * width + left) * 3; at < end; at += 3) {
        const u = 19595 * p[at]! + 38470 * p[at + 1]! + 7471 * p[at + 2]! + 32768 >> 16;
        const v = 19595 * q[at]! + 38470 * q[at + 1]! + 7471 * q[at + 2]! + 32768 >> 16;
        x = x + u | 0;
        y = y + v | 0;
        squares = squares + Math.imul(u, u) + Math.imul(v, v) | 0;
        products = products + Math.imul(u, v) | 0;
      }
    }
    const to = column * SUMS;
    sums[to] = (bottom - top) * (right - left);
    sums[to + 1] = x;
    sums[to + 2] = y;
    sums[to + 3] = squares;
    sums[to + 4] = products;
  }
}

/** The similarities of the windows that two rows of blocks make, added up. */
function addWindows(above: Float64Array, below: Float64Array): number {
  const blocks = above.length / SUMS;
  const neighbour = blocks === 1 ? 0 : SUMS;
  let total = 0;
  for (let window = 0; window < windowsAlong(blocks); window++) {
    const at = window * SUMS;
    const sum = (of: number) =>
      neighbour === 0
        ? above[at + of]! + below[at + of]!
        : above[at + of]! + above[at + neighbour + of]! + below[at + of]! +
          below[at + neighbour + of]!;
    total += similarity(sum(0), sum(1), sum(2), sum(3), sum(4));
  }
  return total;
}

function similarity(count: number, x: number, y: number, squares: number, products: number) {
  const degrees = Math.max(1, count - 1);
  const [meanX, meanY] = [x / count, y / count];
  const variances = (squares - (x * x + y * y) / count) / degrees;
  const covariance = (products - x * y / count) / degrees;
  return (2 * meanX * meanY + C1) * (2 * covariance + C2) /
    ((meanX * meanX + meanY * meanY + C1) * (variances + C2));
}
