import assert from "node:assert/strict";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import { Catalog } from "../../src/runtime/catalog.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { defineStep, each, produced } from "../../src/runtime/step.ts";
import { inspectContent } from "../../src/steps/inspect/content.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { image } from "../../src/steps/kinds.ts";
import { photo, PictureRig } from "../picture_rig.ts";

/** Sends files as they are, as to a server that decodes them itself. */
const send = defineStep({
  name: "own.send",
  version: 1,
  doc: "Says what a batch was sent.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({}),
  outputs: { sent: each(text, "the hash of what was sent") },
  batch: {
    size: 4,
    prepare: async ({ image }) => await (await image.read()).bytes(),
    run: (all: readonly Uint8Array[]) =>
      Promise.resolve(all.map((bytes) => produced({ sent: sha256(bytes) }))),
  },
});

Deno.test("a file's bytes that wait for a batch are still there when it begins", async () => {
  await using rig = new PictureRig({ catalog: new Catalog([scan, send]) });
  const [first, second] = [await photo(64, 48), await photo(64, 48, { seed: 2 })];
  rig.write({ "in/a.jpg": first, "in/b.jpg": second, "in/copy.jpg": first });
  await rig.run(`
recipe: sending
steps:
  photos: { use: ingest.scan, with: { folder: in } }
  sent: { use: own.send, from: photos }
`);
  assert.deepEqual(
    await rig.query("SELECT item, text FROM sent ORDER BY item"),
    [
      { item: "a.jpg", text: sha256(first) },
      { item: "b.jpg", text: sha256(second) },
      { item: "copy.jpg", text: sha256(first) },
    ],
  );
});

Deno.test("what wants the pixels comes before what waits for a batch, wherever the recipe has it", async () => {
  await using rig = new PictureRig({ catalog: new Catalog([scan, inspectContent, send]) });
  rig.write({ "in/a.jpg": await photo(64, 48) });
  const { events } = await rig.run(`
recipe: sending
steps:
  photos: { use: ingest.scan, with: { folder: in } }
  sent: { use: own.send, from: photos }
  content: { use: inspect.content, from: photos }
`);
  const begun = events.flatMap((event) => event.type === "task-started" ? [event.node] : []);
  assert.deepEqual(begun, ["photos", "content", "sent"]);
});
