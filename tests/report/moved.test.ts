import assert from "node:assert/strict";
import { join } from "node:path";
import { packRun } from "../../src/runtime/pack.ts";
import { Session } from "../../src/runtime/session.ts";
import { unpackRun } from "../../src/runtime/unpack.ts";
import { computing } from "../../src/services/computing.ts";
import { WorkerPool } from "../../src/services/worker_pool.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { checkPage } from "./html_checker.ts";

const pipelines = new URL("../../pipelines/", import.meta.url);
const settings = { source: "./photos", out: "./done" };

async function rigWithPhotos(): Promise<PictureRig> {
  const services = new Map([[computing.name, new WorkerPool({ size: 2 })]]);
  const rig = new PictureRig({ services });
  const cat = await photo(400, 300, { seed: 1 });
  rig.write({
    "photos/a.jpg": cat,
    "photos/copy of a.jpg": cat,
    "photos/b.jpg": await photo(320, 240, { seed: 2 }),
    "photos/broken.jpg": "no picture",
  });
  return rig;
}

/** Runs a shipped recipe by its file in the rig's folder. */
async function run(session: Session, recipe: string) {
  const { graph, diagnostics } = await session.checkFile(`${recipe}.yaml`, {
    settings,
    needsValues: true,
  });
  assert.ok(graph !== undefined, JSON.stringify(diagnostics));
  return await session.run(graph);
}

for (const recipe of ["normalize", "dedupe"]) {
  Deno.test(`the report of ${recipe} is the same to the byte where its pack was unpacked`, async () => {
    await using rig = await rigWithPhotos();
    // Without the model: hashes alone do here.
    const text = Deno.readTextFileSync(new URL(`${recipe}.yaml`, pipelines))
      .replace(/^ {2}embedding: .*\n/m, "").replace("embedding: embedding, ", "")
      .replace(/^ {2}model: .*\n/m, "").replace(", model: $model", "");
    rig.write({ [`${recipe}.yaml`]: text });
    await run(rig.session, recipe);
    const first = Deno.readTextFileSync(rig.path("done/report.html"));
    assert.ok(!first.includes(rig.folder), "a path of this machine is on the page");
    assert.match(checkPage(first).text, /--set out=\.\/done/);
    await packRun(rig.session, "last", { out: "run.tintype" });
    const unpacked = await unpackRun(rig.session.options, "run.tintype", { to: "else/where" });
    const report = join(unpacked.folder, "done/report.html");
    assert.deepEqual([unpacked.rewritten, unpacked.pending], [[], []]);
    assert.equal(Deno.readTextFileSync(report), first);
    const workspace = join(unpacked.folder, ".tintype");
    const there = new Session({ ...rig.session.options, cwd: unpacked.folder, workspace });
    const { counts } = await run(there, recipe);
    assert.equal(counts.ran, 0);
    Deno.removeSync(report);
    assert.equal((await run(there, recipe)).counts.ran, 1);
    assert.equal(Deno.readTextFileSync(report), first);
  });
}

Deno.test("pictures that could not be written are in the report with what can be done", async () => {
  await using rig = await rigWithPhotos();
  const recipe = Deno.readTextFileSync(new URL("normalize.yaml", pipelines))
    .replace("{uuid}.{ext}", "{stem}.{ext}");
  rig.write({ "normalize.yaml": recipe, "done/images/b.jpg": "mine" });
  const { counts } = await run(rig.session, "normalize");
  assert.equal(counts.failed, 1);
  const page = () => checkPage(Deno.readTextFileSync(rig.path("done/report.html"))).text;
  assert.match(page(), /Holiday|Normalized pictures: 4 pictures/);
  assert.match(page(), /1 left out and 1 failed/);
  assert.match(
    page(),
    /1 picture failed: something else is there already \(would-overwrite at files, publish\.files\) .* b\.jpg Cannot write/,
  );
  Deno.removeSync(rig.path("done/images/b.jpg"));
  await run(rig.session, "normalize");
  assert.doesNotMatch(page(), /would-overwrite/);
});

Deno.test("where nothing could be published, each picture is named with the one reason", async () => {
  await using rig = await rigWithPhotos();
  const recipe = Deno.readTextFileSync(new URL("normalize.yaml", pipelines))
    .replace("{uuid}.{ext}", "x{hash}.{ext}"); // two copies would be one file
  rig.write({ "normalize.yaml": recipe, "done/images": "no folder" });
  await run(rig.session, "normalize");
  const { text } = checkPage(Deno.readTextFileSync(rig.path("done/report.html")));
  assert.match(text, /3 pictures failed: .* \([a-z-]+ at files, publish\.files\)/);
  assert.match(text, /copy of a\.jpg/);
});
