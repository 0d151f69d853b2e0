import assert from "node:assert/strict";
import sharp from "sharp";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import type { Box } from "../../src/steps/inspect/kinds.ts";
import { inspectObjects } from "../../src/steps/inspect/objects.ts";
import { overlap } from "../../src/vision/boxes.ts";
import { outcomes } from "../picture_rig.ts";
import { ModelRig, tinyKeys, tinyNetwork } from "../services/model_rig.ts";
import { corpusTest, VisionRig } from "./vision_rig.ts";

function recipe(params = "faces_model: yunet-640"): string {
  return `
recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  objects: { use: inspect.objects, from: photos, with: { ${params} } }
`;
}

interface Row {
  readonly count: number | null;
  readonly labels: Readonly<Record<string, number>>;
  readonly boxes: readonly (Box & { readonly label: string; readonly score: number })[];
  readonly faces: readonly (Box & { readonly landmarks: readonly (readonly number[])[] })[];
  readonly smallest_face_px: number | null;
}

async function objectRows(rig: VisionRig): Promise<Record<string, Row>> {
  const parsed = (value: unknown) => typeof value === "string" ? JSON.parse(value) : value;
  return Object.fromEntries((await rig.query("SELECT * FROM objects")).map((row) => [
    String(row["item"]),
    {
      count: row["count"] === null ? null : Number(row["count"]),
      labels: parsed(row["labels"]),
      boxes: parsed(row["boxes"]),
      faces: parsed(row["faces"]),
      smallest_face_px: row["smallest_face_px"] as number | null,
    },
  ]));
}

function box([x, y, width, height]: Edges): Box {
  return { x, y, width, height };
}

type Edges = readonly [x: number, y: number, width: number, height: number];

interface Reference {
  readonly objects: readonly (readonly [label: string, ...Edges])[];
  readonly faces: readonly Edges[];
}

/**
 * Checked by eye, and against a computation of its own in Python: YOLOX by onnxruntime 1.30 with
 * OpenCV's resize, faces by OpenCV 5.0's FaceDetectorYN.
 */
const references: Readonly<Record<string, Reference>> = {
  "astronaut.png": { objects: [["person", 11, 20, 357, 486]], faces: [[181, 53, 92, 124]] },
  "messi5.jpg": {
    objects: [
      ["person", 59, 57, 414, 276],
      ["person", 4, 206, 53, 53],
      ["person", 0, 77, 54, 103],
      ["sports ball", 338, 290, 48, 46],
    ],
    faces: [[226, 92, 30, 39]],
  },
  "basketball1.png": {
    objects: [["person", 33, 83, 136, 395], ["person", 432, 19, 207, 458]],
    faces: [[71, 92, 33, 43]],
  },
  "motorcycle_left.png": { objects: [["motorcycle", 110, 64, 599, 380]], faces: [] },
  "plasma_Kite.jpg": { objects: [["kite", 1641, 491, 195, 162]], faces: [] },
  "aloeR.jpg": { objects: [["vase", 611, 809, 362, 273]], faces: [] },
};

corpusTest("objects and faces are where an independent computation finds them", async (corpus) => {
  await using rig = new VisionRig(`${corpus}/models`);
  for (const name of Object.keys(references)) {
    rig.write({ [`photos/${name}`]: await Deno.readFile(`${corpus}/corpus/photos/${name}`) });
  }
  assert.equal((await rig.run(recipe())).status, "complete");
  const rows = await objectRows(rig);
  for (const [name, { objects, faces }] of Object.entries(references)) {
    for (const [label, ...edges] of objects) {
      const ours = rows[name]!.boxes.filter((found) => found.label === label);
      const best = Math.max(...ours.map((found) => overlap(found, box(edges))));
      assert.ok(best >= 0.8, `${name}: ${label} overlaps by ${best}`);
    }
    for (const edges of faces) {
      const best = Math.max(...rows[name]!.faces.map((found) => overlap(found, box(edges))));
      assert.ok(best >= 0.8, `${name}: face overlaps by ${best}`);
    }
  }
  const astronaut = rows["astronaut.png"]!;
  assert.deepEqual(astronaut.labels, { person: 1 });
  const [face] = astronaut.faces;
  assert.equal(astronaut.smallest_face_px, Math.min(face!.width, face!.height));
  const [rightEye, leftEye, nose, mouth] = face!.landmarks;
  assert.ok(rightEye![0]! < leftEye![0]! && nose![1]! > leftEye![1]! && mouth![1]! > nose![1]!);
});

corpusTest("boxes are upright: a picture turned by EXIF has the same ones", async (corpus) => {
  await using rig = new VisionRig(`${corpus}/models`);
  const bytes = await Deno.readFile(`${corpus}/corpus/photos/astronaut.png`);
  const upright = await sharp(bytes).extract({ left: 0, top: 0, width: 400, height: 512 }).png()
    .toBuffer();
  const turned = await sharp(upright).rotate(-90).withMetadata({ orientation: 6 }).png().toBuffer();
  rig.write({
    "photos/a.png": new Uint8Array(upright),
    "photos/b.png": new Uint8Array(turned),
  });
  await rig.run(recipe());
  const { "a.png": a, "b.png": b } = await objectRows(rig);
  assert.equal(a!.count, 1);
  assert.ok(overlap(a!.boxes[0]!, b!.boxes[0]!) > 0.99);
  assert.ok(overlap(a!.faces[0]!, b!.faces[0]!) > 0.99);
});

corpusTest("nothing is found in pictures with nothing in them, of any shape", async (corpus) => {
  await using rig = new VisionRig(`${corpus}/models`);
  for (const [width, height] of [[1, 1], [1, 3000], [3000, 2], [300, 200]] as const) {
    const create = { width, height, channels: 3, background: "#808080" } as const;
    rig.write({
      [`photos/${width}x${height}.png`]: new Uint8Array(await sharp({ create }).png().toBuffer()),
    });
  }
  assert.equal((await rig.run(recipe())).status, "complete");
  const rows = Object.values(await objectRows(rig));
  assert.equal(rows.length, 4);
  for (const row of rows) {
    assert.deepEqual(row, { count: 0, labels: {}, boxes: [], faces: [], smallest_face_px: null });
  }
});

corpusTest("classes and none leave out what is not asked for", async (corpus) => {
  await using rig = new VisionRig(`${corpus}/models`);
  rig.write({
    "photos/messi5.jpg": await Deno.readFile(`${corpus}/corpus/photos/messi5.jpg`),
  });
  await rig.run(recipe('classes: ["sports ball"], faces_model: none'));
  const { "messi5.jpg": balls } = await objectRows(rig);
  assert.deepEqual(Object.keys(balls!.labels), ["sports ball"]);
  assert.deepEqual(balls!.faces, []);
  await rig.run(recipe("model: none, faces_model: yunet-640"));
  const { "messi5.jpg": faces } = await objectRows(rig);
  assert.equal(faces!.count, null);
  assert.equal(faces!.faces.length, 1);
});

Deno.test("an unknown class is a fault of the recipe, with a suggestion", async () => {
  using models = new ModelRig();
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/keep.txt": "" });
  const source = { path: rig.path("test.yaml"), text: recipe("classes: [persom]") };
  const { graph, diagnostics } = await rig.session.check(source, {});
  assert.equal(graph, undefined);
  assert.match(diagnostics.map((each) => formatDiagnostic(each)).join("\n"), /person/);
});

const detector = {
  ...tinyKeys({ dims: ["n", 3, 4, 4] }),
  task: "object-detection",
  preprocess: { fit: "letterbox", size: { width: 4, height: 4 }, channels: "bgr" },
  decode: { as: "yolox", classes: "coco80" },
};

Deno.test("without the model's file: one failure, or with skip a row that counts null", async () => {
  using models = new ModelRig();
  models.add("eyes", detector);
  await using rig = new VisionRig(models.folder);
  const create = { width: 9, height: 9, channels: 3, background: "#444" } as const;
  const bytes = new Uint8Array(await sharp({ create }).png().toBuffer());
  rig.write({ "photos/a.png": bytes });
  const failing = await rig.run(recipe("model: eyes, faces_model: none"));
  assert.deepEqual(outcomes(failing.events, "objects"), { "a.png": "failed" });
  const skipping = "model: eyes, faces_model: none, if_missing: skip";
  for (const outcome of ["ran", "cached"]) {
    const { status, events } = await rig.run(recipe(skipping));
    assert.equal(status, "complete");
    assert.deepEqual(outcomes(events, "objects"), { "a.png": outcome });
    assert.equal(events.filter(({ type }) => type === "warning").length, 1, "it is said each time");
  }
  assert.equal((await objectRows(rig))["a.png"]!.count, null);
  models.add("eyes", detector, tinyNetwork({ dims: ["n", 3, 4, 4] }));
  const { events } = await rig.run(recipe(skipping));
  assert.notEqual(outcomes(events, "objects")["a.png"], "cached", "its file is here now");
});

Deno.test("a model for something else is refused by name before any file is read", async () => {
  using models = new ModelRig();
  models.add("eyes", { ...detector, task: "face-detection", decode: { as: "yunet" } });
  await using rig = new VisionRig(models.folder);
  rig.write({
    "photos/a.png": new Uint8Array(
      await sharp({ create: { width: 9, height: 9, channels: 3, background: "#444" } }).png()
        .toBuffer(),
    ),
  });
  const { events } = await rig.run(recipe("model: eyes, faces_model: none"));
  const reasons = events.flatMap((event) =>
    event.type === "task-settled" && event.outcome === "failed" ? [event.reason!] : []
  );
  assert.match(
    reasons[0]!,
    /Cannot use model "eyes" for object-detection: it is for face-detection/,
  );
});

Deno.test("the parameters have the defaults that the docs name", () => {
  assert.deepEqual(inspectObjects.params.parse({}), {
    model: "yolox-nano",
    faces_model: "yunet",
    min_score: 0.4,
    min_face_score: 0.7,
    iou: 0.5,
    if_missing: "fail",
  });
});
