import { z } from "zod";
import { flattenRaster, type Raster } from "../../imaging/raster.ts";
import type { Image } from "../../imaging/image.ts";
import { fittedSize, type Size } from "../../imaging/proxy_size.ts";
import { resizeRaster } from "../../imaging/resize.ts";
import { loadSharp } from "../../imaging/sharp.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { defineStep, each, produced } from "../../runtime/step.ts";
import {
  areaAt,
  aspectOf,
  bestCrop,
  type Crop,
  type Found,
  type Subject,
  subjectsOf,
  type Window,
  windowOf,
} from "../../vision/crop.ts";
import { objects } from "../inspect/kinds.ts";
import { metadata } from "../inspect/metadata.ts";
import { image } from "../kinds.ts";

const boxShape = z.object({
  /** Upright pixels of the whole picture, origin at the top left. */
  x: z.int().min(0),
  y: z.int().min(0),
  width: z.int().min(1),
  height: z.int().min(1),
  /** As asked for; "original" for the whole picture. */
  aspect: z.string(),
  /** The part of the subject that is kept, 0 to 1: of its area, or of the detail by saliency. */
  score: z.number().min(0).max(1),
  /** What it was chosen by; "whole" where nothing is cut off. */
  method: z.enum(["objects", "saliency", "whole"]),
  reason: z.string(),
});
export type SubjectBox = z.output<typeof boxShape>;

/** The part of a picture that is to be kept, in whole upright pixels. */
export const box = rowKind("box", "the part of a picture to keep", boxShape);

/** Two lengths over 0, or the picture's own. */
const aspectForm =
  /^(original|(?=[\d.]*[1-9])\d{1,5}(\.\d{1,6})?:(?=[\d.]*[1-9])\d{1,5}(\.\d{1,6})?)$/;

const params = z.object({
  aspects: z.array(z.union([
    z.string().regex(aspectForm, 'it is no ratio ("3:2", "2.39:1" or "original" is wanted)'),
    z.number().min(0.001).max(1000),
  ])).min(1).default(["1:1"]).meta({
    description:
      'shapes to choose from: "3:2", a number (width by height), or "original" for no crop; ' +
      "of several, the one that keeps the most",
  }),
  margin: z.number().min(0).max(2).default(0.1).meta({
    description: "room to leave around each subject where there is some, as a part of its size",
  }),
  min_side_px: z.int().min(0).max(16_384).default(0).meta({
    description: "no crop with a shorter side is made; the picture then stays whole",
    unit: "px",
  }),
  labels: z.array(z.string().min(1)).min(1).optional().meta({
    description: "the classes that are the subject (faces count as face and as person); " +
      "left out: everything found",
  }),
  min_score: z.number().min(0).max(1).default(0.3).meta({
    description: "detections that a model is less sure of do not count",
  }),
  face_weight: z.number().min(1).max(1000).default(8).meta({
    description: "what a pixel of a face counts, where one of an object counts 1",
  }),
});
type CropParams = z.output<typeof params>;

/**
 * Chooses the part of a picture to keep: a crop of a given aspect, as large as the picture allows, slid
 * to where it keeps the most of what was found in it (rules in `bestCrop`). Of several aspects it is the
 * one that keeps the most, then the largest. It cuts nothing and enlarges nothing: `image.normalize`
 * applies the box.
 *
 * Where no model was there to ask, or nothing was found, it is slid to what stands out: sharp's
 * attention strategy, which looks for edges, saturation and skin tones; a picture in which nothing
 * stands out is cropped to its middle. The score is then the part of the detail that is inside: the sum
 * of absolute differences between neighbouring pixels of a small copy.
 */
export const cropSubject = defineStep({
  name: "image.crop_subject",
  version: 2,
  doc: "Chooses the crop of a given aspect that keeps the most of the subject.",
  origin: "computed",
  isResult: true,
  inputs: {
    image: each(image, "the pictures"),
    metadata: each(metadata, "their sizes; read from the pictures otherwise", { isOptional: true }),
    objects: each(objects, "what is where in them", { isOptional: true }),
  },
  params,
  outputs: { box: each(box, "the part of each to keep") },
  tools: imagingTools,
  async run({ image, metadata, objects }, params) {
    const { width, height } = await metadata?.read() ?? await (await image.read()).header();
    const picture = { width, height };
    const all = params.aspects.map((aspect) => windowOf(picture, aspectOf(aspect)));
    const windows = all.filter((each) => Math.min(each.width, each.height) >= params.min_side_px);
    if (windows.length === 0) return produced({ box: tooSmall(picture, all, params) });
    const fitting = windows.find(({ slack }) => slack === 0);
    if (fitting !== undefined) return produced({ box: whole(picture, shapeWords(fitting)) });
    const found = await objects?.read();
    const subjects = subjectsIn(found, picture, params);
    if (typeof subjects !== "string") {
      const crop = bestCrop(picture, { windows, subjects, margin: params.margin });
      const score = rounded(crop.score);
      return produced({ box: boxOf(crop, "objects", `keeps ${keptWords(score, subjects)}`) });
    }
    const { crop, isFlat } = await salient(await image.read(), picture, windows);
    const detail = isFlat
      ? "and nothing stands out, so from the middle"
      : `so by what stands out: keeps ${share(rounded(crop.score))} of the detail`;
    return produced({ box: boxOf(crop, "saliency", `${subjects}, ${detail}`) });
  },
});

function boxOf(crop: Crop, method: SubjectBox["method"], reason: string): SubjectBox {
  const { aspect, score, ...area } = crop;
  return { ...area, aspect: aspect.name, score: rounded(score), method, reason };
}

function rounded(score: number): number {
  return Math.round(score * 1e4) / 1e4;
}

function whole(picture: Size, reason: string): SubjectBox {
  return { x: 0, y: 0, ...picture, aspect: "original", score: 1, method: "whole", reason };
}

function shapeWords({ aspect }: Window): string {
  return aspect.ratio === undefined ? "no crop is asked for" : `it is ${aspect.name} already`;
}

function tooSmall(picture: Size, windows: readonly Window[], params: CropParams): SubjectBox {
  const sides = ({ width, height }: Size) => Math.min(width, height);
  const largest = windows.reduce((most, each) => sides(each) > sides(most) ? each : most);
  const size = `${largest.width} × ${largest.height}`;
  const isPicture = largest.slack === 0;
  return whole(
    picture,
    isPicture
      ? `its short side of ${sides(picture)} px is below ${params.min_side_px} px`
      : `a crop to ${largest.aspect.name} would be ${size}, its short side below ` +
        `${params.min_side_px} px`,
  );
}

/** The subjects, or why there are none. */
function subjectsIn(
  found: Found | undefined,
  picture: Size,
  { labels, min_score, face_weight }: CropParams,
): readonly Subject[] | string {
  if (found === undefined || found.count === null) return "no model was there to ask";
  const choice = { labels, minScore: min_score, faceWeight: face_weight };
  const subjects = subjectsOf(found, picture, choice);
  if (subjects.length > 0) return subjects;
  if (found.boxes.length + found.faces.length === 0) return "nothing was found in it";
  const wanted = labels === undefined ? "" : ` as ${labels.map((each) => `"${each}"`).join(", ")}`;
  return `nothing was found${wanted} with a score of at least ${min_score}`;
}

function keptWords(score: number, subjects: readonly Subject[]): string {
  const faces = subjects.filter(({ isFace }) => isFace).length;
  const counts = [[faces, "face"], [subjects.length - faces, "object"]] as const;
  const words = counts.filter(([count]) => count > 0)
    .map(([count, noun]) => `${count} ${noun}${count === 1 ? "" : "s"}`);
  return `${share(score)} of ${words.join(" and ")}`;
}

/** In whole percent, but all of it only where it is all. */
function share(ratio: number): string {
  if (ratio >= 1) return "all";
  return `${Math.min(99, Math.max(0, Math.round(ratio * 100)))} %`;
}

/** What `inspect.content` decodes for: the same pixels serve. */
const SHARED_SHORT_SIDE = 896;

/** Attention itself looks at 32 pixels across; this places its crop to within 0.4 % of a side. */
const SALIENCY_LONG_SIDE = 256;

/** The crop by what stands out, of several windows the one with the most detail inside. */
async function salient(
  opened: Image,
  picture: Size,
  windows: readonly Window[],
): Promise<{ readonly crop: Crop; readonly isFlat: boolean }> {
  const raster = flattenRaster(await opened.raster({ short_side_px: SHARED_SHORT_SIDE }));
  const small = await resizeRaster(
    raster,
    fittedSize(raster.width, raster.height, SALIENCY_LONG_SIDE),
  );
  const crops: (Crop | undefined)[] = [];
  for (const window of windows) crops.push(await salientCrop(small, picture, window));
  const isFlat = crops.every((crop) => crop === undefined);
  const found = windows.map((window, index) => crops[index] ?? middleOf(window, picture));
  const size = ({ width, height }: Size) => width * height;
  const isBetter = (a: Crop, b: Crop) =>
    a.score > b.score || a.score === b.score && size(a) > size(b);
  return { crop: found.reduce((best, each) => isBetter(each, best) ? each : best), isFlat };
}

/** With the part of the area as its score. */
function middleOf(window: Window, picture: Size): Crop {
  const area = areaAt(window, Math.floor(window.slack / 2));
  const score = (area.width / picture.width) * (area.height / picture.height);
  return { ...area, aspect: window.aspect, score };
}

/** Undefined where there is no detail at all. */
async function salientCrop(
  small: Raster,
  picture: Size,
  window: Window,
): Promise<Crop | undefined> {
  const detail = detailAlong(small, window.slides);
  const total = detail.reduce((sum, each) => sum + each, 0);
  if (total === 0) return undefined;
  const offset = await attentionOffset(small, picture, window);
  const length = window.slides === "x" ? window.width : window.height;
  const scale = detail.length / (length + window.slack);
  const [start, end] = [Math.round(offset * scale), Math.round((offset + length) * scale)];
  const inside = detail.slice(start, end).reduce((sum, each) => sum + each, 0);
  return { ...areaAt(window, offset), aspect: window.aspect, score: inside / total };
}

/** Where sharp's attention puts a window, in pixels of the picture. */
async function attentionOffset(small: Raster, picture: Size, window: Window): Promise<number> {
  const side = window.slides === "x" ? "width" : "height";
  const length = Math.max(1, Math.round(window[side] * small[side] / picture[side]));
  const slack = small[side] - length;
  if (slack === 0) return Math.floor(window.slack / 2);
  const { width, height, channels, pixels } = small;
  const sharp = await loadSharp();
  const { info } = await sharp(pixels, { raw: { width, height, channels } })
    .resize({
      width: side === "width" ? length : width,
      height: side === "height" ? length : height,
      fit: "cover",
      position: sharp.strategy.attention,
    })
    .raw().toBuffer({ resolveWithObject: true });
  // sharp gives the offset of the picture from the crop: nothing, or below zero.
  const moved = Math.abs((side === "width" ? info.cropOffsetLeft : info.cropOffsetTop) ?? 0);
  return Math.round(Math.min(1, moved / slack) * window.slack);
}

/** Absolute differences to the next pixel right and below, summed up by column or by row. */
function detailAlong({ width, height, channels, pixels }: Raster, way: "x" | "y"): number[] {
  const sums = new Array<number>(way === "x" ? width : height).fill(0);
  const row = width * channels;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++, at++) {
        if (x + 1 < width) sum += Math.abs(pixels[at]! - pixels[at + channels]!);
        if (y + 1 < height) sum += Math.abs(pixels[at]! - pixels[at + row]!);
      }
      sums[way === "x" ? x : y]! += sum;
    }
  }
  return sums;
}
