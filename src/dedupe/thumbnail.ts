/** Cells on a side of a thumbnail. */
export const thumbnailSide = 24;

/** Interleaved sRGB or sRGB with alpha that is not premultiplied, 8 bits a channel, row-major. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly pixels: Uint8Array;
}

/** Pixels of a cell that count, in each direction, when it has more: enough for a mean to stand still. */
const cellRows = 24;
const cellColumns = 24;

/**
 * The picture as 24 × 24 means of red, green and blue, on white, row-major: 1728 bytes. A pixel counts to
 * the cell that its centre lies in; a picture smaller than 24 pixels repeats pixels. Of a large picture
 * every so many rows and columns count. Means over cells stay nearly the same through scaling and
 * recompression, and change where a part of the picture does.
 */
export function thumbnailOf(picture: Pixels): Uint8Array {
  const means = new Uint8Array(thumbnailSide * thumbnailSide * 3);
  for (let row = 0; row < thumbnailSide; row++) {
    const [top, bottom] = cell(row, picture.height);
    for (let column = 0; column < thumbnailSide; column++) {
      const [left, right] = cell(column, picture.width);
      means.set(meanOf(picture, { left, top, right, bottom }), (row * thumbnailSide + column) * 3);
    }
  }
  return means;
}

interface Cell {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function meanOf(
  { width, channels, pixels }: Pixels,
  { left, top, right, bottom }: Cell,
): readonly [number, number, number] {
  const down = Math.max(1, Math.floor((bottom - top) / cellRows));
  const along = Math.max(1, Math.floor((right - left) / cellColumns)) * channels;
  let [red, green, blue, count] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y += down) {
    const end = (y * width + right) * channels;
    for (let at = (y * width + left) * channels; at < end; at += along, count++) {
      const alpha = channels === 4 ? pixels[at + 3]! : 255;
      red += alpha * (255 - pixels[at]!);
      green += alpha * (255 - pixels[at + 1]!);
      blue += alpha * (255 - pixels[at + 2]!);
    }
  }
  const onWhite = (sum: number) => Math.round(255 - sum / (255 * count));
  return [onWhite(red), onWhite(green), onWhite(blue)];
}

function cell(index: number, length: number): [from: number, to: number] {
  const from = Math.min(length - 1, Math.round(index * length / thumbnailSide));
  return [from, Math.max(from + 1, Math.round((index + 1) * length / thumbnailSide))];
}

/**
 * How far two thumbnails are apart, 0 to 255: the largest difference of a cell's channel. It is a
 * metric, so what is within r of a third is within 2r of each other. Gives more than `most` as soon as
 * it is more.
 */
export function thumbnailDistance(one: Uint8Array, other: Uint8Array, most = 255): number {
  let largest = 0;
  for (let at = 0; at < one.length && largest <= most; at++) {
    largest = Math.max(largest, Math.abs(one[at]! - other[at]!));
  }
  return largest;
}
