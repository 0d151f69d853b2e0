import assert from "node:assert/strict";
import sharp from "sharp";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import type { SubjectBox } from "../../src/steps/image/crop_subject.ts";
import { photo, PictureRig } from "../picture_rig.ts";
import { type Given, subjectSteps } from "./given_objects.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");

interface Options {
  readonly params?: Readonly<Record<string, unknown>>;
  /** What is in which picture; without it no objects are wired. */
  readonly given?: Readonly<Record<string, Given>>;
  readonly source?: string;
}

async function checked(rig: PictureRig, { params = {}, given, source = "./photos" }: Options) {
  const text = `
recipe: crop_test
steps:
  photos: { use: ingest.scan, with: { folder: ${source} } }
  metadata: { use: inspect.metadata, from: photos }
${
    given === undefined
      ? ""
      : `  objects: { use: test.objects, from: photos, with: { given: ${JSON.stringify(given)} } }`
  }
  crops:
    use: image.crop_subject
    from: { image: photos, metadata: metadata${given === undefined ? "" : ", objects: objects"} }
    with: ${JSON.stringify(params)}
`;
  return await rig.session.check({ path: rig.path("test.yaml"), text, steps: subjectSteps }, {
    needsValues: true,
  });
}

type Row = SubjectBox & { readonly item: string; readonly status: string };

async function crops(rig: PictureRig, options: Options = {}) {
  const { graph, diagnostics } = await checked(rig, options);
  if (graph === undefined) {
    throw new Error(diagnostics.map((each) => formatDiagnostic(each)).join());
  }
  const events: RunEvent[] = [];
  const { counts } = await rig.session.run(graph, { listener: (event) => events.push(event) });
  const rows = await rig.query("SELECT * FROM crops ORDER BY item") as unknown as Row[];
  return { rows: new Map(rows.map((row) => [row.item, row])), counts, events };
}

function area({ x, y, width, height }: SubjectBox): readonly number[] {
  return [x, y, width, height].map(Number);
}

/** Plain grey with a patch that stands out, at a part of the width. */
async function patched(width: number, height: number, at: number): Promise<Uint8Array> {
  const side = Math.round(Math.min(width, height) / 3);
  const patch = await sharp({
    create: { width: side, height: side, channels: 3, background: "#e02010" },
  }).png().toBuffer();
  const isWide = width >= height;
  const place = Math.round(at * (Math.max(width, height) - side));
  return new Uint8Array(
    await sharp({ create: { width, height, channels: 3, background: "#808080" } })
      .composite([{ input: patch, left: isWide ? place : side, top: isWide ? side : place }])
      .jpeg({ quality: 95 }).toBuffer(),
  );
}

Deno.test("a crop is slid to what a model found, and says what it keeps", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(300, 100), "photos/b.jpg": await photo(100, 300) });
  const { rows } = await crops(rig, {
    given: {
      "a.jpg": { boxes: { dog: [210, 20, 40, 60] } },
      "b.jpg": { boxes: { dog: [0, 0, 100, 200] }, faces: [[30, 10, 20, 25]] },
    },
  });
  const [a, b] = [rows.get("a.jpg")!, rows.get("b.jpg")!];
  assert.deepEqual(area(a), [180, 0, 100, 100]);
  assert.deepEqual([a.method, a.score, a.aspect], ["objects", 1, "1:1"]);
  assert.equal(a.reason, "keeps all of 1 object");
  assert.ok(b.y <= 10 && b.score < 1 && b.score > 0.5);
  assert.match(b.reason, /^keeps \d\d % of 1 face and 1 object$/);
});

Deno.test("boxes of a picture that a model saw smaller are scaled to it", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(300, 100) });
  const { rows } = await crops(rig, {
    given: { "a.jpg": { boxes: { dog: [21, 2, 4, 6] }, size: [30, 10] } },
  });
  assert.deepEqual(area(rows.get("a.jpg")!), [180, 0, 100, 100]);
});

Deno.test("a picture turned by EXIF is cropped as it is seen", async () => {
  await using rig = new PictureRig();
  const turned = await sharp(await photo(300, 100)).withMetadata({ orientation: 6 }).toBuffer();
  rig.write({ "photos/a.jpg": new Uint8Array(turned) });
  const { rows } = await crops(rig, { given: { "a.jpg": { boxes: { dog: [20, 210, 60, 40] } } } });
  assert.deepEqual(area(rows.get("a.jpg")!), [0, 180, 100, 100]);
});

Deno.test("without a model the crop goes to what stands out, and the reason says so", async () => {
  await using rig = new PictureRig();
  for (const [name, at] of [["left", 0], ["middle", 0.5], ["right", 1]] as const) {
    rig.write({
      [`photos/wide_${name}.jpg`]: await patched(3000, 1000, at),
      [`photos/tall_${name}.jpg`]: await patched(100, 300, at),
    });
  }
  const { rows } = await crops(rig);
  for (const [name, at] of [["left", 0], ["middle", 0.5], ["right", 1]] as const) {
    for (const [shape, scale] of [["wide", 10], ["tall", 1]] as const) {
      const row = rows.get(`${shape}_${name}.jpg`)!;
      const side = 33 * scale;
      const start = at * (300 * scale - side);
      const offset = Number(shape === "wide" ? row.x : row.y);
      assert.ok(
        offset <= start + 4 * scale && offset + 100 * scale >= start + side - 4 * scale,
        `${shape} ${name}: ${offset} for ${start}`,
      );
      assert.equal(row.method, "saliency");
      assert.ok(row.score > 0.7 && row.score <= 1, `${row.score}`);
      assert.match(
        row.reason,
        /^no model was there to ask, so by what stands out: keeps (all|\d\d %) of the detail$/,
      );
    }
  }
});

Deno.test("no model, nothing found, and nothing that counts are three reasons for saliency", async () => {
  await using rig = new PictureRig();
  const picture = await patched(300, 100, 1);
  for (const name of ["none", "empty", "cats", "unsure"]) {
    rig.write({ [`photos/${name}.jpg`]: picture });
  }
  const { rows } = await crops(rig, {
    params: { labels: ["dog", "bird"], min_score: 0.5 },
    given: {
      "none.jpg": { isModelMissing: true },
      "empty.jpg": {},
      "cats.jpg": { boxes: { cat: [0, 0, 50, 50] } },
      "unsure.jpg": { boxes: { dog: [0, 0, 50, 50] }, score: 0.4 },
    },
  });
  const reason = (name: string) => rows.get(`${name}.jpg`)!.reason.split(", so by")[0];
  assert.equal(reason("none"), "no model was there to ask");
  assert.equal(reason("empty"), "nothing was found in it");
  const nothing = 'nothing was found as "dog", "bird" with a score of at least 0.5';
  assert.deepEqual([reason("cats"), reason("unsure")], [nothing, nothing]);
  assert.deepEqual([...rows.values()].map(({ method }) => method), Array(4).fill("saliency"));
  assert.ok([...rows.values()].every(({ x }) => Number(x) > 150));
});

Deno.test("a picture with nothing in it is cropped to its middle", async () => {
  await using rig = new PictureRig();
  const flat = await sharp({
    create: { width: 300, height: 100, channels: 4, background: "#0000" },
  })
    .png().toBuffer();
  rig.write({ "photos/a.png": new Uint8Array(flat) });
  const row = (await crops(rig)).rows.get("a.png")!;
  assert.deepEqual(area(row), [100, 0, 100, 100]);
  assert.equal(row.reason, "no model was there to ask, and nothing stands out, so from the middle");
  assert.equal(row.score, 0.3333);
});

Deno.test("of several aspects it is the one that keeps the most", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(300, 200), "photos/b.jpg": await photo(300, 200) });
  const { rows } = await crops(rig, {
    params: { aspects: ["1:1", "16:9", 0.75] },
    given: {
      "a.jpg": { boxes: { bus: [5, 60, 290, 80] } },
      "b.jpg": { boxes: { man: [100, 0, 90, 200] } },
    },
  });
  assert.deepEqual(area(rows.get("a.jpg")!), [0, 15, 300, 169]);
  assert.equal(rows.get("a.jpg")!.aspect, "16:9");
  assert.equal(rows.get("b.jpg")!.aspect, "1:1");
  const { rows: salient } = await crops(rig, { params: { aspects: ["1:1", "16:9"] } });
  assert.equal(salient.get("a.jpg")!.aspect, "16:9");
});

Deno.test("a picture stays whole where its shape is right, a crop too small, or none is asked for", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/square.jpg": await photo(90, 90), "photos/wide.jpg": await photo(90, 60) });
  const whole = async (params: Readonly<Record<string, unknown>>, name: string) => {
    const row = (await crops(rig, { params })).rows.get(name)!;
    assert.deepEqual([row.method, row.aspect, row.score], ["whole", "original", 1]);
    assert.deepEqual(area(row), [0, 0, 90, name === "square.jpg" ? 90 : 60]);
    return row.reason;
  };
  assert.equal(await whole({}, "square.jpg"), "it is 1:1 already");
  assert.equal(await whole({ aspects: ["original"] }, "wide.jpg"), "no crop is asked for");
  assert.equal(
    await whole({ min_side_px: 61 }, "wide.jpg"),
    "a crop to 1:1 would be 60 × 60, its short side below 61 px",
  );
  assert.equal(
    await whole({ min_side_px: 100 }, "square.jpg"),
    "its short side of 90 px is below 100 px",
  );
  const { rows } = await crops(rig, { params: { min_side_px: 60 } });
  assert.deepEqual(area(rows.get("wide.jpg")!).slice(2), [60, 60]);
});

Deno.test("the smallest and the longest pictures have their crops", async () => {
  await using rig = new PictureRig();
  const sizes = [[1, 1], [1, 7], [2, 1], [3, 2], [5000, 1], [3, 4000]] as const;
  for (const [width, height] of sizes) {
    rig.write({ [`photos/${width}x${height}.png`]: await photo(width, height, { format: "png" }) });
  }
  const { rows } = await crops(rig, { params: { aspects: ["1:1"] } });
  for (const [width, height] of sizes) {
    const row = rows.get(`${width}x${height}.png`)!;
    const [x, y, across, down] = area(row);
    assert.ok(across === down && across === Math.min(width, height), JSON.stringify(row));
    assert.ok(x! >= 0 && y! >= 0 && x! + across <= width && y! + down! <= height);
    assert.ok(row.score >= 0 && row.score <= 1);
  }
});

Deno.test("an aspect that is none is refused by the check", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(30, 20) });
  for (const wrong of ["square", "1:0", "0:1", "1:", "1:1:1", "-1:2", 0, "9999999:1"]) {
    const { diagnostics } = await checked(rig, { params: { aspects: [wrong] } });
    assert.equal(diagnostics.filter(({ severity }) => severity === "error").length, 1, `${wrong}`);
  }
  const right = { aspects: ["1:1", "2.39:1", "original", 1.5] };
  assert.deepEqual((await checked(rig, { params: right })).diagnostics, []);
});

Deno.test({
  name: "crops of the corpus lie inside their pictures, and a rerun decodes nothing",
  ignore: corpus === undefined,
  fn: async () => {
    await using rig = new PictureRig();
    const options = { source: `${corpus}/corpus/photos`, params: { aspects: ["1:1", "4:3"] } };
    const { rows } = await crops(rig, options);
    assert.ok(rows.size > 90);
    const sizes = await rig.query("SELECT item, width, height FROM metadata");
    for (const { item, width, height } of sizes) {
      const row = rows.get(item as string)!;
      const [x, y, across, down] = area(row);
      assert.ok(x! + across! <= Number(width) && y! + down! <= Number(height), item as string);
      assert.ok(across === Number(width) || down === Number(height));
      assert.ok(row.score > 0 && row.score <= 1);
    }
    const again = await crops(rig, options);
    assert.equal(again.counts.ran, 0);
    assert.deepEqual([...again.rows.values()].map(area), [...rows.values()].map(area));
  },
});
