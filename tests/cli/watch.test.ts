import assert from "node:assert/strict";
import { outcomes, photo, PictureRig } from "../picture_rig.ts";
import { tintype } from "./rig.ts";
import { save, WatchProcess } from "./watch_rig.ts";

const proxy = ["proxy", "--set", "source=photos", "--set", "out=proxies"] as const;

async function rigWith(count: number): Promise<PictureRig> {
  const rig = new PictureRig();
  for (let at = 0; at < count; at++) {
    rig.write({ [`photos/${at}.jpg`]: await photo(320, 240, { seed: at + 1 }) });
  }
  return rig;
}

async function runCount(rig: PictureRig): Promise<number> {
  return JSON.parse((await tintype(rig, ["runs", "--json"])).stdout).length;
}

Deno.test("a picture that is added, edited, renamed, moved in with its folder or removed leads to a rerun", async () => {
  await using rig = await rigWith(3);
  rig.write({ "elsewhere/trip/far.jpg": await photo(300, 200, { seed: 50 }) });
  await using watch = new WatchProcess(rig, proxy);
  assert.equal((await watch.run()).finished.counts.ran, 8); // with files and savings
  save(rig, { "photos/added.jpg": await photo(330, 240, { seed: 40 }) });
  const added = await watch.runUntil(({ events }) =>
    outcomes(events, "proxies")["added.jpg"] === "ran"
  );
  assert.equal(outcomes(added.events, "proxies")["0.jpg"], "cached");
  save(rig, { "photos/0.jpg": await photo(340, 240, { seed: 41 }) });
  await watch.runUntil(({ events }) => outcomes(events, "proxies")["0.jpg"] === "ran");
  Deno.renameSync(rig.path("photos/1.jpg"), rig.path("photos/one.jpg"));
  const renamed = await watch.runUntil(({ events }) => "one.jpg" in outcomes(events, "proxies"));
  assert.equal(outcomes(renamed.events, "proxies")["one.jpg"], "cached");
  assert.equal(outcomes(renamed.events, "proxies")["1.jpg"], undefined);
  Deno.renameSync(rig.path("elsewhere/trip"), rig.path("photos/trip"));
  const moved = await watch.runUntil(({ events }) => "trip/far.jpg" in outcomes(events, "proxies"));
  assert.equal(outcomes(moved.events, "proxies")["trip/far.jpg"], "ran");
  rig.write({ "photos/trip/deeper/new.jpg": await photo(310, 200, { seed: 51 }) });
  await watch.runUntil(({ events }) => "trip/deeper/new.jpg" in outcomes(events, "proxies"));
  Deno.removeSync(rig.path("photos/2.jpg"));
  const removed = await watch.runUntil(({ events }) => !("2.jpg" in outcomes(events, "proxies")));
  assert.equal(removed.finished.status, "complete");
  assert.equal(await watch.interrupt(), 0);
});

Deno.test("an editor that writes another file and renames it over the picture is one change", async () => {
  await using rig = await rigWith(2);
  await using watch = new WatchProcess(rig, proxy);
  await watch.run();
  rig.write({ "photos/.1.jpg.part": await photo(350, 240, { seed: 42 }) });
  Deno.renameSync(rig.path("photos/.1.jpg.part"), rig.path("photos/1.jpg"));
  const { events } = await watch.run();
  assert.equal(outcomes(events, "proxies")["1.jpg"], "ran");
  assert.deepEqual(Object.keys(outcomes(events, "proxies")), ["0.jpg", "1.jpg"]);
  assert.equal(await runCount(rig), 2);
});

Deno.test("many files at once are few reruns, and none is missed", async () => {
  await using rig = await rigWith(1);
  const pictures = await Promise.all(
    Array.from({ length: 60 }, (_, at) => photo(64, 48, { seed: 100 + at })),
  );
  await using watch = new WatchProcess(rig, proxy);
  await watch.run();
  rig.write(Object.fromEntries(pictures.map((bytes, at) => [`photos/many/${at}.jpg`, bytes])));
  await watch.runUntil(({ events }) => Object.keys(outcomes(events, "proxies")).length === 61);
  const count = await runCount(rig);
  assert.ok(count <= 5, `${count} runs`);
});

Deno.test("a picture that is still being copied ends up whole", async () => {
  await using rig = await rigWith(1);
  await using watch = new WatchProcess(rig, proxy);
  await watch.run();
  const whole = await photo(900, 700, { seed: 60 });
  const part = Math.floor(whole.length / 2);
  rig.write({ "photos/slow.jpg": whole.subarray(0, part) });
  const half = await watch.runUntil(({ events }) => "slow.jpg" in outcomes(events, "proxies"));
  assert.equal(outcomes(half.events, "proxies")["slow.jpg"], "rejected");
  Deno.writeFileSync(rig.path("photos/slow.jpg"), whole.subarray(part), { append: true });
  await watch.runUntil(({ events }) => outcomes(events, "proxies")["slow.jpg"] === "ran");
});

Deno.test("a change during a run is taken by a run of its own afterwards", async () => {
  await using rig = new PictureRig();
  for (let at = 0; at < 16; at++) {
    rig.write({ [`photos/${at}.jpg`]: await photo(1500, 1000, { seed: at + 1 }) });
  }
  const late = await photo(1000, 900, { seed: 70 });
  await using watch = new WatchProcess(rig, [...proxy, "--jobs", "1"]);
  await watch.event("task-settled"); // it is at work, and has listed the folder
  rig.write({ "photos/late.jpg": late });
  const first = await watch.run();
  assert.ok(first.finished.counts.ran > 16);
  assert.equal(outcomes(first.events, "proxies")["late.jpg"], undefined);
  const { events } = await watch.runUntil(({ events }) =>
    outcomes(events, "proxies")["late.jpg"] === "ran"
  );
  assert.equal(outcomes(events, "proxies")["15.jpg"], "cached");
});

Deno.test("what a run publishes into the folder that it watches leads to no other run", async () => {
  await using rig = await rigWith(3);
  const within = ["proxy", "--set", "source=photos", "--set", "out=photos/out"];
  await using watch = new WatchProcess(rig, within);
  assert.equal((await watch.run()).finished.counts.ran, 8);
  for (const seed of [80, 81, 82]) {
    save(rig, { "photos/1.jpg": await photo(360, 240, { seed }) });
    const { events } = await watch.run();
    assert.equal(outcomes(events, "proxies")["1.jpg"], "ran");
  }
  // Another command takes longer than a rerun would need to begin, and to end.
  assert.equal(await runCount(rig), 4);
  assert.equal(await runCount(rig), 4);
  // A person's change there counts: the publication is made whole again.
  const [published] = [...Deno.readDirSync(rig.path("photos/out"))]
    .filter(({ name }) => name.endsWith(".jpg"));
  Deno.removeSync(rig.path(`photos/out/${published!.name}`));
  assert.equal(outcomes((await watch.run()).events, "files")[""], "ran");
  assert.ok(Deno.statSync(rig.path(`photos/out/${published!.name}`)).isFile);
});

Deno.test("published below the originals, in one folder with the workspace, there is no endless loop", async () => {
  await using rig = await rigWith(2);
  Deno.renameSync(rig.path("photos/0.jpg"), rig.path("0.jpg"));
  await using watch = new WatchProcess(rig, ["proxy", "--set", "source=.", "--set", "out=out"]);
  await watch.run();
  assert.equal(await runCount(rig), 1);
  save(rig, { "1.jpg": await photo(200, 150, { seed: 5 }) });
  await watch.run();
  const count = await runCount(rig);
  assert.equal(await runCount(rig), count);
  assert.equal(count, 2);
});

Deno.test("a recipe with a mistake is told, and the next save is taken", async () => {
  await using rig = await rigWith(2);
  const recipe = `recipe: own
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  proxies: { use: image.proxy, from: photos, with: { short_side_px: 64 } }
  savings: { use: report.savings, from: { originals: photos, proxies: proxies } }
`;
  rig.write({ "own.yaml": recipe.replace("short_side_px", "shrot_side_px") });
  await using watch = new WatchProcess(rig, ["own.yaml"]);
  await watch.says(/own\.yaml:4:\d+ error\[unknown-param\]/);
  await watch.says(/^\d\d:\d\d:\d\d not run$/);
  rig.write({ "own.yaml": recipe });
  assert.equal((await watch.run()).finished.counts.ran, 5);
  // Saved as editors do: another file takes its name.
  rig.write({ "own.yaml.new": recipe.replace("from: photos,", "from: photo,") });
  Deno.renameSync(rig.path("own.yaml.new"), rig.path("own.yaml"));
  await watch.says(/own\.yaml:4:\d+ error/);
  await watch.says(/not run \(own\.yaml\)$/);
  Deno.removeSync(rig.path("own.yaml"));
  await watch.says(/^error: Cannot read recipe "own\.yaml"/);
  rig.write({ "own.yaml": recipe.replace("64", "48") });
  const { events } = await watch.runUntil(({ events }) =>
    outcomes(events, "proxies")["0.jpg"] === "ran"
  );
  assert.deepEqual(outcomes(events, "photos"), { "0.jpg": "cached", "1.jpg": "cached" });
  assert.deepEqual(outcomes(events, "proxies"), { "0.jpg": "ran", "1.jpg": "ran" });
  assert.equal(await watch.interrupt(), 0);
});

Deno.test("a file that the recipe reads, and that is not there yet, is waited for", async () => {
  await using rig = await rigWith(2);
  rig.write({
    "own.yaml": `recipe: own
steps:
  decisions: { use: decisions.read, with: { file: ./deep/er/decisions.jsonl } }
  photos: { use: ingest.scan, with: { folder: ./photos } }
  proxies: { use: image.proxy, from: photos, with: { short_side_px: 64 } }
  savings: { use: report.savings, from: { originals: photos, proxies: proxies } }
`,
  });
  await using watch = new WatchProcess(rig, ["own.yaml"]);
  await watch.run();
  const line = (keep: string) =>
    JSON.stringify({ type: "keep", image: keep, at: "2026-01-01T00:00:00.000Z" }) + "\n";
  // With its folders at once: each of them by itself would be a change.
  rig.write({ "made/er/decisions.jsonl": line("a".repeat(64)) });
  Deno.renameSync(rig.path("made"), rig.path("deep"));
  await watch.run();
  Deno.writeTextFileSync(rig.path("deep/er/decisions.jsonl"), line("b".repeat(64)), {
    append: true,
  });
  await watch.run();
  rig.write({ "deep/er/other.jsonl": "nobody reads this" });
  const count = await runCount(rig);
  assert.equal(await runCount(rig), count);
});

Deno.test("a folder that is removed is told, and watched again when it is back", async () => {
  await using rig = await rigWith(2);
  await using watch = new WatchProcess(rig, proxy);
  await watch.run();
  Deno.renameSync(rig.path("photos"), rig.path("away"));
  const gone = await watch.run();
  assert.equal(gone.finished.status, "failed");
  const [problem] = gone.events.flatMap((event) =>
    event.type === "task-settled" && event.outcome === "failed" ? [event.reason ?? ""] : []
  );
  assert.match(problem!, /^Cannot scan folder ".*photos": it is not there$/);
  rig.write({ "photos/back.jpg": await photo(200, 300, { seed: 90 }) });
  await watch.runUntil(({ events }) => outcomes(events, "proxies")["back.jpg"] === "ran");
  rig.write({ "photos/more.jpg": await photo(200, 310, { seed: 91 }) });
  await watch.runUntil(({ events }) => outcomes(events, "proxies")["more.jpg"] === "ran");
  // At once: the system may give the new folder the number of the old one.
  Deno.removeSync(rig.path("photos"), { recursive: true });
  rig.write({ "photos/again.jpg": await photo(200, 320, { seed: 92 }) });
  await watch.runUntil(({ events }) => outcomes(events, "proxies")["again.jpg"] === "ran");
  rig.write({ "photos/last.jpg": await photo(200, 330, { seed: 93 }) });
  await watch.runUntil(({ events }) => outcomes(events, "proxies")["last.jpg"] === "ran");
});

Deno.test("between runs the workspace is free, and Ctrl-C leaves nothing behind", async () => {
  await using rig = await rigWith(2);
  await using watch = new WatchProcess(rig, proxy);
  await watch.run();
  const other = await tintype(rig, [
    "run",
    "proxy",
    "--set",
    "source=photos",
    "--set",
    "out=other",
  ]);
  assert.equal(other.code, 0, other.stderr);
  assert.doesNotMatch(other.stderr, /Waiting for/);
  save(rig, { "photos/0.jpg": await photo(370, 240, { seed: 44 }) });
  await watch.run();
  assert.equal(await watch.interrupt(), 0);
  const left = [...Deno.readDirSync(rig.path(".tintype"))].map(({ name }) => name).sort();
  assert.deepEqual(left, [".gitignore", "cache.sqlite", "lock", "runs"]);
  assert.equal(Deno.readTextFileSync(rig.path(".tintype/lock")), "");
  assert.match((await tintype(rig, ["verify"])).stdout, /Nothing is wrong/);
});

Deno.test("Ctrl-C in a run finishes what is in flight and says so by its exit code", async () => {
  await using rig = new PictureRig();
  // What so many have to say does not fit into a pipe: it cannot be through before it is listened to.
  for (let seed = 0; seed < 300; seed++) {
    rig.write({ [`photos/${seed}.jpg`]: await photo(40, 30, { seed }) });
  }
  await using watch = new WatchProcess(rig, [...proxy, "--jobs", "1"]);
  await watch.event("task-settled");
  assert.equal(await watch.interrupt(), 130);
  assert.equal((await watch.event("run-finished")).status, "interrupted");
});

Deno.test("force is for the first run, and an unknown node ends it before it watches", async () => {
  await using rig = await rigWith(2);
  await tintype(rig, ["run", ...proxy]);
  await using watch = new WatchProcess(rig, [...proxy, "--force", "proxies"]);
  const { events } = await watch.run();
  assert.deepEqual(outcomes(events, "proxies"), { "0.jpg": "ran", "1.jpg": "ran" });
  save(rig, { "photos/0.jpg": await photo(380, 240, { seed: 45 }) });
  const again = await watch.run();
  assert.deepEqual(outcomes(again.events, "proxies"), { "0.jpg": "ran", "1.jpg": "cached" });
  const wrong = await tintype(rig, ["run", ...proxy, "--watch", "--until", "nothing"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /There is no node "nothing" in the recipe/);
});

Deno.test("a step of the user's that is edited, or what it imports, runs as it is now", async () => {
  await using rig = await rigWith(2);
  const step = (put: string) => `
import { defineStep, each, image, produced, rejected, rowKind, z } from "tintype";
import { word } from "./word.ts";
const said = rowKind("said", "what is said of a picture", z.object({ word: z.string() }));
export default defineStep({
  name: "own.say",
  version: 1,
  doc: "Says a word of each picture.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({}),
  outputs: { said: each(said, "the word") },
  run: () => ${put},
});
`;
  const produces = "produced({ said: { word } })";
  rig.write({
    "own.yaml": `recipe: own
steps:
  photos: { use: ingest.scan, with: { folder: ./photos } }
  said: { use: ./steps/say.ts, from: photos }
`,
    "steps/say.ts": step(produces),
    "steps/word.ts": 'export const word = "one";\n',
  });
  const wordOf = async () => {
    const { stdout, stderr } = await tintype(rig, [
      ...["query", "select distinct word from said", "--json"],
    ]);
    assert.ok(stdout.startsWith("["), stderr);
    return JSON.parse(stdout);
  };
  await using watch = new WatchProcess(rig, ["own.yaml"]);
  assert.equal((await watch.run()).finished.counts.ran, 4);
  assert.deepEqual(await wordOf(), [{ word: "one" }]);
  save(rig, { "steps/word.ts": 'export const word = "two";\n' });
  assert.deepEqual(outcomes((await watch.run()).events, "said"), {
    "0.jpg": "ran",
    "1.jpg": "ran",
  });
  assert.deepEqual(await wordOf(), [{ word: "two" }]);
  save(rig, { "steps/say.ts": step('rejected("nothing is said" + word)') });
  const left = await watch.run();
  assert.deepEqual(outcomes(left.events, "said"), { "0.jpg": "rejected", "1.jpg": "rejected" });
  save(rig, { "steps/say.ts": step("produced({") });
  await watch.says(/^own\.yaml:4:\d+ error/);
  await watch.says(/not run \(steps\/say\.ts\)$/);
  save(rig, { "steps/say.ts": step(produces) });
  // The code that was there before: its results are known.
  const { events } = await watch.run();
  assert.deepEqual(outcomes(events, "said"), { "0.jpg": "cached", "1.jpg": "cached" });
});

Deno.test("for people, a rerun is one line with what changed and the counts, and news below it", async () => {
  await using rig = await rigWith(2);
  const whole = await photo(900, 700, { seed: 61 });
  await using watch = new WatchProcess(rig, proxy, { json: false });
  await watch.prints(/^complete in .*: 6 ran, 2? ?/);
  await watch.says(/^Watching for changes \(Ctrl-C ends it\)$/);
  save(rig, { "photos/new.jpg": whole });
  const line = /^\d\d:\d\d:\d\d (.*), \d+\.\d s$/;
  const said = async () => line.exec(await watch.prints(line))![1];
  assert.equal(await said(), "photos/new.jpg: 4 tasks ran, 4 cached");
  Deno.renameSync(rig.path("photos/new.jpg"), rig.path("photos/moved.jpg"));
  assert.match(
    (await said())!,
    /^photos\/moved\.jpg and 1 more change: \d+ tasks? ran, \d+ cached$/,
  );
  save(rig, { "photos/cut.jpg": whole.subarray(0, 20_000) });
  assert.match(
    (await said())!,
    /^photos\/cut\.jpg: 1 picture left out; \d+ tasks ran, \d+ cached$/,
  );
  await watch.says(/^ {2}cut\.jpg \(proxies\): left out: JPEG ends after 20,000 bytes/);
  assert.equal(await watch.interrupt(), 0);
});
