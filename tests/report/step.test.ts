import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";
import { checkPage } from "./html_checker.ts";

const recipe = `recipe: normalize
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  metadata: { use: inspect.metadata, from: photos }
  content: { use: inspect.content, from: photos }
  baseline: { use: baseline.discover, from: { metadata: metadata, content: content } }
  advice: { use: baseline.recommend, from: baseline.baseline }
  choice:
    { use: policy.choose, from: advice.policy, with: { file: ./policy.json } }
  normalized:
    use: image.normalize
    from: { image: photos, metadata: metadata, content: content, policy: choice.policy }
  report:
    use: report.normalize
    with: { folder: ./out, title: Holiday }
    from:
      originals: photos
      metadata: metadata
      content: content
      standing: baseline.standing
      changes: normalized.change
      normalized: normalized.image
      baseline: baseline.baseline
      recommendation: advice.recommendation
      policy: choice.policy
      choice: choice.choice
`;

async function rigWithPhotos(): Promise<PictureRig> {
  const rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(400, 300, { seed: 1 }),
    "photos/b.jpg": await photo(320, 240, { seed: 2 }),
    "photos/<b>.jpg": await photo(300, 200, { seed: 3 }),
    "photos/broken.jpg": new TextEncoder().encode("no picture"),
    "policy.json": JSON.stringify({ long_side_px: 200 }),
  });
  return rig;
}

function outcome(events: Awaited<ReturnType<PictureRig["run"]>>["events"]): string[] {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.node === "report" ? [event.outcome] : []
  );
}

Deno.test("a run writes a whole report, with pairs, policy and what was left out", async () => {
  await using rig = await rigWithPhotos();
  const { events } = await rig.run(recipe);
  assert.deepEqual(outcome(events), ["ran"]);
  const page = Deno.readTextFileSync(rig.path("out/report.html"));
  const { problems, text, elements } = checkPage(page);
  assert.deepEqual(problems, []);
  assert.doesNotMatch(page, /https?:/);
  assert.match(text, /Holiday: 4 pictures/);
  assert.match(text, /3 encoded anew and 1 left out/);
  assert.match(
    text,
    /1 picture left out: the file is not a picture \(not-an-image at photos, ingest\.scan\)/,
  );
  assert.match(text, /→ take the file out of the folder.* broken\.jpg not an image/);
  assert.ok(!page.includes(rig.folder), "a path of this machine is on the page");
  assert.match(text, /read from the file policy\.json/);
  const pairs = elements.filter(({ attributes }) => attributes["alt"]?.startsWith("Before"));
  assert.equal(pairs.length, 3);
  assert.deepEqual([...Deno.readDirSync(rig.path("out"))].map(({ name }) => name), ["report.html"]);
});

Deno.test("the page has the command with the settings that the recipe passes on", async () => {
  await using rig = await rigWithPhotos();
  const params = "params: { source: { type: folder, default: ./photos } }\n";
  await rig.run(
    recipe.replace("steps:", `${params}steps:`).replace("folder: ./photos", "folder: $source")
      .replace("title: Holiday", "title: Holiday, settings: { source: $source, quality: 80 }"),
  );
  const { text } = checkPage(Deno.readTextFileSync(rig.path("out/report.html")));
  assert.match(
    text,
    /tintype run pipelines\/normalize\.yaml \\ --set source=\S*photos \\ --set quality=80/,
  );
});

Deno.test("a second run leaves the report as it is, a removed one is written the same", async () => {
  await using rig = await rigWithPhotos();
  await rig.run(recipe);
  const path = rig.path("out/report.html");
  const first = Deno.readTextFileSync(path);
  assert.deepEqual(outcome((await rig.run(recipe)).events), ["cached"]);
  Deno.removeSync(path);
  assert.deepEqual(outcome((await rig.run(recipe)).events), ["ran"]);
  assert.equal(Deno.readTextFileSync(path), first);
});

Deno.test("a report with a person's notes is kept under another name", async () => {
  await using rig = await rigWithPhotos();
  await rig.run(recipe);
  const path = rig.path("out/report.html");
  const first = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, first.replace("Holiday", "My holiday"));
  const { events } = await rig.run(recipe);
  assert.deepEqual(outcome(events), ["ran"]);
  assert.equal(Deno.readTextFileSync(path), first);
  const kept = [...Deno.readDirSync(rig.path("out"))].find(({ name }) => name.includes("kept"));
  assert.match(Deno.readTextFileSync(rig.path(`out/${kept!.name}`)), /My holiday/);
  const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  assert.ok(warnings.some((message) => message.includes(kept!.name)), warnings.join("\n"));
});

Deno.test("another policy gives another report", async () => {
  await using rig = await rigWithPhotos();
  await rig.run(recipe);
  rig.write({ "policy.json": JSON.stringify({ long_side_px: 150 }) });
  assert.deepEqual(outcome((await rig.run(recipe)).events), ["ran"]);
  assert.match(Deno.readTextFileSync(rig.path("out/report.html")), /150 px/);
});

Deno.test("a folder with no readable picture gives a report that says so", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": "no picture" });
  await rig.run(recipe);
  const { text } = checkPage(Deno.readTextFileSync(rig.path("out/report.html")));
  assert.match(text, /No picture came through: 1 left out\./);
});
