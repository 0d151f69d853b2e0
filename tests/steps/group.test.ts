import assert from "node:assert/strict";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { z } from "zod";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { Catalog } from "../../src/runtime/catalog.ts";
import { Session } from "../../src/runtime/session.ts";
import { defineStep, each, produced } from "../../src/runtime/step.ts";
import { readDecisions } from "../../src/steps/decisions/read.ts";
import { groupDuplicates } from "../../src/steps/dedupe/group.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { inspectFingerprint } from "../../src/steps/inspect/fingerprint.ts";
import { embedding } from "../../src/steps/inspect/kinds.ts";
import { inspectMetadata } from "../../src/steps/inspect/metadata.ts";
import { image } from "../../src/steps/kinds.ts";

/** A picture's 8 × 8 grey pixels less their mean, of unit length: a model that anybody can check. */
const greyModel = defineStep({
  name: "test.embedding",
  version: 1,
  doc: "A vector a picture.",
  origin: "computed",
  inputs: { image: each(image, "the pictures") },
  params: z.object({
    is_missing: z.boolean().default(false),
    similar_from: z.number().optional(),
  }),
  outputs: { embedding: each(embedding, "a vector a picture") },
  async run({ image }, { is_missing, similar_from }) {
    if (is_missing) return produced({ embedding: new Float32Array() });
    const bytes = await (await image.read()).bytes();
    const grey = await sharp(bytes).greyscale().resize(8, 8, { fit: "fill" }).raw().toBuffer();
    const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
    const vector = Float32Array.from(grey, (value) => value - mean);
    const length = Math.hypot(...vector) || 1;
    const unit = vector.map((value) => value / length);
    if (similar_from === undefined) return produced({ embedding: unit });
    return produced({ embedding: { vector: unit, model: "grey", similar_from } });
  },
});

const catalog = new Catalog([
  scan,
  inspectFingerprint,
  inspectMetadata,
  greyModel,
  readDecisions,
  groupDuplicates,
]);

const recipe = (missing = false) => `
recipe: group_test
steps:
  photos:   { use: ingest.scan, with: { folder: ./photos } }
  prints:   { use: inspect.fingerprint, from: photos }
  metadata: { use: inspect.metadata, from: photos }
  vectors:  { use: test.embedding, from: photos, with: { is_missing: ${missing} } }
  decided:  { use: decisions.read, with: { file: ./decisions.jsonl } }
  alike:
    use: dedupe.group
    from: { fingerprint: prints, embedding: vectors, metadata: metadata, decisions: decided }
    with: { threshold: 0.9 }
`;

/** Blotches that no other seed has. */
async function blotches(seed: number): Promise<Uint8Array> {
  let state = seed * 7919;
  const pixels = Uint8Array.from({ length: 6 * 5 * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  const small = sharp(pixels, { raw: { width: 6, height: 5, channels: 3 } });
  return new Uint8Array(await small.resize(360, 300, { kernel: "cubic" }).png().toBuffer());
}

class Rig implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-group-" }));
  readonly session = new Session({
    catalog,
    cwd: this.folder,
    workspace: join(this.folder, ".tintype"),
  });

  constructor(photos: Readonly<Record<string, Uint8Array>>) {
    Deno.mkdirSync(join(this.folder, "photos"));
    for (const [name, bytes] of Object.entries(photos)) this.write(`photos/${name}`, bytes);
  }

  write(name: string, bytes: Uint8Array) {
    Deno.writeFileSync(join(this.folder, name), bytes);
  }

  async run(text = recipe()) {
    const source = { path: join(this.folder, "test.yaml"), text };
    const { graph, diagnostics } = await this.session.check(source, { needsValues: true });
    assert.ok(graph, diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
    const outcomes: string[] = [];
    const summaries: string[] = [];
    const report = await this.session.run(graph, {
      listener: (event) => {
        if (event.type === "task-settled" && event.node === "alike") outcomes.push(event.outcome);
        if (event.type === "summary") summaries.push(event.line);
      },
    });
    return { ...report, outcomes, summaries };
  }

  async rows(sql: string) {
    const opened = await this.session.openCatalog();
    try {
      return (await opened.query(sql)).rows;
    } finally {
      opened.close();
    }
  }

  async verdicts(): Promise<Record<string, unknown>> {
    const rows = await this.rows("SELECT item, verdict FROM alike");
    return Object.fromEntries(rows.map((row) => [String(row["item"]), row["verdict"]]));
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function somePhotos(): Promise<Record<string, Uint8Array>> {
  const [one, two] = [await blotches(1), await blotches(2)];
  const made = async (image: Sharp) => new Uint8Array(await image.toBuffer());
  return {
    "copy_1.png": one,
    "copy_2.png": one,
    "saved.jpg": await made(sharp(one).jpeg({ quality: 60 })),
    "cropped.png": await made(
      sharp(two).extract({ left: 18, top: 15, width: 324, height: 270 }).png(),
    ),
    "other.png": two,
    "alone.png": await blotches(5),
  };
}

Deno.test("files get their verdicts: equal, the same picture, similar, alone", async () => {
  await using rig = new Rig(await somePhotos());
  assert.equal((await rig.run()).status, "complete");
  assert.deepEqual(await rig.verdicts(), {
    "alone.png": null,
    "copy_1.png": "exact",
    "copy_2.png": "exact",
    "cropped.png": "similar",
    "other.png": "similar",
    "saved.jpg": "same_picture",
  });
  const [row] = await rig.rows("SELECT images, similar_by, counts, warnings FROM alike_groups");
  assert.equal(Number(row!["images"]), 6);
  assert.equal(row!["similar_by"], "embedding");
  assert.deepEqual(JSON.parse(String(row!["counts"])), { exact: 1, same_picture: 1, similar: 1 });
  assert.deepEqual(JSON.parse(String(row!["warnings"])), []);
});

Deno.test("one group is counted as one", async () => {
  const { "copy_1.png": one } = await somePhotos();
  await using rig = new Rig({ "copy_1.png": one!, "copy_2.png": one! });
  assert.deepEqual((await rig.run()).summaries, [
    "2 pictures: 1 group of equal files, 0 of the same picture, 0 of similar ones",
  ]);
});

Deno.test("other names change nothing, so grouping is not done again", async () => {
  await using rig = new Rig(await somePhotos());
  await rig.run();
  const photos = join(rig.folder, "photos");
  Deno.renameSync(join(photos, "saved.jpg"), join(photos, "a.jpg"));
  Deno.renameSync(join(photos, "alone.png"), join(photos, "z.png"));
  assert.deepEqual((await rig.run()).outcomes, ["cached"]);
});

Deno.test("without a model the groups are judged by hashes, and say so", async () => {
  await using rig = new Rig(await somePhotos());
  await rig.run(recipe(true));
  const [row] = await rig.rows("SELECT similar_by, threshold, warnings FROM alike_groups");
  assert.equal(row!["similar_by"], "hashes");
  assert.equal(row!["threshold"], null);
  assert.match(String(row!["warnings"]), /No embeddings/);
});

Deno.test("what a person told apart is not grouped", async () => {
  await using rig = new Rig(await somePhotos());
  await rig.run();
  const rows = await rig.rows(
    "SELECT sha256 FROM alike WHERE item IN ('cropped.png', 'other.png')",
  );
  const [image, other] = rows.map(({ sha256 }) => String(sha256));
  const decision = { field: "alike", at: "2026-01-01T00:00:00Z", image, other, before: null };
  const line = `${JSON.stringify({ ...decision, after: false })}\n`;
  rig.write("decisions.jsonl", new TextEncoder().encode(line));
  await rig.run();
  const verdicts = await rig.verdicts();
  assert.deepEqual([verdicts["cropped.png"], verdicts["other.png"]], [null, null]);
});

Deno.test("an empty folder, and one picture, end well", async () => {
  for (const photos of [{}, { "a.png": await blotches(1) }]) {
    await using rig = new Rig(photos as Record<string, Uint8Array>);
    await rig.run();
    const [row] = await rig.rows("SELECT images FROM alike_groups");
    assert.equal(Number(row!["images"]), Object.keys(photos).length);
  }
});

Deno.test("without a threshold the model's own is taken, and a strict one where it has none", async () => {
  const without = recipe().replace("    with: { threshold: 0.9 }\n", "");
  const thresholds = async (text: string) => {
    await using rig = new Rig({ "a.png": await blotches(1), "b.png": await blotches(2) });
    assert.equal((await rig.run(text)).status, "complete");
    return (await rig.rows("SELECT threshold FROM alike_groups")).map(({ threshold }) => threshold);
  };
  const known = without.replace("is_missing: false", "is_missing: false, similar_from: 0.6");
  assert.deepEqual(await thresholds(known), [0.6]);
  assert.deepEqual(await thresholds(without), [0.95]);
  assert.deepEqual(await thresholds(recipe()), [0.9]);
});

Deno.test("another similar_from groups anew; the same one again runs nothing", async () => {
  await using rig = new Rig({ "a.png": await blotches(1), "b.png": await blotches(2) });
  const text = (similarFrom: number) =>
    recipe().replace("    with: { threshold: 0.9 }\n", "")
      .replace("is_missing: false", `is_missing: false, similar_from: ${similarFrom}`);
  const threshold = async () =>
    (await rig.rows("SELECT threshold FROM alike_groups")).map(({ threshold }) => threshold);
  await rig.run(text(0.6));
  assert.deepEqual(await threshold(), [0.6]);
  const { counts } = await rig.run(text(0.7));
  assert.deepEqual(await threshold(), [0.7]);
  assert.equal(counts.ran, 3, "two vectors and the groups");
  assert.equal((await rig.run(text(0.7))).counts.ran, 0);
});
