import type { Outputs, OutputTensor } from "../services/inference.ts";
import {
  type Box,
  type Detection,
  type DetectionLimits,
  pictureBox,
  pictureX,
  pictureY,
  suppress,
} from "./boxes.ts";
import type { View } from "./preprocess.ts";

/** A face; `score` from 0 to 1. */
export interface Face {
  readonly score: number;
  readonly box: Box;
  /** Right eye, left eye, nose, right and left corner of the mouth, in the picture's pixels. */
  readonly landmarks: readonly (readonly [x: number, y: number])[];
}

/** Pixels of the tensor to a cell of each grid. */
const strides = [8, 16, 32];

type FoundFace = Face & Detection;

/**
 * Reads the outputs of YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector"): for each
 * stride s a row a cell, row-major, of `cls_s`, `obj_s`, `bbox_s` and `kps_s`. As OpenCV's
 * `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp, since 4.7): the score is √(cls × obj), both
 * kept to 0 to 1; the centre ((x + column) s, (y + row) s); the size (exp(w) s, exp(h) s); a landmark
 * ((x + column) s, (y + row) s).
 */
export function yunetFaces(
  outputs: Outputs,
  view: View,
  limits: DetectionLimits,
): readonly Face[] {
  const found: FoundFace[] = [];
  for (const stride of strides) {
    const columns = Math.floor(view.tensor.width / stride);
    const count = columns * Math.floor(view.tensor.height / stride);
    const tensors = {
      cls: valuesOf(outputs, `cls_${stride}`, [count, 1]),
      obj: valuesOf(outputs, `obj_${stride}`, [count, 1]),
      bbox: valuesOf(outputs, `bbox_${stride}`, [count, 4]),
      kps: valuesOf(outputs, `kps_${stride}`, [count, 10]),
    };
    for (let at = 0; at < count; at++) {
      const score = Math.sqrt(share(tensors.cls[at]!) * share(tensors.obj[at]!));
      if (!(score >= limits.minScore)) continue;
      const cell = { at, column: at % columns, row: Math.floor(at / columns), stride };
      const face = faceIn(tensors, cell, view);
      if (face !== undefined) found.push({ ...face, label: "face", score });
    }
  }
  return suppress(found, limits).map(({ score, box, landmarks }) => ({ score, box, landmarks }));
}

interface Cell {
  readonly at: number;
  readonly column: number;
  readonly row: number;
  readonly stride: number;
}

function faceIn(
  { bbox, kps }: { readonly bbox: Float32Array; readonly kps: Float32Array },
  { at, column, row, stride }: Cell,
  view: View,
): Pick<Face, "box" | "landmarks"> | undefined {
  const [x, y, width, height] = bbox.subarray(at * 4, at * 4 + 4);
  const centreX = (x! + column) * stride;
  const centreY = (y! + row) * stride;
  const halfWidth = Math.exp(width!) * stride / 2;
  const halfHeight = Math.exp(height!) * stride / 2;
  const box = pictureBox({
    left: centreX - halfWidth,
    top: centreY - halfHeight,
    right: centreX + halfWidth,
    bottom: centreY + halfHeight,
  }, view);
  if (box === undefined) return undefined;
  const points = kps.subarray(at * 10, at * 10 + 10);
  const landmarks = [0, 2, 4, 6, 8].map((first) =>
    [
      pictureX((points[first]! + column) * stride, view),
      pictureY((points[first + 1]! + row) * stride, view),
    ] as const
  );
  return landmarks.flat().every(Number.isFinite) ? { box, landmarks } : undefined;
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function valuesOf(outputs: Outputs, name: string, dims: readonly number[]): Float32Array {
  const output: OutputTensor | undefined = outputs[name];
  if (output?.values.length === dims[0]! * dims[1]!) return output.values;
  const shown = output === undefined ? "is not there" : `is [${output.dims.join(", ")}]`;
  throw new TypeError(
    `Cannot read faces of YuNet: its output "${name}" ${shown} ([${dims.join(", ")}] is wanted)`,
  );
}
