import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { restoreNames } from "../../src/cli/restore_names.ts";
import { openSession } from "../../src/mod.ts";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { fileNamer, secretUuid } from "../../src/steps/publish/names.ts";
import type { MappingRow } from "../../src/steps/publish/mapping.ts";
import { photo } from "../picture_rig.ts";

const recipePath = new URL("../../pipelines/normalize.yaml", import.meta.url).pathname;

class Dataset implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-mapping-" }));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, bytes: Uint8Array | string) {
    Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
    if (typeof bytes === "string") Deno.writeTextFileSync(this.path(name), bytes);
    else Deno.writeFileSync(this.path(name), bytes);
  }

  async normalize(settings: Readonly<Record<string, unknown>> = {}) {
    const session = openSession({ cwd: this.folder });
    const { graph, diagnostics } = await session.checkFile(recipePath, {
      settings: { source: "./photos", out: "./out", ...settings },
      needsValues: true,
    });
    if (graph === undefined) {
      throw new Error(diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
    }
    return await session.run(graph);
  }

  mapping(): MappingRow[] {
    const text = Deno.readTextFileSync(this.path("out/mapping.jsonl"));
    return text.trimEnd().split("\n").map((line) => JSON.parse(line) as MappingRow);
  }

  images(): string[] {
    return Array.from(Deno.readDirSync(this.path("out/images")), ({ name }) => name)
      .filter((name) => !name.startsWith(".")).sort();
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function mixedSet(dataset: Dataset) {
  for (let index = 0; index < 6; index++) {
    dataset.write(
      `photos/IMG_${index}.jpg`,
      await photo(300 + index * 10, 200, { seed: index + 1 }),
    );
  }
  dataset.write("photos/trip/copy.jpg", await photo(300, 200, { seed: 1 }));
  dataset.write('photos/trip/Ünïcode, "quoted".PNG', await photo(240, 180, { format: "png" }));
  dataset.write("photos/broken.jpg", (await photo(300, 200, { seed: 9 })).slice(0, 3000));
}

Deno.test("every picture found has its row: its new name and hashes, or why it is not there", async () => {
  await using dataset = new Dataset();
  await mixedSet(dataset);
  await dataset.normalize();
  const rows = dataset.mapping();
  assert.equal(rows.length, 9);
  const [broken, ...rest] = rows.toSorted((a) => a.original === "broken.jpg" ? -1 : 0);
  assert.equal(broken!.outcome, "left out");
  assert.match(broken!.reason, /^JPEG ends after 3,000 bytes/);
  for (const row of rest) {
    assert.equal(row.outcome, "normalized", `${row.original}: ${row.reason}`);
    assert.match(
      row.file!,
      /^images\/[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.(jpg|png)$/,
    );
    assert.equal(sha256(Deno.readFileSync(dataset.path(`out/${row.file}`))), row.file_sha256);
    assert.equal(
      sha256(Deno.readFileSync(dataset.path(`photos/${row.original}`))),
      row.original_sha256,
    );
  }
  assert.equal(new Set(rest.map((row) => row.file)).size, 8);
  assert.deepEqual(dataset.images(), rest.map((row) => row.file!.slice(7)).sort());
});

Deno.test("CSV and Parquet say the same as the JSON lines", async () => {
  await using dataset = new Dataset();
  await mixedSet(dataset);
  await dataset.normalize();
  const session = openSession({ cwd: dataset.folder });
  const catalog = await session.openCatalog();
  const read = async (from: string) =>
    (await catalog.query(
      `SELECT original, file, outcome, bytes_after, width_before, ssim FROM ${from} ORDER BY original`,
    )).rows;
  const expected = await read(`read_json('${dataset.path("out/mapping.jsonl")}')`);
  assert.equal(expected.length, 9);
  assert.deepEqual(await read(`'${dataset.path("out/mapping.parquet")}'`), expected);
  assert.deepEqual(await read(`read_csv('${dataset.path("out/mapping.csv")}')`), expected);
  catalog.close();
});

Deno.test("the images' folder says nothing of names, and nothing of their order", async () => {
  await using dataset = new Dataset();
  await mixedSet(dataset);
  await dataset.normalize();
  for (const { name } of Deno.readDirSync(dataset.path("out/images"))) {
    const text = new TextDecoder("latin1").decode(
      Deno.readFileSync(dataset.path(`out/images/${name}`)),
    );
    assert.doesNotMatch(name + text, /IMG_|copy\.jpg|quoted|trip/);
  }
});

Deno.test("a rerun names and writes the same; other salt, other names; without it they are gone", async () => {
  await using dataset = new Dataset();
  await mixedSet(dataset);
  await dataset.normalize();
  const [names, rows] = [dataset.images(), dataset.mapping()];
  assert.equal((await dataset.normalize()).counts.ran, 0);
  Deno.removeSync(dataset.path(".tintype"), { recursive: true });
  await dataset.normalize();
  assert.deepEqual([dataset.images(), dataset.mapping()], [names, rows]);
  Deno.renameSync(dataset.path("photos/IMG_3.jpg"), dataset.path("photos/other.jpg"));
  await dataset.normalize();
  assert.deepEqual(dataset.images(), names);
  Deno.removeSync(dataset.path("out"), { recursive: true });
  await dataset.normalize();
  assert.equal(dataset.images().length, names.length);
  assert.deepEqual(dataset.images().filter((name) => names.includes(name)), []);
});

Deno.test("a UUID is the same for the same salt, content and copy, and else another", () => {
  const salt = new Uint8Array(32).fill(7);
  const uuid = secretUuid(salt, "ab", 0);
  assert.equal(uuid, secretUuid(salt, "ab", 0));
  const others = [
    secretUuid(salt, "ab", 1),
    secretUuid(salt, "ac", 0),
    secretUuid(salt.map((n) => n + 1), "ab", 0),
  ];
  assert.equal(new Set([uuid, ...others]).size, 4);
  const name = fileNamer("{uuid}.{ext}")({
    item: "a.jpg",
    hash: "ff",
    format: "jpeg",
    index: 1,
    count: 1,
    uuid,
  });
  assert.equal(name, `${uuid}.jpg`);
});

Deno.test("restore-names copies the pictures back under their names, twice without harm", async () => {
  await using dataset = new Dataset();
  await mixedSet(dataset);
  dataset.write(
    "photos/scan.tif",
    new Uint8Array(await sharp(await photo(50, 40)).tiff().toBuffer()),
  );
  await dataset.normalize();
  const target = dataset.path("back");
  assert.equal(await restoreNames(dataset.path("out"), { to: target }), 0);
  for (const row of dataset.mapping().filter((row) => row.file !== null)) {
    const name = row.original === "scan.tif" ? `scan.${row.file!.split(".").at(-1)}` : row.original;
    assert.deepEqual(
      Deno.readFileSync(join(target, name)),
      Deno.readFileSync(dataset.path(`out/${row.file}`)),
    );
  }
  assert.equal(await restoreNames(dataset.path("out"), { to: target }), 0);
  Deno.writeTextFileSync(join(target, "IMG_0.jpg"), "mine");
  assert.equal(await restoreNames(dataset.path("out"), { to: target }), 1);
  assert.equal(Deno.readTextFileSync(join(target, "IMG_0.jpg")), "mine");
});

Deno.test("a mapping that would write outside of the target is refused", async () => {
  await using dataset = new Dataset();
  dataset.write("out/images/a.jpg", "x");
  dataset.write(
    "out/mapping.jsonl",
    `${JSON.stringify({ original: "../evil.jpg", file: "images/a.jpg" })}\n`,
  );
  await assert.rejects(
    restoreNames(dataset.path("out"), { to: dataset.path("back") }),
    /Cannot restore "\.\.\/evil\.jpg": it leaves/,
  );
  await assert.rejects(restoreNames(dataset.path("nowhere"), {}), /there is no mapping\.jsonl/);
});
