import assert from "node:assert/strict";
import { overlap, suppress } from "../../src/vision/boxes.ts";
import { coco80, coco91 } from "../../src/vision/coco.ts";
import { detrDetections } from "../../src/vision/detr.ts";
import type { View } from "../../src/vision/preprocess.ts";
import { yoloxDetections } from "../../src/vision/yolox.ts";
import { yunetFaces } from "../../src/vision/yunet.ts";

const limits = { minScore: 0.4, iou: 0.5 };

/** A picture of 832 × 416 at half its size in the upper half of 416 × 416. */
const halved: View = {
  picture: { width: 832, height: 416 },
  scaled: { width: 416, height: 208 },
  tensor: { width: 416, height: 416 },
  left: 0,
  top: 0,
};

const rows = 52 * 52 + 26 * 26 + 13 * 13;

/** An output of YOLOX with rows set: [row, centre x, centre y, log width, log height, score, class]. */
function yoloxOutput(...set: readonly (readonly number[])[]) {
  const values = new Float32Array(rows * 85);
  for (const [row, x, y, width, height, score, label] of set) {
    values.set([x!, y!, width!, height!, score!], row! * 85);
    values[row! * 85 + 5 + label!] = 1;
  }
  return { dims: [rows, 85], values };
}

Deno.test("a row of YOLOX is a box in the picture's pixels, by its stride's grid", () => {
  // Column 3, row 2 of stride 16: centre (3.5 × 16, 2.25 × 16), 32 × 16, in a picture twice as large.
  const row = 52 * 52 + 2 * 26 + 3;
  const output = yoloxOutput([row, 0.5, 0.25, Math.log(2), 0, 0.75, 16]);
  const [found, ...others] = yoloxDetections(output, halved, limits);
  assert.deepEqual(others, []);
  assert.equal(found!.label, "dog");
  assert.equal(found!.score, 0.75);
  assert.deepEqual(found!.box, { x: 80, y: 56, width: 64, height: 32 });
});

Deno.test("boxes end where the picture does, and what is outside or no number is left out", () => {
  const last = 52 * 52 + 26 * 26 + 13 * 13 - 1;
  const found = yoloxDetections(
    yoloxOutput(
      [0, 0, 0, 9, 9, 0.9, 0],
      [last, 0, 0, 0, 0, 0.9, 1], // in the margin below the picture
      [10, NaN, 0, 0, 0, 0.9, 2],
      [11, 0, 0, 0, 0, NaN, 2],
      [12, 0, 0, Infinity, Infinity, 0.8, 3],
      [13, 0, 0, 0, 0, 0.39, 4],
    ),
    halved,
    limits,
  );
  assert.deepEqual(found.map(({ label, box }) => [label, box]), [
    ["person", { x: 0, y: 0, width: 832, height: 416 }],
    ["motorcycle", { x: 0, y: 0, width: 832, height: 416 }],
  ]);
});

Deno.test("an output of another length is refused with its shape", () => {
  assert.throws(
    () => yoloxDetections({ dims: [10, 85], values: new Float32Array(850) }, halved, limits),
    /its output is \[10, 85\] \(\[3549, 85\] is wanted for 416×416\)/,
  );
  assert.throws(() => detrDetections({}, halved, limits), /logits \[n, 92\]/);
  assert.throws(() => yunetFaces({}, halved, limits), /"cls_8" is not there/);
});

Deno.test("suppression keeps the surest of a class, and other classes beside it", () => {
  const box = (x: number) => ({ x, y: 0, width: 10, height: 10 });
  const found = [
    { label: "cat", score: 0.5, box: box(0) },
    { label: "cat", score: 0.9, box: box(2) },
    { label: "dog", score: 0.6, box: box(2) },
    { label: "cat", score: 0.4, box: box(8) },
  ];
  assert.equal(overlap(box(0), box(2)), 80 / 120);
  assert.deepEqual(
    suppress(found, limits).map(({ label, score }) => `${label} ${score}`),
    ["cat 0.9", "dog 0.6", "cat 0.4"],
  );
});

Deno.test("a query of DETR is its likeliest class, unless that is no object", () => {
  const logits = new Float32Array(3 * 92);
  logits[18] = 10; // id 18
  logits[92 + 91] = 10; // no object
  logits[2 * 92 + 12] = 10; // an id that is not used
  const boxes = Float32Array.from([.5, .25, .5, .25, .5, .5, 1, 1, .5, .5, 1, 1]);
  const outputs = {
    logits: { dims: [3, 92], values: logits },
    pred_boxes: { dims: [3, 4], values: boxes },
  };
  const view = { ...halved, tensor: halved.scaled };
  const found = detrDetections(outputs, view, limits);
  assert.deepEqual(found.map(({ label, box }) => [label, box]), [
    ["dog", { x: 208, y: 52, width: 416, height: 104 }],
  ]);
  assert.ok(Math.abs(found[0]!.score - Math.exp(10) / (Math.exp(10) + 91)) < 1e-9);
});

Deno.test("YuNet's face has the root of both scores, and its landmarks in their order", () => {
  const outputs = Object.fromEntries([8, 16, 32].flatMap((stride) => {
    const count = (416 / stride) ** 2;
    return ([["cls", 1], ["obj", 1], ["bbox", 4], ["kps", 10]] as const).map(([name, length]) => [
      `${name}_${stride}`,
      { dims: [count, length], values: new Float32Array(count * length) },
    ]);
  }));
  const at = 1 * 13 + 2; // column 2, row 1 of stride 32
  outputs["cls_32"]!.values[at] = 0.64;
  outputs["obj_32"]!.values[at] = 1.5; // kept to 1
  outputs["bbox_32"]!.values.set([0.5, 0.5, 0, Math.log(2)], at * 4);
  outputs["kps_32"]!.values.set([0, 0, 1, 0, .5, .5, 0, 1, 1, 1], at * 10);
  const [face, ...others] = yunetFaces(outputs, halved, limits);
  assert.deepEqual(others, []);
  assert.ok(Math.abs(face!.score - 0.8) < 1e-6);
  assert.deepEqual(face!.box, { x: 128, y: 32, width: 64, height: 128 });
  assert.deepEqual(face!.landmarks, [[128, 64], [192, 64], [160, 96], [128, 128], [192, 128]]);
});

Deno.test("both numberings of COCO name the same 80 classes", () => {
  assert.deepEqual(coco91.filter((label) => label !== null), coco80);
  // From the annotations of 2017.
  const known = { 1: "person", 17: "cat", 44: "bottle", 62: "chair", 72: "tv", 90: "toothbrush" };
  for (const [id, label] of Object.entries(known)) assert.equal(coco91[Number(id)], label);
});
