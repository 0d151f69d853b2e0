import assert from "node:assert/strict";
import sharp from "sharp";
import { Catalog } from "../../src/runtime/catalog.ts";
import { inference } from "../../src/services/inference.ts";
import { OnnxInference } from "../../src/services/onnx.ts";
import { groupDuplicates } from "../../src/steps/dedupe/group.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { inspectEmbedding } from "../../src/steps/inspect/embedding.ts";
import { inspectFingerprint } from "../../src/steps/inspect/fingerprint.ts";
import { PictureRig } from "../picture_rig.ts";
import { ModelRig, tinyKeys, tinyNetwork } from "../services/model_rig.ts";

const tiny = { dims: ["n", 3, 4, 4] } as const;

/** An image model that gives −|x|: the embedding of a flat picture is its colour, turned round. */
const colourModel = {
  ...tinyKeys(tiny),
  task: "image-embedding",
  preprocess: { fit: "short_side", size: { width: 4, height: 4 }, channels: "rgb" },
  decode: { as: "mean_over_space" },
};

function groupRig(modelFolder: string): PictureRig {
  return new PictureRig({
    catalog: new Catalog([scan, inspectFingerprint, inspectEmbedding, groupDuplicates]),
    services: new Map([
      [inference.name, new OnnxInference({ folder: modelFolder, device: "cpu" })],
    ]),
  });
}

const recipe = `
recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  prints: { use: inspect.fingerprint, from: photos }
  seen: { use: inspect.embedding, from: photos, with: { model: colours } }
  alike:
    use: dedupe.group
    from: { fingerprint: prints, embedding: seen }
`;

async function flat(background: string): Promise<Uint8Array> {
  const create = { width: 30, height: 20, channels: 3, background } as const;
  return new Uint8Array(await sharp({ create }).png().toBuffer());
}

/** Two colours whose cosine is 10,000 / (100 × √20,000) = 0.7071. */
async function colours(rig: PictureRig) {
  rig.write({ "photos/a.png": await flat("rgb(100,0,0)") });
  rig.write({ "photos/b.png": await flat("rgb(100,100,0)") });
}

async function verdicts(rig: PictureRig) {
  return (await rig.query("SELECT verdict FROM alike ORDER BY verdict")).map((row) =>
    row["verdict"]
  );
}

Deno.test("only similar_from changed in models.yaml: the pictures are grouped anew", async () => {
  using models = new ModelRig();
  const weights = tinyNetwork(tiny);
  models.add("colours", { ...colourModel, similar_from: 0.6 }, weights);
  await using rig = groupRig(models.folder);
  await colours(rig);
  await rig.run(recipe);
  assert.deepEqual(await verdicts(rig), ["similar", "similar"]);
  models.add("colours", { ...colourModel, similar_from: 0.8 }, weights);
  await rig.run(recipe);
  assert.deepEqual(await verdicts(rig), [null, null]);
  models.add("colours", { ...colourModel, similar_from: 0.6 }, weights);
  const { counts } = await rig.run(recipe);
  assert.deepEqual(await verdicts(rig), ["similar", "similar"]);
  assert.equal(counts.ran, 0, "both are in the cache");
});
