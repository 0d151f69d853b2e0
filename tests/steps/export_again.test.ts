import assert from "node:assert/strict";
import { join } from "node:path";
import type { Disk } from "../../src/runtime/disk.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
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
  final:    { use: caption.compose, from: { image: photos, caption: captions }, with: { trigger: ${trigger} } }
  dataset:  { use: export.lora, from: { image: photos, caption: final }, with: { folder: ./out, trigger: ${trigger}, target: ${target}, overwrite: true } }
`;
}

/** Exports; with `stopsAfter` it breaks off when so many files are written. */
async function exported(
  rig: PictureRig,
  settings: Settings,
  { stopsAfter = Infinity, limit }: { readonly stopsAfter?: number; readonly limit?: number } = {},
): Promise<RunReport> {
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
