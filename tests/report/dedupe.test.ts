import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import sharp from "sharp";
import {
  type DedupePicture,
  type DedupeReport,
  picturedMembers,
} from "../../src/report/dedupe_data.ts";
import { dedupeReport } from "../../src/report/dedupe_report.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import { DedupeRig, groupsByName, warningsOf } from "../dedupe/rig.ts";
import { photo } from "../picture_rig.ts";
import { chromiumPath, hasChromium } from "../web/page_rig.ts";
import { checkPage } from "./html_checker.ts";

const preview = { source: "data:image/webp;base64,UklGRg==", width: 192, height: 128 };

/** A report of pictures by name, the first of each group its keeper. */
function reportOf(names: readonly string[], overrides: Partial<DedupeReport> = {}): DedupeReport {
  const named = names.map((name, member) => ({
    member,
    name,
    sha256: `sha ${name.replace(/ \(\d+\)/, "").split("/").at(-1)}`,
  }));
  const { groups: { groups, pairs, ...found }, verdicts } = groupsByName(named, 0.9);
  const keeperOf = new Map<string, string>();
  const pictures = named.map(({ member, name, sha256 }): DedupePicture => {
    const { same_picture_group, exact_group } = verdicts.get(member)!;
    const group = same_picture_group ?? exact_group;
    if (group !== null && !keeperOf.has(group)) keeperOf.set(group, name);
    const keeper = group === null ? null : keeperOf.get(group)!;
    const isAside = keeper !== null && keeper !== name;
    return {
      name,
      sha256,
      width: 400,
      height: 300,
      bytes: 12_345,
      format: "jpeg",
      score: 0.7,
      choice: {
        action: isAside ? "set_aside" : "keep",
        group,
        is_keeper: keeper === name,
        kept_instead: isAside ? keeper : null,
        reasons: ["resolution 4032×3024 against 1024×768", "in spite of format png against jpeg"],
        decided_by: "rules",
      },
    };
  });
  return {
    title: "Holiday",
    pictures,
    absent: [],
    groups,
    pairs,
    found,
    previews: new Map(pictures.map(({ sha256 }) => [sha256, preview])),
    rerun: { recipe: "dedupe", folder: "/photos/out/quarantine", settings: {} },
    versions: { tintype: "0.1.0" },
    ...overrides,
  };
}

const cats = ["cat-1.jpg", "old/cat-1 (1).jpg", "cat-2.jpg", "cat+3.jpg", "dog-1.jpg"];

Deno.test("groups are sheets by verdict, with keeper, distances, reasons and bursts", () => {
  const page = dedupeReport(reportOf(cats));
  const { problems, text, elements } = checkPage(page);
  assert.deepEqual(problems, []);
  assert.doesNotMatch(page, /https?:|NaN|Infinity|undefined/);
  assert.match(text, /Holiday, among 5 pictures 3 pictures kept; 2 set aside \(24\.7 kB\)/);
  assert.match(
    text,
    /The same picture: 1 group .* 3 files, 2 different dHash 2, pHash 1 of 64 bits/,
  );
  assert.match(text, /Similar: 1 group .* 4 files, 3 different burst least alike: dHash 14/);
  assert.match(text, /Exact copies: 1 group .* 1 group of them is whole among those above/);
  assert.match(text, /✓ Keeper cat-1\.jpg 400 × 300 · 12\.3 kB · jpeg · quality 0\.7/);
  assert.match(text, /Set aside cat-2\.jpg .* to the keeper: dHash 2, pHash 1 .*; cosine 0\.97/);
  assert.match(
    text,
    /Resolution 4032×3024 against 1024×768\. 1 more reason In spite of format png/,
  );
  assert.match(text, /1 file more with the same bytes: old\/cat-1 \(1\)\.jpg \( ?set aside\)/);
  assert.ok(elements.filter(({ name }) => name === "img").length >= 5);
});

const colours: Readonly<Record<string, readonly [number, number, number]>> = {
  "cat-1.jpg": [200, 40, 40],
  "cat-2.jpg": [40, 200, 40],
  "cat+3.jpg": [40, 40, 200],
};

/** A preview of one colour by sha256, for each of `colours`. */
async function colouredPreviews() {
  return new Map(
    await Promise.all(
      Object.entries(colours).map(async ([name, [r, g, b]]) => {
        const background = { r, g, b };
        const image = sharp({ create: { width: 192, height: 128, channels: 3, background } });
        const bytes = await image.webp({ lossless: true }).toBuffer();
        return [`sha ${name}`, {
          ...preview,
          source: `data:image/webp;base64,${bytes.toString("base64")}`,
        }] as const;
      }),
    ),
  );
}

Deno.test({
  name: "a picture that is in two groups is in the page once, and is seen in both",
  ignore: !hasChromium,
  fn: async () => {
    const previews = await colouredPreviews();
    const html = dedupeReport(reportOf(cats, { previews }));
    for (const { source } of previews.values()) assert.equal(html.split(source).length - 1, 1);
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ["--no-sandbox"],
    });
    try {
      const page = await browser.newPage();
      await page.setContent(html);
      await page.addStyleTag({ content: ".sheet img { opacity: 1 !important; }" });
      for (const [name, colour] of Object.entries(colours)) {
        const shown = await page.getByRole("img", { name: `Preview of ${name}` }).all();
        assert.equal(shown.length, name === "cat+3.jpg" ? 1 : 2, name);
        for (const each of shown) {
          const box = await each.boundingBox();
          assert.equal(Math.round(box!.width / box!.height * 10), 15);
          const seen = await sharp(await each.screenshot()).removeAlpha().extract({
            left: 20,
            top: 20,
            width: 1,
            height: 1,
          }).raw().toBuffer();
          assert.deepEqual([...seen], [...colour], name);
        }
      }
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name: "reasons with long names do not widen the page",
  ignore: !hasChromium,
  fn: async () => {
    const report = reportOf(cats);
    const reasons = [`name "cat.jpg" against "${"x".repeat(200)}.jpg"`];
    const pictures = report.pictures.map((each) => ({
      ...each,
      choice: { ...each.choice, reasons },
    }));
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await page.setContent(dedupeReport({ ...report, pictures }));
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 1280);
    } finally {
      await browser.close();
    }
  },
});

Deno.test("the source of a preview cannot end the page's style", () => {
  const source = 'data:image/webp;base64,"); } </style><script>alert(1)</script>\n';
  const previews = new Map([["sha cat-1.jpg", { ...preview, source }]]);
  const { problems, elements } = checkPage(dedupeReport(reportOf(cats, { previews })));
  assert.deepEqual(problems, []);
  assert.ok(!elements.some(({ name }) => name === "script"));
});

Deno.test("the dark colours are the screen's, never those of paper", () => {
  const page = dedupeReport(reportOf(cats));
  const dark = page.match(/@media[^{]*prefers-color-scheme: dark[^{]*/g) ?? [];
  assert.equal(dark.length, 2);
  assert.ok(dark.every((rule) => rule.startsWith("@media screen and ")), dark.join(""));
});

Deno.test("without a model the report says that similar is by hashes alone", () => {
  const report = reportOf(cats);
  const found = { ...report.found, similar_by: "hashes" as const, threshold: null };
  const { text } = checkPage(dedupeReport({ ...report, found }));
  assert.match(text, /No model was there to ask, so this is by hashes alone/);
});

Deno.test("names and reasons from outside are shown, never run", () => {
  const report = reportOf([
    '<img src=x onerror="alert(1)">-1.jpg',
    "<b>&-2.jpg",
    "a\u202egpj-1.exe",
  ]);
  const absent = [{
    name: "<i>",
    node: "n",
    step: "test.step",
    status: "failed" as const,
    reason: "<script>",
  }];
  const { problems, elements, text } = checkPage(dedupeReport({ ...report, absent }));
  assert.deepEqual(problems, []);
  assert.ok(
    !elements.some(({ name, attributes }) =>
      name === "script" || name === "b" || name === "i" || "onerror" in attributes
    ),
  );
  assert.match(text, /Not compared: 1 picture/);
});

const deeds = {
  kept: 3,
  set_aside: 2,
  published: 0,
  quarantined: 0,
  refused: 0,
  in_quarantine: 0,
};

Deno.test("the report says what was done, and how to undo it", () => {
  const textOf = (overrides: Partial<DedupeReport>) =>
    checkPage(dedupeReport(reportOf(cats, overrides))).text;
  assert.match(textOf({}), /Nothing was moved, copied or deleted: this is a report/);
  assert.match(
    textOf({ deeds: { ...deeds, action: "publish", published: 3 } }),
    /Of the kept pictures 3 were copied/,
  );
  const moved = textOf({
    deeds: { ...deeds, action: "quarantine", quarantined: 2, in_quarantine: 5 },
    rerun: { recipe: "dedupe", folder: "/my photos/q", settings: { source: "/my photos" } },
  });
  assert.match(moved, /2 originals moved/);
  assert.match(moved, /5 files in quarantine/);
  assert.match(moved, /deno task tintype undo '\/my photos\/q'/);
  assert.match(moved, /run pipelines\/dedupe\.yaml \\ --set 'source=\/my photos'/);
});

Deno.test("what was refused is listed with its reason", () => {
  const report = reportOf(cats);
  const pictures = report.pictures.map((picture): DedupePicture =>
    picture.choice.action === "keep" ? picture : {
      ...picture,
      deed: { outcome: "refused", file: null, problem: "it was changed since it was judged" },
    }
  );
  const { text } = checkPage(dedupeReport({ ...report, pictures }));
  assert.match(text, /Was to be done, and was not: 2 pictures/);
  assert.match(text, /Was to be moved, and stayed/);
});

Deno.test("700 groups give a page that says how many are shown without pictures", () => {
  const names = Array.from(
    { length: 700 },
    (_, group) =>
      Array.from({ length: 3 }, (_, index) => `g${String(group).padStart(3, "0")}-${index}.jpg`),
  )
    .flat();
  const report = reportOf(names);
  const keepers = new Set(
    report.pictures.filter(({ choice }) => choice.is_keeper).map(({ sha256 }) => sha256),
  );
  const pictured = picturedMembers(report.groups, { keepers, most: 600 });
  assert.equal(pictured.size, 600);
  const previews = new Map([...pictured].map((sha256) => [sha256, preview]));
  const page = dedupeReport({ ...report, previews });
  const { problems, text, elements } = checkPage(page);
  assert.deepEqual(problems, []);
  assert.equal(elements.filter(({ name }) => name === "img").length, 600);
  assert.match(text, /Similar: 700 groups .* 700 groups of them are whole among those above/);
  assert.match(text, /The same picture: 700 groups/);
  assert.match(text, /500 more groups without pictures/);
  assert.match(text, /200 more groups are in the run’s tables/);
  assert.ok(page.length < 1_500_000, `${page.length}`);
});

Deno.test("10,000 identical files are one picture with a few of their names", () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `a-1 (${index + 1}).jpg`);
  const page = dedupeReport(reportOf(names));
  const { text } = checkPage(page);
  assert.match(text, /10,000 identical files/);
  assert.match(text, /and 9,993 more/);
  assert.ok(page.length < 50_000, `${page.length}`);
});

Deno.test("no picture, and no group, give a page that says so", () => {
  assert.match(checkPage(dedupeReport(reportOf([]))).text, /There was no picture to compare/);
  assert.match(checkPage(dedupeReport(reportOf(["a.jpg"]))).text, /Every picture is kept/);
});

Deno.test("of a group of many different files the keeper is shown, and how many are not", () => {
  const names = Array.from({ length: 40 }, (_, index) => `a-${String(index).padStart(2, "0")}.jpg`);
  const { text } = checkPage(dedupeReport(reportOf(names)));
  assert.match(text, /✓ Keeper a-00\.jpg/);
  assert.match(text, /28 more files of this group are not shown/);
});

function outcome(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === "task-settled" && event.node === "report" ? [event.outcome] : []
  );
}

async function rigWithCats(): Promise<DedupeRig> {
  const rig = new DedupeRig();
  rig.write({
    "photos/cat-1.jpg": await photo(400, 300, { seed: 1 }),
    "photos/cat-2.jpg": await photo(200, 150, { seed: 1 }),
    "photos/broken.jpg": "nope",
  });
  return rig;
}

Deno.test("the page of a quarantine has the pictures that were moved away", async () => {
  await using rig = await rigWithCats();
  const { events } = await rig.run({ action: "quarantine" });
  assert.deepEqual(outcome(events), ["ran"]);
  const { problems, text, elements } = checkPage(
    Deno.readTextFileSync(rig.path("out/report.html")),
  );
  assert.deepEqual(problems, []);
  const shown = elements.filter(({ name }) => name === "img").map(({ attributes }) =>
    attributes["alt"]
  );
  assert.ok(shown.includes("Preview of cat-2.jpg"), `${shown}`);
  assert.match(text, /In quarantine cat-2\.jpg/);
  assert.match(text, /broken\.jpg/);
  assert.ok(text.includes("deno task tintype undo out/quarantine"));
  assert.ok(!text.includes(rig.folder), "a path of this machine is on the page");
});

Deno.test("a second run leaves the page as it is; one with a person's notes is kept", async () => {
  await using rig = await rigWithCats();
  await rig.run();
  const path = rig.path("out/report.html");
  const first = Deno.readTextFileSync(path);
  assert.deepEqual(outcome((await rig.run()).events), ["cached"]);
  Deno.writeTextFileSync(path, first.replace("alike", "mine"));
  const { events } = await rig.run();
  assert.deepEqual(outcome(events), ["ran"]);
  assert.equal(Deno.readTextFileSync(path), first);
  assert.ok(warningsOf(events).some((warning) => warning.includes("report.kept-")));
});
