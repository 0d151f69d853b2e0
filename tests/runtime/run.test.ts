import assert from "node:assert/strict";
import { Rig } from "../rig.ts";
import type { RunEvent } from "../../src/runtime/event.ts";

const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  long: { use: test.length, from: upper }
  joined: { use: test.join, from: upper }
`;

type Settled = Extract<RunEvent, { type: "task-settled" }>;

function settled(events: readonly RunEvent[], node: string): Record<string, string> {
  const tasks = events.filter((event): event is Settled => event.type === "task-settled");
  return Object.fromEntries(
    tasks.filter((event) => event.node === node).map((event) => [event.item ?? "", event.outcome]),
  );
}

Deno.test("a failing item never stops the others", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "throw", "in/c": "fail", "in/d": "four" });
  const { events, counts, status } = await rig.run(recipe);
  assert.deepEqual(settled(events, "upper"), { a: "ran", b: "failed", c: "failed", d: "ran" });
  assert.deepEqual(settled(events, "long"), { a: "ran", b: "skipped", c: "skipped", d: "ran" });
  assert.deepEqual(rig.takeCalls()["test.join"], ["FOUR+ONE"]);
  assert.equal(status, "failed");
  assert.deepEqual(counts, { ran: 9, cached: 0, rejected: 0, skipped: 2, failed: 2, waiting: 0 });
});

Deno.test("a rejected item is left out of what follows, with its reason", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "reject", "in/b": "two" });
  const { events, status } = await rig.run(recipe);
  const rejection = events.find((event) =>
    event.type === "task-settled" && event.outcome === "rejected"
  );
  assert.deepEqual(
    rejection?.type === "task-settled" && [rejection.item, rejection.reason, rejection.numbers],
    ["a", "it says so", { letters: 6 }],
  );
  assert.deepEqual(settled(events, "long"), { a: "skipped", b: "ran" });
  assert.deepEqual(rig.takeCalls()["test.join"], ["TWO"]);
  assert.equal(status, "complete");
});

Deno.test("an item that waits for a person is reported, and asked about again", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "wait", "in/b": "two" });
  const { events, status } = await rig.run(recipe);
  assert.equal(status, "waiting");
  assert.deepEqual(settled(events, "upper"), { a: "waiting", b: "ran" });
  assert.ok(events.some((event) => event.type === "task-waiting" && event.item === "a"));
  rig.takeCalls();
  await rig.run(recipe);
  assert.deepEqual(rig.takeCalls()["test.upper"], ["wait"]);
});

Deno.test("what says that it may help is tried again, what does not is not", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "flaky", "in/b": "fail", "in/c": "hopeless" });
  const { events } = await rig.run(recipe);
  assert.deepEqual(settled(events, "upper"), { a: "ran", b: "failed", c: "failed" });
  assert.deepEqual(
    rig.takeCalls()["test.upper"],
    ["fail", "flaky", "flaky", "hopeless", "hopeless", "hopeless", "hopeless"],
  );
  const retried = events.filter((event) => event.type === "task-retried");
  assert.deepEqual(retried.map((event) => event.item).sort(), ["a", "c", "c", "c"]);
});

Deno.test("an all step says something of each item, in whatever order they came", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "zebra", "in/b": "odd", "in/c": "ant" });
  const { status } = await rig.run(`${recipe}  rank: { use: test.rank, from: upper }\n`);
  assert.equal(status, "complete");
  const catalog = await rig.session().openCatalog();
  const { rows } = await catalog.query("SELECT item, status, reason, text FROM rank ORDER BY item");
  catalog.close();
  assert.deepEqual(rows, [
    { item: "a", status: "produced", reason: null, text: "3" },
    { item: "b", status: "rejected", reason: "odd", text: null },
    { item: "c", status: "produced", reason: null, text: "1" },
  ]);
});

Deno.test("items born of items flow through their own steps", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "ab", "in/b": "c" });
  const { events } = await rig.run(`
recipe: letters
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  letters: { use: test.letters, from: texts }
  upper: { use: test.upper, from: letters }
  joined: { use: test.join, from: upper }
`);
  assert.deepEqual(settled(events, "upper"), { "a#0": "ran", "a#1": "ran", "b#0": "ran" });
  assert.deepEqual(rig.takeCalls()["test.join"], ["A+B+C"]);
});

Deno.test("a single value is shared by all items", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "two" });
  await rig.run(
    `${recipe}  shared: { use: test.with_shared, from: { text: upper, shared: joined } }\n`,
  );
  assert.deepEqual(rig.takeCalls()["test.with_shared"], ["ONE|ONE+TWO", "TWO|ONE+TWO"]);
});

Deno.test("a step with a batch gets many items in one call, and the last few without delay", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries("abcdefgh".split("").map((name) => [`in/${name}`, `text ${name}`])));
  const { status } = await rig.run(`${recipe}  batched: { use: test.batched, from: upper }\n`);
  assert.equal(status, "complete");
  const sizes = rig.takeCalls()["test.batched"]!.map(Number);
  assert.equal(sizes.reduce((sum, size) => sum + size, 0), 8);
  assert.equal(Math.max(...sizes), 3);
  assert.ok(sizes.length <= 4, `called with ${sizes}`);
});

Deno.test("copies of what is in a batch that is not full do not hold it up", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries("abcdefgh".split("").map((name) => [`in/${name}`, "the same"])));
  const { status, counts } = await rig.run(
    `${recipe}  batched: { use: test.batched, from: upper }\n`,
  );
  assert.deepEqual([status, counts.failed], ["complete", 0]);
  assert.deepEqual(rig.takeCalls()["test.batched"], ["1"]);
});

Deno.test("no more items are computed at the same time than jobs allow", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries("abcdefgh".split("").map((name) => [`in/${name}`, name])));
  let active = 0;
  let most = 0;
  rig.onUpper = async () => {
    most = Math.max(most, ++active);
    await Promise.resolve().then(() => {});
    await new Promise((resolve) => setTimeout(resolve, 0));
    active--;
  };
  await rig.run(recipe, { jobs: 3 });
  assert.equal(most, 3);
});

Deno.test("an item goes through all its steps before others begin, but for one that is read ahead", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries("abcdefghijkl".split("").map((name) => [`in/${name}`, name])));
  const { events } = await rig.run(recipe, { jobs: 1 });
  const begun = new Set<string>();
  let most = 0;
  for (const event of events) {
    if (!("item" in event) || event.item === undefined) continue;
    if (event.type === "task-started") most = Math.max(most, begun.add(event.item).size);
    if (event.type === "task-settled" && event.node === "long") begun.delete(event.item);
  }
  assert.equal(begun.size, 0);
  assert.ok(most >= 1 && most <= 2, `${most} items were under way`);
});

Deno.test("a stopped run finishes what is in flight, and the next one goes on from there", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries("abcdefghij".split("").map((name) => [`in/${name}`, name])));
  const stop = new AbortController();
  let third = "";
  let calls = 0;
  rig.onUpper = (text) => {
    if (++calls < 3) return;
    third = text;
    stop.abort();
  };
  const first = await rig.run(recipe, { jobs: 1, signal: stop.signal });
  assert.equal(first.status, "interrupted");
  const done = rig.takeCalls()["test.upper"]!;
  assert.deepEqual([done.length, settled(first.events, "upper")[third]], [3, "ran"]);
  rig.onUpper = () => {};
  const second = await rig.run(recipe);
  assert.equal(second.status, "complete");
  const rest = rig.takeCalls()["test.upper"]!;
  assert.deepEqual([...done, ...rest].sort(), "abcdefghij".split(""));
});

Deno.test("until runs a node and what it needs, nothing after it", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  await rig.run(recipe, { until: "upper" });
  assert.deepEqual(rig.takeCalls(), { "test.upper": ["one"] });
  await assert.rejects(rig.run(recipe, { until: "uper" }), /no node "uper"/);
});

Deno.test("limit takes only the first items", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "two", "in/c": "three" });
  await rig.run(recipe, { limit: 2 });
  assert.deepEqual(rig.takeCalls()["test.join"], ["ONE+TWO"]);
});

Deno.test("an empty folder is a complete run", async () => {
  await using rig = new Rig();
  Deno.mkdirSync(rig.path("in"));
  const { status } = await rig.run(recipe);
  assert.equal(status, "complete");
});

Deno.test("two runs in one workspace: the second waits and says for whom", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  rig.onUpper = async () => {
    reached.resolve();
    await goOn.promise;
  };
  const first = rig.run(recipe);
  await reached.promise;
  const waited = Promise.withResolvers<number | undefined>();
  const second = rig.run(recipe, { onWait: (holder) => waited.resolve(holder?.pid) });
  assert.equal(await waited.promise, Deno.pid);
  goOn.resolve();
  assert.equal((await first).counts.ran, 4);
  assert.equal((await second).counts.cached, 4);
});

Deno.test("of copies that are under way together only one is computed", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "same", "in/b": "same", "in/c": "same" });
  const { counts } = await rig.run(recipe, { jobs: 3 });
  assert.deepEqual(rig.takeCalls()["test.upper"], ["same"]);
  assert.deepEqual([counts.ran, counts.cached], [4, 6]);
});
