import assert from "node:assert/strict";
import {
  countQuarantined,
  Quarantine,
  quarantineJournal,
  readQuarantine,
} from "../../src/dedupe/quarantine.ts";
import type { Disk } from "../../src/runtime/disk.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import { tintype } from "../cli/rig.ts";
import { DedupeRig, warningsOf } from "../dedupe/rig.ts";
import { photo } from "../picture_rig.ts";

async function rigWithCats(): Promise<DedupeRig> {
  const rig = new DedupeRig();
  const large = await photo(400, 300, { seed: 1 });
  rig.write({
    "photos/cat-1.jpg": large,
    "photos/sub/cat-1 (1).jpg": large,
    "photos/cat-2.JPEG": await photo(200, 150, { seed: 1 }),
    "photos/dog.png": await photo(100, 100, { seed: 4, format: "png" }),
  });
  return rig;
}

const quarantined = ["cat-2.JPEG", "sub/cat-1 (1).jpg"];

function picturesIn(rig: DedupeRig, folder: string): string[] {
  return Object.keys(rig.files(folder)).filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
}

async function undone(rig: DedupeRig, ...args: readonly string[]) {
  const given = args.length === 0 ? ["out/quarantine"] : args;
  return await tintype({ folder: rig.folder } as never, ["undo", ...given]);
}

Deno.test("a report writes nothing but itself", async () => {
  await using rig = await rigWithCats();
  const before = rig.files("photos");
  await rig.run();
  assert.deepEqual(rig.files("photos"), before);
  assert.deepEqual(Object.keys(rig.files("out")), ["report.html"]);
});

Deno.test("publish copies what is kept under its own name, and keeps what a person changed", async () => {
  await using rig = await rigWithCats();
  const before = rig.files("photos");
  await rig.run({ action: "publish" });
  assert.deepEqual(rig.files("photos"), before);
  assert.deepEqual(picturesIn(rig, "out/publish"), ["cat-1.jpg", "dog.png"]);
  assert.equal(rig.files("out/publish")["dog.png"], before["dog.png"]);
  assert.equal((await rig.run({ action: "publish" })).counts.ran, 0);
  rig.write({ "out/publish/dog.png": "by hand" });
  const { events } = await rig.run({ action: "publish" });
  assert.ok(warningsOf(events).some((each) => each.includes("changed by hand")));
  assert.equal(Deno.readTextFileSync(rig.path("out/publish/dog.png")), "by hand");
});

Deno.test("quarantine moves the others with their folders, and undo brings all of it back", async () => {
  await using rig = await rigWithCats();
  const before = rig.files("photos");
  await rig.run({ action: "quarantine" });
  assert.deepEqual(picturesIn(rig, "photos"), ["cat-1.jpg", "dog.png"]);
  assert.deepEqual(picturesIn(rig, "out/quarantine"), quarantined);
  for (const name of quarantined) {
    assert.equal(rig.files("out/quarantine")[name], before[name], name);
  }
  const { code, stdout } = await undone(rig);
  assert.equal(code, 0);
  assert.match(stdout, /^2 pictures moved back from /);
  assert.deepEqual(rig.files("photos"), before);
  assert.deepEqual(picturesIn(rig, "out/quarantine"), []);
  const again = await undone(rig);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /^0 pictures moved back/);
});

Deno.test("a rerun after a quarantine is calm: no picture is looked at again", async () => {
  await using rig = await rigWithCats();
  await rig.run({ action: "quarantine" });
  const { status, events } = await rig.run({ action: "quarantine" });
  assert.equal(status, "complete");
  assert.deepEqual(warningsOf(events), []);
  const items = events.flatMap((event) => event.type === "task-started" ? [event.item] : []);
  assert.deepEqual(items.filter((item) => item !== undefined), []);
  assert.equal((await rig.run({ action: "quarantine" })).counts.ran, 0);
  assert.deepEqual(picturesIn(rig, "out/quarantine"), quarantined);
});

Deno.test("after an undo the same pictures are quarantined again by the next run", async () => {
  await using rig = await rigWithCats();
  await rig.run({ action: "quarantine" });
  await undone(rig);
  await rig.run({ action: "quarantine" });
  assert.deepEqual(picturesIn(rig, "out/quarantine"), quarantined);
});

Deno.test("a quarantine inside of the scanned folder is not scanned", async () => {
  await using rig = await rigWithCats();
  await rig.run({ action: "quarantine", out: "photos/out" });
  assert.deepEqual(picturesIn(rig, "photos/out/quarantine"), quarantined);
  const { events } = await rig.run({ action: "quarantine", out: "photos/out" });
  const found = events.flatMap((event) => event.type === "items-found" ? [event.count] : []);
  assert.deepEqual(found, [2]);
});

/** A quarantine of ./in into ./away, on a disk that a test stands in front of. */
async function opened(rig: DedupeRig, disk: Partial<Disk> = {}) {
  const places = { folder: rig.path("away"), source: rig.path("in") };
  return await Quarantine.open({ ...localDisk, ...disk }, places);
}

function moving(name: string, bytes: string, kept?: readonly [string, string]) {
  return {
    name,
    sha256: sha256(bytes),
    kept: kept && { name: kept[0], sha256: sha256(kept[1]) },
    reason: "",
  };
}

const keptA = ["a.jpg", "kept"] as const;

async function refusal(rig: DedupeRig, what: ReturnType<typeof moving>): Promise<string> {
  const before = rig.files("in");
  const moved = await (await opened(rig)).take(what);
  assert.ok("refused" in moved, JSON.stringify(moved));
  assert.deepEqual(rig.files("in"), before);
  assert.equal(await countQuarantined(localDisk, rig.path("away")), 0);
  return moved.refused;
}

Deno.test("a file whose bytes changed since it was judged stays", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/a.jpg": "kept", "in/b.jpg": "changed" });
  assert.match(
    await refusal(rig, moving("b.jpg", "as judged", keptA)),
    /changed since it was judged/,
  );
});

Deno.test("a file stays when the one that is kept for it is gone, changed, or a link", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/b.jpg": "b" });
  assert.match(await refusal(rig, moving("b.jpg", "b", keptA)), /"a\.jpg".*not there any more/);
  rig.write({ "in/a.jpg": "other" });
  assert.match(await refusal(rig, moving("b.jpg", "b", keptA)), /"a\.jpg".*changed/);
  Deno.removeSync(rig.path("in/a.jpg"));
  Deno.symlinkSync(rig.path("in/b.jpg"), rig.path("in/a.jpg"));
  assert.match(await refusal(rig, moving("b.jpg", "b", ["a.jpg", "b"])), /symbolic link/);
});

Deno.test("links, and files that links lead to, stay", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/a.jpg": "kept", "elsewhere/b.jpg": "b" });
  Deno.symlinkSync(rig.path("elsewhere"), rig.path("in/sub"));
  Deno.symlinkSync(rig.path("elsewhere/b.jpg"), rig.path("in/b.jpg"));
  assert.match(await refusal(rig, moving("b.jpg", "b", keptA)), /it is a symbolic link/);
  assert.match(await refusal(rig, moving("sub/b.jpg", "b", keptA)), /outside of/);
  assert.match(await refusal(rig, moving("../elsewhere/b.jpg", "b", keptA)), /leaves the folder/);
  assert.equal(Deno.readTextFileSync(rig.path("elsewhere/b.jpg")), "b");
});

Deno.test("what is in the quarantine under a name is never written over", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/a.jpg": "kept", "in/b.jpg": "b", "away/b.jpg": "mine" });
  const moved = await (await opened(rig)).take(moving("b.jpg", "b", keptA));
  const file = `b.${sha256("b").slice(0, 8)}.jpg`;
  assert.deepEqual(moved, { file });
  assert.equal(Deno.readTextFileSync(rig.path("away/b.jpg")), "mine");
  assert.equal(Deno.readTextFileSync(rig.path("away", file)), "b");
  assert.equal((await undone(rig, "away")).code, 0);
  assert.deepEqual(rig.files("in")["b.jpg"], sha256("b"));
  assert.equal(Deno.readTextFileSync(rig.path("away/b.jpg")), "mine");
});

Deno.test("the quarantine cannot be the scanned folder, nor hold it", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/sub/a.jpg": "a" });
  const open = (folder: string, source: string) =>
    Quarantine.open(localDisk, { folder: rig.path(folder), source: rig.path(source) });
  await assert.rejects(open("in", "in"), /is, or holds, the scanned folder/);
  await assert.rejects(open("in", "in/sub"), /is, or holds, the scanned folder/);
  await assert.rejects(open("away", "nowhere"), /there is no such folder/);
  Deno.symlinkSync(rig.path("in"), rig.path("link"));
  await assert.rejects(open("link", "in"), /is, or holds, the scanned folder/);
});

/** Runs a move that is killed at a moment; then what is on the disk is what a killed process leaves. */
async function killed(rig: DedupeRig, disk: Partial<Disk>) {
  rig.write({ "in/a.jpg": "kept", "in/sub/b.jpg": "b" });
  const place = await opened(rig, disk);
  await assert.rejects(place.take(moving("sub/b.jpg", "b", keptA)), /killed/);
}

const killedAt: Readonly<Record<string, Partial<Disk>>> = {
  "in the middle of the journal's line": {
    async append(path, content) {
      await localDisk.append(path, content.subarray(0, 20));
      throw new Error("killed");
    },
  },
  "between the journal and the move": { move: () => Promise.reject(new Error("killed")) },
  "between the two names of a move": {
    move(from, to) {
      Deno.linkSync(from, to);
      return Promise.reject(new Error("killed"));
    },
  },
  "between the copy and the removal, across file systems": {
    move(from, to) {
      Deno.copyFileSync(from, to);
      return Promise.reject(new Error("killed"));
    },
  },
};

for (const [moment, disk] of Object.entries(killedAt)) {
  Deno.test(`killed ${moment}, a move is undone without loss`, async () => {
    await using rig = new DedupeRig();
    await killed(rig, disk);
    const { code } = await undone(rig, "away");
    assert.ok(code === 0 || moment.includes("line"), `code ${code}`);
    assert.equal(Deno.readTextFileSync(rig.path("in/sub/b.jpg")), "b");
  });

  Deno.test(`killed ${moment}, a move is finished by the next run`, async () => {
    await using rig = new DedupeRig();
    await killed(rig, disk);
    const moved = await (await opened(rig)).take(moving("sub/b.jpg", "b", keptA));
    assert.deepEqual(moved, { file: "sub/b.jpg" });
    assert.deepEqual(Object.keys(rig.files("in")), ["a.jpg"]);
    assert.equal(Deno.readTextFileSync(rig.path("away/sub/b.jpg")), "b");
    const { problems } = await readQuarantine(localDisk, rig.path("away"));
    assert.equal(problems.length, moment.includes("line") ? 1 : 0);
    assert.equal((await undone(rig, "away")).code, 0);
    assert.equal(Deno.readTextFileSync(rig.path("in/sub/b.jpg")), "b");
  });
}

Deno.test("the journal has a move before it is made", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/a.jpg": "kept", "in/b.jpg": "b" });
  let written = "";
  const place = await opened(rig, {
    async move(from, to) {
      written = Deno.readTextFileSync(rig.path("away", quarantineJournal));
      await localDisk.move(from, to);
    },
  });
  await place.take(moving("b.jpg", "b", keptA));
  assert.match(written, /"event":"move","file":"b\.jpg"/);
});

Deno.test("undo writes nothing over, and says what stays", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/a.jpg": "kept", "in/b.jpg": "b", "in/c.jpg": "c" });
  const place = await opened(rig);
  await place.take(moving("b.jpg", "b", keptA));
  await place.take(moving("c.jpg", "c", keptA));
  rig.write({ "in/b.jpg": "a new one" });
  const { code, stdout, stderr } = await undone(rig, "away");
  assert.equal(code, 1);
  assert.match(stdout, /^1 picture moved back/);
  assert.match(stderr, /not moved back: "b\.jpg": something else is at/);
  assert.equal(Deno.readTextFileSync(rig.path("in/b.jpg")), "a new one");
  assert.equal(Deno.readTextFileSync(rig.path("away/b.jpg")), "b");
});

Deno.test("undo finds a source folder that has moved where it is told to look", async () => {
  await using rig = new DedupeRig();
  rig.write({ "in/a.jpg": "kept", "in/sub/b.jpg": "b" });
  await (await opened(rig)).take(moving("sub/b.jpg", "b", keptA));
  Deno.renameSync(rig.path("in"), rig.path("moved"));
  const lost = await undone(rig, "away");
  assert.equal(lost.code, 1);
  assert.match(lost.stderr, /there is no folder ".*in" \(say where it is now with --source\)/);
  assert.equal(localDisk.stat(rig.path("in")), undefined);
  assert.equal((await undone(rig, "away", "--source", "moved")).code, 0);
  assert.equal(Deno.readTextFileSync(rig.path("moved/sub/b.jpg")), "b");
});

Deno.test("undo does not follow a journal out of its folders", async () => {
  await using rig = new DedupeRig();
  const line = { event: "move", source: rig.path("in"), sha256: "", kept: null, reason: "" };
  rig.write({
    "in/a.jpg": "a",
    "secret.txt": "secret",
    "away/b.jpg": "b",
    [`away/${quarantineJournal}`]: [
      { ...line, file: "../secret.txt", name: "c.jpg" },
      { ...line, file: "b.jpg", name: "../../b.jpg" },
    ].map((each) => `${JSON.stringify(each)}\n`).join(""),
  });
  const { stderr } = await undone(rig, "away");
  assert.match(stderr, /line 1 of .* cannot be understood/);
  assert.match(stderr, /line 2 of .* cannot be understood/);
  assert.equal(Deno.readTextFileSync(rig.path("secret.txt")), "secret");
  assert.equal(Deno.readTextFileSync(rig.path("away/b.jpg")), "b");
});

Deno.test("undo of a folder without a journal says what is wanted", async () => {
  await using rig = new DedupeRig();
  rig.write({ "away/b.jpg": "b" });
  const { code, stderr } = await undone(rig, "away");
  assert.equal(code, 2);
  assert.match(stderr, /Cannot undo ".*away": there is no quarantine\.jsonl/);
});

const otherDisk = "/dev/shm";
const isOther = localDisk.stat(otherDisk)?.device !== localDisk.stat("/tmp")?.device &&
  localDisk.stat(otherDisk) !== undefined;

Deno.test({
  name: "a move to another file system keeps bytes and times, and writes nothing over",
  ignore: !isOther,
  async fn() {
    await using rig = new DedupeRig();
    const place = Deno.makeTempDirSync({ dir: otherDisk });
    try {
      rig.write({ "a.jpg": "a", "b.jpg": "b" });
      Deno.utimeSync(rig.path("a.jpg"), 1000, 2000);
      await localDisk.move(rig.path("a.jpg"), `${place}/a.jpg`);
      assert.equal(Deno.readTextFileSync(`${place}/a.jpg`), "a");
      assert.equal(Deno.statSync(`${place}/a.jpg`).mtime?.getTime(), 2_000_000);
      assert.equal(localDisk.stat(rig.path("a.jpg")), undefined);
      await assert.rejects(
        localDisk.move(rig.path("b.jpg"), `${place}/a.jpg`),
        Deno.errors.AlreadyExists,
      );
      assert.equal(Deno.readTextFileSync(rig.path("b.jpg")), "b");
      assert.deepEqual([...Deno.readDirSync(place)].map(({ name }) => name), ["a.jpg"]);
    } finally {
      Deno.removeSync(place, { recursive: true });
    }
  },
});

Deno.test("a move onto what is there is refused, and both stay as they are", async () => {
  await using rig = new DedupeRig();
  rig.write({ "a.jpg": "a", "b.jpg": "b" });
  await assert.rejects(
    localDisk.move(rig.path("a.jpg"), rig.path("b.jpg")),
    Deno.errors.AlreadyExists,
  );
  assert.equal(Deno.readTextFileSync(rig.path("a.jpg")), "a");
  assert.equal(Deno.readTextFileSync(rig.path("b.jpg")), "b");
});
