import assert from "node:assert/strict";
import { mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SampleError } from "../../src/sample/mod.ts";
import type { Sample } from "../../src/sample/truth.ts";
import { writeSample } from "../../src/sample/write.ts";
import { filesIn } from "./rig.ts";

/** Two files in place of pictures: what is written does not matter here. */
const SAMPLE: Sample = {
  truth: { pictures: [] },
  files: new Map([["a.jpg", Uint8Array.of(1, 2)], ["deep/b.png", Uint8Array.of(3)]]),
};

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "tintype-write-" });
  try {
    await work(join(parent, "sample"));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("a missing folder is made, with its sub-folders, and no temporary file is left", async () => {
  await inFolder(async (folder) => {
    await writeSample(folder, SAMPLE);
    assert.deepEqual(await filesIn(folder), ["a.jpg", "deep/b.png", "truth.json"]);
    assert.deepEqual([...await readFile(join(folder, "deep/b.png"))], [3]);
  });
});

Deno.test("a different file is never overwritten, and then nothing else is written", async () => {
  await inFolder(async (folder) => {
    await mkdir(join(folder, "deep"), { recursive: true });
    await writeFile(join(folder, "deep/b.png"), "mine");
    await assert.rejects(
      writeSample(folder, SAMPLE),
      new SampleError(folder, `"deep/b.png" exists and is different`),
    );
    assert.equal(await readFile(join(folder, "deep/b.png"), "utf8"), "mine");
    assert.deepEqual(await filesIn(folder), ["deep/b.png"]);
  });
});

Deno.test("the message names the folder, the file, and the way out", () => {
  assert.equal(
    new SampleError("x", `"y.jpg" exists and is different`).message,
    `Cannot make sample in "x": "y.jpg" exists and is different (give an empty folder)`,
  );
});

Deno.test("an equal file is not written again, a missing one is", async () => {
  await inFolder(async (folder) => {
    await writeSample(folder, SAMPLE);
    await utimes(join(folder, "a.jpg"), 1000, 1000);
    await Deno.remove(join(folder, "deep/b.png"));
    await writeSample(folder, SAMPLE);
    assert.equal((await stat(join(folder, "a.jpg"))).mtimeMs, 1_000_000);
    assert.deepEqual(await filesIn(folder), ["a.jpg", "deep/b.png", "truth.json"]);
  });
});

Deno.test("a folder that is a file is an error that says so", async () => {
  await inFolder(async (folder) => {
    await writeFile(folder, "a file");
    await assert.rejects(writeSample(folder, SAMPLE), {
      name: "SampleError",
      message: `Cannot make sample in "${folder}": it, or a part of its path, is a file ` +
        "(give an empty folder)",
    });
  });
});
