import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { join } from "node:path";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import type { Session } from "../../src/runtime/session.ts";
import { defineStep, each, produced } from "../../src/runtime/step.ts";
import { type VerifyOptions, verifyWorkspace } from "../../src/runtime/verify.ts";
import { checkPublished } from "../../src/steps/publish/published_check.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { Rig } from "../rig.ts";

const recipe = `
recipe: words
steps:
  texts: { use: test.scan, with: { folder: ./in } }
  upper: { use: test.upper, from: texts }
  rank: { use: test.rank, from: upper }
  joined: { use: test.join, from: upper }
`;

/** Longer than what is kept inline, so that the store has a file of it. */
const long = (letter: string) => letter.repeat(20_000);

async function verify(session: Session, options: Partial<VerifyOptions> = {}) {
  const checkFolder = (folder: string) => checkPublished(localDisk, folder);
  return await verifyWorkspace(session, { checkFolder, ...options });
}

function storePaths(workspace: string): string[] {
  const store = join(workspace, "store");
  return [...Deno.readDirSync(store)].flatMap(({ name }) =>
    [...Deno.readDirSync(join(store, name))].map((file) => join(store, name, file.name))
  ).sort();
}

function flip(path: string, at: number) {
  const bytes = Deno.readFileSync(path);
  bytes[at % bytes.length]! ^= 1 << (at % 8);
  const { atime, mtime } = Deno.statSync(path);
  Deno.writeFileSync(path, bytes);
  Deno.utimeSync(path, atime!, mtime!);
}

/** Changes one byte of a value in the cache's file; gives false where there is no such row. */
function flipCell(workspace: string, { table, column }: Cell, pick: number): boolean {
  const database = new DatabaseSync(join(workspace, "cache.sqlite"));
  try {
    const rows = database.prepare(
      `SELECT rowid_ AS id, CAST(${column} AS BLOB) AS bytes FROM
        (SELECT *, ${table.key} AS rowid_ FROM ${table.name}) WHERE ${column} IS NOT NULL ORDER BY id`,
    ).all() as { id: string | number; bytes: Uint8Array }[];
    if (rows.length === 0) return false;
    const { id, bytes } = rows[pick % rows.length]!;
    if (bytes.length === 0) return false;
    bytes[pick % bytes.length]! ^= 1 << (pick % 7);
    const value = column === "bytes" ? bytes : new TextDecoder().decode(bytes);
    database.prepare(`UPDATE ${table.name} SET ${column} = ? WHERE ${table.key} = ?`).run(
      value,
      id,
    );
    return true;
  } finally {
    database.close();
  }
}

interface Cell {
  readonly table: { readonly name: string; readonly key: string };
  readonly column: string;
}

const tasks = { name: "tasks", key: "key" };
const cells: readonly Cell[] = [
  { table: { name: "blobs", key: "rowid" }, column: "bytes" },
  { table: { name: "blobs", key: "rowid" }, column: "hash" },
  { table: tasks, column: "result" },
  { table: tasks, column: "inputs" },
  { table: tasks, column: "item_name" },
  { table: tasks, column: "key" },
  { table: { name: "signatures", key: "id" }, column: "parts" },
];

/** As if it had been there for long: what was just written may change within a step of the clock. */
function age(path: string) {
  const [atime, mtime] = [new Date("2026-01-02"), new Date("2026-01-01")];
  Deno.utimeSync(path, atime, mtime);
}

async function published(): Promise<PictureRig> {
  const rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(1000, 1200),
    "photos/b.jpg": await photo(1400, 1000, { seed: 2 }),
    "photos/c.jpg": (await photo(900, 900, { seed: 3 })).subarray(0, 5000),
  });
  for (const { name } of Deno.readDirSync(rig.path("photos"))) age(rig.path(`photos/${name}`));
  await rig.proxy();
  return rig;
}

Deno.test("a workspace where nothing is wrong has no findings, and is left as it is", async () => {
  await using rig = await published();
  const report = await verify(rig.session, { sample: "all" });
  assert.deepEqual(report.findings, []);
  assert.deepEqual(report.notes, []);
  assert.deepEqual(report.published, { folders: 1, files: 2, edited: 0 });
  assert.equal(report.repetition?.unreached, 0);
  assert.ok(report.repetition!.repeated >= 3);
  assert.equal(localDisk.stat(rig.path(".tintype/quarantine")), undefined);
  const { counts } = await rig.proxy();
  assert.equal(counts.ran, 0);
});

Deno.test("an original with other bytes under the same size and time is named, left, and read anew", async () => {
  await using rig = await published();
  const path = rig.path("photos/a.jpg");
  const whole = Deno.readFileSync(path);
  const { originals } = await verify(rig.session);
  assert.deepEqual([originals.files, originals.changed, originals.gone], [3, 0, 0]);
  assert.ok(originals.bytes > whole.length);
  flip(path, whole.length - 2000);
  const damaged = Deno.readFileSync(path);
  const { findings } = await verify(rig.session, { repair: true });
  assert.deepEqual(
    findings.map(({ code, path, isHealed, setAside }) => [
      code,
      path,
      isHealed,
      setAside,
    ]),
    [["original-damaged", path, undefined, undefined]],
  );
  assert.deepEqual(Deno.readFileSync(path), damaged, "an original is never touched");
  // Its size and time are as they were: only what was forgotten of it lets the run see it.
  const { counts } = await rig.proxy();
  assert.ok(counts.ran + counts.rejected > 1, JSON.stringify(counts));
  Deno.writeFileSync(path, whole);
  await rig.proxy();
  assert.deepEqual((await verify(rig.session)).findings, []);
});

Deno.test("an original that was written to or moved since is no finding", async () => {
  await using rig = await published();
  rig.write({ "photos/a.jpg": await photo(90, 60) });
  Deno.renameSync(rig.path("photos/b.jpg"), rig.path("b.jpg"));
  const { originals, findings } = await verify(rig.session);
  assert.deepEqual(findings, []);
  const { files, changed, gone } = originals;
  assert.deepEqual({ files, changed, gone }, { files: 1, changed: 1, gone: 1 });
});

Deno.test("a workspace that is not there has nothing wrong with it, and none is made", async () => {
  await using rig = new PictureRig();
  const report = await verify(rig.session, { repair: true, sample: 3 });
  assert.deepEqual(report.findings, []);
  assert.equal(report.artifacts, 0);
  assert.equal(localDisk.stat(rig.path(".tintype")), undefined);
});

Deno.test("every flipped byte of an artifact, a result or a published file is found", async () => {
  await using rig = await published();
  const whole = rig.path("whole");
  const workspace = rig.path(".tintype");
  cpSync(workspace, whole, { preserveTimestamps: true, recursive: true });
  const files = storePaths(workspace).map((path) => path.slice(workspace.length));
  assert.equal(files.length, 2);
  const proxies = rig.path("proxies");
  const names = [...Deno.readDirSync(proxies)].map(({ name }) => name)
    .filter((name) => !name.startsWith("."));
  const place = fc.oneof(
    fc.record({ type: fc.constant("store" as const), file: fc.constantFrom(...files) }),
    fc.record({ type: fc.constant("cell" as const), cell: fc.constantFrom(...cells) }),
    fc.record({ type: fc.constant("published" as const), file: fc.constantFrom(...names) }),
  );
  await fc.assert(
    fc.asyncProperty(place, fc.nat(1_000_000), async (where, at) => {
      const published = where.type === "published" ? join(proxies, where.file) : undefined;
      if (where.type === "store") flip(workspace + where.file, at);
      if (published !== undefined) flip(published, at);
      if (where.type === "cell" && !flipCell(workspace, where.cell, at)) return;
      const { findings } = await verify(rig.session);
      if (published !== undefined) flip(published, at);
      Deno.removeSync(workspace, { recursive: true });
      cpSync(whole, workspace, { preserveTimestamps: true, recursive: true });
      assert.ok(findings.length > 0);
      if (where.type === "store") {
        assert.deepEqual(findings.map(({ code }) => code), ["corrupt-artifact"]);
      }
      if (published !== undefined) {
        assert.deepEqual(findings.map(({ code, path }) => [code, path]), [
          ["published-damaged", published],
        ]);
      }
    }),
    { numRuns: 60, seed: 3 },
  );
});

Deno.test("what is corrupt is set aside, not deleted, and the next run makes it again", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": long("b") });
  await rig.run(recipe);
  rig.takeCalls();
  const path = storePaths(rig.workspace).find((each) =>
    Deno.readTextFileSync(each).startsWith("AAA") && Deno.statSync(each).size === 20_000
  )!;
  flip(path, 77);
  const damaged = Deno.readFileSync(path);
  const { findings: [finding, ...more] } = await verify(rig.session());
  assert.deepEqual(more, []);
  assert.equal(finding!.code, "corrupt-artifact");
  assert.deepEqual([finding!.recipe, finding!.node, finding!.step, finding!.item], [
    "words",
    "upper",
    "test.upper",
    "a",
  ]);
  assert.match(finding!.help!, /tintype verify --repair .* tintype run .*test\.yaml/);
  assert.equal(localDisk.stat(path), undefined);
  assert.deepEqual(Deno.readFileSync(finding!.setAside!), damaged);
  const { events } = await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), { "test.upper": [long("a")] });
  assert.equal(events.filter(({ type }) => type === "blob-lost").length, 1);
  assert.deepEqual((await verify(rig.session())).findings, []);
});

Deno.test("a small artifact that is lost takes its result along, so that both are made again", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "small", "in/b": "other" });
  await rig.run(recipe);
  rig.takeCalls();
  const database = new DatabaseSync(join(rig.workspace, "cache.sqlite"));
  const removed = database.prepare("DELETE FROM blobs WHERE CAST(bytes AS TEXT) = 'SMALL'").run();
  database.close();
  assert.equal(removed.changes, 1);
  const { findings } = await verify(rig.session());
  assert.deepEqual(findings.map(({ code, node, item }) => [code, node, item]), [
    ["missing-artifact", "upper", "a"],
  ]);
  await rig.run(recipe);
  assert.deepEqual(rig.takeCalls(), { "test.upper": ["small"] });
  assert.deepEqual((await verify(rig.session())).findings, []);
});

Deno.test("repair runs the nodes again that made what is lost, and nothing after them", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": "small" });
  await rig.run(recipe);
  rig.write({ "in/c": "new since" });
  rig.takeCalls();
  for (const path of storePaths(rig.workspace)) flip(path, 5);
  const report = await verify(rig.session(), { repair: true });
  assert.ok(report.findings.length >= 2);
  assert.deepEqual([...new Set(report.findings.map(({ isHealed }) => isHealed))], [true]);
  // Not the photo that came since: what was lost is made again, no more.
  assert.deepEqual(rig.takeCalls()["test.upper"], [long("a")]);
  assert.deepEqual((await verify(rig.session())).findings, []);
});

Deno.test("what cannot be made again is not said to be healed", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a"), "in/b": long("b") });
  await rig.run(recipe);
  for (const path of storePaths(rig.workspace)) flip(path, 5);
  Deno.removeSync(rig.path("in/a"));
  const { findings } = await verify(rig.session(), { repair: true });
  const byItem = findings.filter(({ node }) => node === "upper")
    .map(({ item, isHealed }) => [item, isHealed]);
  assert.deepEqual(byItem.sort(), [["a", false], ["b", true]]);
});

Deno.test("a published file that is missing or damaged is published again, a changed one is kept", async () => {
  await using rig = await published();
  const names = [...Deno.readDirSync(rig.path("proxies"))].map(({ name }) => name)
    .filter((name) => !name.startsWith(".")).sort();
  const [first, second] = names.map((name) => rig.path(`proxies/${name}`)) as [string, string];
  const bytes = Deno.readFileSync(first);
  flip(first, 1234);
  Deno.removeSync(second);
  const found = await verify(rig.session);
  assert.deepEqual(found.findings.map(({ code, path }) => [code, path]).sort(), [
    ["published-damaged", first],
    ["published-missing", second],
  ]);
  const repaired = await verify(rig.session, { repair: true });
  assert.deepEqual(repaired.findings.map(({ isHealed }) => isHealed), [true, true]);
  assert.deepEqual(Deno.readFileSync(first), bytes);
  assert.ok(localDisk.stat(second)?.isFile);
  Deno.writeTextFileSync(first, "mine");
  const changed = await verify(rig.session, { repair: true });
  assert.deepEqual(changed.findings.map(({ code, isHealed }) => [code, isHealed]), [
    ["published-changed", undefined],
  ]);
  assert.equal(Deno.readTextFileSync(first), "mine");
  await rig.proxy();
  const kept = await verify(rig.session);
  assert.deepEqual(kept.findings, []);
  assert.equal(kept.published.edited, 1);
});

Deno.test("a cache that SQLite cannot read is set aside by repair, and the store is still checked", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": long("a") });
  await rig.run(recipe);
  const path = join(rig.workspace, "cache.sqlite");
  Deno.writeFileSync(path, new TextEncoder().encode("this is no database, ".repeat(500)));
  for (const end of ["-wal", "-shm"]) localDisk.remove(path + end);
  const report = await verify(rig.session());
  assert.deepEqual(report.findings.map(({ code }) => code), ["damaged-cache"]);
  assert.equal(report.artifacts, 1);
  assert.ok(localDisk.stat(path)?.isFile);
  const repaired = await verify(rig.session(), { repair: true });
  assert.ok(localDisk.stat(repaired.findings[0]!.setAside!)?.isFile);
  rig.takeCalls();
  const { status } = await rig.run(recipe);
  assert.equal(status, "complete");
  assert.deepEqual((await verify(rig.session())).findings, []);
});

let turn = 0;
const chance = defineStep({
  name: "test.chance",
  version: 1,
  doc: "Is not what a step should be.",
  origin: "computed",
  isResult: true,
  inputs: { text: each(text, "the texts") },
  params: z.object({}),
  outputs: { text: each(text, "another each time, for those that ask for it") },
  run: async ({ text }) => {
    const read = await text.read();
    return produced({ text: read.startsWith("odd") ? `${read} ${turn++}` : read });
  },
});

Deno.test("a step that is not deterministic is named, with the item and both hashes", async () => {
  await using rig = new Rig([chance]);
  rig.write({ "in/a": "odd one", "in/b": "even", "in/c": "reject" });
  await rig.run(`${recipe}  chance: { use: test.chance, from: texts }\n`);
  const before = Deno.readFileSync(join(rig.workspace, "cache.sqlite"));
  rig.takeCalls();
  const { findings, repetition } = await verify(rig.session(), { sample: "all" });
  assert.deepEqual(findings.map(({ code, node, step, item }) => [code, node, step, item]), [
    ["not-deterministic", "chance", "test.chance", "a"],
  ]);
  assert.match(
    findings[0]!.message,
    /^Step "test\.chance" \(chance\) is not deterministic on "a": output "text" is sha256 [0-9a-f]{64}, before sha256 [0-9a-f]{64}$/,
  );
  // upper and chance of three texts, the ranks and the join; the scan reads the world.
  assert.deepEqual(repetition, { repeated: 8, unreached: 0 });
  assert.equal(rig.takeCalls()["test.upper"]!.length, 3);
  // What the cache has is left as it was.
  assert.deepEqual(Deno.readFileSync(join(rig.workspace, "cache.sqlite")), before);
  assert.equal((await rig.run(recipe)).counts.ran, 0);
});

Deno.test("a sample is spread over the nodes, and has as many tasks as were asked for", async () => {
  await using rig = new Rig();
  rig.write(Object.fromEntries([..."abcdefgh"].map((name) => [`in/${name}`, name])));
  await rig.run(recipe);
  rig.takeCalls();
  const { repetition } = await verify(rig.session(), { sample: 5, seed: "one" });
  assert.deepEqual(repetition, { repeated: 5, unreached: 0 });
  const calls = rig.takeCalls();
  assert.deepEqual(Object.keys(calls).sort(), ["test.join", "test.rank", "test.upper"]);
  assert.equal(calls["test.upper"]!.length, 3);
});

Deno.test("tasks whose photo has changed since are said not to have been reached", async () => {
  await using rig = new Rig();
  rig.write({ "in/a": "one", "in/b": "two" });
  await rig.run(recipe);
  rig.write({ "in/a": "another" });
  const { findings, repetition } = await verify(rig.session(), { sample: "all" });
  assert.deepEqual(findings, []);
  assert.deepEqual(repetition, { repeated: 1, unreached: 3 });
});
