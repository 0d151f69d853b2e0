import assert from "node:assert/strict";
import fc from "fast-check";
import {
  collisionKey,
  fileNamer,
  nameProblem,
  patternProblem,
} from "../../src/steps/publish/names.ts";
import { photo, PictureRig } from "../picture_rig.ts";

function recipe(name: string, more = ""): string {
  return `
recipe: publish
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  files: { use: publish.files, from: photos, with: { folder: ./out, name: "${name}"${more} } }
`;
}

function published(rig: PictureRig): string[] {
  return [...Deno.readDirSync(rig.path("out"))].map((entry) => entry.name)
    .filter((name) => name !== ".tintype-manifest.json").sort();
}

function warningsOf(events: readonly { readonly type: string }[]): string[] {
  return events.flatMap((event) =>
    event.type === "warning" ? [(event as unknown as { message: string }).message] : []
  );
}

Deno.test("files are published under names by pattern, byte for byte", async () => {
  await using rig = new PictureRig();
  const [a, b] = [await photo(20, 16), await photo(20, 16, { seed: 2 })];
  rig.write({ "photos/a.jpg": a, "photos/sub/b.JPEG": b });
  await rig.run(recipe("{dir}/{stem}-{index}.{ext}"));
  assert.deepEqual(published(rig), ["a-0001.jpg", "sub"]);
  assert.deepEqual(Deno.readFileSync(rig.path("out/a-0001.jpg")), a);
  assert.deepEqual(Deno.readFileSync(rig.path("out/sub/b-0002.jpg")), b);
});

Deno.test("collisions are found before anything is written", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(20, 16), "photos/sub/a.jpg": await photo(16, 20) });
  const { events, status } = await rig.run(recipe("{stem}.{ext}"));
  assert.equal(status, "failed");
  assert.match(
    JSON.stringify(events),
    /\\"a\.jpg\\" and \\"sub\/a\.jpg\\" would both be \\"a\.jpg\\" \(add \{id\} or \{dir\} to the name\)/,
  );
  assert.throws(() => Deno.statSync(rig.path("out")), Deno.errors.NotFound);
});

/** The same picture's name in the two forms of Unicode, and in two cases. */
const twins = ["caf\u00e9.jpg", "cafe\u0301.jpg", "trip.jpg", "TRIP.jpg"] as const;

Deno.test({
  name: "names that differ in case or Unicode form are files of their own where the disk has both",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using rig = new PictureRig();
    for (const [seed, name] of [...twins, "other.jpg"].entries()) {
      rig.write({ [`photos/${name}`]: await photo(20, 16, { seed: seed + 1 }) });
    }
    const { events, status } = await rig.run(recipe("{stem}.{ext}"));
    assert.equal(status, "complete");
    for (const name of [...twins, "other.jpg"]) {
      assert.deepEqual(
        Deno.readFileSync(rig.path(`out/${name}`)),
        Deno.readFileSync(rig.path(`photos/${name}`)),
      );
    }
    const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
    assert.equal(warnings.length, 2);
    assert.match(warnings.join("\n"), /"trip\.jpg" .*are different files here, and one file on/);
    assert.deepEqual(published(rig).sort(), [...twins, "other.jpg"].sort(), "nothing else is left");
    assert.equal((await rig.run(recipe("{stem}.{ext}"))).counts.ran, 0);
  },
});

Deno.test("a file that a person changed is kept and reported, until told otherwise", async () => {
  await using rig = new PictureRig();
  const a = await photo(20, 16);
  rig.write({ "photos/a.jpg": a });
  await rig.run(recipe("{stem}.{ext}"));
  rig.write({ "out/a.jpg": "by hand" });
  const kept = await rig.run(recipe("{stem}.{ext}"));
  assert.equal(Deno.readTextFileSync(rig.path("out/a.jpg")), "by hand");
  assert.deepEqual(warningsOf(kept.events), ['"a.jpg" was changed by hand and is kept as it is']);
  const again = await rig.run(recipe("{stem}.{ext}"));
  assert.equal(again.counts.ran, 0);
  assert.deepEqual(warningsOf(again.events), ['"a.jpg" was changed by hand and is kept as it is']);
  rig.write({ "photos/a.jpg": await photo(16, 16) });
  await rig.run(recipe("{stem}.{ext}"));
  assert.equal(Deno.readTextFileSync(rig.path("out/a.jpg")), "by hand");
  await rig.run(recipe("{stem}.{ext}", ", overwrite: true"));
  assert.deepEqual(
    Deno.readFileSync(rig.path("out/a.jpg")),
    Deno.readFileSync(rig.path("photos/a.jpg")),
  );
});

Deno.test("a file that is not ours is never overwritten", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(20, 16),
    "photos/b.jpg": await photo(16, 20),
    "out/a.jpg": "foreign",
  });
  const { events, status, counts } = await rig.run(recipe("{stem}.{ext}"));
  assert.equal(status, "failed");
  assert.equal(counts.failed, 1);
  assert.equal(Deno.readTextFileSync(rig.path("out/a.jpg")), "foreign");
  assert.deepEqual(published(rig), ["a.jpg", "b.jpg"]);
  assert.match(JSON.stringify(events), /something that Tintype did not write is there/);
});

Deno.test("files of removed items go, unless a person changed them or they are not ours", async () => {
  await using rig = new PictureRig();
  const pictures = await Promise.all([1, 2, 3].map((seed) => photo(20, 16, { seed })));
  rig.write({
    "photos/a.jpg": pictures[0]!,
    "photos/b.jpg": pictures[1]!,
    "photos/c.jpg": pictures[2]!,
  });
  await rig.run(recipe("{stem}.{ext}"));
  rig.write({ "out/b.jpg": "edited", "out/mine.txt": "a person's" });
  Deno.removeSync(rig.path("photos/a.jpg"));
  Deno.removeSync(rig.path("photos/b.jpg"));
  const { events } = await rig.run(recipe("{stem}.{ext}"));
  assert.deepEqual(published(rig), ["b.jpg", "c.jpg", "mine.txt"]);
  assert.deepEqual(warningsOf(events), [
    '"b.jpg" belongs to no item any more, but was changed by hand: kept',
  ]);
});

Deno.test("nothing is cleaned when items are missing for another reason than removal", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(20, 16), "photos/b.jpg": await photo(16, 20) });
  await rig.run(recipe("{stem}.{ext}"));
  await rig.run(recipe("{stem}.{ext}"), { limit: 1 });
  assert.deepEqual(published(rig), ["a.jpg", "b.jpg"]);
  for (const name of ["a", "b"]) Deno.removeSync(rig.path(`photos/${name}.jpg`));
  await rig.run(recipe("{stem}.{ext}"));
  assert.deepEqual(published(rig), ["a.jpg", "b.jpg"]);
});

Deno.test("a published file that went missing is published again", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(20, 16) });
  await rig.run(recipe("{stem}.{ext}"));
  Deno.removeSync(rig.path("out/a.jpg"));
  const { events } = await rig.run(recipe("{stem}.{ext}"));
  assert.deepEqual(published(rig), ["a.jpg"]);
  assert.deepEqual(
    events.flatMap((event) => event.type === "task-started" ? [event.why.type] : []),
    ["outside-changed"],
  );
});

Deno.test("publishing into another folder publishes there", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(20, 16) });
  await rig.run(recipe("{stem}.{ext}"));
  await rig.run(recipe("{stem}.{ext}").replace("./out", "./other"));
  assert.ok(Deno.statSync(rig.path("other/a.jpg")).isFile);
});

Deno.test("a name pattern that cannot work is refused with the reason", () => {
  assert.equal(patternProblem("{stem}_{id}_nova.{ext}"), undefined);
  assert.match(patternProblem("{stam}.{ext}")!, /"\{stam\}" is not known \(\{stem\} \{id\}/);
  assert.match(patternProblem("{stem.{ext}")!, /brace/);
  assert.match(patternProblem("../{stem}.{ext}")!, /leaves the folder/);
  assert.match(patternProblem("/tmp/{stem}.{ext}")!, /leaves the folder/);
  assert.match(patternProblem("photo.{ext}")!, /same name/);
});

Deno.test("no expanded name leaves the folder, and other items get other ids", () => {
  const item = fc.array(fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }), {
    minLength: 1,
    maxLength: 3,
  })
    .map((parts) => parts.map((part) => part.replaceAll("/", "_")).join("/"))
    .filter((name) => !name.split("/").some((part) => part === "." || part === ".."));
  fc.assert(fc.property(item, item, (one, two) => {
    const name = (each: string) =>
      fileNamer("{dir}/{stem}_{id}.{ext}")({
        item: each,
        hash: "ab",
        format: "jpeg",
        index: 1,
        count: 2,
      });
    assert.equal(nameProblem(name(one)), undefined);
    assert.equal(collisionKey(name(one)) === collisionKey(name(two)), one === two);
  }));
});
