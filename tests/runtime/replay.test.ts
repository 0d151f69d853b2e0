import assert from "node:assert/strict";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import { replayRun } from "../../src/runtime/replay.ts";
import { defineStep, each, produced, serviceKey } from "../../src/runtime/step.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { Rig } from "../rig.ts";

const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  long: { use: test.length, from: upper }
  joined: { use: test.join, from: upper }
`;

const model = serviceKey<(text: string) => string>("model");
let dice = 0;
let toolVersion = "1";

const asking = defineStep({
  name: "test.ask_each",
  version: 1,
  doc: "Asks a model.",
  origin: "remote",
  isResult: true,
  inputs: { text: each(text, "the questions") },
  params: z.object({}),
  outputs: { text: each(text, "the answers") },
  run: async ({ text }, _, context) =>
    produced({ text: context.service(model)(await text.read()) }),
});

const rolling = defineStep({
  name: "test.roll",
  version: 1,
  doc: "Says something else each time.",
  origin: "computed",
  isResult: true,
  inputs: { text: each(text, "the texts") },
  params: z.object({}),
  outputs: { text: each(text, "with a number") },
  run: async ({ text }) => produced({ text: `${await text.read()} ${dice++}` }),
});

const tooled = defineStep({
  name: "test.tooled",
  version: 1,
  doc: "Depends on a library.",
  origin: "computed",
  isResult: true,
  inputs: { text: each(text, "the texts") },
  params: z.object({}),
  outputs: { text: each(text, "made by it") },
  tools: () => Promise.resolve({ libwords: toolVersion }),
  run: async ({ text }) => produced({ text: `${await text.read()} by ${toolVersion}` }),
});

function rigWith(count = { asked: 0 }): Rig {
  const rig = new Rig([asking, rolling, tooled]);
  rig.services = new Map([[model.name, (question: string) => {
    count.asked++;
    return `${question}?`;
  }]]);
  rig.write({ "in/a": "one", "in/b": "two" });
  return rig;
}

const reasons = (differences: readonly { node: string; item?: string; why: string }[]) =>
  differences.map(({ node, item, why }) => `${node} ${item ?? "*"}: ${why}`);

Deno.test("a replay does every task again in a folder of its own, and finds the same", async () => {
  await using rig = rigWith();
  const { run, events } = await rig.run(recipe);
  rig.takeCalls();
  const report = await replayRun(rig.session(), run);
  assert.deepEqual(report.differences, []);
  assert.equal(report.compared, 7);
  assert.deepEqual(rig.takeCalls(), {
    "test.upper": ["one", "two"],
    "test.length": ["ONE", "TWO"],
    "test.join": ["ONE+TWO"],
  });
  assert.ok(events.length > 0);
  assert.deepEqual(rig.session().runs().map((each) => each.run), [run]);
  const names = [...Deno.readDirSync(rig.workspace)].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.includes("tmp")), []);
});

Deno.test("a changed and a missing input are named, and what follows from them", async () => {
  await using rig = rigWith();
  const { run } = await rig.run(recipe);
  rig.write({ "in/a": "other" });
  Deno.removeSync(rig.path("in/b"));
  rig.write({ "in/c": "not of that run" });
  const { differences } = await replayRun(rig.session(), run);
  assert.deepEqual(reasons(differences), [
    "texts a: input changed",
    "texts b: input missing",
    "upper a: follows from texts",
    "upper b: follows from texts",
    "long a: follows from upper",
    "long b: follows from upper",
    "joined *: follows from upper",
  ]);
});

Deno.test("another library is named before what follows from it", async () => {
  await using rig = rigWith();
  toolVersion = "1";
  const { run } = await rig.run(`${recipe}  made: { use: test.tooled, from: upper }\n`);
  toolVersion = "2";
  const { differences } = await replayRun(rig.session(), run);
  assert.deepEqual(reasons(differences), [
    "made a: tool libwords: 1 → 2",
    "made b: tool libwords: 1 → 2",
  ]);
});

Deno.test("a step that is not deterministic is named", async () => {
  await using rig = rigWith();
  const { run } = await rig.run(`${recipe}  rolled: { use: test.roll, from: upper }\n`);
  const { differences } = await replayRun(rig.session(), run);
  assert.deepEqual(differences.map(({ node }) => node), ["rolled", "rolled"]);
  assert.match(differences[0]!.why, /^not deterministic/);
  assert.match(differences[0]!.what, /^text: [0-9a-f]{12}… → [0-9a-f]{12}…$/);
});

Deno.test("no model is asked: recorded replies are used, and one that is missing is said", async () => {
  const count = { asked: 0 };
  await using rig = rigWith(count);
  const asked = `${recipe}  answers: { use: test.ask_each, from: upper }\n`;
  const { run } = await rig.run(asked);
  assert.equal(count.asked, 2);
  const same = await replayRun(rig.session(), run);
  assert.deepEqual([same.differences, same.recorded], [[], ["answers"]]);
  rig.write({ "in/a": "other" });
  const { differences } = await replayRun(rig.session(), run);
  assert.deepEqual(reasons(differences).at(-1), "answers a: follows from upper");
  assert.match(differences.at(-1)!.what, /→ (failed|held-up)/);
  assert.equal(count.asked, 2);
});

Deno.test("a replay writes into no folder of a person", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(300, 200), "photos/b.jpg": await photo(90, 60) });
  const { run } = await rig.proxy();
  await Deno.remove(rig.path("proxies"), { recursive: true });
  const { differences, leftOut } = await replayRun(rig.session, run);
  assert.deepEqual([differences, leftOut], [[], ["files"]]);
  assert.throws(() => Deno.statSync(rig.path("proxies")), Deno.errors.NotFound);
});

Deno.test("a run that was broken off cannot be replayed, and says so", async () => {
  await using rig = rigWith();
  const controller = new AbortController();
  rig.onUpper = () => controller.abort();
  const { run } = await rig.run(recipe, { signal: controller.signal, jobs: 1 });
  await assert.rejects(
    () => replayRun(rig.session(), run),
    /^RecordProblem: Cannot replay run ".*": it was broken off/,
  );
  await assert.rejects(() => replayRun(rig.session(), "2020"), /there is none of that name/);
});

Deno.test("a lock has one hash for each table, and the lists each row's", async () => {
  await using rig = rigWith();
  const { folder } = await rig.run(recipe);
  const again = await rig.run(recipe);
  const lock = JSON.parse(Deno.readTextFileSync(`${folder}/lock.json`));
  assert.deepEqual(Object.keys(lock.inputs), ["texts"]);
  assert.deepEqual(Object.keys(lock.outputs), ["upper", "long", "joined"]);
  const second = JSON.parse(Deno.readTextFileSync(`${again.folder}/lock.json`));
  assert.deepEqual([second.inputs, second.outputs], [lock.inputs, lock.outputs]);
  const lines = Deno.readTextFileSync(`${folder}/tables/texts.hashes`).trim().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    { node: "texts", ports: ["texts"] },
    ["a", "produced", ["7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"]],
    ["b", "produced", ["3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"]],
  ]);
});
