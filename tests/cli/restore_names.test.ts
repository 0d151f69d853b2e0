import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { restoreNames } from "../../src/cli/restore_names.ts";
import { sha256 } from "../../src/runtime/hash.ts";

/** A dataset of files whose content is the name of their original. */
class Dataset implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-restore-" }));
  readonly back = join(this.folder, "back");

  write(name: string, content: string) {
    const path = join(this.folder, name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, content);
  }

  /** From an original's name to the extension that its picture has now. */
  publish(pictures: Readonly<Record<string, string>>) {
    const rows = Object.entries(pictures).sort(([a], [b]) => a < b ? -1 : 1)
      .map(([original, extension], index) => {
        const file = `images/${index}.${extension}`;
        this.write(file, original);
        const file_sha256 = sha256(new TextEncoder().encode(original));
        return JSON.stringify({ original, file, file_sha256 });
      });
    const leftOut = JSON.stringify({ original: "broken.jpg", file: null, file_sha256: null });
    this.write("mapping.jsonl", [...rows, leftOut, ""].join("\n"));
  }

  restore(): Promise<number> {
    return restoreNames(this.folder, { to: this.back });
  }

  /** By restored name, the original that it is a copy of. */
  restored(): Record<string, string> {
    const found: Record<string, string> = {};
    const walk = (folder: string) => {
      for (const { name, isDirectory } of Deno.readDirSync(folder)) {
        const path = join(folder, name);
        if (isDirectory) walk(path);
        else found[relative(this.back, path)] = Deno.readTextFileSync(path);
      }
    };
    walk(this.back);
    return found;
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

const linux = Deno.build.os === "linux";

Deno.test("every picture whose format stayed has the very name of its original", async () => {
  await using dataset = new Dataset();
  const names = [
    "a.jpg",
    "sub/deep/a.JPEG",
    "scan.TIFF",
    "été 📷.jpg",
    "-dash.jpg",
    ...(linux ? ["q\"u'o?te; $x & 100%.jpg", "new\nline.jpg", "back\\slash.jpg", "A.jpg"] : []),
    "x".repeat(200) + ".jpg",
  ];
  dataset.publish(Object.fromEntries(names.map((name) => [
    name,
    name.endsWith(".TIFF") ? "tif" : "jpg",
  ])));
  assert.equal(await dataset.restore(), 0);
  assert.deepEqual(dataset.restored(), Object.fromEntries(names.map((name) => [name, name])));
});

Deno.test("pictures that would have one name now all come back, each under its own", async () => {
  await using dataset = new Dataset();
  dataset.publish({
    "a.jpg": "jpg",
    "a.png": "jpg",
    "a.png.jpg": "jpg",
    "A.webp": "jpg",
    "sub/a.png": "jpg",
    "b.gif": "png",
    "b.png/inside.png": "png",
  });
  assert.equal(await dataset.restore(), 0);
  assert.deepEqual(dataset.restored(), {
    "a.jpg": "a.jpg",
    "a.png.jpg": "a.png.jpg",
    "a.png (2).jpg": "a.png",
    "A.webp.jpg": "A.webp",
    "sub/a.jpg": "sub/a.png",
    "b.gif.png": "b.gif",
    "b.png/inside.png": "b.png/inside.png",
  });
  assert.equal(await dataset.restore(), 0, "a second time finds all of it there");
});

Deno.test("nothing that is in the way is written over: file, folder or dangling link", async () => {
  await using dataset = new Dataset();
  dataset.publish({
    "a.jpg": "jpg",
    "b.jpg": "jpg",
    "c.jpg": "jpg",
    "d/e.jpg": "jpg",
    "f.jpg": "jpg",
  });
  dataset.write("back/a.jpg", "mine");
  dataset.write("back/b.jpg/mine.txt", "mine");
  Deno.symlinkSync("nowhere", join(dataset.back, "c.jpg"));
  dataset.write("back/d", "a file where a folder should be");
  assert.equal(await dataset.restore(), 1);
  assert.equal(Deno.readTextFileSync(join(dataset.back, "a.jpg")), "mine");
  assert.deepEqual([...Deno.readDirSync(join(dataset.back, "b.jpg"))].map(({ name }) => name), [
    "mine.txt",
  ]);
  assert.equal(Deno.readLinkSync(join(dataset.back, "c.jpg")), "nowhere");
  assert.equal(Deno.readTextFileSync(join(dataset.back, "d")), "a file where a folder should be");
  assert.equal(
    Deno.readTextFileSync(join(dataset.back, "f.jpg")),
    "f.jpg",
    "the others are copied",
  );
});

Deno.test("a picture that is gone is named, and the others are copied", async () => {
  await using dataset = new Dataset();
  dataset.publish({ "a.jpg": "jpg", "b.jpg": "jpg" });
  Deno.removeSync(join(dataset.folder, "images/0.jpg"));
  assert.equal(await dataset.restore(), 1);
  assert.deepEqual(dataset.restored(), { "b.jpg": "b.jpg" });
});

Deno.test("a mapping that is broken or leaves its folders stops before anything is copied", async () => {
  await using dataset = new Dataset();
  for (
    const [row, problem] of [
      ['{"original":"../evil.jpg","file":"images/0.jpg"}', /"\.\.\/evil\.jpg": it leaves/],
      ['{"original":"b.jpg","file":"../secret.jpg"}', /"\.\.\/secret\.jpg": it leaves/],
      ['{"file":"images/0.jpg"}', /line 2 is no row of a mapping/],
      ["null", /line 2 is no row of a mapping/],
      ["half {", /line 2 is not JSON/],
    ] as const
  ) {
    dataset.publish({});
    dataset.write("images/0.jpg", "a");
    dataset.write("mapping.jsonl", `{"original":"a.jpg","file":"images/0.jpg"}\n${row}\n`);
    await assert.rejects(dataset.restore(), problem);
    assert.throws(() => Deno.statSync(dataset.back), Deno.errors.NotFound);
  }
});
