import type { Size } from "../imaging/proxy_size.ts";
import type { Raster } from "../imaging/raster.ts";
import type { Box } from "./boxes.ts";

/** What a model found in a picture; a row of `inspect.objects` has all of it. */
export interface Found extends Size {
  /** Null where no model was there to ask. */
  readonly count: number | null;
  readonly boxes: readonly (Box & { readonly label: string; readonly score: number })[];
  readonly faces: readonly (Box & { readonly score: number })[];
}

/** A shape that a crop may have. */
export interface Aspect {
  /** As it was asked for: `3:2`, `1.5`, `original`. */
  readonly name: string;
  /** Width by height; undefined for the picture's own. */
  readonly ratio?: number;
}

/** Something that a crop should keep. */
export interface Subject extends Box {
  readonly isFace: boolean;
  /** What keeping it counts, over 0; only ratios between subjects matter. */
  readonly worth: number;
}

/** The largest crop of an aspect: as long as the picture one way, free to slide the other. */
export interface Window extends Size {
  readonly aspect: Aspect;
  readonly slides: "x" | "y";
  /** Places that it can slide over: offsets are 0 to this. */
  readonly slack: number;
}

/** A crop in whole pixels, inside the picture. */
export interface Crop extends Box {
  readonly aspect: Aspect;
  /** Part of the subject that is inside, by area and worth; 0 to 1. */
  readonly score: number;
}

/** An aspect out of `w:h`, a number (width by height) or `original`. */
export function aspectOf(text: string | number): Aspect {
  if (text === "original") return { name: text };
  const [width, height = 1] = String(text).split(":").map(Number);
  const ratio = width! / height;
  if (ratio > 0 && Number.isFinite(ratio)) return { name: String(text), ratio };
  throw new RangeError(`Cannot crop to aspect "${text}": it is no ratio ("3:2" or 1.5 is wanted)`);
}

/** The largest window of an aspect, its sides rounded to the nearest pixel, at least 1. */
export function windowOf({ width, height }: Size, aspect: Aspect): Window {
  const ratio = aspect.ratio ?? width / height;
  if (width > height * ratio) {
    const narrow = Math.min(width, Math.max(1, Math.round(height * ratio)));
    return { aspect, width: narrow, height, slides: "x", slack: width - narrow };
  }
  const low = Math.min(height, Math.max(1, Math.round(width / ratio)));
  return { aspect, width, height: low, slides: "y", slack: height - low };
}

/** A window put at an offset. */
export function areaAt({ width, height, slides }: Window, offset: number): Box {
  return { x: slides === "x" ? offset : 0, y: slides === "y" ? offset : 0, width, height };
}

/** Which of the things found are the subject, and what they count. */
export interface SubjectChoice {
  /** Classes that count; all when left out. Faces do with "face" or "person" among them. */
  readonly labels?: readonly string[];
  /** Detections below count for nothing; 0 to 1. */
  readonly minScore: number;
  /** What a pixel of a face counts, where one of an object counts 1. */
  readonly faceWeight: number;
}

/**
 * The subjects among what was found, in pixels of the picture, clipped to it: models may have seen it
 * at another size. A subject is worth its area × its score, and a face `faceWeight` times that.
 */
export function subjectsOf(found: Found, picture: Size, choice: SubjectChoice): Subject[] {
  const wanted = choice.labels?.map((label) => label.toLowerCase());
  const areFaces = wanted === undefined || wanted.includes("face") || wanted.includes("person");
  const isWanted = (label: string) => wanted === undefined || wanted.includes(label.toLowerCase());
  const scale = scaleTo(found, picture);
  const subject = (area: Box & { readonly score: number }, isFace: boolean): Subject => {
    const clipped = clippedTo(picture, scale(area));
    const weight = isFace ? choice.faceWeight : 1;
    return { ...clipped, isFace, worth: clipped.width * clipped.height * area.score * weight };
  };
  const isSure = ({ score }: { readonly score: number }) => score >= choice.minScore;
  const faces = areFaces ? found.faces.filter(isSure) : [];
  const boxes = found.boxes.filter((box) => isSure(box) && isWanted(box.label));
  return [
    ...faces.map((face) => subject(face, true)),
    ...boxes.map((box) => subject(box, false)),
  ].filter(({ worth }) => worth > 0);
}

/** The shorter side, in pixels of the picture, of the smallest face with its middle in the area. */
export function smallestFace(found: Found, picture: Size, area: Box): number | undefined {
  const sides = found.faces.map(scaleTo(found, picture))
    .filter(({ x, y, width, height }) =>
      isWithin(x + width / 2, area.x, area.width) && isWithin(y + height / 2, area.y, area.height)
    )
    .map(({ width, height }) => Math.min(width, height)).filter((side) => side > 0);
  return sides.length === 0 ? undefined : Math.min(...sides);
}

function isWithin(at: number, start: number, length: number): boolean {
  return at >= start && at <= start + length;
}

function scaleTo(seen: Size, picture: Size) {
  const across = picture.width / Math.max(1, seen.width);
  const down = picture.height / Math.max(1, seen.height);
  return ({ x, y, width, height }: Box): Box => ({
    x: x * across,
    y: y * down,
    width: width * across,
    height: height * down,
  });
}

function clippedTo(picture: Size, area: Box): Box {
  const [x, y] = [Math.max(0, area.x), Math.max(0, area.y)];
  return {
    x,
    y,
    width: Math.max(0, Math.min(picture.width, area.x + area.width) - x),
    height: Math.max(0, Math.min(picture.height, area.y + area.height) - y),
  };
}

/** A face is worth leaving up to this part of the subject out, so that none is cut through. */
const PRICE_OF_A_CUT = 0.25;

/** Values closer than this are equal: rounding of sums must not decide between crops. */
const RESOLUTION = 1e-6;

/**
 * The crop that keeps the most of the subjects, out of every place of every window.
 *
 * A place keeps of a subject the part of its area that is inside, times its worth; a face counts only
 * whole, unless it is longer than the window. Of the places that keep at least three quarters of what
 * the best one keeps, it is the one that
 *
 * 1. cuts through the least worth of faces that would fit,
 * 2. keeps the most,
 * 3. keeps the most of the margins: each subject made longer at both ends by `margin` of its length,
 *    as far as the picture goes,
 * 4. is the largest,
 * 5. has its middle nearest to the middle of the span of the subjects in it, cut ones in full length,
 * 6. has its middle nearest to the picture's; then the aspect named first, then the lower offset.
 *
 * All of it is as true of the mirrored picture. `windows` and `subjects` must not be empty.
 */
export function bestCrop(
  picture: Size,
  { windows, subjects, margin }: {
    readonly windows: readonly Window[];
    readonly subjects: readonly Subject[];
    readonly margin: number;
  },
): Crop {
  const places = windows.flatMap((window) => placesOf(picture, window, subjects, margin));
  const most = places.reduce((best, { kept }) => Math.max(best, kept), 0);
  const enough = most * (1 - PRICE_OF_A_CUT);
  const best = places.filter(({ kept }) => kept >= enough).reduce((best, place) =>
    isBetter(place, best) ? place : best
  );
  const { window, offset, score } = best;
  return { ...areaAt(window, offset), aspect: window.aspect, score: Math.min(1, score) };
}

/** A window at an offset, and what is judged about it; ratios as whole multiples of RESOLUTION. */
interface Place {
  readonly window: Window;
  readonly offset: number;
  readonly score: number;
  readonly kept: number;
  /** What it is compared by, the most important first; more is better. */
  readonly merits: readonly number[];
}

function isBetter({ merits }: Place, { merits: others }: Place): boolean {
  const index = merits.findIndex((merit, index) => merit !== others[index]);
  return index >= 0 && merits[index]! > others[index]!;
}

/** A subject along the way that a window slides. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  /** With its margins. */
  readonly from: number;
  readonly to: number;
  /** Of all subjects together, 0 to 1. */
  readonly worth: number;
  /** Counts only whole. */
  readonly isIndivisible: boolean;
}

function placesOf(
  picture: Size,
  window: Window,
  subjects: readonly Subject[],
  margin: number,
): Place[] {
  const side = window.slides === "x" ? "width" : "height";
  const [length, whole] = [window[side], picture[side]];
  const total = subjects.reduce((sum, { worth }) => sum + worth, 0);
  const stretches = subjects.map((subject): Stretch => {
    const at = subject[window.slides];
    const [start, end] = [onGrid(at), onGrid(at + subject[side])];
    const around = onGrid(margin * (end - start));
    return {
      start,
      end,
      from: Math.max(0, start - around),
      to: Math.min(whole, end + around),
      worth: subject.worth / total,
      isIndivisible: subject.isFace && end - start <= length,
    };
  });
  const track = { stretches, length, whole };
  return offsetsOf(window, track).map((offset) => placeOf(window, offset, track).place);
}

/**
 * To 2⁻²⁰ of a pixel: sums and differences of such numbers are exact, so that what is judged of a place
 * is to the bit what is judged of its mirror image.
 */
function onGrid(at: number): number {
  return Math.round(at * 2 ** 20) / 2 ** 20;
}

/** What a window slides along. */
interface Track {
  readonly stretches: readonly Stretch[];
  readonly length: number;
  readonly whole: number;
}

/**
 * The offsets that can be the best one, in order. Between two at which an end of the window meets an
 * end of a stretch, everything that is judged is constant or linear, but for the way to the middle of
 * what is in it: the best is next to such an end, or next to that middle.
 */
function offsetsOf(window: Window, track: Track): number[] {
  const { stretches, length } = track;
  const isPlace = (offset: number) => offset >= 0 && offset <= window.slack;
  const ends = stretches.flatMap(({ start, end, from, to }) => [start, end, from, to])
    .flatMap((end) => [end, end - length])
    .flatMap((at) => [Math.floor(at) - 1, Math.floor(at), Math.ceil(at), Math.ceil(at) + 1]);
  const marks = inOrder([0, window.slack, ...ends.filter(isPlace)]);
  const middles = marks.slice(1).flatMap((next, index) => {
    const previous = marks[index]!;
    if (next - previous < 2) return [];
    const at = placeOf(window, previous + 1, track).middle - length / 2;
    const nearest = Math.min(next, Math.max(previous, at));
    return [Math.floor(nearest), Math.ceil(nearest)];
  });
  return inOrder([...marks, ...middles]);
}

function inOrder(offsets: readonly number[]): number[] {
  return [...new Set(offsets)].sort((a, b) => a - b);
}

function placeOf(
  window: Window,
  offset: number,
  { stretches, length, whole }: Track,
): { readonly place: Place; readonly middle: number } {
  const end = offset + length;
  let [score, kept, cut, margins] = [0, 0, 0, 0];
  let [first, last] = [Infinity, -Infinity];
  for (const stretch of stretches) {
    const { worth } = stretch;
    margins += worth * partInside(stretch.from, stretch.to, offset, end);
    const part = partInside(stretch.start, stretch.end, offset, end);
    if (part === 0) continue;
    score += worth * part;
    if (part === 1 || !stretch.isIndivisible) kept += worth * part;
    else cut += worth;
    [first, last] = [Math.min(first, stretch.start), Math.max(last, stretch.end)];
  }
  const middle = last < first ? whole / 2 : (first + last) / 2;
  const away = Math.abs(offset + length / 2 - middle);
  const merits = [-cut, kept, margins].map(steps);
  merits.push(window.width * window.height, -steps(away), -Math.abs(2 * offset + length - whole));
  return { place: { window, offset, score, kept, merits }, middle };
}

/** The part of a stretch that is inside, 0 to 1; exactly 1 where it is whole. */
function partInside(from: number, to: number, start: number, end: number): number {
  const inside = Math.min(to, end) - Math.max(from, start);
  // Two ends that are the same but for rounding are no cut.
  if (inside >= to - from - RESOLUTION) return 1;
  return inside <= RESOLUTION ? 0 : inside / (to - from);
}

function steps(value: number): number {
  return Math.round(value / RESOLUTION);
}

/** A part of a raster, in whole pixels inside it. */
export function cutRaster(raster: Raster, { x, y, width, height }: Box): Raster {
  const { channels, pixels } = raster;
  if (x === 0 && width === raster.width) {
    const start = y * width * channels;
    return {
      width,
      height,
      channels,
      pixels: pixels.subarray(start, start + height * width * channels),
    };
  }
  const cut = new Uint8Array(width * height * channels);
  const bytes = width * channels;
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * raster.width + x) * channels;
    cut.set(pixels.subarray(from, from + bytes), row * bytes);
  }
  return { width, height, channels, pixels: cut };
}
