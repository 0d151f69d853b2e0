import assert from "node:assert/strict";
import { join } from "node:path";
import { Rig } from "../rig.ts";

const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  long: { use: test.length, from: upper }
  joined: { use: test.join, from: upper }
`;
const threeWords = { "in/a": "one", "in/b": "two", "in/c": "three" };

Deno.test("a second run does nothing", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  const first = await rig.run(recipe);
  assert.deepEqual(first.counts, {
    ran: 10,
    cached: 0,
    rejected: 0,
    skipped: 0,
    failed: 0,
    waiting: 0,
  });
  rig.takeCalls();
  const second = await rig.run(recipe);
  assert.equal(second.counts.ran, 0);
  assert.equal(second.counts.cached, 10);
  assert.deepEqual(rig.takeCalls(), {});
});

Deno.test("adding a file runs only its tasks, and what gathers all", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  await rig.run(recipe);
  rig.takeCalls();
  rig.write({ "in/d": "four" });
  const { counts } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), {
    "test.upper": ["four"],
    "test.length": ["FOUR"],
    "test.join": ["FOUR+ONE+THREE+TWO"],
  });
  assert.equal(counts.ran, 4);
});

Deno.test("changing a file's mtime reruns nothing", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  await rig.run(recipe);
  rig.takeCalls();
  for (const name of ["a", "b", "c"]) {
    Deno.utimeSync(rig.path(`in/${name}`), new Date(1e12), new Date(1e12));
  }
  const { counts } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), {});
  assert.equal(counts.ran, 0);
});

Deno.test("renaming a file reruns only what carries its name", async () => {
  await using rig = new Rig();
  const named = `${recipe}  named: { use: test.named, from: upper }\n`;
  rig.write(threeWords);
  await rig.run(named);
  rig.takeCalls();
  Deno.renameSync(rig.path("in/b"), rig.path("in/z"));
  const { counts } = await rig.run(named);
  assert.deepEqual(rig.takeCalls(), { "test.named": ["z"] });
  assert.equal(counts.ran, 1);
});

Deno.test("changing a parameter reruns its node and what sees another value", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  await rig.run(recipe);
  rig.takeCalls();
  const { events } = await rig.run(
    recipe.replace("from: texts }", "from: texts, with: { suffix: '!' } }"),
  );
  const started = events.filter((event) => event.type === "task-started");
  assert.equal(started.filter((event) => event.node === "upper").length, 3);
  assert.deepEqual(started.find((event) => event.node === "upper")!.why, {
    type: "changed",
    changes: [{ part: "param", name: "suffix", before: "", after: "!" }],
  });
  assert.deepEqual(started.find((event) => event.node === "long")!.why, {
    type: "changed",
    changes: [{ part: "input", name: "text", from: "upper" }],
  });
});

Deno.test("a change that changes nothing stops where it stopped mattering", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  await rig.run(recipe);
  rig.takeCalls();
  rig.write({ "in/a": "One" });
  const { counts } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), { "test.upper": ["One"] });
  assert.deepEqual([counts.ran, counts.cached], [2, 2]);
});

Deno.test("going back to an earlier value is cached", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  await rig.run(recipe);
  await rig.run(recipe.replace("from: texts }", "from: texts, with: { times: 2 } }"));
  rig.takeCalls();
  const { counts } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), {});
  assert.equal(counts.ran, 0);
});

Deno.test("a rejection is cached, a failure is not", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "reject me", "in/b": "fail me" });
  await rig.run(recipe);
  rig.takeCalls();
  const { counts } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls()["test.upper"], ["fail me"]);
  assert.deepEqual([counts.rejected, counts.failed], [1, 1]);
});

Deno.test("a forced node runs again, what follows stays cached when it comes out the same", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  await rig.run(recipe);
  rig.takeCalls();
  await rig.run(recipe, { force: ["upper"] });
  assert.deepEqual(rig.takeCalls(), { "test.upper": ["one", "three", "two"] });
});

/** A text too long to lie inline in the cache's file. */
const longText = "long text ".repeat(5000);

function storedFiles(rig: Rig): string[] {
  const store = join(rig.workspace, "store");
  return [...Deno.readDirSync(store)].flatMap((shard) =>
    [...Deno.readDirSync(join(store, shard.name))].map((file) => join(store, shard.name, file.name))
  );
}

Deno.test("a missing artifact is made again, and said so", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": longText, "in/b": "short" });
  await rig.run(recipe);
  rig.takeCalls();
  const upper = storedFiles(rig).find((path) => Deno.statSync(path).size === longText.length)!;
  const content = Deno.readFileSync(upper);
  Deno.removeSync(upper);
  const { events, counts } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), { "test.upper": [longText] });
  assert.deepEqual(Deno.readFileSync(upper), content);
  assert.deepEqual(
    events.filter((event) => event.type === "blob-lost")
      .map(({ node, item, problem }) => ({ node, item, problem })),
    [{ node: "upper", item: "a", problem: "missing" }],
  );
  assert.equal(counts.failed, 0);
});

Deno.test("a corrupt artifact is found when it is read, and made again", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": longText });
  await rig.run(recipe);
  rig.takeCalls();
  const upper = storedFiles(rig).find((path) => Deno.statSync(path).size === longText.length)!;
  const content = Deno.readFileSync(upper);
  Deno.writeFileSync(upper, content.toReversed());
  const { events, counts } = await rig.run(recipe, { force: ["long"] });
  assert.deepEqual(rig.takeCalls()["test.upper"], [longText]);
  assert.deepEqual(Deno.readFileSync(upper), content);
  assert.equal(events.find((event) => event.type === "blob-lost")?.problem, "corrupt");
  assert.equal(counts.failed, 0);
});

Deno.test("originals are neither copied into the store nor written to", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": longText });
  const before = Deno.statSync(rig.path("in/a"));
  await rig.run(recipe);
  assert.deepEqual(storedFiles(rig).filter((path) => Deno.readTextFileSync(path) === longText), []);
  assert.equal(Deno.statSync(rig.path("in/a")).mtime!.getTime(), before.mtime!.getTime());
});

Deno.test("a file that changes with its size and time kept soon after it was read is noticed", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  // It is read within a step of the clock of this, however long a busy machine takes until then.
  const time = new Date(Date.now() + 60_000);
  Deno.utimeSync(rig.path("in/a"), time, time);
  await rig.run(recipe);
  rig.takeCalls();
  Deno.writeTextFileSync(rig.path("in/a"), "two");
  Deno.utimeSync(rig.path("in/a"), time, time);
  await rig.run(recipe);
  assert.deepEqual(rig.takeCalls()["test.upper"], ["two"]);
});

Deno.test("a newer cache format is refused with the way out", async () => {
  await using rig = new Rig();
  rig.write(threeWords);
  await rig.run(recipe);
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(join(rig.workspace, "cache.sqlite"));
  database.exec("UPDATE meta SET value = '99' WHERE name = 'format'");
  database.close();
  await assert.rejects(rig.run(recipe), /its format is 99 \(1 is wanted\); remove it/);
});

Deno.test("a renamed file remembers what its tasks were made of", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  await rig.run(recipe);
  Deno.renameSync(rig.path("in/a"), rig.path("in/z"));
  await rig.run(recipe);
  const { events } = await rig.run(
    recipe.replace("from: texts }", "from: texts, with: { times: 2 } }"),
  );
  const upper = events.find((event) => event.type === "task-started" && event.node === "upper");
  assert.deepEqual(upper?.type === "task-started" && upper.why, {
    type: "changed",
    changes: [{ part: "param", name: "times", before: 1, after: 2 }],
  });
});
