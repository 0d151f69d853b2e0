import assert from "node:assert/strict";
import sharp from "sharp";
import { openZip } from "../../src/export/zip.ts";
import { WorkspaceLock } from "../../src/runtime/lock.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { vision, VisionProblem } from "../../src/services/vision.ts";
import type { Dataset, DatasetEvent, Edit, Picture } from "../../src/web/dataset.ts";
import { progressWords } from "../../src/web/page/words.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { answer, Model } from "./model.ts";
import { openDataset, recipeText } from "./rig.ts";

async function withPhotos(names: readonly string[]): Promise<PictureRig> {
  const rig = new PictureRig();
  for (const [index, name] of names.entries()) {
    rig.write({ [`photos/${name}`]: await photo(120, 90, { seed: index + 1 }) });
  }
  return rig;
}

async function withModel(rig: PictureRig, model: Model) {
  const services = new Map([[vision.name, model]]);
  return await openDataset(rig.folder, { text: recipeText({ provider: "gemini" }), services });
}

function named(dataset: Dataset, name: string): Picture {
  return dataset.pictures().find((each) => each.name === name)!;
}

/** Resolves at the first event after which something holds. */
function until(dataset: Dataset, holds: (event: DatasetEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = dataset.listen((event) => {
      if (!holds(event)) return;
      stop();
      resolve();
    });
  });
}

let number = 0;
async function write(
  dataset: Dataset,
  { sha256, caption }: Picture,
  after: string,
  by = "page-one",
) {
  const edit: Edit = { number: ++number, image: sha256, field: "caption", before: caption, after };
  return await dataset.edit(by, [edit]);
}

async function decide(dataset: Dataset, picture: Picture, after: "auto" | "approved") {
  const edit: Edit = {
    number: ++number,
    image: picture.sha256,
    field: "state",
    before: picture.state,
    after,
  };
  await dataset.edit("page-one", [edit]);
}

async function lock(dataset: Dataset, picture: Picture) {
  const edit: Edit = {
    number: ++number,
    image: picture.sha256,
    field: "locked",
    before: false,
    after: true,
  };
  await dataset.edit("page-one", [edit]);
}

Deno.test("pictures are there before their captions, which arrive one by one while others are edited", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg"]);
  const model = new Model();
  const gate = Promise.withResolvers<void>();
  model.gate = gate.promise;
  const dataset = await withModel(rig, model);
  const asked = model.asked();
  const started = dataset.start();
  await asked;
  assert.deepEqual(dataset.pictures().map(({ name, state }) => [name, state]), [
    ["a.jpg", "waiting"],
    ["b.jpg", "waiting"],
  ]);
  await write(dataset, named(dataset, "a.jpg"), "photo of main_hall, mine");
  const all = dataset.pictures().map(({ sha256 }) => sha256);
  assert.equal((await dataset.forecast(all)).pictures, 2, "a forecast does not wait for the run");
  gate.resolve();
  await started;
  const [a, b] = dataset.pictures();
  assert.deepEqual([a!.state, a!.caption, a!.source], [
    "edited",
    "photo of main_hall, mine",
    "person",
  ]);
  assert.deepEqual([b!.state, b!.source, b!.model], ["auto", "model", "see-1"]);
  assert.equal(dataset.progress().phase, "idle");
  dataset.close();
});

Deno.test("a trigger word in what a person writes is kept as a mark, so that another one takes its place", async () => {
  await using rig = await withPhotos(["a.jpg"]);
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  await write(dataset, named(dataset, "a.jpg"), "photo of main_hall, a hall\nin two lines");
  dataset.close();
  assert.match(
    Deno.readTextFileSync(rig.path("out/decisions.jsonl")),
    /"after":"photo of \{trigger\}, a hall in two lines"/,
  );
  const other = await openDataset(rig.folder, { text: recipeText({ trigger: "library" }) });
  await other.start();
  assert.equal(named(other, "a.jpg").caption, "photo of library, a hall in two lines");
  other.close();
});

Deno.test("a caption without its trigger word has that as its problem; approving and editing change its state", async () => {
  await using rig = await withPhotos(["a.jpg"]);
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const said = named(dataset, "a.jpg");
  assert.equal(said.source, "draft");
  await write(dataset, said, "photo of a room");
  assert.match(named(dataset, "a.jpg").problems.join(), /"main_hall" is not in it/);
  await decide(dataset, named(dataset, "a.jpg"), "approved");
  assert.equal(named(dataset, "a.jpg").state, "approved");
  await write(dataset, named(dataset, "a.jpg"), "photo of main_hall, a room");
  assert.equal(named(dataset, "a.jpg").state, "edited");
  await write(dataset, named(dataset, "a.jpg"), said.caption);
  assert.deepEqual([named(dataset, "a.jpg").state, named(dataset, "a.jpg").source], [
    "auto",
    "draft",
  ]);
  assert.deepEqual(dataset.history(said.sha256).map(({ field, after }) => [field, after]), [
    ["caption", "photo of a room"],
    ["state", "approved"],
    ["caption", "photo of main_hall, a room"],
    ["state", "auto"],
  ]);
  dataset.close();
});

Deno.test("an emptied caption needs review, approved or not, and the export says which it is", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg"]);
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const said = named(dataset, "a.jpg");
  await write(dataset, said, " ");
  assert.equal(named(dataset, "a.jpg").state, "needs_review");
  assert.deepEqual(named(dataset, "a.jpg").problems[0], "the caption is empty");
  await decide(dataset, named(dataset, "a.jpg"), "approved");
  assert.equal(named(dataset, "a.jpg").state, "needs_review");
  const { files: [preview] } = await dataset.preview();
  assert.deepEqual(preview!.lines[0], { text: "a.jpg:  ", marks: ["empty"] });
  const outcome = await dataset.export({ overwrite: false });
  assert.ok(outcome.type === "written");
  const [{ empty, need_review, notes }] = outcome.zips as [typeof outcome.zips[number]];
  assert.deepEqual([empty, need_review, notes], [["a.jpg"], 1, []]);
  await write(dataset, named(dataset, "a.jpg"), "photo of main_hall, a room");
  assert.equal(named(dataset, "a.jpg").state, "edited");
  dataset.close();
});

Deno.test("a change that is sent twice is taken once; of two pages the last one wins, and is told", async () => {
  await using rig = await withPhotos(["a.jpg"]);
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const { sha256: image, caption } = named(dataset, "a.jpg");
  const change = (number: number, after: string): Edit => ({
    number,
    image,
    field: "caption",
    before: caption,
    after,
  });
  await dataset.edit("page-aaa", [change(1, "one of main_hall")]);
  await dataset.edit("page-aaa", [change(1, "one of main_hall")]);
  const theirs = await dataset.edit("page-bbb", [change(1, "two of main_hall")]);
  assert.deepEqual(theirs.overwritten, [{ image, caption: "one of main_hall" }]);
  assert.equal(named(dataset, "a.jpg").caption, "two of main_hall");
  assert.deepEqual(dataset.history(image).map(({ after, by }) => [after, by]), [
    ["one of main_hall", "page-aaa"],
    ["two of main_hall", "page-bbb"],
  ]);
  dataset.close();
});

Deno.test("asking anew calls for those alone, leaves locked ones, and puts a person's text into the history", async () => {
  const names = ["a[1] (2)!.jpg", "a1.jpg", "b.jpg", "c.jpg"];
  await using rig = await withPhotos(names);
  const model = new Model();
  const dataset = await withModel(rig, model);
  await dataset.start();
  assert.equal(model.questions.length, 4);
  await write(dataset, named(dataset, names[0]!), "photo of main_hall, mine");
  await lock(dataset, named(dataset, "b.jpg"));
  const before = named(dataset, "b.jpg").caption;
  const images = [names[0]!, "b.jpg"].map((name) => named(dataset, name).sha256);
  const forecast = await dataset.forecast(images);
  assert.deepEqual([forecast.pictures, forecast.locked], [1, 1]);
  assert.match(forecast.cost!, /^1 call to see-1, about 360 tokens, about \$0\.00020$/);
  assert.equal(model.questions.length, 4, "a forecast calls nobody");
  model.says = () => answer("something new");
  dataset.regenerate(images);
  await dataset.settled();
  assert.equal(model.questions.length, 5);
  const anew = named(dataset, names[0]!);
  assert.deepEqual([anew.state, anew.source], ["auto", "model"]);
  assert.match(anew.caption, /something new/);
  assert.equal(named(dataset, "b.jpg").caption, before);
  assert.deepEqual(dataset.history(anew.sha256).map(({ after }) => after), [
    "photo of main_hall, mine",
    "auto",
  ]);
  dataset.close();
});

Deno.test("a person's text stays where asking anew fails, and where it was changed meanwhile", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg"]);
  const model = new Model();
  const dataset = await withModel(rig, model);
  await dataset.start();
  for (const name of ["a.jpg", "b.jpg"]) {
    await write(dataset, named(dataset, name), `photo of main_hall, ${name}`);
  }
  model.says = () => {
    throw new VisionProblem("the picture is too dark", "rejected-image", false);
  };
  dataset.regenerate([named(dataset, "a.jpg").sha256]);
  await dataset.settled();
  assert.equal(named(dataset, "a.jpg").caption, "photo of main_hall, a.jpg");
  assert.match(named(dataset, "a.jpg").reason!, /too dark/);
  const gate = Promise.withResolvers<void>();
  model.gate = gate.promise;
  model.says = () => answer("new");
  const asked = model.asked();
  dataset.regenerate([named(dataset, "b.jpg").sha256]);
  await asked;
  await write(dataset, named(dataset, "b.jpg"), "photo of main_hall, typed meanwhile");
  gate.resolve();
  await dataset.settled();
  assert.equal(named(dataset, "b.jpg").caption, "photo of main_hall, typed meanwhile");
  dataset.close();
});

Deno.test("one picture that fails is named with its reason; what holds for all is said once", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg", "c.jpg"]);
  const model = new Model();
  model.says = () => {
    throw new VisionProblem("Cannot ask: no key is set (set GEMINI_API_KEY)", "no-key", true);
  };
  const dataset = await withModel(rig, model);
  await dataset.start();
  const states = dataset.pictures().map(({ state }) => state);
  assert.equal(states.filter((state) => state === "failed").length >= 1, true);
  assert.ok(states.every((state) => state === "failed" || state === "waiting"), states.join());
  assert.ok(dataset.pictures().every(({ reason }) => /GEMINI_API_KEY/.test(reason!)));
  model.says = () => answer("a table");
  dataset.lookAgain();
  await dataset.settled();
  assert.deepEqual(dataset.pictures().map(({ state, reason }) => [state, reason]), [
    ["auto", null],
    ["auto", null],
    ["auto", null],
  ]);
  dataset.close();
});

Deno.test("what a person writes of a picture that no model captions is exported, but not of a cut file", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg", "c.jpg"]);
  const whole = Deno.readFileSync(rig.path("photos/c.jpg"));
  rig.write({ "photos/c.jpg": whole.subarray(0, whole.length >> 1) });
  const model = new Model();
  model.says = () => {
    throw new VisionProblem("Cannot ask: no key is set (set GEMINI_API_KEY)", "no-key", true);
  };
  const dataset = await withModel(rig, model);
  await dataset.start();
  await write(dataset, named(dataset, "a.jpg"), "photo of main_hall, by hand");
  await write(dataset, named(dataset, "c.jpg"), "photo of main_hall, cut");
  const { state, source, reason } = named(dataset, "a.jpg");
  assert.deepEqual([state, source], ["edited", "person"]);
  assert.match(reason!, /GEMINI_API_KEY/);
  assert.equal(named(dataset, "c.jpg").state, "failed");
  const preview = await dataset.preview();
  assert.deepEqual(preview.files[0]!.lines.map(({ text }) => text), [
    "a.jpg: photo of main_hall, by hand",
  ]);
  assert.deepEqual(preview.leftOut, ["b.jpg", "c.jpg"]);
  const outcome = await dataset.export({ overwrite: false });
  assert.ok(outcome.type === "written");
  assert.match(outcome.zips[0]!.verification, /^1 image, 1 caption used/);
  assert.deepEqual(outcome.leftOut.map((line) => line.split(":")[0]), ["b.jpg", "c.jpg"]);
  assert.equal(
    Deno.readTextFileSync(rig.path("out/metadata.txt")),
    "a.jpg: photo of main_hall, by hand\n",
  );
  dataset.close();
});

Deno.test("files of the same bytes are one picture; a broken one is named; a removed one goes", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg"]);
  rig.write({
    "photos/copy.jpg": Deno.readFileSync(rig.path("photos/a.jpg")),
    "photos/broken.jpg": "no picture",
  });
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  assert.deepEqual(dataset.pictures().map(({ name, copies }) => [name, ...copies]), [
    ["a.jpg", "copy.jpg"],
    ["b.jpg"],
  ]);
  assert.deepEqual(dataset.pictures().map(({ repeats }) => repeats), [1, 0]);
  const { problems, failures: [unreadable, ...others] } = dataset.progress();
  assert.deepEqual([problems, others], [[], []]);
  assert.equal(
    unreadable!.headline,
    "1 picture left out: the file is not a picture (not-an-image at photos, ingest.scan)",
  );
  assert.deepEqual(unreadable!.examples.map(({ item }) => item), ["broken.jpg"]);
  assert.match(unreadable!.advice.join(), /take the file out of the folder/);
  const removed = named(dataset, "b.jpg").sha256;
  Deno.removeSync(rig.path("photos/b.jpg"));
  const told = until(dataset, (event) => event.type === "removed" && event.images[0] === removed);
  dataset.lookAgain();
  await Promise.all([told, dataset.settled()]);
  assert.equal(dataset.pictures().length, 1);
  dataset.close();
});

Deno.test("the preview is the metadata.txt that the export writes, with drafts marked", async () => {
  await using rig = await withPhotos(["b: x.jpg", "A.JPG", "sub/c.jpg"]);
  rig.write({ "photos/d.webp": await photo(80, 60, { seed: 8, format: "webp" }) });
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  await write(dataset, named(dataset, "A.JPG"), "photo of main_hall, mine: all of it");
  const { files: [preview], leftOut } = await dataset.preview();
  const outcome = await dataset.export({ overwrite: false });
  assert.equal(outcome.type, "written");
  const written = Deno.readTextFileSync(rig.path("out/metadata.txt"));
  assert.equal(preview!.lines.map(({ text }) => `${text}\n`).join(""), written);
  assert.deepEqual(preview!.lines.map(({ marks }) => marks), [[], ["draft"], ["draft"], ["draft"]]);
  assert.deepEqual(leftOut, []);
  dataset.close();
});

Deno.test("the preview has the names that files have in the zip, also of those that are converted", async () => {
  await using rig = await withPhotos(["a.JPEG", "upright.jpg"]);
  const tiff = await sharp(await photo(60, 40, { seed: 4 })).tiff().toBuffer();
  const drawing = { width: 90, height: 60, channels: 3, background: "red" } as const;
  const sideways = await sharp({ create: drawing }).withMetadata({ orientation: 6 }).png()
    .toBuffer();
  const photographed = await sharp(await photo(60, 40, { seed: 5 }))
    .withMetadata({ orientation: 8 }).webp().toBuffer();
  rig.write({
    "photos/scan.tiff": new Uint8Array(tiff),
    "photos/drawing.tif": new Uint8Array(await sharp({ create: drawing }).tiff().toBuffer()),
    "photos/screen.png": new Uint8Array(sideways),
    "photos/phone.webp": new Uint8Array(photographed),
  });
  const dataset = await openDataset(rig.folder, { text: recipeText({ isPrepared: true }) });
  await dataset.start();
  const { files: [preview] } = await dataset.preview();
  assert.equal(dataset.progress().phase, "idle");
  assert.ok((await dataset.export({ overwrite: false })).type === "written");
  const zip = await openZip(Deno.readFileSync(rig.path("out/main_hall_training.zip")));
  const names = preview!.lines.map(({ text }) => text.split(": ")[0]);
  assert.deepEqual(names, zip.paths.filter((path) => !path.endsWith(".txt")).sort());
  assert.deepEqual(names, [
    "a.JPEG",
    "drawing.png",
    "phone.jpg",
    "scan.jpg",
    "screen.png",
    "upright.jpg",
  ]);
  dataset.close();
});

Deno.test("an export is verified, asks before it replaces, and gives its zip by its hash", async () => {
  await using rig = await withPhotos(["a.jpg", "b.jpg"]);
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const first = await dataset.export({ overwrite: false });
  assert.ok(first.type === "written");
  const [zip] = first.zips;
  assert.equal(zip!.verification, "2 images, 2 captions used, 0 would be auto-captioned");
  const served = await dataset.zip(zip!.sha256);
  assert.deepEqual([served!.name, sha256(served!.bytes)], ["main_hall_training.zip", zip!.sha256]);
  assert.equal(await dataset.zip("0".repeat(64)), undefined);
  await write(dataset, named(dataset, "a.jpg"), "photo of main_hall, changed");
  const second = await dataset.export({ overwrite: false });
  assert.ok(second.type === "exists");
  assert.match(second.reason, /"metadata\.txt".* there already and would change$/);
  assert.doesNotMatch(Deno.readTextFileSync(rig.path("out/metadata.txt")), /changed/);
  const third = await dataset.export({ overwrite: true });
  assert.equal(third.type, "written");
  assert.match(Deno.readTextFileSync(rig.path("out/metadata.txt")), /main_hall, changed/);
  dataset.close();
});

Deno.test("an export that had to wait for another run is said to be one when its turn comes", async () => {
  await using rig = await withPhotos(["a.jpg"]);
  const model = new Model();
  const said: string[] = [];
  const note = () => said.push(progressWords(dataset.progress()));
  model.says = () => {
    throw new VisionProblem("Cannot ask: no key is set (set GEMINI_API_KEY)", "no-key", true);
  };
  const dataset = await withModel(rig, model);
  await dataset.start();
  model.says = () => {
    note();
    return answer("a room");
  };
  const holder = { pid: Deno.pid, run: "nightly", since: "" };
  const lock = await WorkspaceLock.acquire(rig.path(".tintype/lock"), () => holder, () => {});
  const isHeldUp = until(dataset, () => dataset.progress().phase === "held-up");
  const exported = dataset.export({ overwrite: false });
  await isHeldUp;
  note();
  lock.release();
  assert.equal((await exported).type, "written");
  assert.deepEqual(said, [
    "Waiting: run nightly is at work in this workspace",
    "Exporting: 0 of 1 captions",
  ]);
  dataset.close();
});

Deno.test("an export of a dataset that cannot be right says why", async () => {
  await using rig = await withPhotos(["a.jpg"]);
  rig.write({ "photos/a.png": await photo(50, 50, { format: "png" }) });
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const [failure] = dataset.progress().failures;
  assert.match(failure!.headline, /^1 task failed: .* \([a-z-]+ at checked, dataset\.check\)$/);
  assert.match(failure!.examples[0]!.reason, /share one caption file/);
  const outcome = await dataset.export({ overwrite: false });
  assert.ok(outcome.type === "failed");
  assert.match(outcome.reason, /share one caption file/);
  dataset.close();
});

Deno.test("thumbnails are small and upright, and made once; a file that changed is not served", async () => {
  await using rig = await withPhotos([]);
  const sideways = await sharp(await photo(900, 600)).withMetadata({ orientation: 6 }).jpeg()
    .toBuffer();
  rig.write({ "photos/a.jpg": new Uint8Array(sideways) });
  const dataset = await openDataset(rig.folder);
  await dataset.start();
  const { sha256: image } = named(dataset, "a.jpg");
  const served = await dataset.view(image, "thumbnail");
  const { width, height, format } = await sharp(served!.bytes).metadata();
  assert.deepEqual([width, height, format, served!.type], [213, 320, "jpeg", "image/jpeg"]);
  rig.write({ "photos/a.jpg": await photo(30, 20) });
  assert.deepEqual((await dataset.view(image, "thumbnail"))!.bytes, served!.bytes);
  assert.equal(await dataset.view(image, "large"), undefined);
  assert.equal(await dataset.view("f".repeat(64), "large"), undefined);
  dataset.close();
});

Deno.test("with {folder} each picture has its folder's trigger word", async () => {
  await using rig = await withPhotos(["Main Hall/a.jpg", "library/b.jpg"]);
  rig.write({ "photos/library/hall.jpg": Deno.readFileSync(rig.path("photos/Main Hall/a.jpg")) });
  const dataset = await openDataset(rig.folder, { text: recipeText({ trigger: "{folder}" }) });
  await dataset.start();
  assert.deepEqual(dataset.pictures().map(({ trigger }) => trigger), ["main_hall", "library"]);
  assert.deepEqual(
    dataset.pictures().map(({ copies, repeats }) => [copies.length, repeats]),
    [[1, 0], [0, 0]],
    "each copy is in a dataset of its own",
  );
  await write(dataset, named(dataset, "library/b.jpg"), "photo of library, mine");
  const { files } = await dataset.preview();
  assert.deepEqual(files.map(({ path }) => path), [
    "library/metadata.txt",
    "main_hall/metadata.txt",
  ]);
  dataset.close();
});

Deno.test("the preview names its files as the export does, whatever the trigger words", async () => {
  for (const trigger of ["{folder}", "main_hall"]) {
    for (const names of [["library/a.jpg"], ["library/a.jpg", "hall/b.jpg"]]) {
      await using rig = await withPhotos(names);
      const dataset = await openDataset(rig.folder, { text: recipeText({ trigger }) });
      await dataset.start();
      const { files } = await dataset.preview();
      assert.equal((await dataset.export({ overwrite: false })).type, "written");
      for (const { path, lines } of files) {
        const written = Deno.readTextFileSync(rig.path(`out/${path}`));
        assert.equal(lines.map(({ text }) => `${text}\n`).join(""), written);
      }
      assert.equal(files.length, trigger === "main_hall" ? 1 : names.length);
      dataset.close();
    }
  }
});

Deno.test("a recipe without captions cannot be reviewed, and it is said what is missing", async () => {
  await using rig = await withPhotos(["a.jpg"]);
  const text = recipeText().replaceAll(", decisions: decisions", "").replace(
    /^ {2}decisions: .*$/m,
    "",
  );
  await assert.rejects(() => openDataset(rig.folder, { text }), {
    name: "NotReviewable",
    message: /"final" has nothing at "decisions" \(wire decisions\.read to it\)/,
  });
});
