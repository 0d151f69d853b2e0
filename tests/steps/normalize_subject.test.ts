import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { z } from "zod";
import { Catalog } from "../../src/runtime/catalog.ts";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { Session } from "../../src/runtime/session.ts";
import { defineStep, each, produced } from "../../src/runtime/step.ts";
import { cropSubject } from "../../src/steps/image/crop_subject.ts";
import { objects } from "../../src/steps/inspect/kinds.ts";
import { image } from "../../src/steps/kinds.ts";
import { catalog } from "../../src/steps/mod.ts";
import { photo, PictureRig } from "../picture_rig.ts";

const recipe = new URL("../../pipelines/normalize_subject.yaml", import.meta.url).pathname;

/** In place of models: a face of 60 pixels at the right end of wide pictures, nothing in others. */
const standIn = defineStep({
  name: "inspect.objects",
  version: 1,
  doc: "Finds what the test says.",
  origin: "computed",
  inputs: { image: each(image, "the pictures") },
  params: z.object({
    model: z.string(),
    faces_model: z.string(),
    if_missing: z.enum(["fail", "skip"]),
  }),
  outputs: { objects: each(objects, "what is in each") },
  async run({ image }) {
    const { width, height } = await (await image.read()).header();
    const face = { x: width - 100, y: 50, width: 60, height: 70, score: 0.9, landmarks: [] };
    const faces = width > height ? [face] : [];
    const smallest_face_px = faces.length === 0 ? null : 60;
    const found = { count: 0, labels: {}, width, height, boxes: [], faces, smallest_face_px };
    return produced({ objects: found });
  },
});

const kept = (await catalog.load()).steps()
  .filter(({ name }) => name !== standIn.name && name !== cropSubject.name);

Deno.test("the shipped recipe crops to the subject, keeps faces large, and maps what it did", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/wide.jpg": await photo(900, 400),
    "photos/tall.jpg": await photo(400, 900, { seed: 2 }),
    "photos/tiny.jpg": await photo(90, 60, { seed: 3 }),
    "policy.yaml": "long_side_px: 256\nquality: 90\n",
  });
  const session = new Session({
    catalog: new Catalog([...kept, cropSubject, standIn]),
    cwd: rig.folder,
    workspace: join(rig.folder, ".tintype"),
  });
  const settings = { source: "photos", out: "out", policy: "policy.yaml" };
  const { graph, diagnostics } = await session.check(
    { path: recipe, text: Deno.readTextFileSync(recipe) },
    { settings, needsValues: true },
  );
  if (graph === undefined) {
    throw new Error(diagnostics.map((each) => formatDiagnostic(each)).join());
  }
  assert.deepEqual(diagnostics, []);
  const { status, counts } = await session.run(graph, {});
  assert.deepEqual([status, counts.failed], ["complete", 0]);
  const lines = Deno.readTextFileSync(rig.path("out/mapping.jsonl")).trim().split("\n");
  const rows = lines.map((line) => JSON.parse(line));
  const row = (name: string) => rows.find(({ original }) => original === `${name}.jpg`);
  assert.match(
    row("wide").steps[0],
    /^cropped 900 × 400 → 400 × 400 at 500, 0 \(keeps all of 1 face\)/,
  );
  assert.equal(row("wide").steps[1], "resized 400 × 400 → 320 × 320");
  assert.match(row("wide").reason, /smallest face of 60 px would be left with 38.4 px \(48 px/);
  assert.deepEqual([row("tall").width_after, row("tall").height_after], [256, 256]);
  assert.match(row("tall").steps[0], /nothing was found in it, so by what stands out/);
  assert.deepEqual([row("tiny").width_after, row("tiny").height_after], [90, 60]);
  for (const { file, width_after, height_after } of rows) {
    const { width, height } = await sharp(rig.path(`out/${file}`)).metadata();
    assert.deepEqual([width, height], [width_after, height_after]);
  }
  assert.equal((await session.run(graph, {})).counts.ran, 0);
});
