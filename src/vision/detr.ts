import type { Outputs, OutputTensor } from "../services/inference.ts";
import { type Detection, type DetectionLimits, pictureBox, suppress } from "./boxes.ts";
import { coco91 } from "./coco.ts";
import type { View } from "./preprocess.ts";

/**
 * Reads the outputs of DETR: `logits`, a row a query, the 91 ids of COCO and last "no object"; and
 * `pred_boxes`, centre x and y, width and height as shares of the tensor. A query's score is the
 * largest of the softmax over all 92, "no object" left out of the choice (Carion et al., "End-to-End
 * Object Detection with Transformers"; `PostProcess` in models/detr.py). DETR itself suppresses
 * nothing; its rare doubles fall to the same rule as those of others.
 */
export function detrDetections(
  outputs: Outputs,
  view: View,
  limits: DetectionLimits,
): readonly Detection[] {
  const { logits, boxes } = tensorsOf(outputs);
  const queries = boxes.values.length / 4;
  const classes = logits.values.length / queries;
  const found: Detection[] = [];
  for (let query = 0; query < queries; query++) {
    const { id, score } = likeliest(
      logits.values.subarray(query * classes, (query + 1) * classes),
    );
    const label = coco91[id];
    if (!(score >= limits.minScore) || label === undefined || label === null) continue;
    const [x, y, width, height] = boxes.values.subarray(query * 4, query * 4 + 4);
    const edges = {
      left: (x! - width! / 2) * view.tensor.width,
      top: (y! - height! / 2) * view.tensor.height,
      right: (x! + width! / 2) * view.tensor.width,
      bottom: (y! + height! / 2) * view.tensor.height,
    };
    const box = pictureBox(edges, view);
    if (box !== undefined) found.push({ label, score, box });
  }
  return suppress(found, limits);
}

/** Softmax over all, the likeliest of all but the last. */
function likeliest(logits: Float32Array): { readonly id: number; readonly score: number } {
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  let id = 0;
  for (let at = 0; at < logits.length; at++) {
    sum += Math.exp(logits[at]! - highest);
    if (at < logits.length - 1 && logits[at]! > logits[id]!) id = at;
  }
  return { id, score: Math.exp(logits[id]! - highest) / sum };
}

function tensorsOf(outputs: Outputs): {
  readonly logits: OutputTensor;
  readonly boxes: OutputTensor;
} {
  const { logits, pred_boxes: boxes } = outputs;
  const classes = coco91.length + 1;
  if (boxes !== undefined && logits?.values.length === boxes.values.length / 4 * classes) {
    return { logits, boxes };
  }
  const shown = Object.entries(outputs).map(([name, { dims }]) => `${name} [${dims.join(", ")}]`);
  throw new TypeError(
    `Cannot read boxes of DETR: its outputs are ${shown.join(" and ")} (logits [n, ${classes}] ` +
      "and pred_boxes [n, 4] are wanted)",
  );
}
