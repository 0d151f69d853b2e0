import type { OutputTensor } from "../services/inference.ts";
import { type Detection, type DetectionLimits, pictureBox, suppress } from "./boxes.ts";
import { coco80 } from "./coco.ts";
import type { View } from "./preprocess.ts";

/** Pixels of the tensor to a cell of each grid, in the order of the rows. */
const strides = [8, 16, 32];

/** Centre x and y, width, height, objectness, then the classes. */
const rowLength = 5 + coco80.length;

/**
 * Reads the output of a YOLOX that was exported without decoding: a row a cell, 85 long, the grids of
 * the three strides one after the other, row-major. With a cell at (column, row) of a stride s, the
 * centre is ((x + column) s, (y + row) s), the size (exp(w) s, exp(h) s), and the score objectness
 * times that of the likeliest class (Ge et al., "YOLOX: Exceeding YOLO Series in 2021"; `demo_postprocess`
 * in yolox/utils/demo_utils.py). Suppressed by class, as `postprocess` of yolox/utils/boxes.py does.
 */
export function yoloxDetections(
  output: OutputTensor,
  view: View,
  limits: DetectionLimits,
): readonly Detection[] {
  requireRows(output, view);
  const found: Detection[] = [];
  let at = 0;
  for (const stride of strides) {
    const columns = Math.floor(view.tensor.width / stride);
    const rows = Math.floor(view.tensor.height / stride);
    for (let cell = 0; cell < columns * rows; cell++, at += rowLength) {
      const values = output.values.subarray(at, at + rowLength);
      if (!(values[4]! >= limits.minScore)) continue;
      const place = { column: cell % columns, row: Math.floor(cell / columns), stride };
      const detection = detectionIn(values, place, view);
      if (detection !== undefined && detection.score >= limits.minScore) found.push(detection);
    }
  }
  return suppress(found, limits);
}

interface Cell {
  readonly column: number;
  readonly row: number;
  readonly stride: number;
}

function detectionIn(
  values: Float32Array,
  { column, row, stride }: Cell,
  view: View,
): Detection | undefined {
  let best = 0;
  for (let label = 1; label < coco80.length; label++) {
    if (values[5 + label]! > values[5 + best]!) best = label;
  }
  const x = (values[0]! + column) * stride;
  const y = (values[1]! + row) * stride;
  const halfWidth = Math.exp(values[2]!) * stride / 2;
  const halfHeight = Math.exp(values[3]!) * stride / 2;
  const edges = {
    left: x - halfWidth,
    top: y - halfHeight,
    right: x + halfWidth,
    bottom: y + halfHeight,
  };
  const box = pictureBox(edges, view);
  if (box === undefined) return undefined;
  return { label: coco80[best]!, score: Math.min(1, values[4]! * values[5 + best]!), box };
}

function requireRows({ dims, values }: OutputTensor, { tensor }: View) {
  const rows = strides.reduce(
    (sum, stride) => sum + Math.floor(tensor.width / stride) * Math.floor(tensor.height / stride),
    0,
  );
  if (values.length === rows * rowLength) return;
  throw new TypeError(
    `Cannot read boxes of YOLOX: its output is [${dims.join(", ")}] ([${rows}, ${rowLength}] is ` +
      `wanted for ${tensor.width}×${tensor.height})`,
  );
}
