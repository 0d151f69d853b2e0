import assert from "node:assert/strict";
import { join } from "node:path";
import { openCatalog } from "../../src/runtime/catalog_db.ts";
import { readJournal } from "../../src/runtime/journal.ts";
import { Rig } from "../rig.ts";

const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  long: { use: test.length, from: upper }
  rank: { use: test.rank, from: upper }
`;

Deno.test("the journal holds every event of the run, in order, one a line", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "reject" });
  const { events, folder } = await rig.run(recipe);
  const journal = [...readJournal(join(folder, "journal.jsonl"))];
  assert.deepEqual(journal.map(({ at: _, ...event }) => event), JSON.parse(JSON.stringify(events)));
  assert.ok(journal.every(({ at }) => !Number.isNaN(Date.parse(at))));
  assert.deepEqual(
    [journal.at(0)!.type, journal.at(-1)!.type],
    ["run-started", "run-finished"],
  );
});

Deno.test("a partial last line of a journal is passed over", async () => {
  await using rig = new Rig();
  rig.write({ "j.jsonl": `{"at":"x","type":"warning","message":"m"}\n{"at":"x","type":"warn` });
  assert.equal([...readJournal(rig.path("j.jsonl"))].length, 1);
});

Deno.test("each node has a Parquet table with a row for each item and typed columns", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "reject", "in/c": "three" });
  const { folder } = await rig.run(recipe);
  const files = [...Deno.readDirSync(join(folder, "tables"))].map((entry) => entry.name);
  for (const table of ["texts", "upper", "long", "rank", "rank_count"]) {
    assert.ok(files.includes(`${table}.parquet`), `${table} in ${files}`);
  }
  assert.deepEqual(files.filter((name) => name.endsWith(".jsonl") || name.startsWith(".")), []);
  const catalog = await rig.session().openCatalog();
  const { rows } = await catalog.query("SELECT * FROM long");
  assert.deepEqual(rows, [
    { item: "a", status: "produced", reason: null, letters: 3 },
    { item: "b", status: "left-out", reason: 'left out at "upper": it says so', letters: null },
    { item: "c", status: "produced", reason: null, letters: 5 },
  ]);
  const types = await catalog.query("SELECT column_name, column_type FROM (DESCRIBE long)");
  assert.equal(
    types.rows.find((row) => row["column_name"] === "letters")!["column_type"],
    "BIGINT",
  );
  catalog.close();
});

Deno.test("items, tasks and runs are views over all that happened", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "fail" });
  await rig.run(recipe);
  await rig.run(recipe);
  const catalog = await rig.session().openCatalog();
  const query = async (sql: string) => (await catalog.query(sql)).rows;
  assert.deepEqual(await query("SELECT node, item, status FROM items ORDER BY item"), [
    { node: "texts", item: "a", status: "produced" },
    { node: "texts", item: "b", status: "produced" },
  ]);
  assert.deepEqual(await query("SELECT status, ran, cached, failed FROM runs ORDER BY run"), [
    { status: "failed", ran: 5, cached: 0, failed: 1 },
    { status: "failed", ran: 0, cached: 5, failed: 1 },
  ]);
  assert.deepEqual(
    await query("SELECT outcome, count(*) n FROM tasks WHERE node = 'upper' GROUP BY 1 ORDER BY 1"),
    [{ outcome: "cached", n: 1 }, { outcome: "failed", n: 2 }, { outcome: "ran", n: 1 }],
  );
  catalog.close();
});

Deno.test("a run that changes nothing links its tables instead of writing them", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  const first = await rig.run(recipe);
  const second = await rig.run(recipe);
  const inode = (folder: string) => Deno.statSync(join(folder, "tables/upper.parquet")).ino;
  assert.equal(inode(first.folder), inode(second.folder));
});

Deno.test("the catalogue can be read while a run writes, also from another process", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries("abcdef".split("").map((name) => [`in/${name}`, name])));
  const goOn = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let calls = 0;
  rig.onUpper = async () => {
    if (++calls < 6) return;
    reached.resolve();
    await goOn.promise;
  };
  const running = rig.run(recipe, { jobs: 1 });
  await reached.promise;
  const { workspace } = rig;
  // Rows and events reach the disk within a quarter of a second.
  const counts = await until(async () => {
    const catalog = await openCatalog({ workspace });
    const { rows } = await catalog.query(
      "SELECT (SELECT count(*) FROM upper WHERE status = 'produced') AS rows, " +
        "(SELECT count(*) FROM tasks WHERE node = 'upper') AS tasks, (SELECT status FROM runs) AS run",
    );
    catalog.close();
    return rows[0]!["rows"] === 5 && rows[0]!["tasks"] === 5 ? rows[0] : undefined;
  });
  assert.deepEqual(counts, { rows: 5, tasks: 5, run: "unfinished" });
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "query", "--json", "SELECT count(*) AS n FROM upper"],
    cwd: rig.folder,
  }).output();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [{ n: 5 }]);
  goOn.resolve();
  assert.equal((await running).status, "complete");
});

/** Asks again until there is an answer; gives up after a minute, which a busy machine has as well. */
async function until<Value>(ask: () => Promise<Value | undefined>): Promise<Value | undefined> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

Deno.test("lock.json says what a run was made of", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  const { folder } = await rig.run(recipe);
  const lock = JSON.parse(Deno.readTextFileSync(join(folder, "lock.json")));
  assert.deepEqual(lock.sources, ["texts"]);
  assert.deepEqual(lock.nodes.find((node: { id: string }) => node.id === "upper"), {
    id: "upper",
    step: "test.upper",
    version: 1,
    params: { suffix: "", times: 1 },
    tools: {},
  });
  assert.equal(Deno.readTextFileSync(join(folder, "recipe.yaml")), recipe);
});

Deno.test("plan says what a run would do and why, and writes nothing", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "two" });
  await rig.run(recipe);
  const before = listing(rig.folder);
  rig.write({ "in/c": "three" });
  const changed = recipe.replace("from: texts }", "from: texts, with: { times: 2 } }");
  const groups = await rig.session().plan(await rig.graph(changed));
  const shown = groups.map(({ node, verdict, count, why }) => `${count} ${node} ${verdict} ${why}`);
  assert.deepEqual(shown, [
    "2 texts cached ",
    "1 texts run new",
    "2 upper run param times: 1 → 2",
    "1 upper run after texts",
    "2 long perhaps after upper",
    "1 long run after upper",
    "1 rank perhaps after upper",
  ]);
  Deno.removeSync(rig.path("in/c"));
  assert.deepEqual(listing(rig.folder), before);
});

Deno.test("plan on a fresh folder makes no workspace", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one" });
  const groups = await rig.session().plan(await rig.graph(recipe));
  assert.equal(groups.every((group) => group.verdict === "run"), true);
  assert.deepEqual(listing(rig.folder), ["in", "in/a"]);
});

function listing(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => [
    prefix + entry.name,
    ...entry.isDirectory ? listing(join(folder, entry.name), `${prefix}${entry.name}/`) : [],
  ]).filter((name) => !/cache\.sqlite-(shm|wal)$/.test(name));
}
