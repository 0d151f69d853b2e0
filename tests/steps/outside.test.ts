import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import type { Handle } from "../../src/runtime/artifact.ts";
import type { Disk } from "../../src/runtime/disk.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import type { StepContext } from "../../src/runtime/step.ts";
import type { Image } from "../../src/imaging/image.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { files } from "../../src/steps/publish/files.ts";
import { PictureRig } from "../picture_rig.ts";

/** A context on a disk that misbehaves as the test says. */
function contextOn(disk: Disk, names: readonly string[] = []) {
  const warnings: string[] = [];
  const context: StepContext = {
    itemName: "",
    members: names.map((name, member) => ({ member, name })),
    isComplete: true,
    signal: new AbortController().signal,
    owner: "test/files",
    tools: {},
    warn: (message) => void warnings.push(message),
    summarize: () => {},
    disk,
    absent: [],
    remoteCalled: () => {},
    service: (key) => assert.fail(`no service is asked for, "${key}" was`),
    randomBytes: (length) => new Uint8Array(length),
  };
  return { context, warnings };
}

function pictureHandle(bytes: Uint8Array): Handle<Image> {
  return {
    ref: {
      kind: "image",
      hash: sha256(bytes),
      byteLength: bytes.length,
      facts: { format: "jpeg", width: 1, height: 1 },
    },
    read: () => Promise.reject(new Error("publishing reads no pixels")),
    bytes: () => Promise.resolve(bytes),
  };
}

function publish(rig: PictureRig, disk: Disk, handles: readonly Handle<Image>[]) {
  const { context } = contextOn(disk, handles.map((_, index) => `${index}.jpg`));
  const params = { folder: rig.path("out"), name: "{stem}.{ext}", overwrite: false };
  return files.run!({ image: new Map(handles.entries()), originals: new Map() }, params, context);
}

/** A disk that takes names for one whose case or Unicode form alone differs, as many do. */
function foldingDisk({ hasCase = false, hasForms = false } = {}): Disk {
  const folded = (path: string) => {
    const name = hasForms ? basename(path) : basename(path).normalize("NFC");
    return join(dirname(path), hasCase ? name : name.toLowerCase());
  };
  return {
    ...localDisk,
    stat: (path, options) => localDisk.stat(folded(path), options),
    read: (path) => localDisk.read(folded(path)),
    write: (path, content, options) => localDisk.write(folded(path), content, options),
    remove: (path) => localDisk.remove(folded(path)),
  };
}

for (const kind of [{}, { hasCase: true }, { hasForms: true }]) {
  const { hasCase = false, hasForms = false } = kind;
  Deno.test(`where names are one file ${JSON.stringify(kind)}, those alone fail and the others are there`, async () => {
    await using rig = new PictureRig();
    const names = ["caf\u00e9.jpg", "cafe\u0301.jpg", "trip.jpg", "TRIP.jpg", "other.jpg"];
    const { context } = contextOn(foldingDisk(kind), names);
    const handles = names.map((_, index) => pictureHandle(new Uint8Array(50).fill(index + 1)));
    const params = { folder: rig.path("out"), name: "{stem}.{ext}", overwrite: false };
    const result = await files.run!(
      { image: new Map(handles.entries()) } as never,
      params,
      context,
    );
    assert.ok(result.status === "produced");
    const failing = [...result.outputs.file].flatMap(([member, each]) =>
      "reason" in each ? [[names[member], each.reason]] : []
    );
    const wanted = [...hasForms ? [] : names.slice(0, 2), ...hasCase ? [] : names.slice(2, 4)];
    assert.deepEqual(failing.map(([name]) => name), wanted);
    for (const [, reason] of failing) assert.match(reason!, /add \{id\} or \{dir\} to the name/);
    const written = [...Deno.readDirSync(rig.path("out"))].map(({ name }) => name)
      .filter((name) => !name.startsWith("."));
    assert.equal(written.length, names.length - wanted.length);
  });
}

Deno.test("a picture whose name changed in case alone is not removed where both are one file", async () => {
  await using rig = new PictureRig();
  const disk = foldingDisk();
  const handles = [pictureHandle(new Uint8Array(50).fill(7))];
  const params = { folder: rig.path("out"), name: "{stem}.{ext}", overwrite: false };
  const publishAs = async (name: string) => {
    const { context } = contextOn(disk, [name]);
    await files.run!({ image: new Map(handles.entries()) } as never, params, context);
  };
  await publishAs("trip.jpg");
  await publishAs("TRIP.jpg");
  assert.equal(disk.stat(rig.path("out/TRIP.jpg"))?.size, 50);
});

Deno.test("too little free space is found before anything is written, with the figures", async () => {
  await using rig = new PictureRig();
  const disk = { ...localDisk, freeBytes: () => 20_000_000 };
  const result = await publish(rig, disk, [pictureHandle(new Uint8Array(5_000_000))]);
  assert.deepEqual(result, {
    status: "failed",
    reason: `Cannot publish to "${
      rig.path("out")
    }": 5 MB are needed, with 16.8 MB to spare; 20 MB are free`,
  });
  assert.equal(localDisk.stat(rig.path("out")), undefined);
  const tiny = await publish(rig, { ...localDisk, freeBytes: () => 0 }, [
    pictureHandle(new Uint8Array(900)),
  ]);
  assert.match(
    JSON.stringify(tiny),
    /: 900 bytes are needed, with 16\.8 MB to spare; 0 bytes are free/,
  );
});

Deno.test("a file that cannot be written fails alone, and leaves nothing half-written", async () => {
  await using rig = new PictureRig();
  const disk: Disk = {
    ...localDisk,
    write: (path, content, options) =>
      path.endsWith("1.jpg")
        ? Promise.reject(new Error("No space left on device"))
        : localDisk.write(path, content, options),
  };
  const pictures = [1, 2, 3].map((value) => pictureHandle(new Uint8Array([value])));
  const result = await publish(rig, disk, pictures);
  assert.equal(result.status, "produced");
  const outputs = result.status === "produced" ? [...result.outputs.file.entries()] : [];
  const failed = outputs.flatMap(([member, value]) => "status" in value ? [[member, value]] : []);
  assert.deepEqual(failed, [[1, {
    status: "failed",
    reason: 'Cannot write "1.jpg": No space left on device',
  }]]);
  const names = [...Deno.readDirSync(rig.path("out"))].map((entry) => entry.name).sort();
  assert.deepEqual(names, [".tintype-manifest.json", "0.jpg", "2.jpg"]);
});

Deno.test("what this run has made is copied, not read; what is not whole there is read", async () => {
  await using rig = new PictureRig();
  const pictures = [1, 2, 3].map((value) => pictureHandle(new Uint8Array(50).fill(value)));
  rig.write({ "store/0": new Uint8Array(50).fill(1), "store/1": new Uint8Array(20).fill(2) });
  const reads: number[] = [];
  const handles = pictures.map((handle, index): Handle<Image> => ({
    ...handle,
    writtenFile: () => rig.path(`store/${index}`), // the second is cut short, the third is gone
    bytes: () => {
      reads.push(index);
      return handle.bytes();
    },
  }));
  const result = await publish(rig, localDisk, handles);
  assert.equal(result.status, "produced");
  assert.deepEqual(reads.sort(), [1, 2]);
  for (const [index, handle] of pictures.entries()) {
    const published = Deno.readFileSync(rig.path(`out/${index}.jpg`));
    assert.deepEqual(published, await handle.bytes());
  }
  Deno.writeTextFileSync(rig.path("out/0.jpg"), "by hand");
  assert.equal(Deno.statSync(rig.path("store/0")).size, 50);
  const names = [...Deno.readDirSync(rig.path("out"))].map((entry) => entry.name).sort();
  assert.deepEqual(names, [".tintype-manifest.json", "0.jpg", "1.jpg", "2.jpg"]);
});

Deno.test("what a killed run left half-written is swept away", async () => {
  await using rig = new PictureRig();
  rig.write({ "out/.tintype-tmp-1-0": "half", "out/mine.txt": "a person's" });
  await publish(rig, localDisk, [pictureHandle(new Uint8Array([1]))]);
  const names = [...Deno.readDirSync(rig.path("out"))].map((entry) => entry.name).sort();
  assert.deepEqual(names, [".tintype-manifest.json", "0.jpg", "mine.txt"]);
});

Deno.test("a temporary file is removed when the rename fails", async () => {
  await using rig = new PictureRig();
  rig.write({ "out/taken/inner.txt": "a folder stands where the file should go" });
  await assert.rejects(localDisk.write(rig.path("out/taken"), new Uint8Array([1])));
  assert.deepEqual([...Deno.readDirSync(rig.path("out"))].map((entry) => entry.name), ["taken"]);
});

Deno.test("a folder that cannot be read is a warning, and nothing counts as removed", async () => {
  await using rig = new PictureRig();
  rig.write({ "in/a.jpg": "a", "in/secret/b.jpg": "b" });
  const disk: Disk = {
    ...localDisk,
    list(path) {
      if (path.endsWith("secret")) throw new Deno.errors.PermissionDenied("os error 13");
      return localDisk.list(path);
    },
  };
  const { context, warnings } = contextOn(disk);
  const params = { folder: rig.path("in"), include: ["**/*"], exclude: [], hidden: false };
  const result = await scan.run!({}, params, context);
  assert.ok(result.status === "produced");
  assert.equal(result.isPartial, true);
  assert.deepEqual(result.outputs.images.map((born) => born.name), ["a.jpg"]);
  assert.deepEqual(warnings, ['Cannot read folder "secret/": permission denied']);
});

Deno.test("a scanned folder that cannot be read at all fails", async () => {
  await using rig = new PictureRig();
  const disk: Disk = {
    ...localDisk,
    list: () => {
      throw new Deno.errors.PermissionDenied("os error 13");
    },
  };
  const { context } = contextOn(disk);
  const folder = join(rig.folder);
  const params = { folder, include: ["**/*"], exclude: [], hidden: false };
  assert.deepEqual(await scan.run!({}, params, context), {
    status: "failed",
    reason: `Cannot scan folder "${folder}": permission denied`,
  });
});
