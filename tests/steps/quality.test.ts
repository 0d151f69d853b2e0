import assert from "node:assert/strict";
import { Catalog } from "../../src/runtime/catalog.ts";
import { computing } from "../../src/services/computing.ts";
import { WorkerPool } from "../../src/services/worker_pool.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { inspectQuality } from "../../src/steps/inspect/quality.ts";
import { defaultNiqeModel } from "../../src/quality/niqe_model_file.ts";
import { bytesOf, paint, photoLike, pipelineOf } from "../imaging/pictures.ts";
import { outcomes, PictureRig } from "../picture_rig.ts";

function rigWithWorkers(): PictureRig {
  const services = new Map([[computing.name, new WorkerPool({ size: 2 })]]);
  return new PictureRig({ catalog: new Catalog([scan, inspectQuality]), services });
}

const recipe = (params = "") => `
recipe: quality_test
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  looks: { use: inspect.quality, from: photos${params} }
`;

const photograph = () => bytesOf(pipelineOf(photoLike(320, 240)).png());
const flat = () => bytesOf(pipelineOf(paint(320, 240, () => [40, 40, 40])).png());

Deno.test("a picture gets both measures and a score, a flat one none, in one run", async () => {
  await using rig = rigWithWorkers();
  rig.write({ "photos/a.png": await photograph(), "photos/b.png": await flat() });
  assert.equal((await rig.run(recipe())).status, "complete");
  const [a, b] = await rig.query("SELECT * FROM looks ORDER BY item");
  const [brisque, niqe] = [Number(a!["brisque_opencv"]), Number(a!["niqe"])];
  assert.ok(brisque >= 0 && brisque <= 100 && niqe > 0);
  const expected = (1 - brisque / 100 + 1 - Math.min(1, Math.max(0, niqe - 2) / 13)) / 2;
  assert.ok(Math.abs(Number(a!["score"]) - expected) < 1e-5);
  assert.equal(a!["niqe_model"], "tintype 1");
  assert.deepEqual([b!["brisque_opencv"], b!["niqe"], b!["score"]], [null, null, null]);
  assert.equal((await rig.run(recipe())).counts.ran, 0);
});

Deno.test("one measure alone makes the score, and weights count", async () => {
  await using rig = rigWithWorkers();
  rig.write({ "photos/a.png": await photograph() });
  await rig.run(recipe(", with: { measures: [brisque] }"));
  const [alone] = await rig.query("SELECT * FROM looks");
  assert.deepEqual([alone!["niqe"], alone!["niqe_model"]], [null, null]);
  assert.ok(
    Math.abs(Number(alone!["score"]) - (1 - Number(alone!["brisque_opencv"]) / 100)) < 1e-5,
  );
  await rig.run(recipe(", with: { weights: { brisque: 3, niqe: 0 } }"));
  const [weighted] = await rig.query("SELECT * FROM looks");
  assert.notEqual(weighted!["niqe"], null);
  assert.equal(weighted!["score"], alone!["score"]);
});

Deno.test("a NIQE model of one's own is used, and its content is part of the key", async () => {
  await using rig = rigWithWorkers();
  const { model } = defaultNiqeModel();
  const { name: _, ...unnamed } = model;
  rig.write({ "photos/a.png": await photograph(), "mine.json": JSON.stringify(unnamed) });
  const ours = recipe(", with: { niqe_model: ./mine.json }");
  await rig.run(ours);
  const [first] = await rig.query("SELECT * FROM looks");
  assert.equal(first!["niqe_model"], "mine.json");
  assert.equal((await rig.run(ours)).counts.ran, 0);
  const mu = unnamed.mu.map((value) => value + 0.3);
  rig.write({ "mine.json": JSON.stringify({ ...unnamed, mu }) });
  assert.equal((await rig.run(ours)).counts.ran, 1);
  const [second] = await rig.query("SELECT * FROM looks");
  assert.notEqual(second!["niqe"], first!["niqe"]);
});

Deno.test("a NIQE model that is missing or none is said once, and holds up the rest", async () => {
  for (const [content, said] of [[undefined, /there is no such file/], ["{}", /mu: /]] as const) {
    await using rig = rigWithWorkers();
    rig.write({ "photos/a.png": await photograph(), "photos/b.png": await flat() });
    if (content !== undefined) rig.write({ "mine.json": content });
    const { events, status } = await rig.run(recipe(", with: { niqe_model: ./mine.json }"));
    assert.notEqual(status, "complete");
    assert.match(JSON.stringify(events), said);
    assert.ok(!Object.values(outcomes(events, "looks")).includes("ran"));
  }
});

Deno.test("a longer picture is measured at max_side_px, one at that size as it is", async () => {
  await using rig = rigWithWorkers();
  rig.write({ "photos/a.png": await photograph() });
  const scores: unknown[] = [];
  for (const side of [200, 320, 2048]) {
    await rig.run(recipe(`, with: { max_side_px: ${side} }`));
    scores.push((await rig.query("SELECT * FROM looks"))[0]!["brisque_opencv"]);
  }
  assert.notEqual(scores[0], scores[1]);
  assert.equal(scores[1], scores[2]);
});
