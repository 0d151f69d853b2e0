import assert from "node:assert/strict";
import { canonicalJson, type Json } from "../../src/runtime/hash.ts";
import { photo, PictureRig } from "../picture_rig.ts";

const recipe = `
recipe: baseline_test
steps:
  photos:   { use: ingest.scan, with: { folder: ./photos } }
  metadata: { use: inspect.metadata, from: photos }
  content:  { use: inspect.content, from: photos }
  baseline: { use: baseline.discover, from: { metadata: metadata, content: content } }
  advised:  { use: baseline.recommend, from: baseline.baseline }
  policy:   { use: policy.choose, from: advised.policy, with: { file: ./policy.yaml } }
  normal:
    use: image.normalize
    from: { image: photos, metadata: metadata, content: content, policy: policy.policy }
  savings:  { use: report.savings, from: { originals: photos, proxies: normal.image } }
`;

function rigOf(files: Readonly<Record<string, string | Uint8Array>>): PictureRig {
  const rig = new PictureRig();
  Deno.mkdirSync(rig.path("photos"));
  rig.write(files);
  return rig;
}

/** Why nodes failed. */
function failures({ events }: Awaited<ReturnType<PictureRig["run"]>>) {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.outcome === "failed"
      ? [{ node: event.node, reason: event.reason }]
      : []
  );
}

Deno.test("a set gets its baseline, each picture its standing, and the policy is the recommended one", async () => {
  await using rig = rigOf({
    "photos/a.jpg": await photo(400, 300),
    "photos/b.jpg": await photo(300, 400, { seed: 2 }),
    "photos/c.png": await photo(200, 200, { format: "png" }),
  });
  const run = await rig.run(recipe);
  assert.deepEqual(failures(run), []);
  const [baseline] = await rig.query("SELECT images, quantiles FROM baseline_baseline");
  assert.equal(Number(baseline!["images"]), 3);
  assert.equal(JSON.parse(String(baseline!["quantiles"])).long_side.max, 400);
  const standings = await rig.query("SELECT item, cluster FROM baseline ORDER BY item");
  assert.deepEqual(standings.map(({ item }) => item), ["a.jpg", "b.jpg", "c.png"]);
  assert.deepEqual(await rig.query("SELECT source, file FROM policy_choice"), [
    { source: "recommended", file: null },
  ]);
});

Deno.test("a rerun computes no baseline anew, and renaming a picture does not change it", async () => {
  await using rig = rigOf({
    "photos/a.jpg": await photo(400, 300),
    "photos/b.jpg": await photo(300, 400, { seed: 2 }),
  });
  await rig.run(recipe);
  Deno.renameSync(rig.path("photos/a.jpg"), rig.path("photos/z.jpg"));
  const { events } = await rig.run(recipe);
  const settled = events.flatMap((event) =>
    event.type === "task-settled" && event.node === "baseline" ? [event.outcome] : []
  );
  assert.deepEqual(settled, ["cached"]);
});

Deno.test("an empty folder, and one with nothing that can be read, end well", async () => {
  const folders: readonly Record<string, string>[] = [{}, { "photos/broken.jpg": "no picture" }];
  for (const files of folders) {
    await using rig = rigOf(files);
    const run = await rig.run(recipe);
    assert.deepEqual(failures(run).filter(({ node }) => node !== "photos"), []);
    const [baseline] = await rig.query("SELECT images, summary FROM baseline_baseline");
    assert.equal(Number(baseline!["images"]), 0);
    assert.deepEqual(JSON.parse(String(baseline!["summary"])), [
      "There are no pictures to read a baseline from.",
    ]);
  }
});

Deno.test("a policy file is the policy, and removing it brings the recommended one back", async () => {
  await using rig = rigOf({
    "photos/a.jpg": await photo(400, 300),
    "policy.yaml": "# mine\nlong_side_px: 200\nleave_out: { sharpness_below: 0 }\n",
  });
  const applied = "SELECT long_side_px FROM policy";
  await rig.run(recipe);
  assert.deepEqual(await rig.query("SELECT source, file FROM policy_choice"), [
    { source: "file", file: "policy.yaml" },
  ]);
  assert.equal(Number((await rig.query(applied))[0]!["long_side_px"]), 200);
  Deno.removeSync(rig.path("policy.yaml"));
  await rig.run(recipe);
  assert.equal(Number((await rig.query(applied))[0]!["long_side_px"]), 400);
});

Deno.test("a policy file may be JSON", async () => {
  await using rig = rigOf({
    "photos/a.jpg": await photo(400, 300),
    "policy.yaml": canonicalJson({ quality: 70, background: "#000000" } as Json),
  });
  await rig.run(recipe);
  assert.equal(Number((await rig.query("SELECT quality FROM policy"))[0]!["quality"]), 70);
});

const wrong: Readonly<Record<string, readonly [text: string, said: RegExp]>> = {
  "a value out of range": [
    "format: jpeg\nquality: 120\n",
    /policy\.yaml", line 2: "quality" is 120 \(wanted: a whole number, 1 to 100/,
  ],
  "a misspelt setting": [
    "\n\nqualty: 80\n",
    /policy\.yaml", line 3: "qualty" is no setting \(Did you mean "quality"\?\)/,
  ],
  "a misspelt setting inside": [
    "leave_out:\n  sharpnes_below: 3\n",
    /line 2: "sharpnes_below" is no setting \(Did you mean "sharpness_below"\?\)/,
  ],
  "a text for a number": [
    "long_side_px: big\n",
    /line 1: "long_side_px" is "big" \(wanted: a whole/,
  ],
  "an unknown choice": [
    "format: bmp\n",
    /line 1: "format" is "bmp" \(wanted: one of "keep", "jpeg"/,
  ],
  "what is no colour": ["background: white\n", /line 1: "background" is "white" \(wanted: text/],
  "an empty file": ["", /policy\.yaml": it is empty \(a map of settings/],
  "a list": ["- quality\n", /it is no map \(a map of settings/],
  "broken YAML": ["quality: [1\nformat: x\n", /policy\.yaml", line \d: /],
  "a bomb of aliases": [
    "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]\n",
    /policy\.yaml"/,
  ],
};

for (const [what, [text, said]] of Object.entries(wrong)) {
  Deno.test(`a policy file with ${what} fails with its line, and is not replaced`, async () => {
    await using rig = rigOf({ "photos/a.jpg": await photo(64, 48), "policy.yaml": text });
    const run = await rig.run(recipe);
    const [failure] = failures(run);
    assert.equal(failure?.node, "policy");
    assert.match(failure!.reason ?? "", said);
    assert.match(failure!.reason ?? "", /^Cannot read policy "[^\n]+$/);
  });
}
