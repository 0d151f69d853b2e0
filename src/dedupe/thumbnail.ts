import type { PixelPass } from "../imaging/fingerprint.ts";
import type { ColourGrid, LumaGrid } from "../imaging/luma_grid.ts";

/** A part of a thumbnail: row-major cells, 8 bits each. */
interface Plane {
  readonly side: number;
  readonly from: number;
}

const lumaSide = 64;
const chromaSide = 24;

const luma: Plane = { side: lumaSide, from: 0 };
const blue: Plane = { side: chromaSide, from: lumaSide ** 2 };
const red: Plane = { side: chromaSide, from: blue.from + chromaSide ** 2 };
const lumaOnBlack: Plane = { side: lumaSide, from: red.from + chromaSide ** 2 };

/** Bytes of an opaque picture's thumbnail, and of one with transparency. */
export const thumbnailBytes = lumaOnBlack.from;
const thumbnailBytesOnBoth = thumbnailBytes + lumaSide ** 2;

/**
 * The picture as 64 × 64 means of luma on white, 24 × 24 of Cb and of Cr (BT.601, JFIF), and where
 * there is transparency 64 × 64 of luma on black: 5248 bytes or 9344. Cells have exact, broken bounds, so
 * that means stay nearly the same through scaling; a picture smaller than the cells repeats pixels.
 */
export function thumbnailOf(
  { white, black, colour }: Pick<PixelPass, "white" | "black" | "colour">,
): Uint8Array {
  const made = new Uint8Array(black === undefined ? thumbnailBytes : thumbnailBytesOnBoth);
  made.set(meansOf(white, lumaSide), luma.from);
  const means = (weights: Weights) => meansOf(weightedSum(colour, weights), chromaSide);
  made.set(means([-0.168736, -0.331264, 0.5]), blue.from);
  made.set(means([0.5, -0.418688, -0.081312]), red.from);
  if (black !== undefined) made.set(meansOf(black, lumaSide), lumaOnBlack.from);
  return made;
}

/** Of red, green and blue. */
type Weights = readonly [number, number, number];

/** Cb or Cr of each cell, by the weights of colours. */
function weightedSum({ values, ...grid }: ColourGrid, [red, green, blue]: Weights): LumaGrid {
  const sums = new Float32Array(values.length / 3);
  for (let cell = 0, at = 0; cell < sums.length; cell++, at += 3) {
    sums[cell] = 128 + red * values[at]! + green * values[at + 1]! + blue * values[at + 2]!;
  }
  return { ...grid, values: sums };
}

/** Means over cells of a grid, first across and then down; a grid's cell counts by its part inside. */
function meansOf({ width, height, extent, values }: LumaGrid, side: number): Uint8Array {
  const across = new Float64Array(side * height);
  for (let column = 0; column < side; column++) {
    const { first, weights } = partsOf(column, side, { extent: extent.width, count: width });
    for (let row = 0; row < height; row++) {
      let [sum, at] = [0, row * width + first];
      for (const weight of weights) sum += weight * values[at++]!;
      across[row * side + column] = sum;
    }
  }
  const means = new Uint8Array(side ** 2);
  for (let row = 0; row < side; row++) {
    const { first, weights } = partsOf(row, side, { extent: extent.height, count: height });
    for (let column = 0; column < side; column++) {
      let [sum, at] = [0, first * side + column];
      for (const weight of weights) {
        sum += weight * across[at]!;
        at += side;
      }
      // Cb of pure blue and Cr of pure red are 255.5 (JFIF 1.02, page 4: the largest value is 255).
      means[row * side + column] = Math.min(255, Math.round(sum));
    }
  }
  return means;
}

/** Which of `count` samples over a length are in a cell, the first of them and the parts, which add up to 1. */
function partsOf(
  index: number,
  side: number,
  { extent, count }: { readonly extent: number; readonly count: number },
): { readonly first: number; readonly weights: Float64Array } {
  const [from, to] = [index * extent / side, (index + 1) * extent / side];
  const first = Math.floor(from);
  const length = Math.ceil(Math.min(count, to)) - first;
  const weights = Float64Array.from(
    { length },
    (_, at) => (Math.min(to, first + at + 1) - Math.max(from, first + at)) / (to - from),
  );
  return { first, weights };
}

/**
 * How far two thumbnails are apart, 0 to 255: the largest difference of a cell; Infinity where only one
 * has transparency. It is a metric, so what is within r of a third is within 2r of each other. Gives
 * more than `most` as soon as it is more.
 */
export function thumbnailDistance(one: Uint8Array, other: Uint8Array, most = 255): number {
  if (one.length !== other.length) return Infinity;
  let largest = 0;
  for (let at = 0; at < one.length && largest <= most; at++) {
    largest = Math.max(largest, Math.abs(one[at]! - other[at]!));
  }
  return largest;
}

/** Levels by which a cell of the same picture may differ, and how much of the contrast around it. */
const mostApart = 6;
const mostOfContrast = 0.25;
/** How far the largest difference may stand out of the others, as a multiple of their root mean square. */
const mostStandingOut = 9;
/** Added to that root mean square: of files without loss it is nearly 0. */
const leastSpread = 0.2;

/**
 * Whether the differences of two thumbnails are those of scaling and recompression: small beside the
 * contrast of their surroundings, and spread over the picture. What was changed in one place (a word in
 * a form, a time in a corner) stands out. `slack` is added to the largest difference of each plane.
 *
 * Measured on 94 photographs and 149 pages, drawings and icons, each in 12 copies with near hashes (to
 * a half, to 448 and 224 px, enlarged, JPEG from quality 15 on, WebP, AVIF), and 1,400 pairs of forms,
 * pages, receipts, labels, plots and captions that differ in a word or a curve: see `samePictures`.
 */
export function thumbnailsAgree(one: Uint8Array, other: Uint8Array, slack = 0): boolean {
  if (one.length !== other.length) return false;
  const planes = one.length === thumbnailBytes ? [luma, blue, red] : [luma, blue, red, lumaOnBlack];
  return planes.every((plane) => planesAgree(plane, [one, other], slack));
}

function planesAgree(
  plane: Plane,
  pair: readonly [Uint8Array, Uint8Array],
  slack: number,
): boolean {
  const [one, other] = pair;
  const end = plane.from + plane.side ** 2;
  let [largest, squares] = [0, 0];
  for (let at = plane.from; at < end; at++) {
    const apart = Math.abs(one[at]! - other[at]!);
    squares += apart * apart;
    if (apart > largest) largest = apart;
  }
  const spread = Math.sqrt(squares / plane.side ** 2) + leastSpread;
  if (largest + slack > Math.max(2, mostStandingOut * spread)) return false;
  if (largest + slack <= mostApart) return true;
  for (let at = plane.from; at < end; at++) {
    const apart = Math.abs(one[at]! - other[at]!) + slack;
    if (apart <= mostApart) continue;
    const contrast = Math.max(...pair.map((each) => contrastAround(each, plane, at)));
    if (apart > mostApart + mostOfContrast * contrast) return false;
  }
  return true;
}

/** The largest difference of a cell to those around it. */
function contrastAround(thumbnail: Uint8Array, { side, from }: Plane, at: number): number {
  const [x, y] = [(at - from) % side, Math.floor((at - from) / side)];
  let contrast = 0;
  for (let row = Math.max(0, y - 1); row <= Math.min(side - 1, y + 1); row++) {
    for (let column = Math.max(0, x - 1); column <= Math.min(side - 1, x + 1); column++) {
      const apart = Math.abs(thumbnail[from + row * side + column]! - thumbnail[at]!);
      if (apart > contrast) contrast = apart;
    }
  }
  return contrast;
}

/** A thumbnail as EXIF 2.32, table 6, says to show one that is stored with an orientation. */
export function turnedThumbnail(thumbnail: Uint8Array, orientation: number): Uint8Array {
  if (orientation === 1) return thumbnail;
  const turned = new Uint8Array(thumbnail.length);
  for (const plane of [luma, blue, red, lumaOnBlack]) {
    if (plane.from < thumbnail.length) turnPlane(plane, orientation, { thumbnail, turned });
  }
  return turned;
}

function turnPlane(
  { side, from }: Plane,
  orientation: number,
  { thumbnail, turned }: { readonly thumbnail: Uint8Array; readonly turned: Uint8Array },
) {
  const isSideways = orientation >= 5;
  const flipsColumn = [2, 3, 7, 8].includes(orientation);
  const flipsRow = [3, 4, 6, 7].includes(orientation);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [column, row] = isSideways ? [y, x] : [x, y];
      const stored = (flipsRow ? side - 1 - row : row) * side +
        (flipsColumn ? side - 1 - column : column);
      turned[from + y * side + x] = thumbnail[from + stored]!;
    }
  }
}
