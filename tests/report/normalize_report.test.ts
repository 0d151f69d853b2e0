import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Advice, policyShape } from "../../src/baseline/policy.ts";
import { noAdvice } from "../../src/baseline/advice.ts";
import { normalizeReport, policyYaml } from "../../src/report/normalize_report.ts";
import type { NormalizeReport } from "../../src/report/report_data.ts";
import { cpuTimer } from "../cpu_time.ts";
import { checkPage } from "./html_checker.ts";
import { pictureOf, reportOf, somePictures } from "./rig.ts";

/** The page, after it was held against what every page must be. */
async function pageOf(report: NormalizeReport) {
  const page = await normalizeReport(report);
  const checked = checkPage(page);
  assert.deepEqual(checked.problems, []);
  assert.doesNotMatch(page, /https?:/i);
  assert.doesNotMatch(checked.text, /\b(NaN|undefined|Infinity|null|\[object)/);
  for (const { name, attributes } of checked.elements) {
    assert.notEqual(name, "script");
    assert.notEqual(name, "link");
    for (const [attribute, value] of Object.entries(attributes)) {
      assert.doesNotMatch(attribute, /^on/);
      assert.doesNotMatch(value, /NaN|Infinity|undefined/);
      if (["src", "srcset", "data"].includes(attribute)) assert.match(value, /^data:image\//);
      if (attribute === "href") assert.match(value, /^#/);
    }
    if (name === "img") assert.ok((attributes["alt"] ?? "") !== "");
  }
  return { page, ...checked };
}

const dot = "data:image/webp;base64,UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA";
const thumbnail = { source: dot, width: 1, height: 1 };

Deno.test("a set of no pictures gives a page that says so", async () => {
  const { text } = await pageOf(await reportOf([]));
  assert.match(text, /There was no picture to normalize\./);
  assert.match(text, /There is no picture to measure\./);
  assert.match(text, /There is no picture that a policy could change\./);
  assert.match(text, /There is no picture to hold against others\./);
  assert.match(text, /Failed and left out +There was no picture\./);
});

Deno.test("one picture gives a whole page", async () => {
  const { text, elements } = await pageOf(await reportOf(somePictures(1)));
  assert.match(text, /Holiday: 1 picture /);
  assert.ok(elements.filter(({ name }) => name === "svg").length >= 10);
});

Deno.test("pictures that are all alike give a whole page", async () => {
  const alike = pictureOf({ width: 800, height: 600, bytes: 9e4, jpeg_quality: 85, sharpness: 90 });
  const { text } = await pageOf(await reportOf(Array.from({ length: 40 }, () => alike)));
  assert.match(text, /Holiday: 40 pictures/);
  assert.match(text, /3\.6 MB → 3\.6 MB \(no change\): 40 unchanged\./);
});

Deno.test("5,000 pictures give a page below 3 MB within 20 seconds", async () => {
  const report = await reportOf(somePictures(5000));
  const cpuMs = cpuTimer();
  const { page } = await pageOf({
    ...report,
    absent: Array.from({ length: 2000 }, (_, index) => ({
      name: `broken ${index}.jpg`,
      node: "photos",
      step: "ingest.scan",
      status: "rejected",
      reason: "JPEG ends after 4,096 of 81,920 bytes",
    })),
  });
  assert.ok(page.length < 3e6, `${page.length} characters`);
  assert.ok(cpuMs() < 20_000);
});

Deno.test("the same report gives the same page", async () => {
  const pictures = somePictures(30);
  assert.equal(
    await normalizeReport(await reportOf(pictures)),
    await normalizeReport(await reportOf(pictures)),
  );
});

Deno.test("names and reasons from outside cannot become elements or turn text around", async () => {
  const evil = `<img src=x onerror=alert(1)>"'&amp;\u202egpj.exe\u0000\ud800`;
  const report = await reportOf(somePictures(6));
  const first = report.pictures[0]!;
  const hostile = {
    ...first,
    name: evil,
    standing: { cluster: 1, is_outlier: true, outlier_of: [evil] },
    change: { ...first.change!, steps: [evil], because: evil, ssim: 0.5 },
  };
  const { elements, text, page } = await pageOf({
    ...report,
    title: evil,
    pictures: [hostile, ...report.pictures.slice(1)],
    thumbnails: new Map([[evil, thumbnail]]),
    pairs: [{ name: evil, change: hostile.change, before: thumbnail, after: thumbnail }],
    absent: [{ name: `x${evil}`, node: evil, step: "test.step", status: "failed", reason: evil }],
    rerun: { recipe: evil, folder: evil, settings: { [evil]: evil } },
    choice: { source: "file", file: evil },
    recommendation: { ...report.recommendation, advice: hostileAdvice(evil) },
    versions: { [evil]: evil },
  });
  const images = elements.filter(({ name }) => name === "img");
  assert.deepEqual(images.map(({ attributes }) => attributes["src"]), [dot, dot, dot]);
  assert.match(text, /<img src=x onerror=alert\(1\)>"'&amp;⟨U\+202E⟩gpj\.exe⟨U\+0000⟩/);
  const names = elements.filter(({ name }) => name === "bdi");
  assert.ok(names.length >= 3);
  assert.ok(!page.includes("\u0000") && page.isWellFormed());
});

function hostileAdvice(text: string): Advice {
  return {
    ...noAdvice,
    status: "failed",
    advisor: text,
    model: text,
    problem: text,
    rationale: text,
  };
}

Deno.test("each setting stands with its value, its reason and where it was read", async () => {
  const report = await reportOf(somePictures(60));
  const { text } = await pageOf(report);
  assert.ok(report.recommendation.reasons.length > 3);
  for (const { because, from } of report.recommendation.reasons) {
    assert.ok(text.includes(because), because);
    if (from !== null) assert.ok(text.includes(from), from);
  }
  assert.match(text, /The policy is that of the rules/);
  assert.match(text, /No model was asked/);
});

Deno.test("an advisor that failed is named with its problem", async () => {
  const report = await reportOf(somePictures(20));
  const advice: Advice = {
    ...noAdvice,
    status: "failed",
    advisor: "openai_compatible",
    model: "phi-4",
    problem: "it answered with HTML (JSON is wanted)",
  };
  const { text } = await pageOf({
    ...report,
    recommendation: { ...report.recommendation, advice },
  });
  assert.match(text, /openai_compatible, phi-4/);
  assert.match(text, /the rules stand: it answered with HTML \(JSON is wanted\)/);
});

Deno.test("advice stands beside the rules with its differences, clamps and rationale", async () => {
  const report = await reportOf(somePictures(20));
  const { rules } = report.recommendation;
  const policy = { ...rules, quality: 77, long_side_px: 1234 };
  const advice: Advice = {
    ...noAdvice,
    status: "given",
    advisor: "gemini",
    model: "flash",
    rationale: "Small files load faster.\n\u202eReversed.",
    policy,
    clamped: [{ setting: "quality", said: 12, became: 77, because: "no picture is below 77" }],
    differences: [{ setting: "quality", rules: rules.quality, advisor: 77 }],
    effect: report.recommendation.effect,
  };
  const { text } = await pageOf({
    ...report,
    policy,
    recommendation: { ...report.recommendation, advice, accepted: "advisor" },
  });
  assert.match(text, /the one that the advisor \(gemini, flash\) gave/);
  assert.match(text, /asked for and accepted/);
  assert.match(text, /Small files load faster\.\s+⟨U\+202E⟩Reversed\./);
  assert.match(text, /12 → +77, no picture is below 77/);
  assert.match(text, /1,234 px/);
});

Deno.test("a policy by hand is said to be, and its effect is predicted all the same", async () => {
  const pictures = somePictures(50);
  const { policy } = await reportOf(pictures);
  const own = { ...policy, long_side_px: 500, short_side_px: null };
  const { text } = await pageOf(
    await reportOf(pictures, { policy: own, choice: { source: "file", file: "policy.yaml" } }),
  );
  assert.match(text, /read from the file +policy\.yaml/);
  assert.match(text, /at most 500/);
  const [, predicted, actual] = /Made smaller +([\d,]+) +([\d,]+)/.exec(text)!;
  assert.equal(predicted, actual);
  assert.ok(Number(actual) > 10);
});

Deno.test("damaged pictures are no difference between what was predicted and what was done", async () => {
  const report = await reportOf(somePictures(20));
  const { metadata } = report.pictures[0]!;
  const { text } = await pageOf({
    ...report,
    pictures: [...report.pictures, { name: "damaged.jpg", metadata }],
    absent: [{
      name: "damaged.jpg",
      node: "content",
      step: "test.step",
      status: "rejected",
      reason: "it ends early",
    }],
  });
  assert.match(text, /Pictures +20 +20 +as predicted/);
  assert.match(text, /Left out +0 +0 +as predicted/);
  assert.match(text, /Not among them: 1 picture with a header but damaged pixels\./);
});

Deno.test("bars of after end at the limit's line, however many pictures are at it", async () => {
  const pictures = somePictures(200);
  const { policy } = await reportOf(pictures);
  const report = await reportOf(pictures, {
    policy: { ...policy, long_side_px: 1100, short_side_px: 700 },
  });
  const page = await normalizeReport(report);
  for (const title of ["long side", "short side"]) {
    const [, chart] = page.split(`aria-label="Histogram of ${title}.`);
    const svg = chart!.slice(0, chart!.indexOf("</svg>"));
    const ends = [
      ...svg.matchAll(/<path [^>]*d="M(-?[\d.]+),[\d.]+h([\d.]+)v[^>]*stroke="#d55e00"/g),
    ]
      .map(([, left, width]) => Number(left) + Number(width));
    assert.ok(ends.length > 1, title);
    const limits = [...svg.matchAll(/<line transform="translate\(([\d.]+),[^>]*stroke-dasharray/g)]
      .map(([, x]) => Number(x));
    assert.ok(Math.max(...ends) <= Math.max(...limits) + 1, `${title}: ${ends} beyond ${limits}`);
  }
});

Deno.test("an outlier of many measures has its first reasons, in words, and how many more", async () => {
  const report = await reportOf(somePictures(3));
  const outlier_of = [
    "long_side 1 px is below 31 px",
    "bytes 76 bytes is below 1.9 kB",
    "sharpness 0 is below 2.4",
    "entropy 0 is below 5.7",
    "clipped 50 % is above 10 %",
    "jpeg_quality 3 is below 33",
  ];
  const [first, ...others] = report.pictures;
  const { text, elements } = await pageOf({
    ...report,
    pictures: [{ ...first!, standing: { cluster: 1, is_outlier: true, outlier_of } }, ...others],
    thumbnails: new Map([[first!.name, { ...thumbnail, width: 2 }]]),
  });
  assert.match(text, /long side 1 px is below 31 px +file size 76 bytes is below/);
  assert.match(text, /entropy 0 is below 5\.7 +and 2 more measures/);
  assert.doesNotMatch(text, /clipped 50 %/);
  const [image] = elements.filter(({ name }) => name === "img");
  assert.deepEqual(
    [image?.attributes["width"], image?.attributes["height"], image?.attributes["class"]],
    ["48", "24", "tiny"],
  );
});

Deno.test("a blank picture does not press all sharpness into one bar", async () => {
  const alike = { width: 800, height: 600, bytes: 9e4, jpeg_quality: 85 };
  const sharp = [0, 5, 20, 60, 90, 200, 400, 900, 322_844];
  const { text, page } = await pageOf(
    await reportOf(sharp.map((sharpness) => pictureOf({ ...alike, sharpness }))),
  );
  assert.match(text, /The bar at the far left: 1 picture with 0\./);
  const chart = page.split("<figure").find((each) => each.includes("Histogram of sharpness"))!;
  const bars = chart.split('fill="#56b4e9"').length - 1;
  assert.ok(bars >= 4, `${bars} bars`);
});

Deno.test("failures come first, each picture that did not come through once", async () => {
  const report = await reportOf(somePictures(3));
  const [first, ...others] = report.pictures;
  const { text } = await pageOf({
    ...report,
    pictures: [{ ...first!, change: undefined }, ...others],
    absent: [
      {
        name: first!.name,
        node: "normalized",
        step: "test.step",
        status: "rejected",
        reason: "it is too small",
      },
      {
        name: "lost.jpg",
        node: "photos",
        step: "test.step",
        status: "failed",
        reason: "the disk is gone",
      },
    ],
  });
  assert.match(text, /Holiday: 4 pictures/);
  assert.match(text, /1 left out and 1 failed/);
  assert.ok(text.indexOf("the disk is gone") < text.indexOf("it is too small"));
  assert.equal(text.split("it is too small").length, 2);
});

Deno.test("the worst pairs are named with their SSIM, and the commands are shell words", async () => {
  const report = await reportOf(somePictures(3));
  const change = { ...report.pictures[0]!.change!, ssim: 0.8125, steps: ["quality 95 → 85"] };
  const { text } = await pageOf({
    ...report,
    pairs: [{ name: "a.jpg", change, before: thumbnail, after: thumbnail }],
    rerun: {
      recipe: "normalize",
      folder: "/my photos/it's",
      settings: { source: "~/my photos", quality: 80 },
    },
  });
  assert.match(text, /SSIM 0\.8125/);
  assert.match(text, /quality 95 → 85/);
  assert.ok(text.includes(
    "deno task tintype run pipelines/normalize.yaml \\ --set 'source=~/my photos' \\ --set quality=80",
  ));
  assert.ok(text.includes(`restore-names '/my photos/it'\\''s'`));
});

Deno.test("the applied policy is shown as a file that gives the same policy", async () => {
  const { policy } = await reportOf(somePictures(50));
  for (const each of [policy, policyShape.parse({}), { ...policy, background: "#00ff7f" }]) {
    assert.deepEqual(policyShape.parse(parse(policyYaml(each))), each);
  }
});
