import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import { ShardProblem, UnknownNode } from "../../src/runtime/session.ts";
import { mergeWorkspace } from "../../src/runtime/merge.ts";
import { isInShard, parseShard, type Shard } from "../../src/runtime/shard.ts";
import { Session } from "../../src/runtime/session.ts";
import { defineStep, many, produced } from "../../src/runtime/step.ts";
import { Rig } from "../rig.ts";

const recipe = `
recipe: sharded
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  named: { use: test.named, from: upper }
  letters: { use: test.letters, from: upper }
  length: { use: test.length, from: letters }
  joined: { use: test.join, from: named }
  both: { use: test.with_shared, from: { text: upper, shared: joined } }
`;

function words(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from(
      { length: count },
      (_, at) => [`in/${String(at).padStart(3, "0")}.txt`, `word ${at}`],
    ),
  );
}

function shardsOf(count: number): Shard[] {
  return Array.from({ length: count }, (_, at) => ({ index: at + 1, count }));
}

/** A session in another workspace of the rig's folder, as another machine would have it. */
function elsewhere(rig: Rig, name: string): Session {
  return new Session({ catalog: rig.catalog, cwd: rig.folder, workspace: rig.path(name) });
}

Deno.test("a shard is written i/n with 1 ≤ i ≤ n, and anything else says what is wrong", () => {
  assert.deepEqual(parseShard("2/4"), { index: 2, count: 4 });
  assert.deepEqual(parseShard(" 1/1 "), { index: 1, count: 1 });
  const problem = (text: string) => {
    const shard = parseShard(text);
    assert.ok("problem" in shard, text);
    return shard.problem;
  };
  assert.equal(problem("0/4"), "there is no shard 0 of 4 (there are 4, 1/4 to 4/4)");
  assert.equal(problem("5/4"), "there is no shard 5 of 4 (there are 4, 1/4 to 4/4)");
  assert.equal(problem("2/1"), "there is no shard 2 of 1 (there is 1, 1/1)");
  for (const text of ["a/b", "", "3", "1/2/3", "-1/2", "1.5/2", "1/", "1e1/20", "١/٢"]) {
    assert.equal(problem(text), `"${text}" is no shard (i/n is wanted, such as 2/4)`);
  }
  assert.match(problem("1/0"), /^1\/0 is no shard \(i\/n with n from 1 to 10000 is wanted\)$/);
  assert.match(problem("1/99999"), /from 1 to 10000 is wanted/);
});

Deno.test("each name is in exactly one shard, and shards are even within chance", () => {
  const names = Array.from({ length: 8_000 }, (_, at) => `trip ${at % 37}/IMG_${at}.jpg`);
  for (const count of [1, 2, 3, 7, 64]) {
    const shards = shardsOf(count);
    const sizes = shards.map(() => 0);
    for (const name of names) {
      const mine = shards.filter((shard) => isInShard(name, shard));
      assert.equal(mine.length, 1, name);
      sizes[mine[0]!.index - 1]!++;
    }
    // Of a fair draw, five standard deviations of a binomial: one test in a million runs fails.
    const mean = names.length / count;
    const bound = 5 * Math.sqrt(mean * (1 - 1 / count)) + 1e-9;
    for (const size of sizes) assert.ok(Math.abs(size - mean) <= bound, `${count}: ${sizes}`);
  }
});

Deno.test("the split is the same on every machine and in every version: known names stay where they are", () => {
  const shardOf = (name: string) => shardsOf(8).find((each) => isInShard(name, each))!.index;
  // One more than the first 13 digits of `printf %s NAME | sha256sum`, modulo 8.
  const known = { "a.jpg": 5, "trip/IMG_0001.JPG": 3, "Zürich.png": 6, "照片/一.webp": 4 };
  for (const [name, index] of Object.entries(known)) assert.equal(shardOf(name), index, name);
  assert.notEqual("Zürich.png".normalize("NFD"), "Zürich.png".normalize("NFC"));
  assert.equal(shardOf("Zürich.png".normalize("NFD")), known["Zürich.png"]);
});

Deno.test("shards do each item once between them, and hold what needs all items", async () => {
  await using rig = new Rig();
  rig.write(words(40));
  const done: string[] = [];
  for (const shard of shardsOf(3)) {
    const { events, status } = await rig.run(recipe, { shard });
    assert.equal(status, "complete");
    const [started] = events;
    assert.ok(started?.type === "run-started");
    assert.equal(started.shard, `${shard.index}/3`);
    assert.deepEqual(started.held, ["joined", "both"]);
    assert.deepEqual(Object.keys(started.nodes), ["texts", "upper", "named", "letters", "length"]);
    done.push(...rig.takeCalls()["test.named"] ?? []);
  }
  assert.deepEqual(done.toSorted(), Object.keys(words(40)).map((path) => path.slice(3)));
  const { counts } = await rig.run(recipe);
  const calls = rig.takeCalls();
  assert.deepEqual(Object.keys(calls).sort(), ["test.join", "test.with_shared"]);
  assert.deepEqual(calls["test.join"], [joinedWords(40)]);
  assert.equal(calls["test.with_shared"]!.length, 40);
  assert.equal(counts.ran, 41);
});

function joinedWords(count: number): string {
  return Array.from({ length: count }, (_, at) => `${String(at).padStart(3, "0")}.txt: WORD ${at}`)
    .toSorted().join("+");
}

Deno.test("an item that is added elsewhere moves no other item to another shard", async () => {
  await using rig = new Rig();
  rig.write(words(10));
  await rig.run(recipe, { shard: { index: 1, count: 2 } });
  const before = rig.takeCalls()["test.named"];
  rig.write({ "in/more.txt": "more", "in/another.txt": "another" });
  await rig.run(recipe, { shard: { index: 2, count: 2 } });
  const others = rig.takeCalls()["test.named"]!;
  assert.deepEqual(before!.filter((name) => others.includes(name)), []);
});

Deno.test("a limit counts before the split: shards of the first ten are the first ten", async () => {
  await using rig = new Rig();
  rig.write(words(25));
  const done: string[] = [];
  for (const shard of shardsOf(2)) {
    await rig.run(recipe, { shard, limit: 10 });
    done.push(...rig.takeCalls()["test.named"] ?? []);
  }
  assert.deepEqual(done.toSorted(), Object.keys(words(10)).map((path) => path.slice(3)));
});

Deno.test("what cannot be done in a shard is said before anything runs", async () => {
  await using rig = new Rig();
  rig.write(words(4));
  const shard = { index: 1, count: 2 };
  const message = 'Cannot run node "joined" in shard 1/2: it needs the items of all shards ' +
    "(run it without --shard when they are done)";
  await assert.rejects(rig.run(recipe, { shard, until: "joined" }), { message });
  await assert.rejects(rig.run(recipe, { shard, force: ["joined"] }), ShardProblem);
  await assert.rejects(rig.run(recipe, { shard: { index: 3, count: 2 } }), {
    message: "Cannot run a shard: there is no shard 3 of 2 (there are 2, 1/2 to 2/2)",
  });
  await assert.rejects(rig.run(recipe, { shard: { index: NaN, count: 2 } }), ShardProblem);
  await assert.rejects(rig.run(recipe, { shard, until: "nothing" }), UnknownNode);
  assert.deepEqual(rig.takeCalls(), {});
  const until = await rig.run(recipe, { shard, until: "upper" });
  assert.deepEqual(Object.keys(rig.takeCalls()), ["test.upper"]);
  assert.ok(until.counts.ran > 0);
});

Deno.test("items that a step makes of nothing are split as well", async () => {
  const count = defineStep({
    name: "test.count",
    version: 1,
    doc: "Makes items of numbers.",
    origin: "computed",
    inputs: {},
    params: z.object({}),
    outputs: { texts: many(text, "the numbers") },
    run: () =>
      produced({
        texts: Array.from({ length: 20 }, (_, at) => ({ name: `n${at}`, value: `number ${at}` })),
      }),
  });
  await using rig = new Rig([count]);
  const counting = `
recipe: counting
steps:
  numbers: { use: test.count }
  named: { use: test.named, from: numbers }
  length: { use: test.length, from: named }
`;
  const done: string[][] = [];
  for (const shard of shardsOf(2)) {
    await rig.run(counting, { shard });
    done.push(rig.takeCalls()["test.named"]!);
  }
  assert.ok(done.every((names) => names.length > 0));
  assert.deepEqual(done.flat().toSorted(), Array.from({ length: 20 }, (_, at) => `n${at}`).sort());
  await rig.run(counting);
  assert.deepEqual(rig.takeCalls(), {});
});

Deno.test("force does a shard's tasks again, and only those", async () => {
  await using rig = new Rig();
  rig.write(words(12));
  const shard = { index: 2, count: 3 };
  await rig.run(recipe);
  rig.takeCalls();
  await rig.run(recipe, { shard, force: ["upper"] });
  const expected = Object.keys(words(12)).filter((path) => isInShard(path.slice(3), shard));
  assert.equal(rig.takeCalls()["test.upper"]!.length, expected.length);
});

Deno.test("a plan of a shard counts its share and says what is held", async () => {
  await using rig = new Rig();
  rig.write(words(12));
  const shard = { index: 1, count: 2 };
  const mine = Object.keys(words(12)).filter((path) => isInShard(path.slice(3), shard)).length;
  const groups = await rig.session().plan(await rig.graph(recipe), { shard });
  assert.deepEqual(
    groups.filter(({ node }) => ["upper", "joined", "both"].includes(node)).map((
      { node, verdict, count, why },
    ) => [node, verdict, count, why]),
    [
      ["upper", "run", mine, "after texts"],
      ["joined", "skip", 1, "held for the run without --shard"],
      ["both", "skip", 1, "held for the run without --shard"],
    ],
  );
  assert.ok(mine > 0 && mine < 12);
});

Deno.test("workspaces of shards merge, and the whole run then computes nothing of what shards did", async () => {
  await using rig = new Rig();
  rig.write({ ...words(30), "in/large.txt": "x".repeat(40_000), "in/reject.txt": "reject me" });
  const short = recipe.replace(/ {2}letters.*\n {2}length.*\n/, "");
  const graph = await rig.graph(short);
  for (const shard of shardsOf(3)) {
    await elsewhere(rig, `machine ${shard.index}`).run(graph, { shard });
  }
  rig.takeCalls();
  const here = rig.session();
  let artifacts = 0;
  for (const { index } of shardsOf(3)) {
    const report = await mergeWorkspace(here, `machine ${index}`);
    assert.ok(report.results > 0);
    assert.deepEqual([report.left, report.differing], [0, 0]);
    artifacts += report.artifacts;
    const again = await mergeWorkspace(here, join(rig.folder, `machine ${index}`));
    assert.deepEqual(again, {
      from: join(rig.folder, `machine ${index}`),
      results: 0,
      artifacts: 0,
      bytes: 0,
      known: report.results + report.known,
      differing: 0,
      left: 0,
    });
  }
  assert.ok(artifacts > 30);
  const { counts, status } = await rig.run(short);
  assert.equal(status, "complete");
  const calls = rig.takeCalls();
  assert.deepEqual(Object.keys(calls).sort(), ["test.join", "test.with_shared"]);
  assert.equal(counts.ran, calls["test.with_shared"]!.length + 1);
  // Why a task ran is known too: these have been done before, with another text.
  rig.write({ "in/000.txt": "another word" });
  const changed = await rig.run(short);
  const why = changed.events.flatMap((event) =>
    event.type === "task-started" && event.node === "upper" ? [event.why.type] : []
  );
  assert.deepEqual(why, ["changed"]);
});

Deno.test("what is damaged in the other workspace is left there, and made again here", async () => {
  await using rig = new Rig();
  rig.write({
    "in/a.txt": "x".repeat(40_000),
    "in/b.txt": "y".repeat(40_000),
    "in/c.txt": "short",
  });
  const graph = await rig.graph(recipe);
  await elsewhere(rig, "other").run(graph, { until: "upper" });
  rig.takeCalls();
  const files = storeFiles(rig.path("other/store"));
  assert.equal(files.length, 2);
  const bytes = Deno.readFileSync(files[0]!);
  bytes[17]! ^= 1;
  Deno.writeFileSync(files[0]!, bytes);
  const report = await mergeWorkspace(rig.session(), "other");
  assert.deepEqual([report.left, report.artifacts], [1, 2]);
  await rig.run(recipe, { until: "upper" });
  assert.equal(rig.takeCalls()["test.upper"]!.length, 1);
  // What is here now need not come from there.
  assert.equal((await mergeWorkspace(rig.session(), "other")).left, 0);
});

function storeFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
    [...Deno.readDirSync(join(folder, name))].map((file) => join(folder, name, file.name))
  ).sort();
}

Deno.test("a result that differs from the one here is not taken, and said", async () => {
  await using rig = new Rig();
  rig.write({ "in/a.txt": "flower" });
  const graph = await rig.graph(recipe);
  await elsewhere(rig, "other").run(graph, { until: "upper" });
  await rig.run(recipe, { until: "upper" });
  const { DatabaseSync } = await import("node:sqlite");
  const { parseResult, writeResult } = await import("../../src/runtime/stored_result.ts");
  const database = new DatabaseSync(rig.path("other/cache.sqlite"));
  const row = database.prepare("SELECT key, result FROM tasks WHERE inputs LIKE '{\"text\"%'")
    .get()!;
  const result = parseResult(String(row["result"]));
  database.prepare("UPDATE tasks SET result = ? WHERE key = ?")
    .run(writeResult({ ...result, warnings: ["another machine said so"] }), String(row["key"]));
  database.close();
  const report = await mergeWorkspace(rig.session(), "other");
  assert.deepEqual([report.results, report.known, report.differing], [0, 2, 1]);
  const { events } = await rig.run(recipe, { until: "upper" });
  assert.deepEqual(events.filter(({ type }) => type === "warning"), []);
});

Deno.test("only another workspace can be merged", async () => {
  await using rig = new Rig();
  rig.write({ "in/a.txt": "one", "empty/file": "" });
  await rig.run(recipe, { until: "upper" });
  const refused = (from: string, message: string | RegExp) =>
    assert.rejects(mergeWorkspace(rig.session(), from), { message });
  await refused(".tintype", 'Cannot merge workspace ".tintype": it is this workspace itself');
  await refused(".", 'Cannot merge workspace ".": it is this workspace itself');
  await refused("nowhere", 'Cannot merge workspace "nowhere": it is not there');
  await refused("empty", /there is no cache\.sqlite in it/);
  rig.write({ "broken/cache.sqlite": "no database at all, but a text" });
  await refused("broken", /^Cannot merge workspace "broken": file is not a database/);
});
