import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { areWhole, tasksWithResult } from "../../src/runtime/healing.ts";
import { WorkspaceLock } from "../../src/runtime/lock.ts";
import { listRuns, type RunRecord } from "../../src/runtime/records.ts";
import { Session } from "../../src/runtime/session.ts";
import { collectGarbage, statsOf } from "../../src/runtime/upkeep.ts";
import { Rig } from "../rig.ts";

/** Longer than what is kept inline, so that the store has a file of it. */
const long = (letter: string) => letter.repeat(20_000);

function recipe(name: string, suffix: string): string {
  return `
recipe: ${name}
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts, with: { suffix: ${JSON.stringify(suffix)} } }
  rank: { use: test.rank, from: upper }
  long: { use: test.length, from: upper }
  joined: { use: test.join, from: upper }
`;
}

/** Of results only: a failure is not kept. */
function keysOf(run: RunRecord): string[] {
  return [...tasksWithResult(run)].map(({ key }) => key);
}

function storeCount(rig: Rig): number {
  const shards = [...Deno.readDirSync(join(rig.workspace, "store"))];
  return shards.flatMap(({ name }) => [...Deno.readDirSync(join(rig.workspace, "store", name))])
    .length;
}

Deno.test("without --apply nothing is changed, and what it says is what it then does", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": long("b") });
  await rig.run(recipe("words", "1"));
  const { run } = await rig.run(recipe("words", "2"));
  const before = storeCount(rig);
  const planned = await collectGarbage(rig.session(), { keepRuns: 1 });
  assert.equal(storeCount(rig), before);
  assert.equal(listRuns(rig.workspace).length, 2);
  const done = await collectGarbage(rig.session(), { keepRuns: 1 }, { apply: true });
  assert.deepEqual(
    { kept: planned.kept, tasks: planned.tasks, artifacts: planned.artifacts },
    { kept: done.kept, tasks: done.tasks, artifacts: done.artifacts },
  );
  assert.deepEqual(done.kept, [run]);
  // upper twice, its join and its ranks; the lengths are the same number for both.
  assert.ok(done.tasks >= 5, `${done.tasks}`);
  assert.equal(storeCount(rig), before - 3);
  assert.ok(Math.abs(planned.freedBytes - done.freedBytes) < done.bytesBefore * 0.3);
});

Deno.test("after clearing up, a kept run's recipe computes nothing, and a dropped one's all", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": "short", "in/c": "reject it" });
  await rig.run(recipe("words", "1"));
  await rig.run(recipe("words", "2"));
  rig.takeCalls();
  await collectGarbage(rig.session(), { keepRuns: 1 }, { apply: true });
  const kept = await rig.run(recipe("words", "2"));
  assert.deepEqual(rig.takeCalls(), {});
  assert.equal(kept.counts.ran, 0);
  const dropped = await rig.run(recipe("words", "1"));
  assert.equal(dropped.status, "complete");
  assert.equal(rig.takeCalls()["test.upper"]!.length, 3);
});

Deno.test("originals are left as they are", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a") });
  await rig.run(recipe("words", "1"));
  const before = Deno.statSync(rig.path("in/a"));
  await collectGarbage(rig.session(), { keepRuns: 0 }, { apply: true });
  assert.equal(listRuns(rig.workspace).length, 0);
  assert.equal(storeCount(rig), 0);
  assert.equal(Deno.readTextFileSync(rig.path("in/a")), long("a"));
  assert.deepEqual(Deno.statSync(rig.path("in/a")).mtime, before.mtime);
});

Deno.test("the newest run of each recipe stays whatever age and size, unless told otherwise", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a") });
  await rig.run(recipe("one", "1"));
  await rig.run(recipe("two", "2"));
  const { run: third } = await rig.run(recipe("two", "3"));
  const [first] = listRuns(rig.workspace);
  const later = new Session({
    ...rig.session().options,
    now: () => new Date(Date.now() + 86_400_000),
  });
  const aged = await collectGarbage(later, { olderThanMs: 3_600_000 });
  assert.deepEqual(aged.kept, [first!.id, third]);
  const sized = await collectGarbage(later, { maxBytes: 1 });
  assert.deepEqual(sized.kept, [first!.id, third]);
  assert.ok(sized.tooLargeBytes! > 1);
  assert.deepEqual((await collectGarbage(later, { maxBytes: 1, keepRuns: 0 })).kept, []);
  assert.deepEqual((await collectGarbage(later, { olderThanMs: 172_800_000 })).kept.length, 3);
});

Deno.test("down to a size, the oldest runs go first and no more than have to", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "x".repeat(400_000) });
  for (const suffix of ["1", "2", "3", "4"]) await rig.run(recipe("words", suffix));
  const ids = listRuns(rig.workspace).map(({ id }) => id);
  // Each run has its own text of 0.4 MB in capitals, and a join of one text is that text.
  const report = await collectGarbage(rig.session(), { maxBytes: 1_000_000 }, { apply: true });
  assert.deepEqual(report.kept, ids.slice(2));
  assert.ok(report.bytesAfter <= 1_000_000, `${report.bytesAfter}`);
  assert.equal(report.tooLargeBytes, undefined);
});

Deno.test("clearing up waits while a run is at work", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a") });
  await rig.run(recipe("words", "1"));
  const holder = { pid: 1, run: "20300101-000000-000", since: "2030-01-01T00:00:00.000Z" };
  const lock = await WorkspaceLock.acquire(join(rig.workspace, "lock"), () => holder, () => {});
  const waits = Promise.withResolvers<string | undefined>();
  let isDone = false;
  const collecting = collectGarbage(rig.session(), { keepRuns: 0 }, {
    apply: true,
    onWait: (who) => waits.resolve(who?.run),
  }).then(() => isDone = true);
  assert.equal(await waits.promise, holder.run);
  assert.equal(isDone, false);
  assert.equal(listRuns(rig.workspace).length, 1);
  lock.release();
  await collecting;
  assert.equal(listRuns(rig.workspace).length, 0);
});

Deno.test("stopped at any point, kept runs are whole, and the next time finishes", async () => {
  for (const steps of [0, 1, 2, 3, 5]) {
    await using rig = new Rig();
    rig.write({ "in/a": long("a"), "in/b": "b" });
    for (const suffix of ["1", "2", "3"]) await rig.run(recipe("words", suffix));
    const stop = new AbortController();
    const count = { left: steps };
    // It looks at the signal between its parts; each look counts.
    const signal = new Proxy(stop.signal, {
      get: (target, name) => name === "aborted" ? count.left-- <= 0 : Reflect.get(target, name),
    });
    const report = await collectGarbage(rig.session(), { keepRuns: 1 }, { apply: true, signal });
    assert.equal(report.isInterrupted, true);
    for (const run of listRuns(rig.workspace).slice(-1)) {
      assert.ok(areWhole(rig.workspace, keysOf(run)));
    }
    await collectGarbage(rig.session(), { keepRuns: 1 }, { apply: true });
    assert.equal([...Deno.readDirSync(join(rig.workspace, "runs"))].length, 1);
    assert.equal(storeCount(rig), 2);
    rig.takeCalls();
    await rig.run(recipe("words", "3"));
    assert.deepEqual(rig.takeCalls(), {});
  }
});

Deno.test("what a broken-off run had done is kept for the next one", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": long("b") });
  const { folder } = await rig.run(recipe("words", "1"));
  // As a kill leaves it: the last lines of the journal never came.
  const journal = join(folder, "journal.jsonl");
  const lines = Deno.readTextFileSync(journal).split("\n");
  Deno.writeTextFileSync(journal, lines.slice(0, 2).join("\n"));
  rig.takeCalls();
  await collectGarbage(rig.session(), {}, { apply: true });
  await rig.run(recipe("words", "1"));
  assert.deepEqual(rig.takeCalls(), {});
});

Deno.test("a run whose journal cannot be read stops everything, by name", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a") });
  const { folder, run } = await rig.run(recipe("words", "1"));
  const journal = join(folder, "journal.jsonl");
  const text = Deno.readTextFileSync(journal);
  Deno.writeTextFileSync(journal, text.replace('"type":"task-settled"', '"type":task-settled"'));
  await assert.rejects(collectGarbage(rig.session(), {}, { apply: true }), new RegExp(run));
  assert.equal(storeCount(rig), 1);
});

Deno.test("stats say what each step made and what only one run needs", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": long("b") });
  await rig.run(recipe("words", "1"));
  await rig.run(recipe("words", "2"));
  const stats = statsOf(rig.session());
  const upper = stats.steps.find(({ step }) => step === "test.upper")!;
  assert.deepEqual(upper, { step: "test.upper", results: 4, artifacts: 4, bytes: 4 * 20_001 });
  assert.equal(stats.runs.length, 2);
  // Each run alone needs two texts in capitals and their join.
  for (const { ownBytes } of stats.runs) assert.ok(ownBytes > 80_000 && ownBytes < 200_000);
  assert.equal(stats.storeBytes, 2 * (2 * 20_001 + 40_003));
  assert.equal(stats.freeableBytes, 0);
});

type Move =
  | { readonly type: "write"; readonly name: string; readonly text: string }
  | { readonly type: "remove"; readonly name: string }
  | {
    readonly type: "run";
    readonly recipe: string;
    readonly suffix: string;
    readonly force: boolean;
  }
  | { readonly type: "collect"; readonly keepRuns?: number; readonly maxBytes?: number };

const names = fc.constantFrom("a", "b", "c");
const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    type: fc.constant("write" as const),
    name: names,
    text: fc.constantFrom("tiny", "reject", "fail", long("x"), long("y"), long("z")),
  }),
  fc.record({ type: fc.constant("remove" as const), name: names }),
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("run" as const),
      recipe: fc.constantFrom("one", "two"),
      suffix: fc.constantFrom("", "!"),
      force: fc.boolean(),
    }),
  },
  fc.record({
    type: fc.constant("collect" as const),
    keepRuns: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    maxBytes: fc.option(fc.integer({ min: 0, max: 400_000 }), { nil: undefined }),
  }),
);

/** Each key of each run is there with all that it names, the last result of a forced task too. */
function assertWhole(rig: Rig, kept: readonly string[]) {
  const runs = listRuns(rig.workspace);
  assert.deepEqual(runs.map(({ id }) => id), kept);
  for (const run of runs) {
    for (const key of keysOf(run)) assert.ok(areWhole(rig.workspace, [key]), `${run.id} ${key}`);
  }
}

Deno.test("in random histories, clearing up never takes what a kept run needs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { minLength: 4, maxLength: 12 }), async (history) => {
      await using rig = new Rig();
      rig.write({ "in/a": long("a") });
      let last: { readonly yaml: string; readonly run: string } | undefined;
      for (const move of history) {
        if (move.type === "write") rig.write({ [`in/${move.name}`]: move.text });
        if (move.type === "remove") await Deno.remove(rig.path(`in/${move.name}`)).catch(() => {});
        if (move.type !== "collect") last = undefined;
        if (move.type === "run") {
          const yaml = recipe(move.recipe, move.suffix);
          const { run } = await rig.run(yaml, { force: move.force ? ["upper"] : [] });
          last = { yaml, run };
        }
        if (move.type !== "collect") continue;
        const { kept } = await collectGarbage(rig.session(), move, { apply: true });
        assertWhole(rig, kept);
        if (last === undefined || !kept.includes(last.run)) continue;
        rig.takeCalls();
        const { counts } = await rig.run(last.yaml);
        // A failure is never known, so it is tried again; nothing else is.
        assert.ok(Object.values(rig.takeCalls()).flat().every((text) => text === "fail"));
        assert.equal(counts.ran, 0);
        last = undefined;
      }
    }),
    { numRuns: 30, seed: 11 },
  );
});
