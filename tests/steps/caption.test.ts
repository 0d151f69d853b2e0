import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { Catalog } from "../../src/runtime/catalog.ts";
import {
  type Vision,
  vision,
  type VisionModels,
  VisionProblem,
  type VisionQuestion,
} from "../../src/services/vision.ts";
import type { Caption } from "../../src/captions/caption.ts";
import { compose } from "../../src/steps/caption/compose.ts";
import { generate } from "../../src/steps/caption/generate.ts";
import { check } from "../../src/steps/dataset/check.ts";
import { readDecisions } from "../../src/steps/decisions/read.ts";
import { proxy } from "../../src/steps/image/proxy.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { photo, PictureRig } from "../picture_rig.ts";

const catalog = new Catalog([scan, proxy, check, generate, readDecisions, compose]);

const good = JSON.stringify({
  viewpoint: "wide view from the door",
  elements: "a long table",
  materials: "grey stone",
  lighting: "soft light",
  activity: "",
});

/** A model that answers as the test says, and remembers what it was asked. */
class Model implements VisionModels {
  readonly questions: VisionQuestion[] = [];
  answers: (question: VisionQuestion, call: number) => string = () => good;

  connect(): Promise<Vision> {
    return Promise.resolve({
      limits: { formats: ["jpeg", "png"], maxBytes: 5_000_000, maxSidePx: 8000 },
      ask: (question) => {
        const call = this.questions.push(question);
        return Promise.resolve().then(() => ({
          text: this.answers(question, call),
          model: "see-1",
          inputTokens: 300,
          outputTokens: 50,
        }));
      },
      forecast: () => ({ model: "see-1", inputTokens: 300, outputTokens: 60, cost: 0.0002 }),
      costOf: () => 0.0002,
    });
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

const steps = (provider = "gemini") => `
recipe: caption
params: { trigger: { type: string, default: main_hall } }
steps:
  photos:    { use: ingest.scan, with: { folder: ./photos } }
  checked:   { use: dataset.check, from: photos, with: { trigger: $trigger } }
  proxies:   { use: image.proxy, from: photos, with: { short_side_px: 64 } }
  captions:  { use: caption.generate, from: { image: proxies, gate: checked.gate }, with: { provider: ${provider} } }
  decisions: { use: decisions.read, with: { file: ./decisions.jsonl } }
  final:     { use: caption.compose, from: { image: photos, caption: captions, decisions: decisions }, with: { trigger: $trigger } }
`;

function rigWith(model: Model): PictureRig {
  return new PictureRig({ catalog, services: new Map([[vision.name, model]]) });
}

async function withPhotos(model: Model, count = 3): Promise<PictureRig> {
  const rig = rigWith(model);
  for (let seed = 1; seed <= count; seed++) {
    rig.write({ [`photos/IMG_${seed}.jpg`]: await photo(120, 90, { seed }) });
  }
  return rig;
}

async function captions(rig: PictureRig): Promise<(Caption & { item: string })[]> {
  return await rig.query(
    "SELECT item, text, state, source, model, problems FROM final ORDER BY item",
  ) as unknown as (Caption & { item: string })[];
}

const wanted = "photo of main_hall, wide view from the door, a long table, grey stone, soft light";

Deno.test("each picture is asked about once, and its caption has prefix and slots", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  const { status, events } = await rig.run(steps());
  assert.equal(status, "complete");
  assert.equal(model.questions.length, 3);
  const rows = await captions(rig);
  assert.deepEqual(rows.map(({ text }) => text), [wanted, wanted, wanted]);
  assert.deepEqual(rows.map(({ state, source, model }) => [state, source, model])[0], [
    "auto",
    "model",
    "see-1",
  ]);
  const { image } = model.questions[0]!;
  assert.deepEqual([image.format, image.width, image.height], ["jpeg", 85, 64]);
  const calls = events.filter((event) => event.type === "remote-called");
  assert.deepEqual([calls.length, calls[0]!.inputTokens, calls[0]!.cost], [3, 300, 0.0002]);
  assert.deepEqual(
    await rig.query(
      "SELECT model, count(*) AS n, sum(input_tokens) AS i FROM calls GROUP BY model",
    ),
    [{ model: "see-1", n: 3, i: 900 }],
  );
});

Deno.test("a rerun calls nobody; nor does another trigger word, another address or another rate", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  await rig.run(steps());
  const changed = steps().replace("main_hall", "other_hall").replace(
    "provider: gemini",
    "provider: gemini, requests_per_minute: 5, base_url: 'http://127.0.0.1:1/v1'",
  );
  const { status } = await rig.run(changed);
  assert.equal(status, "complete");
  assert.equal(model.questions.length, 3);
  assert.match((await captions(rig))[0]!.text, /^photo of other_hall, /);
});

Deno.test("a picture added later is the only one that is asked about", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  await rig.run(steps());
  rig.write({ "photos/new.jpg": await photo(120, 90, { seed: 9 }) });
  await rig.run(steps());
  assert.equal(model.questions.length, 4);
});

Deno.test("an answer that breaks the rules is asked for once more, with what was wrong", async () => {
  const model = new Model();
  model.answers = (_, call) =>
    call === 1 ? '{"viewpoint": "", "elements": "what appears to be"}' : good;
  await using rig = await withPhotos(model, 1);
  await rig.run(steps());
  assert.equal(model.questions.length, 2);
  assert.match(model.questions[1]!.user, /- "viewpoint" is empty/);
  const [row] = await captions(rig);
  assert.deepEqual([row!.text, row!.state], [wanted, "auto"]);
});

Deno.test("whatever the model says, prefix and slots are there, and it is marked for review", async () => {
  const answers = [
    "",
    "I'm sorry, I can't help with that.",
    "<html>",
    '{"viewpoint": 3}',
    "{",
    good,
  ];
  for (const text of answers.slice(0, -1)) {
    const model = new Model();
    model.answers = () => text;
    await using rig = await withPhotos(model, 1);
    const { status } = await rig.run(steps());
    assert.equal(status, "complete");
    assert.equal(model.questions.length, 2);
    const [row] = await captions(rig);
    assert.equal(row!.state, "needs_review", text);
    assert.equal(row!.text.split(", ").length >= 5, true, row!.text);
    assert.match(row!.text, /^photo of main_hall, /);
    assert.ok(!/sorry|html/.test(row!.text));
  }
});

Deno.test("what holds for all is one failure; a refusal concerns one picture", async () => {
  const model = new Model();
  model.answers = () => {
    throw new VisionProblem(
      "Cannot ask Gemini: no key is set (set GEMINI_API_KEY)",
      "no-key",
      true,
    );
  };
  await using rig = await withPhotos(model);
  const { counts, events } = await rig.run(steps());
  assert.equal(counts.failed, 1);
  const failures = events.filter((event) =>
    event.type === "task-settled" && event.outcome === "failed"
  );
  assert.match((failures[0] as { reason: string }).reason, /set GEMINI_API_KEY/);
  model.answers = (_, call) => {
    if (call % 3 !== 0) return good;
    throw new VisionProblem("Gemini would not describe the picture", "refused", false);
  };
  model.questions.length = 0;
  const { status } = await rig.run(steps());
  assert.equal(status, "complete");
  assert.deepEqual((await captions(rig)).map(({ state }) => state).toSorted(), [
    "auto",
    "auto",
    "needs_review",
  ]);
});

Deno.test("a draft asks nobody, wants no key, and says what it is", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  const { status } = await rig.run(steps("draft"));
  assert.equal(status, "complete");
  assert.equal(model.questions.length, 0);
  const [row] = await captions(rig);
  assert.deepEqual([row!.source, row!.model], ["draft", null]);
  assert.match(row!.text, /^photo of main_hall, landscape view, /);
});

Deno.test("an edit stays, follows its picture through a new name, and outlives the cache", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  await rig.run(steps());
  const hash = sha256(Deno.readFileSync(rig.path("photos/IMG_2.jpg")));
  const decide = (field: string, before: unknown, after: unknown) =>
    appendFileSync(
      rig.path("decisions.jsonl"),
      `${JSON.stringify({ at: "2026-01-01T00:00:00Z", image: hash, field, before, after })}\n`,
    );
  decide("caption", wanted, "photo of {trigger}, my own words");
  decide("state", "edited", "approved");
  Deno.renameSync(rig.path("photos/IMG_2.jpg"), rig.path("photos/renamed.jpg"));
  await Deno.remove(rig.path(".tintype"), { recursive: true });
  model.answers = () => "rubbish";
  await rig.run(steps());
  const rows = await captions(rig);
  const edited = rows.find(({ item }) => item === "renamed.jpg")!;
  assert.deepEqual([edited.text, edited.state, edited.source], [
    "photo of main_hall, my own words",
    "approved",
    "person",
  ]);
});

Deno.test("the plan says how many calls and about what they cost, before any is made", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  const { graph } = await rig.session.check({ path: rig.path("t.yaml"), text: steps() });
  const groups = await rig.session.plan(graph!);
  assert.equal(
    groups.find(({ node }) => node === "captions")!.forecast,
    "3 calls to see-1, about 1,080 tokens, about $0.00060",
  );
  assert.equal(model.questions.length, 0);
});

Deno.test("a wrong trigger word is found by the check, with the right one", async () => {
  await using rig = rigWith(new Model());
  const { diagnostics } = await rig.session.check({
    path: rig.path("t.yaml"),
    text: steps().replace("default: main_hall", "default: Main Hall"),
  }, { needsValues: true });
  assert.match(diagnostics.map(({ message }) => message).join("\n"), /write "main_hall"/);
});

Deno.test("nothing is asked where the dataset cannot be right", async () => {
  const model = new Model();
  await using rig = await withPhotos(model);
  rig.write({ "photos/IMG_1.png": await photo(50, 50, { format: "png" }) });
  const { status, events } = await rig.run(steps());
  assert.equal(status, "failed");
  assert.equal(model.questions.length, 0);
  const failure = events.find((event) =>
    event.type === "task-settled" && event.outcome === "failed"
  );
  assert.match(
    (failure as { reason: string }).reason,
    /"IMG_1.jpg", "IMG_1.png" would share one caption file \(rename one of them\)/,
  );
});

Deno.test("a file that is there twice is named, since a trainer counts it twice", async () => {
  await using rig = await withPhotos(new Model(), 2);
  const bytes = Deno.readFileSync(rig.path("photos/IMG_1.jpg"));
  rig.write({ "photos/IMG_1 (2).jpg": bytes, "photos/sub/IMG_2.jpg": bytes });
  const warnings = async (text: string) =>
    (await rig.run(text, { until: "checked" })).events
      .flatMap((event) => event.type === "warning" ? [event.message] : []);
  const words =
    "1 photo is there more than once, byte for byte, and would be trained on as often: " +
    '"IMG_1 (2).jpg" = "IMG_1.jpg" = "sub/IMG_2.jpg" (take the copies out of the folder)';
  assert.deepEqual(await warnings(steps()), [words]);
  rig.write({ "photos/a/1.jpg": bytes, "photos/b/1.jpg": bytes });
  for (const name of ["IMG_1.jpg", "IMG_1 (2).jpg", "IMG_2.jpg"]) {
    Deno.removeSync(rig.path(`photos/${name}`));
  }
  const byFolder = steps().replace("default: main_hall", 'default: "{folder}"');
  assert.deepEqual(await warnings(byFolder), [], "each is in another dataset");
});

Deno.test("with {folder} each folder's name is the trigger word of its pictures", async () => {
  const model = new Model();
  await using rig = rigWith(model);
  rig.write({
    "photos/Main Hall/a.jpg": await photo(120, 90, { seed: 1 }),
    "photos/library/a.jpg": await photo(120, 90, { seed: 2 }),
  });
  const { status } = await rig.run(steps().replace("default: main_hall", 'default: "{folder}"'));
  assert.equal(status, "complete");
  assert.deepEqual((await captions(rig)).map(({ text }) => text.split(",")[0]), [
    "photo of main_hall",
    "photo of library",
  ]);
});
