import type { View } from "./preprocess.ts";

/** Upright pixels of the whole picture: origin at the top left. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Edges in pixels of a tensor. */
export interface TensorBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Something found; `score` from 0 to 1. */
export interface Detection {
  readonly label: string;
  readonly score: number;
  readonly box: Box;
}

/** What a decoder keeps. */
export interface DetectionLimits {
  /** 0 to 1; what is less sure is left out. */
  readonly minScore: number;
  /** 0 to 1; of two of a class that overlap by more, the surer is kept. */
  readonly iou: number;
}

/**
 * A place in the tensor as a place in the picture, kept inside it. To 1/64 of a pixel: such numbers
 * add and subtract exactly, so that no box ends a rounding error outside its picture.
 */
export function pictureX(x: number, view: View): number {
  return placed(x - view.left, view.scaled.width, view.picture.width);
}

/** As `pictureX`, downwards. */
export function pictureY(y: number, view: View): number {
  return placed(y - view.top, view.scaled.height, view.picture.height);
}

function placed(at: number, scaled: number, length: number): number {
  const inside = Math.min(length, Math.max(0, at * length / scaled));
  return Math.round(inside * 64) / 64;
}

/** A box of the tensor as one of the picture; undefined when nothing of it is inside. */
export function pictureBox(box: TensorBox, view: View): Box | undefined {
  const x = pictureX(box.left, view);
  const y = pictureY(box.top, view);
  const width = pictureX(box.right, view) - x;
  const height = pictureY(box.bottom, view) - y;
  // Written so that a model's NaN is not inside either.
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** Intersection over union, 0 to 1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (a.width * a.height + b.width * b.height - common);
}

/**
 * Greedy non-maximum suppression by class: the surest first, and none that overlaps a surer one of
 * its class by more than `iou`. Equally sure ones stay in the order in which the model gives them.
 */
export function suppress<Found extends Detection>(
  found: readonly Found[],
  { iou }: DetectionLimits,
): readonly Found[] {
  const kept: Found[] = [];
  for (const candidate of found.toSorted((a, b) => b.score - a.score)) {
    const isCovered = kept.some((surer) =>
      surer.label === candidate.label && overlap(surer.box, candidate.box) > iou
    );
    if (!isCovered) kept.push(candidate);
  }
  return kept;
}
