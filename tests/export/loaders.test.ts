import assert from "node:assert/strict";
import fc from "fast-check";
import { makeDataset } from "../../src/export/dataset.ts";
import { parseCsv, readAs, type ZipFiles } from "../../src/export/loaders.ts";
import { targetNames } from "../../src/export/targets.ts";

const files = (entries: Readonly<Record<string, string | null>>): ZipFiles =>
  new Map(Object.entries(entries));

Deno.test("a zip with only metadata.txt trains flux on somebody else's captions", () => {
  const reading = readAs(
    "replicate-flux",
    files({ "a.jpg": null, "b.jpg": null, "metadata.txt": "a.jpg: hall\nb.jpg: hall\n" }),
    "hall",
  );
  assert.deepEqual(reading.autoCaptioned, ["a.jpg", "b.jpg"]);
});

Deno.test("flux: macOS files are passed over, .gif is captioned and then wasted, the trigger is added", () => {
  const reading = readAs(
    "replicate-flux",
    files({
      "a.JPG": null,
      "a.txt": "a room,  wide",
      "b.gif": null,
      "__MACOSX/._a.JPG": null,
      "sub/._x.jpg": null,
    }),
    "hall",
  );
  assert.deepEqual(reading.images, ["a.JPG"]);
  assert.equal(reading.captions.get("a.JPG"), "hall, a room, wide");
  assert.deepEqual(reading.autoCaptioned, ["b.gif"]);
});

Deno.test("a.jpg and a.png share one text", () => {
  const { captions } = readAs(
    "ai-toolkit",
    files({ "a.jpg": null, "a.png": null, "a.txt": "hall" }),
    "hall",
  );
  assert.equal(captions.get("a.jpg"), captions.get("a.png"));
});

Deno.test("qwen takes the top or one folder, not two", () => {
  const one = readAs("replicate-qwen", files({ "x/a.jpg": null, "x/a.txt": "t" }), "t");
  assert.deepEqual([one.images, one.failure], [["x/a.jpg"], undefined]);
  const two = readAs("replicate-qwen", files({ "x/a.jpg": null, "y/b.jpg": null }), "t");
  assert.match(two.failure!, /no picture/);
  assert.equal(readAs("replicate-qwen", files({ "a.jpg": null }), "TOK").notes.length, 1);
});

Deno.test("cog-sdxl stops where rows and pictures differ in number", () => {
  const csv = "caption,image_file\nx,a.jpg\n";
  const reading = readAs(
    "cog-sdxl",
    files({ "a.jpg": null, "b.jpg": null, "caption.csv": csv }),
    "t",
  );
  assert.equal(reading.failure, "1 captions for 2 pictures");
});

Deno.test("kohya sees only folders with a number, and takes .caption before .txt", () => {
  const reading = readAs(
    "kohya",
    files({
      "a.jpg": null,
      "10_hall/b.jpg": null,
      "10_hall/b.txt": "t",
      "10_hall/b.caption": "c\nd",
    }),
    "hall",
  );
  assert.deepEqual(reading.images, ["10_hall/b.jpg"]);
  assert.equal(reading.captions.get("10_hall/b.jpg"), "c");
});

Deno.test("imagefolder stops at a row without its picture", () => {
  const text = '{"file_name":"gone.jpg","text":"x"}\n';
  assert.match(readAs("hf-imagefolder", files({ "metadata.jsonl": text }), "t").failure!, /gone/);
});

Deno.test("CSV is read back as it was written", () => {
  assert.deepEqual(parseCsv('a,"b ""q"", c"\n"d\ne",\n'), [["a", 'b "q", c'], ["d\ne", ""]]);
});

Deno.test("whatever the captions say, every target reads them all, and the zip is the same twice", async () => {
  const line = fc.string({ unit: "grapheme", maxLength: 60 })
    .map((text) => `hall, ${text.replace(/[\p{C}\p{Z}\s]+/gu, " ")}`.replace(/[\s,]+$/, ""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...targetNames),
      async (captions, target) => {
        const pictures = captions.map((caption, index) => ({
          name: `photo "${index}", x.jpg`,
          ending: "jpg",
          bytes: new Uint8Array([index, 1, 2]),
          caption: caption.replace(/,(\s*,)+/g, ","),
        }));
        const first = await makeDataset(pictures, { target, trigger: "hall" });
        assert.deepEqual(first.verification.problems, []);
        const second = await makeDataset(pictures.toReversed(), { target, trigger: "hall" });
        assert.deepEqual(first.zip, second.zip);
      },
    ),
    { numRuns: 60 },
  );
});
