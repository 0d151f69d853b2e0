import assert from "node:assert/strict";
import { photo, PictureRig } from "../picture_rig.ts";

function recipe(options = ""): string {
  return `
recipe: scan
steps:
  photos: { use: ingest.scan, with: { folder: ./photos${options} } }
  facts: { use: inspect.metadata, from: photos }
`;
}

async function itemsOf(rig: PictureRig, yaml: string): Promise<unknown[]> {
  await rig.run(yaml);
  return (await rig.query("SELECT item FROM items")).map((row) => row["item"]);
}

Deno.test("a scan finds pictures in all folders, in a stable order, whatever their case", async () => {
  await using rig = new PictureRig();
  const picture = await photo(16, 16);
  rig.write({
    "photos/b.JPG": picture,
    "photos/a.jpg": picture,
    "photos/sub/deep/c.jpeg": picture,
    "photos/a/z.jpg": picture,
    "photos/notes.txt": "not a picture",
    "photos/.hidden/d.jpg": picture,
    "photos/.e.jpg": picture,
  });
  assert.deepEqual(await itemsOf(rig, recipe()), [
    "a/z.jpg",
    "a.jpg",
    "b.JPG",
    "sub/deep/c.jpeg",
  ]);
  assert.deepEqual(await itemsOf(rig, recipe(", hidden: true, include: ['**/*.jpg']")), [
    ".e.jpg",
    ".hidden/d.jpg",
    "a/z.jpg",
    "a.jpg",
    "b.JPG",
  ]);
  assert.deepEqual(await itemsOf(rig, recipe(", exclude: ['sub/**', 'A.JPG']")), [
    "a/z.jpg",
    "b.JPG",
  ]);
});

Deno.test("a scan says by their endings what it passed over, unless the recipe says what to take", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(16, 16),
    "photos/a.xmp": "sidecar",
    "photos/sub/b.XMP": "sidecar",
    "photos/raw.CR2": "raw",
    "photos/no_ending": "a picture, perhaps",
    "photos/.DS_Store": "hidden",
  });
  const summaryOf = async (yaml: string) =>
    (await rig.run(yaml)).events.flatMap((event) => event.type === "summary" ? event.line : []);
  const passedOver = "passed over by their endings: 2 .xmp, 1 .cr2 and 1 without ending";
  assert.deepEqual(await summaryOf(recipe()), [passedOver]);
  assert.deepEqual(await summaryOf(recipe()), [passedOver]);
  assert.deepEqual(await summaryOf(recipe(", exclude: ['sub/**', '*.cr2']")), [
    "passed over by their endings: 1 .xmp and 1 without ending",
  ]);
  assert.deepEqual(await summaryOf(recipe(", include: ['**/*.jpg']")), []);
});

Deno.test("without patterns of one's own the same is found as with the default written out", async () => {
  await using rig = new PictureRig();
  const picture = await photo(16, 16);
  const names = [
    ".jpg",
    "..jpg",
    "a..JPG",
    "jpg",
    "b.jpg.txt",
    "c.jpg/d.tif",
    "line\nbreak.Jpeg",
    "e.bmp",
  ];
  rig.write(Object.fromEntries(names.map((name) => [`photos/${name}`, picture])));
  for (const hidden of [true, false]) {
    const plain = await itemsOf(rig, recipe(`, hidden: ${hidden}`));
    assert.ok(plain.length > 3);
    assert.deepEqual(await itemsOf(rig, recipe(`, hidden: ${hidden}, exclude: [none]`)), plain);
  }
});

Deno.test("odd names are names like others", async () => {
  await using rig = new PictureRig();
  const picture = await photo(16, 16);
  const names = [
    "-rf.jpg",
    " lead.jpg",
    "a b\tc.jpg",
    "line\nbreak.jpg",
    "quo\"te's.jpg",
    "\u00e9t\u00e9.jpg",
    "e\u0301te\u0301.jpg",
    "日本語.jpg",
    "👩‍🚀.jpg",
    "\u202egpj.jpg",
    "100%.jpg",
    "[x]{y}.jpg",
    `${"n".repeat(251)}.jpg`,
  ];
  rig.write(Object.fromEntries(names.map((name) => [`photos/${name}`, picture])));
  const found = await itemsOf(rig, recipe());
  assert.deepEqual([...found].sort(), [...names].sort());
  const { counts } = await rig.run(recipe());
  assert.equal(counts.ran, 0);
});

Deno.test("links to folders are followed once, loops end", async () => {
  await using rig = new PictureRig();
  const picture = await photo(16, 16);
  rig.write({ "photos/a.jpg": picture, "elsewhere/b.jpg": picture });
  Deno.symlinkSync(rig.path("photos"), rig.path("photos/loop"));
  Deno.symlinkSync(rig.path("elsewhere"), rig.path("photos/linked"));
  Deno.symlinkSync(rig.path("nowhere"), rig.path("photos/gone.jpg"));
  const { events } = await rig.run(recipe());
  assert.deepEqual((await rig.query("SELECT item FROM items")).map((row) => row["item"]), [
    "a.jpg",
    "linked/b.jpg",
  ]);
  const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  assert.deepEqual(warnings, [
    'Link "gone.jpg" leads nowhere',
    'Folder "loop/" was passed over: a link leads to it twice',
  ]);
});

Deno.test("a folder that is not there is one clear failure", async () => {
  await using rig = new PictureRig();
  const { events, status } = await rig.run(recipe());
  assert.equal(status, "failed");
  const failure = events.find((event) => event.type === "task-settled");
  assert.match(JSON.stringify(failure), /Cannot scan folder .*photos.*: it is not there/);
});

Deno.test("nothing is published when the scan failed", async () => {
  await using rig = new PictureRig();
  const { counts, events } = await rig.proxy();
  assert.deepEqual([counts.failed, counts.skipped, counts.ran], [1, 2, 0]);
  assert.match(JSON.stringify(events), /held up at .{0,20}: Cannot scan folder/);
  assert.throws(() => Deno.statSync(rig.path("proxies")), Deno.errors.NotFound);
});

Deno.test("what Tintype published is not taken for originals", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(32, 24) });
  await rig.proxy({ out: "photos/proxies", short_side: 16 });
  const { counts } = await rig.proxy({ out: "photos/proxies", short_side: 16 });
  assert.equal(counts.ran, 0);
  assert.equal(counts.cached, 4);
});
