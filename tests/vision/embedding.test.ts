import assert from "node:assert/strict";
import sharp from "sharp";
import { Image } from "../../src/imaging/image.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import type { MadeEmbedding } from "../../src/steps/inspect/kinds.ts";
import { inspectEmbedding } from "../../src/steps/inspect/embedding.ts";
import { clipProbabilities, readTokenizer, textFeeds } from "../../src/vision/clip_text.ts";
import { cosine, unitVector } from "../../src/vision/vectors.ts";
import { outcomes } from "../picture_rig.ts";
import { ModelRig, tinyKeys, tinyNetwork } from "../services/model_rig.ts";
import { textNetwork } from "./text_network.ts";
import { corpusTest, VisionRig } from "./vision_rig.ts";

const tiny = { dims: ["n", 3, 4, 4] } as const;
const square = { width: 4, height: 4 };

/** An image model that gives −|x|, so that a flat picture's embedding is its colour, turned round. */
const colourModel = {
  ...tinyKeys(tiny),
  task: "image-embedding",
  preprocess: { fit: "short_side", size: square, channels: "rgb" },
  decode: { as: "mean_over_space" },
};

function recipe(step: string): string {
  return `
recipe: look
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  seen: { use: inspect.embedding, from: photos, with: { model: colours } }
  ${step}
`;
}

const labelling =
  "labels: { use: inspect.labels, from: seen, with: { labels: [cat, dog], model: colours } }";

const yolox = { as: "yolox", classes: "coco80" };

async function flat(background: string): Promise<Uint8Array> {
  const create = { width: 30, height: 20, channels: 3, background } as const;
  return new Uint8Array(await sharp({ create }).png().toBuffer());
}

function reasons(events: readonly RunEvent[], node: string): readonly string[] {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.node === node && event.outcome === "failed"
      ? [event.reason!]
      : []
  );
}

function warnings(events: readonly RunEvent[], node: string): readonly string[] {
  return events.flatMap((event) =>
    event.type === "warning" && event.node === node ? [event.message] : []
  );
}

/** What the step makes of some pictures, called as the runtime does. */
async function embeddings(
  rig: VisionRig,
  files: readonly Uint8Array[],
  model = "colours",
): Promise<readonly Float32Array[]> {
  const { prepare, run } = inspectEmbedding.batch!;
  const params = inspectEmbedding.params.parse({ model });
  const context = { service: () => rig.models, signal: new AbortController().signal };
  const prepared = await Promise.all(files.map((bytes) => {
    const opened = new Image(() => Promise.resolve(bytes));
    const image = { read: () => Promise.resolve(opened) };
    return prepare({ image } as never, params, context as never);
  }));
  const results = await run(prepared, params, context as never);
  await rig.models.release();
  return results.map((result) => {
    assert.equal(result.status, "produced");
    return (result as { outputs: { embedding: MadeEmbedding } }).outputs.embedding.vector;
  });
}

Deno.test("an embedding is the mean of the model's output at unit length, picture by picture", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel, tinyNetwork(tiny));
  await using rig = new VisionRig(models.folder);
  const colours = Array.from({ length: 20 }, (_, at) => [at + 1, 30, 250 - at]);
  const files = await Promise.all(colours.map((colour) => flat(`rgb(${colour})`)));
  const found = await embeddings(rig, files);
  found.forEach((vector, at) => {
    const norm = Math.hypot(...colours[at]!);
    colours[at]!.forEach((level, channel) =>
      assert.ok(Math.abs(vector[channel]! + level / norm) < 1e-6)
    );
    assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  });
});

Deno.test("a picture without a direction fails alone; the others have theirs", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel, tinyNetwork(tiny));
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/black.png": await flat("#000"), "photos/red.png": await flat("#f00") });
  const { events } = await rig.run(recipe(""));
  assert.deepEqual(outcomes(events, "seen"), { "black.png": "failed", "red.png": "ran" });
  assert.match(reasons(events, "seen")[0]!, /"colours" gives no direction/);
});

Deno.test("40 pictures go through in batches, and the second run asks no model", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel, tinyNetwork(tiny));
  await using rig = new VisionRig(models.folder);
  for (let at = 0; at < 40; at++) {
    rig.write({ [`photos/${at}.png`]: await flat(`rgb(${at + 1},30,40)`) });
  }
  const first = await rig.run(recipe(""));
  assert.equal(first.counts.failed, 0);
  rig.models.open = () => Promise.reject(new Error("no model is wanted"));
  const second = await rig.run(recipe(""));
  assert.equal(second.counts.ran, 0);
  assert.equal((await rig.query("SELECT * FROM seen WHERE dimensions = 3")).length, 40);
});

Deno.test("another file of the model is another task: pictures are embedded anew", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel, tinyNetwork(tiny));
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/a.png": await flat("#123456") });
  await rig.run(recipe(""));
  const other = { ...tiny, output: "z" };
  models.add("colours", { ...colourModel, outputs: tinyKeys(other).outputs }, tinyNetwork(other));
  const { events } = await rig.run(recipe(""));
  assert.deepEqual(outcomes(events, "seen"), { "a.png": "ran" });
});

Deno.test("a missing model fails once and says what to do; a model of another task likewise", async () => {
  for (const keys of [colourModel, { ...colourModel, task: "object-detection", decode: yolox }]) {
    using models = new ModelRig();
    models.add("colours", keys);
    await using rig = new VisionRig(models.folder);
    rig.write({ "photos/a.png": await flat("#123456"), "photos/b.png": await flat("#654321") });
    const { events } = await rig.run(recipe(""));
    const [reason, ...others] = reasons(events, "seen");
    assert.match(reason!, keys === colourModel ? /pull/ : /for image-embedding: it is for object/);
    assert.deepEqual(others, []);
  }
});

Deno.test("an unknown model fails with a suggestion", async () => {
  using models = new ModelRig();
  models.add("colour", colourModel);
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/a.png": await flat("#123456") });
  const { events } = await rig.run(recipe(""));
  assert.match(reasons(events, "seen")[0]!, /"colours".*Did you mean "colour"/);
});

Deno.test("skip goes on without vectors, is cached, and is done again when the model is there", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel);
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/a.png": await flat("#123456"), "photos/b.png": await flat("#654321") });
  const skipping = recipe(labelling).replace(
    "model: colours }",
    "model: colours, if_missing: skip }",
  );
  const { status, events } = await rig.run(skipping);
  assert.equal(status, "complete");
  assert.deepEqual([...new Set(warnings(events, "seen"))], [
    'Model "colours" is not on this machine (run: tintype models pull colours); ' +
    "until then pictures have no embedding, and what was made with it before is kept for then",
  ]);
  const again = (await rig.run(skipping)).events;
  for (const node of ["seen", "labels"]) {
    assert.deepEqual(outcomes(again, node), { "a.png": "cached", "b.png": "cached" });
  }
  assert.deepEqual(warnings(again, "seen"), warnings(events, "seen"), "it is said each time");
  assert.deepEqual(
    await rig.query("SELECT dimensions, label FROM seen JOIN labels USING (item) GROUP BY ALL"),
    [{ dimensions: 0n, label: null }].map((row) => ({
      ...row,
      dimensions: Number(row.dimensions),
    })),
  );
  models.add("colours", colourModel, tinyNetwork(tiny));
  await rig.run(skipping);
  assert.deepEqual(
    (await rig.query("SELECT DISTINCT dimensions FROM seen")).map((row) =>
      Number(row["dimensions"])
    ),
    [3],
  );
});

Deno.test("what was made with a model is kept while its file is away", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel, tinyNetwork(tiny));
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/a.png": await flat("#123456"), "photos/b.png": await flat("#654321") });
  const skipping = recipe("").replace("model: colours }", "model: colours, if_missing: skip }");
  await rig.run(skipping);
  const file = `${models.folder}/colours.onnx`;
  const bytes = Deno.readFileSync(file);
  Deno.removeSync(file);
  const away = (await rig.run(skipping)).events;
  assert.deepEqual(outcomes(away, "seen"), { "a.png": "ran", "b.png": "ran" });
  const [warning, ...others] = new Set(warnings(away, "seen"));
  assert.match(warning!, /what was made with it before is kept/);
  assert.deepEqual(others, []);
  Deno.writeFileSync(file, bytes);
  const back = (await rig.run(skipping)).events;
  assert.deepEqual(outcomes(back, "seen"), { "a.png": "cached", "b.png": "cached" });
  assert.deepEqual(warnings(back, "seen"), []);
});

Deno.test("a model that comes or goes while a run is under way is not kept under the other key", async () => {
  using models = new ModelRig();
  models.add("colours", colourModel, tinyNetwork(tiny));
  await using rig = new VisionRig(models.folder);
  rig.write({ "photos/a.png": await flat("#123456") });
  const skipping = recipe("").replace("model: colours }", "model: colours, if_missing: skip }");
  const looked = async (isHere: boolean) => {
    rig.models.isHere = () => Promise.resolve(isHere);
    const { events } = await rig.run(skipping);
    const [row] = await rig.query("SELECT dimensions FROM seen");
    return [outcomes(events, "seen")["a.png"], Number(row!["dimensions"])];
  };
  assert.deepEqual(await looked(false), ["ran", 0], "it came when the key was made");
  assert.deepEqual(await looked(true), ["ran", 3]);
  Deno.removeSync(`${models.folder}/colours.onnx`);
  rig.write({ "photos/a.png": await flat("#654321") });
  assert.deepEqual(await looked(true), ["ran", 0], "it went");
  assert.deepEqual(await looked(true), ["ran", 0], "which is not kept as if it had seen");
});

Deno.test("tokens are cut with their end mark kept, and filled up with it", () => {
  const entry = { inputs: [{ name: "ids", type: "int64", dims: ["n", 5] }] } as never;
  const ids = (given: readonly number[]) => [...textFeeds(given, entry)["ids"]!.values].map(Number);
  assert.deepEqual(ids([1, 7, 2]), [1, 7, 2, 2, 2]);
  assert.deepEqual(ids([1, 3, 4, 5, 6, 7, 2]), [1, 3, 4, 5, 2]);
});

Deno.test("probabilities add up to 1, and do not overflow", () => {
  const found = clipProbabilities([1, 0.99, -1]);
  assert.ok(Math.abs(found.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  assert.ok(Math.abs(found[0]! / found[1]! - Math.E) < 1e-9);
});

Deno.test("a vector that is 0, infinite or no number has no direction", () => {
  for (const bad of [0, Infinity, NaN]) assert.equal(unitVector([bad, 0]), undefined);
});

/** OpenAI's ids, by the tokenizer of transformers. */
const knownIds = {
  "a photo of a cat": [49406, 320, 1125, 539, 320, 2368, 49407],
  "A  photo of a CAT": [49406, 320, 1125, 539, 320, 2368, 49407],
};

corpusTest("CLIP's tokenizer gives the known ids", async (corpus) => {
  const tokenize = await readTokenizer(
    await Deno.readFile(`${corpus}/models/clip-vit-b32-text/tokenizer.json`),
  );
  for (const [text, ids] of Object.entries(knownIds)) assert.deepEqual(tokenize(text), ids);
  assert.deepEqual(tokenize("it's"), [49406, 585, 568, 49407]);
});

corpusTest(
  "a label is the softmax of 100 × cosine with its sentence, embedded once",
  async (corpus) => {
    const json = await Deno.readFile(`${corpus}/models/clip-vit-b32-text/tokenizer.json`);
    using models = new ModelRig();
    // The ids of "a photo of a cat" at 5, 4 and 3: the label's own, "a" and "of".
    const tensors = {
      inputs: [{ name: "input_ids", type: "int64", dims: ["n", 77] }],
      outputs: [{ name: "text_embeds", dims: ["n", 3] }],
    };
    const text = { task: "text-embedding", ...tensors, decode: { as: "vector" } };
    models.add("sentences", text, textNetwork([5, 4, 3]));
    models.add("words", { task: "tokenizer", file: "tokenizer.json" }, json);
    const companions = { text: "sentences", tokenizer: "words" };
    models.add("colours", { ...colourModel, companions }, tinyNetwork(tiny));
    await using rig = new VisionRig(models.folder);
    rig.write({
      "photos/a.png": await flat("rgb(90,30,60)"),
      "photos/b.png": await flat("rgb(10,200,9)"),
    });
    let reads = 0;
    const readFile = rig.models.readFile.bind(rig.models);
    rig.models.readFile = (name) => (reads++, readFile(name));
    assert.equal((await rig.run(recipe(labelling))).status, "complete");
    assert.equal(reads, 1);
    const picture = unitVector([-90, -30, -60])!;
    const cosines = { cat: 2368, dog: 1929 };
    const [cat, dog] = Object.values(cosines).map((id) => {
      const sentence = unitVector([id, 320, 539])!;
      return sentence.reduce((sum, value, at) => sum + value * picture[at]!, 0);
    });
    const [catShare] = clipProbabilities([cat!, dog!]);
    const [row] = await rig.query("SELECT label, score FROM labels WHERE item = 'a.png'");
    const isCat = catShare! > 0.5;
    assert.equal(row!["label"], isCat ? "cat" : "dog");
    assert.ok(Math.abs(Number(row!["score"]) - (isCat ? catShare! : 1 - catShare!)) < 1e-6);
  },
);

corpusTest(
  "SqueezeNet's embedding is 512 long, and nearest for the same picture",
  async (corpus) => {
    await using rig = new VisionRig(`${corpus}/models`);
    const bytes = await Deno.readFile(`${corpus}/corpus/photos/coffee.png`);
    const small = new Uint8Array(await sharp(bytes).resize(300).jpeg({ quality: 40 }).toBuffer());
    const other = await Deno.readFile(`${corpus}/corpus/photos/astronaut.png`);
    const session = await rig.models.open("squeezenet");
    assert.equal(session.entry.outputs[0]!.name, "fire9/concat_1");
    const [whole, shrunk, unlike] = await embeddings(rig, [bytes, small, other], "squeezenet");
    assert.equal(whole!.length, 512);
    assert.ok(cosine(whole!, shrunk!) > 0.9);
    assert.ok(cosine(whole!, unlike!) < 0.7);
  },
);
