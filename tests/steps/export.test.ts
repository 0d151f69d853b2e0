import assert from "node:assert/strict";
import { z } from "zod";
import sharp from "sharp";
import type { Caption } from "../../src/captions/caption.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { Catalog } from "../../src/runtime/catalog.ts";
import { defineStep, each, produced, rejected } from "../../src/runtime/step.ts";
import { targetNames } from "../../src/export/targets.ts";
import { caption } from "../../src/steps/caption/kinds.ts";
import { exportLora } from "../../src/steps/export/lora.ts";
import { image } from "../../src/steps/kinds.ts";
import { proxy } from "../../src/steps/image/proxy.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { photo, PictureRig } from "../picture_rig.ts";

/** Captions by name; "mute" has none, "blank" one of no words. */
const say = defineStep({
  name: "test.say",
  version: 1,
  doc: "Says.",
  origin: "computed",
  usesItemName: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({ words: z.string().default("a room") }),
  outputs: { caption: each(caption, "captions") },
  run(_, { words }, { itemName }) {
    if (itemName.includes("mute")) return rejected("it said nothing");
    const said: Caption = {
      text: itemName.includes("blank")
        ? ""
        : `photo of hall, ${words}, "${itemName.replaceAll("/", " ")}"`,
      slots: {},
      profile: "space",
      state: "auto",
      locked: false,
      source: "model",
      provider: null,
      model: null,
      problems: [],
    };
    return produced({ caption: said });
  },
});

const catalog = new Catalog([scan, proxy, say, exportLora]);

function recipe(more = "", words = "a room"): string {
  return `
recipe: export
steps:
  photos:   { use: ingest.scan, with: { folder: ./photos } }
  prepared: { use: image.proxy, from: photos, with: { short_side_px: 16384, quality: 95 } }
  said:     { use: test.say, from: photos, with: { words: "${words}" } }
  dataset:  { use: export.lora, from: { image: photos, caption: said, prepared: prepared }, with: { folder: ./out, trigger: hall${more} } }
`;
}

async function withPhotos(): Promise<PictureRig> {
  const rig = new PictureRig({ catalog });
  const sideways = await sharp(await photo(90, 60, { seed: 4 })).withMetadata({ orientation: 6 })
    .jpeg().toBuffer();
  rig.write({
    "photos/b.jpg": await photo(90, 60, { seed: 1 }),
    "photos/A one.JPG": await photo(90, 60, { seed: 2 }),
    "photos/c.webp": await photo(90, 60, { seed: 3, format: "webp" }),
    "photos/sideways.jpg": new Uint8Array(sideways),
    "photos/ünï.png": await photo(90, 60, { seed: 5, format: "png" }),
  });
  return rig;
}

/** The zip's files as an independent program sees them. */
function unzip(rig: PictureRig, file = "out/hall_training.zip"): Map<string, Uint8Array> {
  const to = rig.path("unzipped");
  const { code, stderr } = new Deno.Command("unzip", {
    args: ["-o", "-q", rig.path(file), "-d", to],
    env: { LC_ALL: "C.UTF-8" },
  }).outputSync();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const files = new Map<string, Uint8Array>();
  const walk = (folder: string, below: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) walk(`${folder}/${name}`, `${below}${name}/`);
      else files.set(`${below}${name}`, Deno.readFileSync(`${folder}/${name}`));
    }
  };
  walk(to, "");
  Deno.removeSync(to, { recursive: true });
  return files;
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

Deno.test("the zip has original names and bytes, and a text beside each", async () => {
  await using rig = await withPhotos();
  const { status } = await rig.run(recipe());
  assert.equal(status, "complete");
  const files = unzip(rig);
  assert.deepEqual([...files.keys()].sort(), [
    "A one.JPG",
    "A one.txt",
    "b.jpg",
    "b.txt",
    "c.txt",
    "c.webp",
    "sideways.jpg",
    "sideways.txt",
    "ünï.png",
    "ünï.txt",
  ]);
  assert.deepEqual(files.get("b.jpg"), Deno.readFileSync(rig.path("photos/b.jpg")));
  assert.equal(text(files.get("b.txt")), 'photo of hall, a room, "b.jpg"\n');
});

Deno.test("a photo that lies sideways goes in upright, as trainers pass over orientation", async () => {
  await using rig = await withPhotos();
  const { events } = await rig.run(recipe());
  const { width, height, orientation } = await sharp(unzip(rig).get("sideways.jpg")).metadata();
  assert.deepEqual([width, height, orientation ?? 1], [60, 90, 1]);
  const summary = events.filter((event) => event.type === "summary").map(({ line }) => line);
  assert.deepEqual(summary, [
    "hall_training.zip for replicate-flux: 5 images, 5 captions used, 0 would be auto-captioned; " +
    "1 prepared (turned upright or converted)",
  ]);
});

Deno.test("metadata.txt has a line a picture, alphabetical, UTF-8, LF", async () => {
  await using rig = await withPhotos();
  await rig.run(recipe());
  assert.equal(
    Deno.readTextFileSync(rig.path("out/metadata.txt")),
    ["A one.JPG", "b.jpg", "c.webp", "sideways.jpg", "ünï.png"]
      .map((name) => `${name}: photo of hall, a room, "${name}"\n`).join(""),
  );
});

for (const [target, table] of [["cog-sdxl", "caption.csv"], ["hf-imagefolder", "metadata.jsonl"]]) {
  Deno.test(`the loose ${table} names the pictures as they are in the zip`, async () => {
    await using rig = await withPhotos();
    rig.write({ "photos/attic/d.jpeg": await photo(90, 60, { seed: 6 }) });
    const tiff = await sharp(await photo(90, 60, { seed: 7 })).tiff().toBuffer();
    rig.write({ "photos/attic/e.tif": new Uint8Array(tiff) });
    const { status } = await rig.run(recipe(`, target: ${target}, images: prepared`));
    assert.equal(status, "complete");
    const zipped = unzip(rig);
    const loose = Deno.readTextFileSync(rig.path(`out/captions/${table}`));
    assert.equal(loose, text(zipped.get(table!)));
    const pictures = [...zipped.keys()].filter((name) => name !== table);
    assert.ok(pictures.includes("d.jpeg") && pictures.includes("e.jpg"), `${pictures}`);
    for (const name of pictures) assert.ok(loose.includes(name), name);
    assert.ok(!loose.includes("attic/"), loose);
  });
}

Deno.test("loose text files are named as the originals, to lie beside them", async () => {
  await using rig = await withPhotos();
  rig.write({ "photos/attic/d.jpeg": await photo(90, 60, { seed: 6 }) });
  await rig.run(recipe());
  const there = Deno.readTextFileSync(rig.path("out/captions/attic/d.txt"));
  assert.equal(there, text(unzip(rig).get("d.txt")));
});

for (const target of targetNames) {
  Deno.test(`${target} reads every picture with its caption, by its own rules`, async () => {
    await using rig = await withPhotos();
    const { status } = await rig.run(recipe(`, target: ${target}`));
    assert.equal(status, "complete");
    const [row] = await rig.query("SELECT zips FROM dataset");
    const [zip] = JSON.parse(row!["zips"] as string);
    assert.equal(zip.verification, "5 images, 5 captions used, 0 would be auto-captioned");
    assert.equal(zip.sha256, sha256(Deno.readFileSync(rig.path("out/hall_training.zip"))));
    unzip(rig);
  });
}

Deno.test("the zip is the same bytes each time, also from nothing", async () => {
  await using rig = await withPhotos();
  await rig.run(recipe());
  const first = sha256(Deno.readFileSync(rig.path("out/hall_training.zip")));
  await Deno.remove(rig.path("out"), { recursive: true });
  await Deno.remove(rig.path(".tintype"), { recursive: true });
  await rig.run(recipe());
  assert.equal(sha256(Deno.readFileSync(rig.path("out/hall_training.zip"))), first);
});

Deno.test("what is there and differs is not overwritten unless told to; a rerun is calm", async () => {
  await using rig = await withPhotos();
  await rig.run(recipe());
  const again = await rig.run(recipe());
  assert.deepEqual([again.status, again.counts.ran], ["complete", 0]);
  const before = Deno.readTextFileSync(rig.path("out/metadata.txt"));
  const { status, events } = await rig.run(recipe("", "another room"));
  assert.equal(status, "failed");
  const failure = events.find((event) =>
    event.type === "task-settled" && event.outcome === "failed"
  );
  assert.match(
    (failure as { reason: string }).reason,
    /"hall_training.zip", "metadata.txt", .* are there already and would change \(--overwrite/,
  );
  assert.equal(Deno.readTextFileSync(rig.path("out/metadata.txt")), before);
  const forced = await rig.run(recipe(", overwrite: true", "another room"));
  assert.equal(forced.status, "complete");
  assert.match(Deno.readTextFileSync(rig.path("out/metadata.txt")), /another room/);
});

Deno.test("a file that somebody removed is written again", async () => {
  await using rig = await withPhotos();
  await rig.run(recipe());
  Deno.removeSync(rig.path("out/metadata.txt"));
  await rig.run(recipe());
  assert.ok(Deno.statSync(rig.path("out/metadata.txt")).isFile);
});

Deno.test("a picture without a caption is left out and named, never captioned by somebody else", async () => {
  await using rig = await withPhotos();
  rig.write({ "photos/mute.jpg": await photo(80, 60, { seed: 8 }) });
  const { status } = await rig.run(recipe());
  assert.equal(status, "complete");
  assert.ok(!unzip(rig).has("mute.jpg"));
  const [row] = await rig.query("SELECT left_out FROM dataset");
  assert.match(row!["left_out"] as string, /mute\.jpg: it said nothing/);
});

for (const target of targetNames) {
  Deno.test(`an empty caption is exported for ${target}, and named`, async () => {
    await using rig = await withPhotos();
    rig.write({ "photos/blank.jpg": await photo(80, 60, { seed: 8 }) });
    const { status, events } = await rig.run(recipe(`, target: ${target}`));
    assert.equal(status, "complete");
    const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
    assert.deepEqual(warnings, [
      '1 caption is empty, and trained on without a description: "blank.jpg"',
    ]);
    const summary = events.find((event) => event.type === "summary")!.line;
    assert.match(summary, /6 images, 6 captions used, .*; 1 is empty$/);
    const [row] = await rig.query("SELECT zips FROM dataset");
    assert.deepEqual(JSON.parse(row!["zips"] as string)[0].empty, ["blank.jpg"]);
  });
}

Deno.test("a picture that the trainer does not read is converted, or named with the way out", async () => {
  await using rig = await withPhotos();
  const tiff = await sharp(await photo(50, 40, { seed: 7 })).tiff().toBuffer();
  rig.write({ "photos/scan.tif": new Uint8Array(tiff) });
  await rig.run(recipe());
  const names = [...unzip(rig).keys()];
  assert.ok(
    names.includes("scan.txt") && (names.includes("scan.jpg") || names.includes("scan.png")),
  );
  const { events } = await rig.run(recipe(", images: original, overwrite: true"));
  const failure = events.find((event) =>
    event.type === "task-settled" && event.outcome === "failed"
  );
  assert.match((failure as { reason: string }).reason, /"scan.tif" for replicate-flux: it is tiff/);
});

Deno.test("with {folder} each folder becomes a dataset of its own", async () => {
  await using rig = new PictureRig({ catalog });
  for (const [index, name] of ["main hall/a", "main hall/b", "library/a"].entries()) {
    rig.write({ [`photos/${name}.jpg`]: await photo(80, 60, { seed: index + 1 }) });
  }
  const { status } = await rig.run(recipe().replace("trigger: hall", 'trigger: "{folder}"'));
  assert.equal(status, "complete");
  assert.deepEqual(
    [...unzip(rig, "out/main_hall/main_hall_training.zip").keys()].sort(),
    ["a.jpg", "a.txt", "b.jpg", "b.txt"],
  );
  assert.equal(unzip(rig, "out/library/library_training.zip").size, 2);
});
