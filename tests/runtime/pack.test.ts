import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { text } from "../../src/runtime/artifact.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { lockedGraph } from "../../src/runtime/locked.ts";
import { packRun } from "../../src/runtime/pack.ts";
import { blobName, indexName, type PackIndex } from "../../src/runtime/pack_format.ts";
import { PackLayout } from "../../src/runtime/pack_layout.ts";
import { settingsOfLock } from "../../src/runtime/recorded_run.ts";
import { readLock } from "../../src/runtime/records.ts";
import { Session } from "../../src/runtime/session.ts";
import { defineStep, each, produced, serviceKey, type Services } from "../../src/runtime/step.ts";
import { readAt, readTar, TarWriter } from "../../src/runtime/tar.ts";
import { unpackRun } from "../../src/runtime/unpack.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { Rig } from "../rig.ts";

const model = serviceKey<(text: string) => string>("model");

/** Asks a model; without a reply it makes do, for now. */
const asking = defineStep({
  name: "test.ask_each",
  version: 1,
  doc: "Asks a model.",
  origin: "remote",
  isResult: true,
  inputs: { text: each(text, "the questions") },
  params: z.object({ at: z.string().default("") }),
  outputs: { text: each(text, "the answers") },
  tools: (_, context) => Promise.resolve({ model: context.service(model)("which") }),
  run: async ({ text }, _, context) => {
    const answer = context.service(model)(await text.read());
    return produced({ text: answer || "perhaps" }, { isProvisional: answer === "" });
  },
});

const recipe = `
recipe: asked
params: { in: { type: folder } }
steps:
  texts: { use: test.scan, with: { folder: $in } }
  upper: { use: test.upper, from: texts }
  answers: { use: test.ask_each, from: upper, with: { at: $in } }
`;

async function askedRig(answer: (question: string) => string) {
  const rig = new Rig([asking]);
  rig.services = new Map([[model.name, answer]]);
  rig.write({ "in/a": "one", "in/b": "two", 'in/c "d"\n-e': "reject this" });
  const graph = await rig.graph(recipe, { in: rig.path("in") });
  return { rig, run: await rig.session().run(graph) };
}

/** Runs an unpacked recipe as `tintype run RECIPE --lock LOCK` does. */
async function rerun(rig: { readonly session: Session }, folder: string, services?: Services) {
  const { catalog } = rig.session.options;
  const workspace = join(folder, ".tintype");
  const session = new Session({ catalog, cwd: folder, workspace, services });
  const index = Deno.readDirSync(join(workspace, "runs"));
  const lock = readLock(join(workspace, "runs", [...index][0]!.name))!;
  const settings = settingsOfLock(lock);
  const { graph } = await session.checkFile(lock.path!, { settings, needsValues: true });
  const locked = await lockedGraph(graph!, lock, services ?? new Map());
  const report = await session.run(locked.graph, { parts: locked.parts });
  return { ...report, before: lock, after: readLock(report.folder)! };
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(join(folder, name)) : [join(folder, name)]
  );
}

Deno.test("a pack reruns elsewhere without services: nothing computed, nobody asked, the same hashes", async () => {
  await using made = (await askedRig((question) => `${question}!`)).rig;
  const session = made.session();
  const report = await packRun(session, "last", { out: "run.tintype" });
  assert.deepEqual([report.originals, report.tasks, report.warnings], [3, 8, []]);
  Deno.removeSync(made.path("in"), { recursive: true });
  const { folder } = await unpackRun(session.options, "run.tintype", { to: "elsewhere" });
  const again = await rerun({ session }, folder);
  assert.deepEqual([again.status, again.counts.ran, again.counts.cached], ["complete", 0, 7]);
  assert.deepEqual(again.after.outputs, again.before.outputs);
  assert.deepEqual(again.after.inputs, again.before.inputs);
});

Deno.test("what only held for that run is used with its lock, and asked for without", async () => {
  await using made = (await askedRig((question) => question === "which" ? "m" : "")).rig;
  const session = made.session();
  await packRun(session, "last", { out: "run.tintype" });
  const { folder } = await unpackRun(session.options, "run.tintype", { to: "elsewhere" });
  const again = await rerun({ session }, folder);
  assert.deepEqual([again.status, again.counts.ran], ["complete", 0]);
  const there = new Session({
    ...session.options,
    cwd: folder,
    workspace: join(folder, ".tintype"),
  });
  const { graph } = await there.checkFile("test.yaml", { settings: { in: "in" } });
  assert.equal((await there.run(graph!)).counts.ran, 2);
});

Deno.test("no path of the packing machine is in a pack", async () => {
  await using made = (await askedRig((question) => `${question}!`)).rig;
  await packRun(made.session(), "last", { out: "run.tintype" });
  const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(made.path("run.tintype")));
  assert.ok(!bytes.includes(made.folder), "the folder's path is in it");
  assert.ok(bytes.includes('"in": "in"'), "the setting names the folder in the pack");
});

Deno.test("a proxy run reruns from its pack, published files and all, and packs no second time", async () => {
  await using rig = new PictureRig();
  rig.write({
    "photos/a.jpg": await photo(1000, 1200),
    "photos/sub/b ü.jpg": await photo(200, 100),
    "photos/cut.jpg": (await photo(300, 300)).subarray(0, 900),
  });
  await rig.proxy({ short_side: 64 });
  const { files, warnings } = await packRun(rig.session, "last", { out: "p.tintype" });
  assert.deepEqual([files, warnings], [3, []]);
  await assert.rejects(
    () => packRun(rig.session, "last", { out: "p.tintype" }),
    /is there already/,
  );
  const { folder } = await unpackRun(rig.session.options, "p.tintype", { to: "b" });
  const again = await rerun(rig, folder);
  assert.deepEqual([again.counts.ran, again.counts.cached, again.counts.rejected], [0, 7, 1]);
  assert.deepEqual(again.after.outputs, again.before.outputs);
});

Deno.test("a pack of a run with --limit reruns with it", async () => {
  await using rig = new PictureRig();
  for (const seed of [1, 2, 3]) {
    rig.write({ [`photos/${seed}.jpg`]: await photo(90, 60, { seed }) });
  }
  await rig.proxy({}, { limit: 2 });
  await packRun(rig.session, "last", { out: "p.tintype" });
  const { folder } = await unpackRun(rig.session.options, "p.tintype", { to: "b" });
  const session = new Session({
    ...rig.session.options,
    cwd: folder,
    workspace: join(folder, ".tintype"),
  });
  const { graph } = await session.checkFile("proxy.yaml", {
    settings: { source: "photos", out: "proxies" },
  });
  const { counts } = await session.run(graph!, { limit: 2 });
  assert.deepEqual([counts.ran, counts.cached], [0, 6]);
});

Deno.test("without originals a pack says what they have to be", async () => {
  await using rig = new PictureRig();
  const bytes = await photo(90, 60);
  rig.write({ "photos/a.jpg": bytes });
  await rig.proxy();
  await packRun(rig.session, "last", { out: "p.tintype", withOriginals: false });
  const { folder, missing } = await unpackRun(rig.session.options, "p.tintype", { to: "b" });
  assert.deepEqual(missing.map(({ path, sha256 }) => [path, sha256]), [[
    "photos/a.jpg",
    sha256(bytes),
  ]]);
  Deno.writeFileSync(join(folder, "photos/a.jpg"), bytes);
  assert.equal((await rerun(rig, folder)).counts.ran, 0);
});

Deno.test("an original that was changed or removed since is named, and no pack is left", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(90, 60) });
  await rig.proxy();
  rig.write({ "photos/a.jpg": await photo(60, 90) });
  await assert.rejects(
    () => packRun(rig.session, "last"),
    /the original "a\.jpg" is not what the run read/,
  );
  Deno.removeSync(rig.path("photos/a.jpg"));
  await assert.rejects(
    () => packRun(rig.session, "last"),
    /the original "a\.jpg" is not there any more/,
  );
  const left = [...Deno.readDirSync(rig.folder)].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => /tintype-|\.tintype$/.test(name)), [".tintype"]);
});

/** Writes a pack anew with another index or other blobs. */
function forge(
  from: string,
  to: string,
  change: {
    index?: (index: PackIndex) => unknown;
    blob?: (name: string, bytes: Uint8Array) => Uint8Array;
  },
) {
  using source = Deno.openSync(from);
  using target = Deno.openSync(to, { write: true, create: true, truncate: true });
  const writer = new TarWriter(target);
  for (const { name, offset, size } of readTar(source)) {
    const bytes = readAt(source, offset, size);
    if (name !== indexName) writer.add(name, change.blob?.(name, bytes) ?? bytes);
    else {
      const index = JSON.parse(new TextDecoder().decode(bytes)) as PackIndex;
      writer.add(name, new TextEncoder().encode(JSON.stringify(change.index?.(index) ?? index)));
    }
  }
  writer.finish();
}

Deno.test("a pack that would write outside of its folder, or is not what it says, writes nothing", async () => {
  await using made = (await askedRig((question) => `${question}!`)).rig;
  const session = made.session();
  const { path } = await packRun(session, "last", { out: "good.tintype" });
  const bad = made.path("bad.tintype");
  const before = filesBelow(made.folder).length + 1;
  const refused = async (change: Parameters<typeof forge>[2], reason: RegExp) => {
    forge(path, bad, change);
    await assert.rejects(() => unpackRun(session.options, "bad.tintype", { to: "x" }), reason);
    assert.equal(filesBelow(made.folder).length, before);
  };
  for (const name of ["../evil", "/etc/evil", "a/../../evil", "a//b", "", "a\0b"]) {
    const index = (each: PackIndex) => ({
      ...each,
      files: each.files.map((file, at) => at === 0 ? { ...file, path: name } : file),
    });
    await refused({ index }, /a path in the folder is wanted/);
  }
  await refused({ index: (each) => ({ ...each, folders: [".."] }) }, /a path in the folder/);
  await refused({ index: (each) => ({ ...each, run: "../../x" }) }, /wrong at run/);
  const original = blobName(sha256("one"));
  await refused(
    { blob: (name, bytes) => name === original ? bytes.fill(65) : bytes },
    /is corrupt/,
  );
  await refused(
    { blob: (name, bytes) => name === original ? bytes.slice(1) : bytes },
    /has 2 bytes, not 3/,
  );
  const lie = (index: PackIndex) => {
    const text = new TextDecoder().decode(Deno.readFileSync(path));
    assert.ok(text.includes(index.tasks.sha256));
    return { ...index, tasks: { sha256: sha256("one"), bytes: 3 } };
  };
  await refused({ index: lie }, /one of its tasks cannot be read/);
});

Deno.test("half a pack, and a file that is none, are refused", async () => {
  await using made = (await askedRig((question) => `${question}!`)).rig;
  const session = made.session();
  const { path } = await packRun(session, "last", { out: "good.tintype" });
  const bytes = Deno.readFileSync(path);
  for (const length of [0, 100, 5_000, Math.floor(bytes.length / 2), bytes.length - 1500]) {
    Deno.writeFileSync(made.path("half.tintype"), bytes.subarray(0, length));
    await assert.rejects(() => unpackRun(session.options, "half.tintype"), /^PackProblem: /);
  }
  rigHas(made.folder, ["good.tintype", "half.tintype", "in"]);
});

function rigHas(folder: string, names: readonly string[]) {
  const found = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    name !== ".tintype"
  );
  assert.deepEqual(found.sort(), names);
}

Deno.test("what is there is not replaced", async () => {
  await using made = (await askedRig((question) => `${question}!`)).rig;
  const session = made.session();
  await packRun(session, "last", { out: "good.tintype" });
  made.write({ "x/mine": "mine" });
  await assert.rejects(
    () => unpackRun(session.options, "good.tintype", { to: "x" }),
    /Cannot unpack to ".*": it is there already/,
  );
  assert.deepEqual(filesBelow(made.path("x")), [made.path("x/mine")]);
});

Deno.test("places move into the folder, and texts name them there", () => {
  const layout = new PackLayout({
    cwd: "/home/ann/work",
    home: "/home/ann",
    workspace: "/home/ann/work/.tintype",
    settings: { source: "~/Pictures", out: "/data/out", near: "./photos", sep: "/", word: "out" },
    places: ["/home/ann/Pictures", "/data/out/images", "/home/ann/work/photos"],
  });
  assert.equal(layout.targetOf("/home/ann/Pictures/a/b.jpg"), "outside/Pictures/a/b.jpg");
  assert.equal(layout.targetOf("/data/out/images/x.jpg"), "outside/out/images/x.jpg");
  assert.equal(layout.targetOf("/home/ann/work/photos/x.jpg"), "photos/x.jpg");
  assert.equal(layout.targetOf("/home/ann/Pictures2/a.jpg"), undefined);
  const cases: readonly (readonly [string, string])[] = [
    ["~/Pictures", "outside/Pictures"],
    ["/data/out/images", "outside/out/images"],
    ["/data/outer", "/data/outer"],
    ["see /data/out.", "see outside/out."],
    ["./photos", "./photos"],
    ["/", "/"],
    ["out", "out"],
    ['{"at":"/home/ann/work/photos/a.jpg"}', '{"at":"photos/a.jpg"}'],
    ["/home/ann/work", "."],
    ["/home/ann/other", "~/other"],
  ];
  for (const [text, wanted] of cases) assert.equal(layout.rewrite(text), wanted);
});
