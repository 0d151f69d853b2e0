import assert from "node:assert/strict";
import { join } from "node:path";
import type { Disk } from "../../src/runtime/disk.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import type { RunReport } from "../../src/runtime/session.ts";
import { manifestName } from "../../src/steps/publish/manifest.ts";
import { checkPublished } from "../../src/steps/publish/published_check.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { pathsIn } from "../torture/killing.ts";

/** Two photos, exported again and again with other settings. */
async function captioned(): Promise<PictureRig> {
  const rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(90, 60, { seed: 1 }),
    "photos/b.jpg": await photo(90, 60, { seed: 2 }),
  });
  return rig;
}

interface Settings {
  readonly trigger?: string;
  readonly target?: string;
}

function recipe({ trigger = "hall_x", target = "replicate-flux" }: Settings): string {
  return `
recipe: export
steps:
  photos:   { use: ingest.scan, with: { folder: ./photos } }
  captions: { use: caption.generate, from: photos }
  final:    { use: caption.compose, from: { image: photos, caption: captions }, with: { trigger: "${trigger}" } }
  dataset:  { use: export.lora, from: { image: photos, caption: final }, with: { folder: ./out, trigger: "${trigger}", target: ${target}, overwrite: true } }
`;
}

/** Exports; with `stopsAfter` it breaks off when so many files are written. */
async function exported(
  rig: PictureRig,
  settings: Settings,
  { stopsAfter = Infinity, limit }: { readonly stopsAfter?: number; readonly limit?: number } = {},
): Promise<RunReport & { readonly events: readonly RunEvent[] }> {
  let left = stopsAfter;
  const disk: Disk = {
    ...localDisk,
    async write(path, ...rest) {
      const isOut = path.startsWith(rig.path("out")) && !path.endsWith(manifestName);
      if (isOut && left-- <= 0) throw new Error("the plug was pulled");
      await localDisk.write(path, ...rest);
    },
  };
  return await rig.run(recipe(settings), { disk, limit });
}

function filesOut(rig: PictureRig): string[] {
  return [...pathsIn(rig.path("out"))].filter((path) => path !== manifestName).sort();
}

const forFlux = ["captions/a.txt", "captions/b.txt", "hall_x_training.zip", "metadata.txt"];
const forKohya = ["captions/a.caption", "captions/b.caption", ...forFlux].sort();

Deno.test("caption files for another trainer do not stay beside those of this one", async () => {
  await using rig = await captioned();
  await exported(rig, { target: "kohya" });
  assert.deepEqual(filesOut(rig), forKohya);
  await exported(rig, {});
  assert.deepEqual(filesOut(rig), forFlux);
});

Deno.test("nor do those of a picture that is gone", async () => {
  await using rig = await captioned();
  await exported(rig, {});
  Deno.removeSync(rig.path("photos/b.jpg"));
  await exported(rig, {});
  assert.deepEqual(filesOut(rig), forFlux.filter((path) => path !== "captions/b.txt"));
});

Deno.test("an export that breaks off anywhere leaves nothing that the next one does not know", async () => {
  for (let stopsAfter = 0; stopsAfter < 3; stopsAfter++) {
    await using rig = await captioned();
    await exported(rig, {});
    const broken = await exported(rig, { target: "kohya" }, { stopsAfter });
    assert.equal(broken.status, "failed");
    assert.deepEqual((await checkPublished(localDisk, rig.path("out")))!.faults, []);
    const { status } = await exported(rig, {});
    assert.equal(status, "complete");
    assert.deepEqual(filesOut(rig), forFlux, `after ${stopsAfter} files`);
    assert.deepEqual((await checkPublished(localDisk, rig.path("out")))!.faults, []);
    assert.equal((await exported(rig, {})).counts.ran, 0);
  }
});

Deno.test("what a person changed stays, and so does the zip of another trigger word", async () => {
  await using rig = await captioned();
  await exported(rig, { target: "kohya" });
  Deno.writeTextFileSync(rig.path(join("out", "captions", "a.caption")), "by hand\n");
  await exported(rig, { trigger: "wing_x" });
  assert.deepEqual(filesOut(rig), [
    "captions/a.caption",
    ...forFlux.slice(0, 3),
    "metadata.txt",
    "wing_x_training.zip",
  ]);
  assert.equal(Deno.readTextFileSync(rig.path("out/captions/a.caption")), "by hand\n");
  assert.equal((await exported(rig, { trigger: "wing_x" })).counts.ran, 0);
});

Deno.test("a run over a part of the pictures takes nothing away", async () => {
  await using rig = await captioned();
  await exported(rig, {});
  await exported(rig, {}, { limit: 1 });
  assert.deepEqual(filesOut(rig), forFlux);
  await exported(rig, {});
  assert.deepEqual(filesOut(rig), forFlux);
});

Deno.test("going back to a trigger word writes its captions again, its zip being there or not", async () => {
  await using rig = await captioned();
  const first = "hall_x";
  for (const [before, between] of [[first, "wing_x"], ["{folder}", first]] as const) {
    rig.write({ "photos/tower/c.jpg": await photo(90, 60, { seed: 3 }) });
    const metadata = before === first ? "out/metadata.txt" : "out/tower/metadata.txt";
    await exported(rig, { trigger: before });
    const wanted = Deno.readTextFileSync(rig.path(metadata));
    await exported(rig, { trigger: between });
    await exported(rig, { trigger: before });
    assert.equal(Deno.readTextFileSync(rig.path(metadata)), wanted);
  }
});

Deno.test("two exports into one folder are both cached, the later one's captions being there", async () => {
  await using rig = await captioned();
  const both = `${recipe({})}
  other:    { use: caption.compose, from: { image: photos, caption: captions }, with: { trigger: wing_x } }
  second:   { use: export.lora, from: { image: photos, caption: other }, with: { folder: ./out, trigger: wing_x, overwrite: true } }
`;
  await rig.run(both);
  const metadata = Deno.readTextFileSync(rig.path("out/metadata.txt"));
  assert.equal((await rig.run(both)).counts.ran, 0);
  assert.equal(Deno.readTextFileSync(rig.path("out/metadata.txt")), metadata);
});

Deno.test("an export whose zip another recipe wrote over is made again", async () => {
  await using rig = await captioned();
  const other = recipe({ target: "kohya" }).replace("recipe: export", "recipe: other");
  await exported(rig, {});
  await rig.run(other);
  const zip = Deno.readFileSync(rig.path("out/hall_x_training.zip"));
  await exported(rig, {});
  assert.notDeepEqual(Deno.readFileSync(rig.path("out/hall_x_training.zip")), zip);
  await rig.run(other);
  assert.deepEqual(Deno.readFileSync(rig.path("out/hall_x_training.zip")), zip);
  assert.equal((await rig.run(other)).counts.ran, 0);
});

Deno.test("a folder where a caption was is a person's, and no fault", async () => {
  await using rig = await captioned();
  await exported(rig, { target: "kohya" });
  Deno.removeSync(rig.path("out/captions/a.caption"));
  rig.write({ "out/captions/a.caption/note.txt": "mine" });
  const { status, events } = await exported(rig, {});
  assert.equal(status, "complete");
  assert.ok(
    events.some((event) => event.type === "warning" && /changed by hand/.test(event.message)),
  );
  assert.equal(Deno.readTextFileSync(rig.path("out/captions/a.caption/note.txt")), "mine");
});

Deno.test("a caption is not removed by another name that its file has", async () => {
  await using rig = await captioned();
  await exported(rig, { target: "kohya" });
  // As on a disk where "A.txt" and "a.txt" are one file, after a picture was renamed so.
  Deno.linkSync(rig.path("out/captions/a.txt"), rig.path("out/captions/A.txt"));
  renamedInManifest(rig, "captions/a.txt", "captions/A.txt");
  await exported(rig, {});
  assert.ok(filesOut(rig).includes("captions/A.txt"));
  const { faults } = (await checkPublished(localDisk, rig.path("out")))!;
  assert.deepEqual(faults, []);
});

Deno.test("a manifest that names a file outside its folder is not gone by", async () => {
  await using rig = await captioned();
  rig.write({ "mine.txt": "mine" });
  await exported(rig, { target: "kohya" });
  for (const path of ["../mine.txt", "captions/../../mine.txt", rig.path("mine.txt")]) {
    renamedInManifest(rig, "metadata.txt", path);
    const { status, events } = await exported(rig, {});
    assert.equal(status, "failed");
    const reasons = events.flatMap((event) =>
      event.type === "task-settled" ? event.reason ?? [] : []
    );
    assert.match(reasons.join(), /Cannot read manifest .*restore it, or remove it/);
    renamedInManifest(rig, path, "metadata.txt");
  }
  assert.equal(Deno.readTextFileSync(rig.path("mine.txt")), "mine");
});

function renamedInManifest(rig: PictureRig, path: string, to: string) {
  const file = rig.path(join("out", manifestName));
  const manifest = JSON.parse(Deno.readTextFileSync(file));
  manifest.files[to] = manifest.files[path];
  delete manifest.files[path];
  Deno.writeTextFileSync(file, JSON.stringify(manifest));
}
