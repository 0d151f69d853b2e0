import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { rowKind, text } from "../../src/runtime/artifact.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import type { RunReport } from "../../src/runtime/session.ts";
import { all, defineStep, each, produced } from "../../src/runtime/step.ts";
import { Rig } from "../rig.ts";

const recipe = (suffix = "", name = "words") => `
recipe: ${name}
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts, with: { suffix: "${suffix}" } }
  long: { use: test.length, from: upper }
  joined: { use: test.join, from: upper }
`;

/** Files whose times are an hour old: what was written this moment is read again in any case. */
function writeOld(rig: Rig, files: Readonly<Record<string, string>>, ageMs = 3_600_000) {
  const before = new Date(Date.now() - ageMs);
  rig.write(files);
  for (const name of Object.keys(files)) Deno.utimeSync(rig.path(name), before, before);
}

const words = { "in/a": "one", "in/b": "two", "in/c": "one", "in/d": "reject this" };

function inCache<T>(rig: Rig, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(rig.workspace, "cache.sqlite"));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const trailsOf = (rig: Rig) =>
  inCache(
    rig,
    (database) =>
      database.prepare("SELECT path, trail FROM trails ORDER BY path").all().map((row) => ({
        name: String(row["path"]).slice(-1),
        trail: String(row["trail"]),
      })),
  );

function setTrails(rig: Rig, change: (whole: string) => string) {
  inCache(rig, (database) => {
    const set = database.prepare("UPDATE trails SET trail = ? WHERE path = ?");
    for (const { path, trail } of database.prepare("SELECT path, trail FROM trails").all()) {
      set.run(change(String(trail)), path!);
    }
  });
}

/** What a run said of each task, whatever the time was. */
function saidOf({ events }: RunReport & { readonly events: readonly RunEvent[] }) {
  return events.flatMap((event) =>
    event.type === "task-settled" ? [{ ...event, elapsedMs: undefined }] : []
  );
}

Deno.test("a finished item leaves a trail, a rejected one none", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  assert.deepEqual(trailsOf(rig).map(({ name }) => name), ["a", "b", "c"]);
});

Deno.test("a rerun by trails says what one without them says", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  const byTrails = await rig.run(recipe());
  inCache(rig, (database) => database.exec("DELETE FROM trails"));
  const byKeys = await rig.run(recipe());
  assert.deepEqual(saidOf(byTrails), saidOf(byKeys));
  assert.deepEqual(byTrails.counts, byKeys.counts);
  assert.equal(byTrails.counts.ran, 0);
  assert.equal(trailsOf(rig).length, 3, "the rerun by keys has written them again");
});

Deno.test("a rerun reads the trail, not the tasks", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  const other = trailsOf(rig)[0]!.trail.replace(/^[0-9a-f]{64}/, "0".repeat(64));
  inCache(
    rig,
    (database) =>
      database.prepare("UPDATE trails SET trail = ? WHERE path = ?").run(other, rig.path("in/a")),
  );
  const keys = saidOf(await rig.run(recipe())).filter(({ item }) => item === "a")
    .map(({ key }) => key);
  assert.equal(keys[0], "0".repeat(64));
});

Deno.test("a file under another name does not follow the trail", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  const other = trailsOf(rig)[0]!.trail.replace('\t"a"\t', '\t"z"\t');
  inCache(
    rig,
    (database) =>
      database.prepare("UPDATE trails SET trail = ? WHERE path = ?").run(other, rig.path("in/a")),
  );
  const { counts } = await rig.run(recipe());
  assert.equal(counts.ran, 0);
  assert.ok(trailsOf(rig)[0]!.trail.includes('\t"a"\t'), "its own is written in its place");
});

Deno.test("another parameter drops the stage's trails and leaves new ones", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  const before = trailsOf(rig);
  await rig.run(recipe("!"));
  const after = trailsOf(rig);
  assert.equal(after.length, 3);
  assert.ok(after.every(({ trail }, at) => trail !== before[at]!.trail));
  const back = await rig.run(recipe());
  assert.equal(back.counts.ran, 0, "the cache itself still has everything");
  assert.deepEqual(trailsOf(rig), before);
});

Deno.test("taking a result or an artifact away ends all trails", async () => {
  for (const [table, key] of Object.entries({ tasks: "key", blobs: "hash" })) {
    await using rig = new Rig();
    writeOld(rig, words);
    await rig.run(recipe());
    const least = `SELECT min(${key}) FROM ${table}`;
    inCache(rig, (database) => database.exec(`DELETE FROM ${table} WHERE ${key} = (${least})`));
    assert.deepEqual(trailsOf(rig), [], table);
  }
});

Deno.test("a result that came out otherwise, forced, is that of its copies too", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  inCache(rig, (database) =>
    database.exec(
      `UPDATE tasks SET result = replace(result, '"s":1', '"w":["old"],"s":1')
       WHERE key IN (SELECT key FROM latest WHERE node = 'words/upper')`,
    ));
  assert.deepEqual(trailsOf(rig), []);
  await rig.run(recipe());
  assert.ok(trailsOf(rig).every(({ trail }) => trail.includes("old")));
  await rig.run(recipe(), { force: ["upper:a"] });
  const rerun = await rig.run(recipe());
  const warned = rerun.events.flatMap((event) =>
    event.type === "warning" && event.message === "old" ? [event.item] : []
  );
  assert.deepEqual(warned, ["b"], "a and its copy c have the new result");
});

Deno.test("a stored artifact that is gone is made again, trail or not", async () => {
  await using rig = new Rig();
  writeOld(rig, { "in/a": "long ".repeat(5000), "in/b": "two" });
  await rig.run(recipe());
  assert.equal(trailsOf(rig).length, 2);
  Deno.removeSync(join(rig.workspace, "store"), { recursive: true });
  rig.takeCalls();
  const { counts } = await rig.run(recipe());
  assert.ok(counts.ran >= 1);
  assert.equal(rig.takeCalls()["test.upper"]?.length, 1);
});

Deno.test("a damaged trail is passed over, and written anew", async () => {
  const damages: readonly ((whole: string) => string)[] = [
    () => "",
    () => "null",
    () => '["a","key",null,"key",{}]',
    ...[10, 300, 400, 460].map((length) => (whole: string) => whole.slice(0, length)),
    (whole) => whole.slice(0, whole.lastIndexOf("\t", whole.length - 2)),
    (whole) => whole.slice(0, -1),
  ];
  for (const [at, damage] of damages.entries()) {
    await using rig = new Rig();
    writeOld(rig, words);
    await rig.run(recipe());
    const whole = trailsOf(rig);
    setTrails(rig, damage);
    const { counts, status } = await rig.run(recipe());
    assert.deepEqual([status, counts.ran], ["complete", 0], String(at));
    assert.deepEqual(trailsOf(rig), whole, String(at));
  }
});

Deno.test("what a damaged trail does not say of its outputs is asked of the cache", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  setTrails(rig, (whole) => `${whole.slice(0, -2)}x]\t`);
  // The tables are not those of a run before, so that all that was made is read.
  Deno.removeSync(join(rig.workspace, "runs"), { recursive: true });
  const { counts, status, folder } = await rig.run(recipe());
  assert.deepEqual([status, counts.ran, counts.cached], ["complete", 0, 11]);
  const list = Deno.readTextFileSync(join(folder, "tables", "upper.hashes"));
  assert.equal(list.trim().split("\n").length, 5);
});

Deno.test("a path with a line break leaves no trail, and is cached all the same", async () => {
  await using rig = new Rig();
  writeOld(rig, { "in/a": "one", "in/b\nc": "two" });
  await rig.run(recipe());
  assert.deepEqual(trailsOf(rig).map(({ name }) => name), ["a"]);
  const { counts } = await rig.run(recipe());
  assert.deepEqual([counts.ran, counts.cached], [0, 7]);
});

Deno.test("trails are found however many there are", async () => {
  await using rig = new Rig();
  const names = Array.from({ length: 1_203 }, (_, at) => `in/ü${at}😀`);
  writeOld(rig, Object.fromEntries(names.map((name, at) => [name, `text ${at % 5}`])));
  await rig.run(recipe());
  assert.equal(trailsOf(rig).length, names.length);
  inCache(rig, (database) => {
    database.exec("DELETE FROM files");
    assert.equal(database.prepare("SELECT count(*) AS n FROM trails").get()!["n"], 0);
  });
  await rig.run(recipe());
  setTrails(rig, (whole) => whole.replace(/^[0-9a-f]{64}/, "f".repeat(64)));
  const said = saidOf(await rig.run(recipe()));
  assert.equal(said.filter(({ key }) => key === "f".repeat(64)).length, names.length);
});

const inBetween: Readonly<Record<string, (rig: Rig) => Promise<unknown>>> = {
  "a run that rejects it": (rig) => rig.run(recipe()),
  "a run up to the scan": (rig) => rig.run(recipe(), { until: "texts" }),
  "a run of another recipe": (rig) => rig.run(recipe("", "others")),
};

for (const [what, run] of Object.entries(inBetween)) {
  Deno.test(`a trail is not that of the file's new content, also after ${what}`, async () => {
    await using rig = new Rig();
    writeOld(rig, words);
    await rig.run(recipe());
    writeOld(rig, { "in/a": what.includes("rejects") ? "reject me" : "new" }, 1_800_000);
    await run(rig);
    const byTrails = saidOf(await rig.run(recipe()));
    inCache(rig, (database) => database.exec("DELETE FROM trails"));
    const byKeys = saidOf(await rig.run(recipe()));
    const keysOf = (said: typeof byKeys) =>
      said.map(({ node, item, key }) => `${node} ${item} ${key}`).sort();
    assert.deepEqual(keysOf(byTrails), keysOf(byKeys));
  });
}

Deno.test("a file that comes back as it was, after another in its place, is known to plan and verify", async () => {
  await using rig = new Rig();
  writeOld(rig, words);
  await rig.run(recipe());
  Deno.renameSync(rig.path("in/a"), rig.path("aside"));
  writeOld(rig, { "in/a": "reject me" }, 1_800_000);
  await rig.run(recipe());
  Deno.removeSync(rig.path("in/a"));
  Deno.renameSync(rig.path("aside"), rig.path("in/a"));
  await rig.run(recipe());
  const groups = await rig.session().plan(await rig.graph(recipe()));
  assert.deepEqual(groups.filter(({ verdict }) => verdict === "run" || verdict === "perhaps"), []);
  const indexed = inCache(
    rig,
    (database) => database.prepare("SELECT size FROM files WHERE path = ?").get(rig.path("in/a")),
  );
  assert.equal(indexed!["size"], words["in/a"].length);
});

const warned = defineStep({
  name: "test.warned",
  version: 1,
  doc: "Says something odd.",
  origin: "computed",
  inputs: { text: each(text, "the texts") },
  params: z.object({}),
  outputs: { text: each(text, "the same") },
  async run(inputs, _, context) {
    context.warn("odd \u2028 \t \n %");
    return produced({ text: await inputs.text.read() });
  },
});

Deno.test("what a result warns of is said by trails too, and damage to it is passed over", async () => {
  await using rig = new Rig([warned]);
  writeOld(rig, { "in/a": "one", "in/b": "two" });
  const warning = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  warned: { use: test.warned, from: texts }
`;
  const warningsOf = ({ events }: Awaited<ReturnType<Rig["run"]>>) =>
    events.flatMap((event) => event.type === "warning" ? [`${event.item}: ${event.message}`] : [])
      .sort(); // items that run at the same time end in any order
  const first = warningsOf(await rig.run(warning));
  assert.equal(first.length, 2);
  const whole = trailsOf(rig);
  assert.deepEqual(warningsOf(await rig.run(warning)), first);
  setTrails(rig, (trail) => trail.replace('["odd', "[!odd"));
  const { status, counts } = await rig.run(warning);
  assert.deepEqual([status, counts.ran], ["complete", 0]);
  assert.deepEqual(trailsOf(rig), whole);
});

const lengths = rowKind("length", "how long a text is", z.object({ letters: z.int() }));

const passed = defineStep({
  name: "test.passed",
  version: 1,
  doc: "Passes rows on.",
  origin: "computed",
  inputs: { row: all(lengths, "the rows") },
  params: z.object({ time: z.int().default(0) }),
  outputs: { row: each(lengths, "the same") },
  run: ({ row }) => produced({ row: new Map(row) }),
});

Deno.test("what a step passes on is recorded alike, with trails and without", async () => {
  const recorded: unknown[] = [];
  for (const hasTrails of [true, false]) {
    await using rig = new Rig([passed]);
    writeOld(rig, { "in/a": "one", "in/b": "two!" });
    const passing = (time: number) => `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  long: { use: test.length, from: texts }
  passed: { use: test.passed, from: long, with: { time: ${time} } }
`;
    await rig.run(passing(0));
    if (!hasTrails) inCache(rig, (database) => database.exec("DELETE FROM trails"));
    await rig.run(passing(1));
    recorded.push(inCache(
      rig,
      (database) =>
        database.prepare("SELECT result FROM tasks ORDER BY result").all()
          .map((row) => String(row["result"])),
    ));
  }
  assert.deepEqual(recorded[0], recorded[1]);
});

Deno.test("a result that was forced is that of a copy that comes much later", async () => {
  const made = { times: 0 };
  const chance = defineStep({
    name: "test.chance",
    version: 1,
    doc: "Is never the same.",
    origin: "computed",
    inputs: { text: each(text, "the texts") },
    params: z.object({}),
    outputs: { text: each(text, "with a number") },
    run: async (inputs) => produced({ text: `${await inputs.text.read()} ${made.times}` }),
  });
  await using rig = new Rig([chance]);
  const names = Array.from({ length: 600 }, (_, at) => `in/f${at}`);
  writeOld(rig, {
    ...Object.fromEntries(names.map((name) => [name, name])),
    "in/0": "the same",
    "in/z": "the same",
  });
  const chances = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  made: { use: test.chance, from: texts }
`;
  await rig.run(chances);
  inCache(rig, (database) => database.exec("DELETE FROM trails"));
  made.times++;
  await rig.run(chances, { force: ["made:0"] });
  const { folder } = await rig.run(chances);
  const rows = Deno.readTextFileSync(join(folder, "tables", "made.hashes")).trim().split("\n")
    .slice(1).map((line) => JSON.parse(line) as [string, string, string[]]);
  const hashOf = (name: string) => rows.find(([item]) => item === name)?.[2][0];
  assert.ok(hashOf("0"));
  assert.equal(hashOf("0"), hashOf("z"));
});

Deno.test("a forced result is that of its copies in the same run, and is made once", async () => {
  const made = { times: 0 };
  const counted = defineStep({
    name: "test.counted",
    version: 1,
    doc: "Is never the same.",
    origin: "computed",
    inputs: { text: each(text, "the texts") },
    params: z.object({}),
    outputs: { text: each(text, "how many times it was made") },
    run: () => Promise.resolve(produced({ text: `${made.times++}` })),
  });
  await using rig = new Rig([counted]);
  writeOld(rig, { "in/a": "the same", "in/b": "the same", "in/c": "the same" });
  const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  made: { use: test.counted, from: texts }
`;
  const hashes = (folder: string) =>
    Deno.readTextFileSync(join(folder, "tables", "made.hashes")).trim().split("\n").slice(1)
      .map((line) => (JSON.parse(line) as [string, string, string[]])[2][0]!);
  await rig.run(recipe);
  for (const [force, times] of [["made", 2], ["made:a", 3]] as const) {
    const { folder } = await rig.run(recipe, { force: [force] });
    assert.equal(made.times, times);
    assert.equal(new Set(hashes(folder)).size, 1);
    const rerun = await rig.run(recipe);
    assert.equal(rerun.counts.ran, 0);
    assert.deepEqual(hashes(rerun.folder), hashes(folder));
  }
});
