import assert from "node:assert/strict";
import { sha256 } from "../../src/runtime/hash.ts";
import { dedupeRecipe, DedupeRig, warningsOf } from "../dedupe/rig.ts";
import { photo } from "../picture_rig.ts";

async function rigWithCats(): Promise<DedupeRig> {
  const rig = new DedupeRig();
  const large = await photo(400, 300, { seed: 1 });
  rig.write({
    "photos/cat-1.jpg": large,
    "photos/sub/cat-1 (1).jpg": large,
    "photos/cat-2.jpg": await photo(200, 150, { seed: 1 }),
    "photos/cat+3.jpg": await photo(300, 200, { seed: 3 }),
    "photos/dog.png": await photo(100, 100, { seed: 4, format: "png" }),
    "photos/broken.jpg": "nope",
  });
  return rig;
}

Deno.test("keepers pass on as they are, the others are left out with the reason", async () => {
  await using rig = await rigWithCats();
  const text = Deno.readTextFileSync(dedupeRecipe) +
    "  after: { use: inspect.metadata, from: chosen.image }\n";
  const { status, events } = await rig.runText({ path: dedupeRecipe, text });
  assert.equal(status, "complete");
  const choices = await rig.choices();
  const actions = Object.fromEntries(
    Object.entries(choices).map(([name, row]) => [name, row.choice_action]),
  );
  assert.deepEqual(actions, {
    "broken.jpg": null,
    "cat+3.jpg": "keep",
    "cat-1.jpg": "keep",
    "cat-2.jpg": "set_aside",
    "dog.png": "keep",
    "sub/cat-1 (1).jpg": "set_aside",
  });
  const kept = choices["cat-1.jpg"]!;
  assert.equal(kept.image_hash, sha256(Deno.readFileSync(rig.path("photos/cat-1.jpg"))));
  assert.equal(choices["cat-2.jpg"]!.image_hash, null);
  const [skipped] = events.filter((event) =>
    event.type === "task-settled" && event.node === "after" && event.item === "cat-2.jpg"
  );
  assert.ok(skipped?.type === "task-settled" && skipped.outcome === "skipped");
  assert.equal(
    skipped.reason,
    'left out at "chosen": "cat-1.jpg" is kept instead: resolution 400×300 against 200×150',
  );
  const summaries = events.flatMap((event) => event.type === "summary" ? [event.line] : []);
  assert.ok(summaries.includes("5 pictures: 3 kept, 2 set aside from 1 group"), `${summaries}`);
  assert.deepEqual(warningsOf(events), []);
});

Deno.test("a second run chooses nothing anew; another order does, and only that", async () => {
  await using rig = await rigWithCats();
  await rig.run();
  assert.equal((await rig.run()).counts.ran, 0);
  const text = Deno.readTextFileSync(new URL("../../pipelines/dedupe.yaml", import.meta.url));
  const path = rig.path("own.yaml");
  const other = text.replace("order: [resolution,", "order: [name, resolution,");
  assert.notEqual(other, text);
  const { events } = await rig.runText({ path, text: other });
  const ran = events.flatMap((event) => event.type === "task-started" ? [event.node] : []);
  assert.deepEqual(ran.filter((node) => /^(fingerprint|embedding|quality|alike)$/.test(node)), []);
  assert.ok(ran.includes("chosen"));
});

Deno.test("a decision in decisions.jsonl overrides the rules, and taking it back gives them back", async () => {
  await using rig = await rigWithCats();
  const image = sha256(Deno.readFileSync(rig.path("photos/cat-2.jpg")));
  const decision = (after: boolean | null) =>
    `${JSON.stringify({ at: "2026-01-01", image, field: "keep", before: null, after })}\n`;
  rig.write({ "out/decisions.jsonl": decision(true) });
  await rig.run();
  const choices = await rig.choices();
  assert.equal(choices["cat-2.jpg"]!.choice_action, "keep");
  assert.equal(choices["cat-2.jpg"]!.choice_decided_by, "person");
  assert.equal(choices["cat-1.jpg"]!.choice_kept_instead, "cat-2.jpg");
  rig.write({ "out/decisions.jsonl": decision(true) + decision(null) });
  await rig.run();
  assert.equal((await rig.choices())["cat-1.jpg"]!.choice_action, "keep");
});

Deno.test("similar pictures are acted on where the recipe is asked to", async () => {
  await using rig = await rigWithCats();
  await rig.run({ within: ["exact", "same_picture", "similar"] });
  const { "cat+3.jpg": row } = await rig.choices();
  assert.equal(row!.choice_action, "set_aside");
  assert.equal(row!.choice_verdict, "similar");
});

Deno.test("one picture, and none, are chosen among without a group", async () => {
  await using rig = new DedupeRig();
  rig.write({ "photos/a.jpg": await photo(40, 30) });
  assert.equal((await rig.run()).status, "complete");
  assert.equal((await rig.choices())["a.jpg"]!.choice_action, "keep");
  Deno.removeSync(rig.path("photos/a.jpg"));
  assert.equal((await rig.run()).status, "complete");
  assert.deepEqual(await rig.choices(), {});
});
