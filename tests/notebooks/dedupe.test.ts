import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { renderSvg } from "../../src/charts/render.ts";
import {
  calibrationWords,
  type Groups,
  type JudgedPair,
  judgedPairs,
  measureOf,
  pairId,
  pairsNear,
  precisionRecall,
  readVerdicts,
  saveVerdicts,
  suggestThreshold,
  writeDefault,
} from "../../src/notebook/calibration.ts";
import { distanceChart, thresholdChart } from "../../src/notebook/calibration_charts.ts";
import { dedupeRecipe, DedupeRig, groupsByName } from "../dedupe/rig.ts";
import { photo } from "../picture_rig.ts";
import { findJupyter, htmlOf, joined, Jupyter, type Notebook, notebooks, textOf } from "./rig.ts";

const hasJupyter = await findJupyter();
const suffix = hasJupyter ? "" : " (skipped: jupyter nbconvert is not installed)";

const names = ["cat-1.jpg", "cat-2.jpg", "cat+3.jpg", "cat+4.jpg", "dog-1.jpg", "dog-2.jpg"];

function someGroups(): Groups {
  const named = names.map((name, member) => ({ member, name, sha256: `sha ${name}` }));
  return groupsByName(named, 0.9).groups;
}

Deno.test("pairs come nearest to the threshold first, from both sides", () => {
  const found = someGroups();
  const near = pairsNear(found, 4);
  assert.equal(near.length, 4);
  const far = near.map(({ value }) => Math.abs(value - 0.9));
  assert.deepEqual(far, far.toSorted((a, b) => a - b));
  const all = pairsNear(found, 1000);
  assert.equal(all.length, found.pairs.length);
  assert.ok(all.every(({ id }) => /^[0-9a-f]{8}$/.test(id)));
});

Deno.test("verdicts are added to the decisions, each once, and can be taken back", async () => {
  await using rig = new DedupeRig();
  const path = rig.path("out/decisions.jsonl");
  const near = pairsNear(someGroups());
  const [first, second] = [near[0]!, near[1]!];
  const now = () => new Date(0);
  assert.equal(saveVerdicts(path, { [first.id]: true, [second.id]: false }, near, { now }), 2);
  assert.equal(saveVerdicts(path, { [first.id]: true }, near, { now }), 0);
  const { a, b } = first.pair;
  assert.equal(readVerdicts(path)[`${a}:${b}`], true);
  assert.equal(saveVerdicts(path, { [first.id]: null }, near, { now }), 1);
  assert.equal(readVerdicts(path)[`${a}:${b}`], undefined);
  assert.equal(Deno.readTextFileSync(path).split("\n").length, 4);
  assert.throws(() => saveVerdicts(path, { nonsense: true }, near), /no pair shown has that id/);
});

Deno.test("a verdict after a half-written line is a line of its own", async () => {
  await using rig = new DedupeRig();
  rig.write({ "decisions.jsonl": '{"at":"2026' });
  const near = pairsNear(someGroups());
  saveVerdicts(rig.path("decisions.jsonl"), { [near[0]!.id]: true }, near);
  assert.equal(Object.keys(readVerdicts(rig.path("decisions.jsonl"))).length, 1);
});

const judged: readonly JudgedPair[] = [
  { value: 0.98, isAlike: true },
  { value: 0.95, isAlike: true },
  { value: 0.92, isAlike: true },
  { value: 0.9, isAlike: false },
  { value: 0.88, isAlike: true },
  { value: 0.8, isAlike: false },
];

Deno.test("precision and recall are counted over the judged pairs", () => {
  const rows = precisionRecall(judged, { sign: 1 });
  assert.deepEqual(rows.map(({ threshold }) => threshold), [0.98, 0.95, 0.92, 0.9, 0.88, 0.8]);
  assert.deepEqual(rows.map(({ precision }) => precision), [1, 1, 1, 3 / 4, 4 / 5, 4 / 6]);
  assert.deepEqual(rows.map(({ recall }) => recall), [1 / 4, 2 / 4, 3 / 4, 3 / 4, 1, 1]);
});

Deno.test("the suggestion lies between the last pair that it takes and the first that it leaves", () => {
  const rows = precisionRecall(judged, { sign: 1 });
  assert.equal(suggestThreshold(rows)!.threshold, 0.91);
  assert.equal(suggestThreshold(rows, { precision: 0.8 })!.threshold, 0.84);
  assert.equal(suggestThreshold([]), undefined);
  const none = judged.map(({ value }) => ({ value, isAlike: false }));
  assert.equal(suggestThreshold(precisionRecall(none, { sign: 1 })), undefined);
  const close = [{ value: 0.9004, isAlike: true }, { value: 0.9001, isAlike: false }];
  assert.equal(suggestThreshold(precisionRecall(close, { sign: 1 }))!.threshold, 0.9004);
});

Deno.test("without a model pairs are told apart by bits, where fewer is more alike", () => {
  const found = { ...someGroups(), similar_by: "hashes" as const, threshold: null };
  const measure = measureOf(found);
  assert.equal(measure.name, "hash distance");
  const bits = judged.map(({ value, isAlike }) => ({
    value: Math.round(100 - 100 * value),
    isAlike,
  }));
  assert.equal(suggestThreshold(precisionRecall(bits, measure))!.threshold, 9);
  // Both hashes have to be within the distance, so the larger of 14 and 12 decides.
  assert.equal(measure.of(found.pairs[0]!), 14);
});

Deno.test("what is said fits what pictures were compared by, and how many pairs there are", () => {
  const found = someGroups();
  const [one] = calibrationWords(found, { model: "some-model" });
  assert.match(
    one!,
    new RegExp(`from a cosine of 0\\.9 on. There are ${found.pairs.length} pairs`),
  );
  const bare = { ...found, similar_by: "hashes" as const, threshold: null };
  const words = calibrationWords({ ...bare, pairs: bare.pairs.slice(0, 1) }, { model: "m" });
  assert.match(words.join(" "), /hashes alone, since the model "m" was not there/);
  assert.match(words.join(" "), /There is 1 pair .* there is no threshold to write/);
  assert.match(words.join(" "), /deno task tintype models pull m/);
});

Deno.test("with few pairs counts are whole, bits are all shown, and nothing is no empty frame", async () => {
  const bare = { ...someGroups(), similar_by: "hashes" as const, threshold: null };
  const few = await renderSvg(
    distanceChart({
      ...bare,
      hash_histogram: Array.from({ length: 17 }, (_, bits) => [2, 4, 9].includes(bits) ? 1 : 0),
    }),
  );
  const labels = [...few.matchAll(/<text [^>]*>([^<]+)<\/text>/g)].map(([, text]) => text!);
  assert.ok(labels.includes("15") && labels.includes("similar up to 8"), labels.join(" "));
  assert.ok(labels.every((label) => !/^\d+\.\d/.test(label)), labels.join(" "));
  const none = { ...bare, hash_histogram: new Array(17).fill(0) };
  assert.match(await renderSvg(distanceChart(none)), /There is no pair within 16 bits/);
  assert.match(
    await renderSvg(thresholdChart([], { found: bare })),
    /No pair of this run has been/,
  );
});

Deno.test("the charts are drawn, with verdicts and without any", async () => {
  const found = someGroups();
  const rows = precisionRecall(judged, measureOf(found));
  const specs = [
    distanceChart(found),
    distanceChart({ ...found, similar_by: "hashes", cosine_histogram: null, threshold: null }),
    distanceChart({ ...found, cosine_histogram: [], hash_histogram: [] }),
    thresholdChart(rows, { found, chosen: 0.91 }),
    thresholdChart([], { found }),
  ];
  const said: unknown[] = [];
  const { warn } = console;
  console.warn = (...words: unknown[]) => void said.push(...words);
  try {
    for (const spec of specs) {
      const svg = await renderSvg(JSON.parse(JSON.stringify(spec)));
      assert.doesNotMatch(svg, /NaN|Infinity/);
    }
  } finally {
    console.warn = warn;
  }
  assert.deepEqual(said, []);
  assert.match(await renderSvg(thresholdChart(rows, { found, chosen: 0.91 })), /chosen/);
});

Deno.test("a default is written into a recipe and nothing else of it changes", async () => {
  await using rig = new DedupeRig();
  const text = Deno.readTextFileSync(dedupeRecipe);
  rig.write({ "own.yaml": `# mine\n${text}\n# the end\n` });
  const path = rig.path("own.yaml");
  assert.deepEqual(writeDefault(path, "threshold", 0.873), { path, before: 0, after: 0.873 });
  const written = Deno.readTextFileSync(path);
  assert.equal(
    written,
    `# mine\n${text}\n# the end\n`.replace("number, default: 0,", "number, default: 0.873,"),
  );
  assert.notEqual(written, `# mine\n${text}\n# the end\n`);
  assert.throws(() => writeDefault(path, "nothing", 1), /its parameter "nothing" has no default/);
  assert.throws(() => writeDefault(path, "threshold", NaN), /a number is wanted/);
});

Deno.test("dedupe_calibration.ipynb is committed without outputs, counts and places of a machine", () => {
  const text = Deno.readTextFileSync(join(notebooks, "dedupe_calibration.ipynb"));
  const { cells, metadata } = JSON.parse(text) as Notebook;
  assert.equal(metadata.kernelspec.name, "deno");
  assert.equal(cells[0]?.cell_type, "markdown");
  for (const { cell_type, outputs, execution_count, source } of cells) {
    if (cell_type !== "code") continue;
    assert.deepEqual(outputs, []);
    assert.equal(execution_count, null);
    assert.ok(joined(source).split("\n").length <= 30);
  }
  assert.doesNotMatch(text, /\/(home|Users|work|tmp|root)\/|[A-Z]:\\\\/);
});

/** A run of the recipe on pictures that the stand-ins find alike, made with a recipe of its own. */
async function rigWithRun(): Promise<DedupeRig> {
  const rig = new DedupeRig();
  for (const [index, name] of names.entries()) {
    rig.write({ [`photos/${name}`]: await photo(120, 90, { seed: index + 1 }) });
  }
  rig.write({ "own.yaml": Deno.readTextFileSync(dedupeRecipe) });
  const text = Deno.readTextFileSync(rig.path("own.yaml"));
  const { status } = await rig.runText({ path: "own.yaml", text });
  assert.equal(status, "complete");
  return rig;
}

async function foundBy(rig: DedupeRig): Promise<Groups> {
  const [row] = await rig.query("SELECT * FROM alike_groups");
  const pairs = JSON.parse(String(row!.pairs));
  return { ...row, pairs } as unknown as Groups;
}

Deno.test({
  name: "the notebook runs headless, without verdicts and with them" + suffix,
  ignore: !hasJupyter,
  async fn(context) {
    await using rig = await rigWithRun();
    await using jupyter = await Jupyter.open();
    const env = {
      TINTYPE_WORKSPACE: rig.path(".tintype"),
      TINTYPE_NOTEBOOK_SOURCE: "",
      TINTYPE_NOTEBOOK_DECISIONS: "",
      TINTYPE_NOTEBOOK_RECIPE: "",
    };
    const before = Deno.readTextFileSync(rig.path("own.yaml"));

    await context.step("without a verdict it shows pairs and writes nothing", async () => {
      const cells = await jupyter.execute("dedupe_calibration", env);
      const text = textOf(cells);
      assert.doesNotMatch(text, /NaN|Infinity/);
      assert.match(text, /Nothing was written: there is no threshold to suggest yet/);
      const found = await foundBy(rig);
      assert.ok(found.pairs.length > 5);
      for (const pair of found.pairs) assert.ok(text.includes(pairId(pair)));
      const images = htmlOf(cells).match(/<img [^>]*src="data:image\/jpeg/g) ?? [];
      assert.equal(images.length, 2 * found.pairs.length);
      assert.equal(Deno.readTextFileSync(rig.path("own.yaml")), before);
      assert.throws(() => Deno.statSync(rig.path("out/decisions.jsonl")), Deno.errors.NotFound);
    });

    await context.step("with verdicts it writes the threshold that they ask for", async () => {
      const found = await foundBy(rig);
      const near = pairsNear(found);
      const isAlike = (value: number) => value >= 0.9;
      saveVerdicts(
        rig.path("out/decisions.jsonl"),
        Object.fromEntries(near.map(({ id, value }) => [id, isAlike(value)])),
        near,
      );
      const verdicts = Deno.readTextFileSync(rig.path("out/decisions.jsonl"));
      const cells = await jupyter.execute("dedupe_calibration", env);
      const measured = judgedPairs(found, readVerdicts(rig.path("out/decisions.jsonl")));
      const { threshold } = suggestThreshold(precisionRecall(measured, measureOf(found)))!;
      assert.ok(measured.some(({ value }) => value < threshold));
      const written = Deno.readTextFileSync(rig.path("own.yaml"));
      assert.equal(parse(written).params.threshold.default, threshold);
      assert.equal(
        written,
        before.replace("number, default: 0,", `number, default: ${threshold},`),
      );
      assert.match(textOf(cells), new RegExp(`was 0 and is ${threshold} now`));
      assert.equal(Deno.readTextFileSync(rig.path("out/decisions.jsonl")), verdicts);
    });
  },
});
