import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { parse } from "yaml";
import { policyShape } from "../src/baseline/policy.ts";
import { type ChartSpec, renderSvg } from "../src/charts/render.ts";
import { openSession, recipe, steps } from "../src/mod.ts";
import type { RunListener } from "../src/runtime/event.ts";
import {
  chart,
  commandOf,
  comparableRuns,
  compareEffects,
  type Display,
  effectChart,
  findRun,
  graphOf,
  histogramChart,
  homeOf,
  type MimeBundle,
  newestRun,
  outlierRows,
  policyOf,
  progress,
  reasonsOf,
  sourceOf,
  styled,
  table,
  thumbnails,
  wall,
  weightsOf,
  writePolicy,
} from "../src/notebook.ts";
import { fromFileUrl } from "../src/runtime/file_url.ts";
import { photo, PictureRig, proxyRecipe } from "./picture_rig.ts";

const normalizeRecipe = fromFileUrl(new URL("../pipelines/normalize.yaml", import.meta.url));

/** What the Deno kernel asks a value for. */
async function shown(value: Display): Promise<MimeBundle> {
  return await (value as unknown as Record<symbol, () => Promise<MimeBundle>>)[
    Symbol.for("Jupyter.display")
  ]!();
}

async function html(value: Display): Promise<string> {
  return String((await shown(value))["text/html"]);
}

async function plain(value: Display): Promise<string> {
  return String((await shown(value))["text/plain"]);
}

Deno.test("a bound for outliers is left empty where no picture can be beyond it", () => {
  const rule = { scale: "linear", spread: 0.1, below: 0, above: 1 } as const;
  const rules = [
    { ...rule, measure: "clipped", median: 0.054, low: -0.296, high: 0.404 },
    { ...rule, measure: "brightness", median: 0.7, low: 0.35, high: 1.05, below: 2, above: 0 },
    { ...rule, measure: "entropy", median: 7.5, low: null, high: null, above: 0 },
    { ...rule, measure: "sharpness", median: 0, low: -2, high: 2 },
  ];
  assert.deepEqual(outlierRows(rules), [
    { measure: "clipped", median: 0.054, low: null, high: 0.404, below: 0, above: 1 },
    { measure: "brightness", median: 0.7, low: 0.35, high: null, below: 2, above: 0 },
    { measure: "sharpness", median: 0, low: null, high: 2, below: 0, above: 1 },
  ]);
});

Deno.test("a table shows markup in names and cells as text", async () => {
  const page = await html(
    table([{ '<b>"x"</b>': "<script>alert(1)</script> & 'y'" }], { title: "<i>" }),
  );
  assert.ok(page.includes("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;y&#39;"));
  assert.ok(page.includes("&lt;b&gt;&quot;x&quot;&lt;/b&gt;"));
  assert.ok(!/<(script|b|i)>/.test(page));
});

Deno.test("columns of numbers are aligned on the right, all others on the left", async () => {
  const rows = [{ name: "a", size: 1.5, mixed: 1 }, { name: "b", size: null, mixed: "one" }];
  const page = await html(table(rows));
  const sides = [...page.matchAll(/<th style="text-align:(\w+)">(\w+)/g)].map((m) => [m[2], m[1]]);
  assert.deepEqual(sides, [["name", "left"], ["size", "right"], ["mixed", "left"]]);
  assert.deepEqual((await plain(table(rows))).split("\n"), [
    "name  size  mixed",
    "a      1.5  1",
    "b           one",
  ]);
});

Deno.test("a table says how many rows it does not show", async () => {
  const rows = Array.from({ length: 1234 }, (_, index) => ({ index }));
  const page = await html(table(rows, { limit: 10 }));
  assert.equal(page.match(/<tr>/g)?.length, 11);
  assert.ok(page.includes("… and 1,224 more of 1,234 rows"));
  assert.ok((await plain(table(rows, { limit: 10 }))).endsWith("… and 1,224 more of 1,234 rows"));
  assert.ok(!(await html(table(rows.slice(0, 10), { limit: 10 }))).includes("more of"));
});

Deno.test("a table without rows says so", async () => {
  assert.equal(await plain(table([])), "no rows");
  assert.ok((await html(table({ columns: ["a"], rows: [] }))).includes("no rows"));
});

Deno.test("numbers keep ten metres of GPS and small exposures, and are never NaN", async () => {
  const text = await plain(table([
    { value: 59.91273123 },
    { value: 0.000125 },
    { value: 2021 },
    { value: 12345678 },
    { value: 0.30000000000000004 },
    { value: NaN },
    { value: -Infinity },
  ]));
  assert.deepEqual(text.split("\n").map((line) => line.trim()), [
    "value",
    "59.9127",
    "0.000125",
    "2021",
    "12,345,678",
    "0.3",
    "",
    "",
  ]);
});

Deno.test("numbers are shortened to the digits asked for, whole ones and whole parts never", async () => {
  const rows = [{ value: 2562.0344 }, { value: 0.07081 }, { value: 329121 }, { value: -0.29591 }];
  const text = await plain(table(rows, { digits: 3 }));
  assert.deepEqual(text.split("\n").map((line) => line.trim()), [
    "value",
    "2562",
    "0.0708",
    "329,121",
    "-0.296",
  ]);
});

Deno.test("nested cells are shown as JSON, long ones shortened with all of it as tooltip", async () => {
  const page = await html(table([{ list: ["a", 1], long: "x".repeat(600) }]));
  assert.ok(page.includes("[&quot;a&quot;,1]"));
  assert.ok(page.includes(`title="${"x".repeat(600)}"`));
  assert.ok(page.includes(`>${"x".repeat(499)}…<`));
});

const spec: ChartSpec = styled({
  title: "Sizes & <shapes>",
  width: 100,
  height: 50,
  data: { values: [{ a: 1, b: 2 }, { a: 2, b: 5 }] },
  mark: { type: "bar", clip: true },
  encoding: {
    x: { field: "a", type: "quantitative" },
    y: { field: "b", type: "quantitative" },
  },
});

Deno.test("a chart carries Vega-Lite 5 for live front ends, SVG, and an image for nbconvert", async () => {
  const bundle = await shown(chart(spec));
  const live = bundle["application/vnd.vegalite.v5+json"] as Record<string, unknown>;
  assert.equal(live.$schema, "https://vega.github.io/schema/vega-lite/v5.json");
  assert.deepEqual({ ...live, $schema: undefined }, { ...spec, $schema: undefined });
  const svg = String(bundle["image/svg+xml"]);
  const [, alt, base64] = /^<img alt="([^"]*)" src="data:image\/svg\+xml;base64,([^"]+)">$/
    .exec(String(bundle["text/markdown"]))!;
  assert.equal(alt, "Sizes &amp; &lt;shapes&gt;");
  assert.equal(new TextDecoder().decode(Uint8Array.fromBase64(base64!)), svg);
  const { channels } = await sharp(new TextEncoder().encode(svg)).stats();
  assert.ok(channels.some(({ stdev }) => stdev > 10), "the picture is blank");
  assert.equal(bundle["text/plain"], "[chart: Sizes & <shapes>]");
});

Deno.test("a chart without rows says so in place of empty axes, and warns of nothing", async () => {
  const said: unknown[] = [];
  const { warn } = console;
  console.warn = (...words: unknown[]) => void said.push(...words);
  try {
    const bundle = await shown(chart(styled({ ...spec, data: { values: [] } } as ChartSpec)));
    assert.match(String(bundle["image/svg+xml"]), /There is nothing to draw/);
    assert.equal(bundle["text/plain"], "[chart: Sizes & <shapes>]");
    assert.match(String(bundle["image/svg+xml"]), /Sizes &amp; &lt;shapes&gt;/);
  } finally {
    console.warn = warn;
  }
  assert.deepEqual(said, []);
});

Deno.test("charts on one page do not clip each other", async () => {
  const idsOf = (svg: unknown) =>
    [...String(svg).matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id as string);
  const one = (await shown(chart(spec)))["image/svg+xml"];
  const two = (await shown(chart({ ...spec, title: "another" })))["image/svg+xml"];
  assert.ok(idsOf(one).length > 0, "nothing is clipped");
  assert.deepEqual(idsOf(one).filter((id) => idsOf(two).includes(id)), []);
  for (const [, id] of String(one).matchAll(/url\(#([^)]+)\)/g)) {
    assert.ok(idsOf(one).includes(id!));
  }
});

Deno.test("a wall draws each chart with axes of its own, and none says so", async () => {
  const svg = await renderSvg(wall([spec, { ...spec, title: "another" }]));
  assert.ok(svg.includes("Sizes &amp; &lt;shapes&gt;") && svg.includes("another"));
  assert.ok((await renderSvg(wall([]))).includes("nothing to draw"));
});

Deno.test("titles of a wall's row are as far above their plots", async () => {
  const before = { scale: "linear" as const, bins: [{ from: 0, to: 50, count: 13 }] };
  const named = (title: string, ...values: readonly number[]) =>
    histogramChart({
      title,
      before,
      lines: values.map((value) => ({ value, label: `is ${value}` })),
    });
  const charts = [named("one", 10), named("two", 10, 11, 12), named("three")];
  const svg = await renderSvg(wall(charts, { columns: 2 }));
  const heightOf = (title: string) => {
    const before = svg.slice(0, svg.indexOf(`>${title}<`));
    const titles = [...before.matchAll(/role-title"><g transform="translate\([^,]+,(-?[\d.]+)\)/g)];
    return Number(titles.at(-1)![1]);
  };
  assert.equal(heightOf("one"), heightOf("two"));
  assert.notEqual(heightOf("two"), heightOf("three"));
});

Deno.test("thumbnails are small pictures inside the page, with their captions", async () => {
  await using rig = new PictureRig();
  rig.write({
    "wide.jpg": await photo(640, 320),
    "tiny.png": await photo(20, 30, { format: "png" }),
  });
  const page = await html(
    thumbnails([{ path: "wide.jpg", caption: "<wide>" }, { path: "tiny.png" }], {
      size: 64,
      folder: rig.folder,
    }),
  );
  assert.ok(page.includes("&lt;wide&gt;") && page.includes("tiny.png"));
  const sizes = await Promise.all(
    [...page.matchAll(/src="data:image\/\w+;base64,([^"]+)"/g)].map(async ([, base64]) => {
      const { width, height } = await sharp(Uint8Array.fromBase64(base64!)).metadata();
      return [width, height];
    }),
  );
  assert.deepEqual(sizes, [[64, 32], [20, 30]]);
});

Deno.test("a thumbnail that cannot be made says why, and the others are shown", async () => {
  await using rig = new PictureRig();
  const whole = await photo(64, 64);
  rig.write({ "good.jpg": whole, "short.jpg": whole.slice(0, whole.length >> 1) });
  const page = await html(
    thumbnails(["good.jpg", "short.jpg", "gone.jpg"].map((path) => ({ path })), {
      folder: rig.folder,
    }),
  );
  assert.equal(page.match(/<img /g)?.length, 1);
  assert.ok(page.includes("JPEG ends after"));
  assert.ok(page.includes("there is no such file"));
});

Deno.test("thumbnails say how many more there are, and refuse a size that makes no sense", async () => {
  const pictures = Array.from({ length: 5 }, (_, index) => ({ path: `${index}.jpg` }));
  assert.ok((await html(thumbnails(pictures, { limit: 2 }))).includes("… and 3 more"));
  assert.ok((await html(thumbnails([]))).includes("no pictures"));
  assert.throws(() => thumbnails([], { size: 0 }), /Cannot show thumbnails: their size is 0/);
});

async function runProxy({ session }: PictureRig, listener: RunListener) {
  const settings = { source: "photos", out: "proxies" };
  await session.run(graphOf(await session.checkFile(proxyRecipe, { settings })), { listener });
}

Deno.test("progress redraws one line and ends with what became of the run", async () => {
  await using rig = new PictureRig();
  const whole = await photo(64, 64);
  rig.write({ "photos/a.jpg": whole, "photos/b.jpg": whole.slice(0, whole.length >> 1) });
  const lines: string[] = [];
  const ids = new Set<string>();
  let now = 0;
  const listener = progress({
    now: () => now += 1000,
    show: (bundle, id) => {
      lines.push(String(bundle["text/plain"]));
      ids.add(id);
    },
  });
  await runProxy(rig, listener);
  assert.equal(ids.size, 1);
  assert.ok(lines.some((line) => /^proxy [█░]{24} \d+ of \d+ tasks/.test(line)), lines.join("\n"));
  assert.ok(
    lines.some((line) => / of \d+ tasks, 1 picture left out, /.test(line)),
    lines.join("\n"),
  );
  assert.match(lines.at(-1)!, /^proxy: complete in \d+\.\d s, 1 picture left out; 5 tasks ran$/);
  assert.ok(lines.every((line) => !line.includes("\n") && !line.includes("NaN")));
});

Deno.test("progress draws at most every 150 ms, and the end always", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(64, 64) });
  const lines: string[] = [];
  const listener = progress({
    now: () => 0,
    show: (bundle) => lines.push(String(bundle["text/plain"])),
  });
  await runProxy(rig, listener);
  assert.equal(lines.length, 2);
  assert.match(lines[1]!, /^proxy: complete/);
});

Deno.test("where there is no run, the message has the command that makes one", () => {
  assert.throws(
    () => newestRun("normalize", ["/nowhere/.tintype"]),
    /Cannot find a run of the recipe "normalize": there is none in "\/nowhere\/.tintype" \(make one in the project's folder: deno task tintype run normalize --set source=FOLDER/,
  );
  assert.throws(
    () => newestRun(undefined, ["/nowhere/.tintype"]),
    /Cannot find a run: .*deno task tintype run normalize .*TINTYPE_WORKSPACE/,
  );
  assert.equal(findRun("normalize", ["/nowhere/.tintype"]), undefined);
  assert.equal(comparableRuns(["/nowhere/.tintype"]), undefined);
});

Deno.test("the newest run of a recipe is found, with its pictures and its reasons", async () => {
  await using first = new PictureRig();
  await using second = new PictureRig();
  for (const rig of [first, second]) rig.write({ "photos/a.jpg": await photo(1200, 1000) });
  const places = [first, second].map((rig) => join(rig.folder, ".tintype"));
  await second.proxy();
  assert.equal(comparableRuns(places), undefined);
  const { run: before } = newestRun("proxy", places);
  const { run: after } = await first.proxy();
  const { run: last } = await first.proxy({ quality: 60 });
  const newest = newestRun("proxy", places);
  assert.deepEqual([newest.workspace, newest.run], [places[0], last]);
  assert.notEqual(before, last);
  assert.equal(newestRun(undefined, places).run, last);
  assert.equal(findRun("normalize", places), undefined);
  const pair = comparableRuns(places);
  assert.deepEqual([pair?.before.run, pair?.after.run], [after, last]);
  assert.equal(sourceOf(places[0]!, last), join(first.folder, "photos"));
  const reasons = reasonsOf(places[0]!, last);
  assert.deepEqual(reasons.find(({ node }) => node === "proxies"), {
    node: "proxies",
    outcome: "ran",
    tasks: 1,
    why: "param quality: 85 → 60",
  });
  Deno.removeSync(first.path("photos"), { recursive: true });
  assert.throws(() => sourceOf(places[0]!, last), /there is no folder .* TINTYPE_NOTEBOOK_SOURCE/);
});

Deno.test("runs of different folders are not compared, and each finds its pictures", async () => {
  await using rig = new PictureRig();
  const workspace = join(rig.folder, ".tintype");
  rig.write({ "photos/a.jpg": await photo(64, 64), "others/b.jpg": await photo(64, 64) });
  const { run: before } = await rig.proxy();
  const { run: other } = await rig.proxy({ source: "others" });
  assert.equal(comparableRuns([workspace]), undefined);
  const { run: after } = await rig.proxy({ source: "./photos" });
  const pair = comparableRuns([workspace]);
  assert.deepEqual([pair?.before.run, pair?.after.run], [before, after]);
  assert.equal(sourceOf(workspace, other), rig.path("others"));
});

Deno.test("runs that were given a folder are compared before newer ones that were not", async () => {
  await using rig = new PictureRig();
  const workspace = join(rig.folder, ".tintype");
  rig.write({ "photos/a.jpg": await photo(64, 64) });
  const { run: before } = await rig.proxy();
  const { run: after } = await rig.proxy();
  const explore = recipe("explore");
  explore.step("photos", steps.scan, { with: { folder: rig.path("photos") } });
  const graph = graphOf(await rig.session.check(explore.toRecipe()));
  for (let time = 0; time < 2; time++) await rig.session.run(graph);
  const pair = comparableRuns([workspace]);
  assert.deepEqual([pair?.before.run, pair?.after.run], [before, after]);
});

Deno.test("the command of a run has all its settings, as a shell reads them", () => {
  const settings = { source: "/my photos", within: ["exact"], quality: 80 };
  assert.equal(
    commandOf("dedupe", { workspace: "/a/.tintype", settings }),
    "deno task tintype run dedupe --workspace /a/.tintype \\\n" +
      "  --set 'source=/my photos' \\\n  --set 'within=[\"exact\"]' \\\n  --set quality=80",
  );
});

Deno.test("a relative folder begins where the run's caller stood", async () => {
  await using rig = new PictureRig();
  rig.write({ "stand/photos/a.jpg": await photo(64, 64) });
  const workspace = rig.path("elsewhere/.tintype");
  const session = openSession({ workspace, cwd: rig.path("stand") });
  const settings = { source: "photos", out: "proxies" };
  const { run } = await session.run(graphOf(await session.checkFile(proxyRecipe, { settings })));
  assert.equal(homeOf(workspace, run), rig.path("stand"));
  assert.equal(sourceOf(workspace, run), rig.path("stand/photos"));
});

Deno.test("what the results weigh is that of the pictures, not of what is said about others", async () => {
  await using rig = new PictureRig();
  rig.write({ "photos/a.jpg": await photo(1400, 1000) });
  const settings = { source: "photos", out: "out" };
  const { run } = await rig.session.run(
    graphOf(await rig.session.checkFile(normalizeRecipe, { settings })),
  );
  const catalog = await rig.session.openCatalog({ run });
  try {
    const weights = await weightsOf(catalog);
    assert.deepEqual([...weights.keys()], ["normalized", "photos"]);
    assert.equal(weights.get("photos"), Deno.statSync(rig.path("photos/a.jpg")).size);
    assert.ok(weights.get("normalized")! > 0);
  } finally {
    catalog.close();
  }
});

Deno.test("a written policy is read back as it was, and a person's own is kept beside it", async () => {
  await using rig = new PictureRig();
  const path = rig.path("out/policy.yaml");
  const policy = policyOf({ long_side_px: 1024, quality: 80, format: "webp" });
  assert.deepEqual(writePolicy(path, policy), { path });
  assert.deepEqual(policyShape.parse(parse(Deno.readTextFileSync(path))), policy);
  assert.deepEqual(writePolicy(path, policy), { path });
  Deno.writeTextFileSync(path, "quality: 70 # mine\n");
  const former = rig.path("out/policy.1.yaml");
  assert.deepEqual(writePolicy(path, policy), { path, former });
  assert.equal(Deno.readTextFileSync(former), "quality: 70 # mine\n");
  assert.equal([...Deno.readDirSync(rig.path("out"))].length, 2);
});

Deno.test("a recipe that is wrong is said to be, with all that is wrong", async () => {
  await using rig = new PictureRig();
  const settings = { source: "photos", quality: 101, shrot_side: 3 };
  const checked = await rig.session.checkFile(proxyRecipe, { settings });
  assert.throws(() => graphOf(checked), /quality[\s\S]*shrot_side|shrot_side[\s\S]*quality/);
});

Deno.test("a policy that cannot be says which setting is wrong", () => {
  assert.throws(() => policyOf({ quality: 101 }), /Cannot use the policy: [\s\S]*quality/);
});

const population = [{
  format: "jpeg",
  width: 4000,
  height: 3000,
  jpeg_quality: 95,
  colour_mode: "rgb 8",
  has_alpha: false,
  uses_alpha: false,
  is_upright: true,
  is_multi_page: false,
  is_srgb: true,
  sharpness: 100,
  clipped: 0,
  images: 10,
  bytes: 40_000_000,
}];

Deno.test("policies are compared by what they keep, and a smaller limit keeps less", async () => {
  const rows = compareEffects({ population }, {
    none: { quality: 95 },
    half: { quality: 95, long_side_px: 2000 },
    quarter: { quality: 95, long_side_px: 1000 },
  });
  assert.deepEqual(rows.map(({ percent_pixels }) => percent_pixels), [100, 25, 6.3]);
  assert.deepEqual(rows.map(({ resized }) => resized), [0, 10, 10]);
  const [none, half, quarter] = rows.map(({ percent_bytes }) => Number(percent_bytes));
  assert.ok(none === 100 && half! < none && quarter! < half!, `${none} ${half} ${quarter}`);
  assert.ok((await renderSvg(effectChart(rows))).includes("quarter"));
});

Deno.test("an empty set has an effect without NaN", () => {
  const text = JSON.stringify(compareEffects({ population: [] }, { any: {} }));
  assert.ok(!/null|NaN/.test(text), text);
});
