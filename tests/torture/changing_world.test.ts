import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import { Journal } from "../../src/runtime/journal.ts";
import { nextRunName } from "../../src/runtime/run_name.ts";
import { Session } from "../../src/runtime/session.ts";
import { defineStep, each, produced } from "../../src/runtime/step.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import { photo, PictureRig, proxyRecipe } from "../picture_rig.ts";
import { Rig } from "../rig.ts";

const recipe = `recipe: upper
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  all:   { use: test.join, from: upper }
`;

const names = "abcdefghijklmnop".split("");

function failuresIn(events: readonly RunEvent[]): readonly [string | undefined, string][] {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.outcome === "failed"
      ? [[event.item, event.reason ?? ""] as [string | undefined, string]]
      : []
  );
}

/** Runs while the last file is changed behind the run's back, once the first is at work. */
async function runWhile(change: (path: string) => void) {
  const rig = new Rig();
  rig.write(Object.fromEntries(names.map((name) => [`in/${name}`, `text ${name}`])));
  let isFirst = true;
  rig.onUpper = () => {
    if (isFirst) change(rig.path("in/p"));
    isFirst = false;
  };
  const { events, counts } = await rig.run(recipe, { jobs: 1 });
  return { rig, events, counts };
}

for (
  const [how, change, verb] of [
    ["changed", (path: string) => Deno.writeTextFileSync(path, "longer than before"), "changed"],
    ["truncated", (path: string) => Deno.truncateSync(path, 2), "changed"],
    ["deleted", (path: string) => Deno.removeSync(path), "removed"],
  ] as const
) {
  Deno.test(`a file that is ${how} in mid-run fails alone, and the next run goes on`, async () => {
    const { rig, events, counts } = await runWhile(change);
    await using _ = rig;
    assert.deepEqual(failuresIn(events), [
      ["p", `The file was ${verb} while the run was under way; run again`],
    ]);
    assert.equal(counts.failed, 1);
    rig.takeCalls();
    const again = await rig.run(recipe);
    assert.equal(again.status, "complete");
    assert.equal(rig.takeCalls()["test.upper"]?.length ?? 0, verb === "changed" ? 1 : 0);
  });
}

Deno.test("runs keep their order when the clock is set back, and none takes another's name", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(40, 30) });
  const times = [
    "2026-11-21T10:00:00.000Z",
    "2019-01-01T00:00:00.000Z",
    "2019-01-01T00:00:00.000Z",
  ];
  const runs: string[] = [];
  for (const time of times) {
    const session = new Session({ ...rig.session.options, now: () => new Date(time) });
    const { graph } = await session.checkFile(proxyRecipe, {
      settings: { source: "photos", out: "out" },
      needsValues: true,
    });
    runs.push((await session.run(graph!)).run);
  }
  assert.deepEqual(runs, ["20261121-100000-000", "20261121-100000-001", "20261121-100000-002"]);
  assert.deepEqual(rig.session.runs().map(({ run }) => run), runs);
});

Deno.test("a run's name is later than all others, over the end of a year too", () => {
  const now = new Date("2026-11-21T10:00:00.123Z");
  assert.equal(nextRunName([], now), "20261121-100000-123");
  assert.equal(nextRunName(["20261121-100000-122", "notes"], now), "20261121-100000-123");
  assert.equal(nextRunName(["20261231-235959-999"], now), "20270101-000000-000");
});

Deno.test("no line reaches a journal before what it tells of is kept", async () => {
  await using rig = new Rig();
  const path = rig.path("journal.jsonl");
  const sizes: number[] = [];
  const journal = new Journal(path, {
    now: () => new Date(0),
    beforeWrite: () => void sizes.push(Deno.statSync(path).size),
  });
  journal.listener({ type: "stage-sealed", node: "a", rows: 1 });
  journal.flush();
  const first = Deno.statSync(path).size;
  journal.listener({ type: "stage-sealed", node: "b", rows: 1 });
  journal.close();
  assert.ok(first > 0);
  assert.deepEqual(sizes, [0, first]);
});

const shout = defineStep({
  name: "test.shout",
  version: 1,
  doc: "Makes letters large, many texts at a time.",
  origin: "computed",
  inputs: { text: each(text, "the texts") },
  params: z.object({}),
  outputs: { text: each(text, "large letters") },
  batch: {
    size: 8,
    prepare: async ({ text }) => await text.read(),
    run: (texts) =>
      Promise.resolve(
        texts.map((each) => produced({ text: String(each).toUpperCase() })),
      ),
  },
});

Deno.test("copies of a file do not wait for each other's batch for ever", async () => {
  await using rig = new Rig([shout]);
  rig.write({ "in/a": "one", "in/b": "one", "in/c": "one", "in/d": "two" });
  const { counts } = await rig.run(`recipe: shout
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  loud:  { use: test.shout, from: texts }
  all:   { use: test.join, from: loud }
`);
  assert.equal(counts.failed, 0);
});

Deno.test("the next run sweeps what a killed one left, wherever it wrote", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(40, 30),
    "elsewhere/.tintype-tmp-1": "half",
    "elsewhere/mine.txt": "a person's",
    ".tintype/unfinished.jsonl": `${JSON.stringify(rig.path("elsewhere"))}\n${
      JSON.stringify(rig.path("gone"))
    }\n"torn`,
    ".tintype/runs/20200101-000000-000/tables/.photos.parquet.sealing": "half",
  });
  await rig.proxy();
  assert.deepEqual(Array.from(Deno.readDirSync(rig.path("elsewhere")), ({ name }) => name), [
    "mine.txt",
  ]);
  const tables = join(".tintype/runs/20200101-000000-000/tables");
  assert.deepEqual([...Deno.readDirSync(rig.path(tables))], []);
  assert.throws(() => Deno.statSync(rig.path(".tintype/unfinished.jsonl")), Deno.errors.NotFound);
});

Deno.test("a mapping is that of the pictures, also when they are again what they were before", async () => {
  await using rig = new PictureRig();
  const yaml = Deno.readTextFileSync(
    new URL("../../pipelines/normalize.yaml", import.meta.url).pathname,
  ).replace("default: ./out/normalized", "default: ./out");
  for (const seed of [1, 2, 3]) {
    rig.write({ [`photos/${seed}.jpg`]: await photo(60 + seed, 40, { seed }) });
  }
  const originals = () =>
    Deno.readTextFileSync(rig.path("out/mapping.jsonl")).trimEnd().split("\n")
      .map((line) => (JSON.parse(line) as { original: string }).original);
  await rig.run(yaml);
  const third = Deno.readFileSync(rig.path("photos/3.jpg"));
  Deno.removeSync(rig.path("photos/3.jpg"));
  await rig.run(yaml);
  assert.deepEqual(originals(), ["1.jpg", "2.jpg"]);
  Deno.writeFileSync(rig.path("photos/3.jpg"), third);
  await rig.run(yaml);
  assert.deepEqual(originals(), ["1.jpg", "2.jpg", "3.jpg"]);
});
